"""Hot, sealed, compacted or rolled up, written twice or late: the answers are those of the samples."""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.historian.aggregation import Measure, aggregate_samples
from athanor.kernel.historian.gaps import NONE, GapPolicy, hold, linear
from athanor.kernel.historian.layout import columns_of, merged
from athanor.kernel.historian.levels import LEVELS_US, SAMPLES, plan, reach
from athanor.kernel.historian.port import STORED, Span, microseconds, moment
from athanor.kernel.historian.rollups import Rollups
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality

START_US = microseconds(datetime(2026, 3, 28, 20, tzinfo=UTC))  # four hours before a UTC day begins
MINUTE_US, HOUR_US = LEVELS_US[0], LEVELS_US[3]
TAGS = [TagId(3), TagId(7)]

POLICIES: list[GapPolicy] = [NONE, hold(timedelta(minutes=5)), linear(timedelta(minutes=5)), linear(timedelta(hours=2))]

# A stretch of samples: tag, minute at which it begins, samples, seconds between them.
stretches = st.tuples(
    st.sampled_from(TAGS), st.integers(0, 600), st.integers(1, 400), st.sampled_from([1, 7, 10, 60, 600])
)
deeds = st.one_of(
    st.tuples(st.just("write"), st.lists(stretches, min_size=1, max_size=3), st.integers(0, 2**31)),
    st.tuples(st.just("import"), st.lists(stretches, min_size=1, max_size=3), st.integers(0, 2**31)),
    st.tuples(st.sampled_from(["seal", "compact", "roll up"]), st.none(), st.none()),
)


def samples_of(some: list[tuple[TagId, int, int, int]], seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    tag = np.concatenate([np.full(count, one, np.int32) for one, _, count, _ in some])
    time_us = np.concatenate(
        [START_US + minute * MINUTE_US + np.arange(count) * step * 1_000_000 for _, minute, count, step in some]
    )
    value = rng.normal(50, 5, len(tag)).round(2)
    quality = rng.choice([Quality.GOOD, Quality.BAD], len(tag), p=[0.97, 0.03]).astype(np.uint8)
    text = pa.nulls(len(tag), pa.string())
    return pa.table(
        [pa.array(tag), pa.array(time_us).cast(TIME), pa.array(value), text, pa.array(quality)], schema=STORED
    )


async def done(historian: TieredHistorian, deed: str, samples: pa.Table | None) -> None:
    if samples is not None and deed == "write":
        await historian.write(samples.combine_chunks().to_batches()[0])
    elif samples is not None:
        await historian.import_history(samples)
    elif deed == "seal":
        await historian.seal_now()
    elif deed == "compact":
        await historian.compact_now()
    else:
        await historian.roll_up_now()


def edges_of(begin_min: int, steps: int, step_min: int) -> np.ndarray:
    return START_US + (begin_min + np.arange(steps + 1) * step_min) * MINUTE_US


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=st.lists(deeds, min_size=1, max_size=8),
    edges=st.builds(
        edges_of, st.integers(-30, 300), st.integers(1, 20), st.sampled_from([1, 10, 15, 60, 90, 240, 1440])
    ),
    shift_us=st.sampled_from([0, 0, 1, 30_000_000]),
    policy=st.sampled_from(POLICIES),
)
def test_answers_are_those_of_the_samples(
    history: list[tuple[str, list[tuple[TagId, int, int, int]] | None, int | None]],
    edges: np.ndarray,
    shift_us: int,
    policy: GapPolicy,
) -> None:
    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            historian = TieredHistorian(Path(folder) / "hot", Path(folder) / "lake")
            try:
                written = []
                for deed, some, seed in history:
                    samples = samples_of(some, seed) if some is not None and seed is not None else None
                    written += [samples] if samples is not None else []
                    await done(historian, deed, samples)
                await compare(historian, merged(written), edges + shift_us, policy)
            finally:
                await historian.close()

    asyncio.run(check())


async def compare(historian: TieredHistorian, samples: pa.Table, edges: np.ndarray, policy: GapPolicy) -> None:
    columns = columns_of(samples)
    for how in Measure:
        if how is Measure.INTEGRAL and policy == NONE:
            continue
        wanted = aggregate_samples(*columns, edges, how, policy)
        found = await historian.resample(TAGS, edges, how, policy)
        assert found["tag"].to_pylist() == wanted.tag.tolist(), how
        assert found["time"].cast(pa.int64()).to_pylist() == wanted.start_us.tolist(), how
        np.testing.assert_allclose(found["value"].to_numpy(), wanted.value, rtol=1e-9, atol=1e-7, err_msg=how)
        if policy != NONE:
            np.testing.assert_allclose(found["covered"].to_numpy(), wanted.covered, rtol=1e-9, err_msg=how)


@pytest.fixture
async def historian(tmp_path: Path) -> "TieredHistorian":
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield historian
    await historian.close()


async def test_rollups_are_asked_and_not_the_samples(historian: TieredHistorian, tmp_path: Path) -> None:
    await historian.import_history(samples_of([(TAGS[0], 0, 20_000, 1)], 1))
    await historian.roll_up_now()
    edges = np.arange(START_US, START_US + 6 * HOUR_US, HOUR_US)
    before = await historian.resample(TAGS, edges, Measure.MEAN, linear(timedelta(minutes=5)))
    assert before.num_rows == 5
    await historian.close()
    for file in (tmp_path / "lake" / "samples").rglob("*.parquet"):
        file.write_bytes(b"nothing can be read here")
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    assert (await again.resample(TAGS, edges, Measure.MEAN, linear(timedelta(minutes=5)))).equals(before)
    chart = await again.downsample(TAGS, Span(moment(START_US), moment(START_US + 6 * HOUR_US)), 100)
    assert 50 < chart.num_rows <= 100
    await again.close()


async def test_damaged_rollups_are_made_anew_and_answers_stay_right(historian: TieredHistorian, tmp_path: Path) -> None:
    await historian.import_history(samples_of([(TAGS[0], 0, 20_000, 1)], 1))
    await historian.roll_up_now()
    edges = np.arange(START_US, START_US + 6 * HOUR_US, HOUR_US)
    before = await historian.resample(TAGS, edges, Measure.MAX, NONE)
    await historian.close()
    for file in (tmp_path / "lake" / "rollups").rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:-500])
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    assert (await again.resample(TAGS, edges, Measure.MAX, NONE)).equals(before)
    damaged = set((tmp_path / "lake" / "rollups").rglob("*.parquet"))
    await again.roll_up_now()
    assert set((tmp_path / "lake" / "rollups").rglob("*.parquet")) > damaged
    assert (await again.resample(TAGS, edges, Measure.MAX, NONE)).equals(before)
    await again.close()


async def test_a_chart_of_years_keeps_every_extreme(historian: TieredHistorian) -> None:
    rng = np.random.default_rng(5)
    time_us = START_US + np.arange(200_000) * 10_000_000
    value = rng.normal(0, 1, len(time_us))
    value[123_456], value[77_777] = 40.0, -40.0
    table = pa.table(
        [
            pa.array(np.full(len(time_us), TAGS[0], np.int32)),
            pa.array(time_us).cast(TIME),
            pa.array(value),
            pa.nulls(len(time_us), pa.string()),
            pa.array(np.zeros(len(time_us), np.uint8)),
        ],
        schema=STORED,
    )
    await historian.import_history(table)
    await historian.roll_up_now()
    chart = await historian.downsample(TAGS, Span(moment(int(time_us[0])), moment(int(time_us[-1]) + 1)), 500)
    found = dict(zip(chart["time"].cast(pa.int64()).to_pylist(), chart["value"].to_pylist(), strict=True))
    assert 300 < len(found) <= 500
    assert found[int(time_us[123_456])] == 40.0
    assert found[int(time_us[77_777])] == -40.0
    known = dict(zip(time_us.tolist(), value.tolist(), strict=True))
    assert all(known[time] == value for time, value in found.items()), "a point that was never measured"


async def test_days_that_are_over_are_folded_into_months_and_late_samples_still_count(
    historian: TieredHistorian, tmp_path: Path
) -> None:
    days = [samples_of([(tag, day * 1440, 8640, 10) for tag in TAGS], day) for day in range(4)]
    for samples in days:
        await historian.import_history(samples)
    await historian.compact_now()
    await historian.roll_up_now()
    names = {path.name for path in Rollups(FolderStore(tmp_path / "lake")).files}
    assert sum("month" in name for name in names) == 1, "March; of April there is one day"
    assert sum("coarse" in name for name in names) == 1
    edges = np.arange(START_US, START_US + 4 * 24 * HOUR_US + 1, HOUR_US)
    await compare(historian, merged(days), edges, linear(timedelta(minutes=5)))
    late = samples_of([(TAGS[0], 2000, 500, 3)], 77)
    await historian.import_history(late)
    for _ in range(2):
        await compare(historian, merged([*days, late]), edges, linear(timedelta(minutes=5)))
        await historian.compact_now()
        await historian.roll_up_now()


async def test_a_damaged_month_is_made_anew(historian: TieredHistorian, tmp_path: Path) -> None:
    samples = samples_of([(TAGS[0], 300, 3 * 8640, 10)], 1)
    await historian.import_history(samples)
    await historian.roll_up_now()
    await historian.close()
    (month,) = (tmp_path / "lake" / "rollups").rglob("month-*.parquet")
    month.write_bytes(month.read_bytes()[:-500])
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    edges = np.arange(START_US, START_US + 80 * HOUR_US, HOUR_US)
    await compare(again, samples, edges, hold(timedelta(minutes=5)))
    await again.roll_up_now()
    names = [path.name for path in Rollups(FolderStore(tmp_path / "lake")).files]
    assert month.name not in names
    assert sum(name.startswith("month-") for name in names) == 1
    await compare(again, samples, edges, hold(timedelta(minutes=5)))
    await again.close()


@given(
    begin=st.integers(0, 10**6),
    lengths=st.lists(st.sampled_from([1, 7, 60, 900, 3600, 86_400, 31 * 86_400]), min_size=1, max_size=12),
)
def test_a_plan_covers_everything_once_with_whole_cells_in_one_step(begin: int, lengths: list[int]) -> None:
    edges = (begin + np.cumsum([0, *lengths])) * 1_000_000
    parts = plan(edges)
    pieces = sorted(
        (int(low), int(high), part.level)
        for part in parts
        for low, high in zip(part.ranges.begin_us, part.ranges.end_us, strict=True)
    )
    assert pieces[0][0] == edges[0]
    assert pieces[-1][1] == edges[-1]
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    for part in parts:
        if part.level != SAMPLES:
            cells = part.ranges.boundaries(part.level)
            assert not np.any(cells % LEVELS_US[part.level])
            assert all(edge % LEVELS_US[part.level] == 0 or not part.ranges.hold(np.array([edge]))[0] for edge in edges)


def test_what_reaches_over_the_ends_is_asked_of_whole_cells() -> None:
    edges = np.arange(0, 5) * HOUR_US
    wider = reach(edges, 5 * MINUTE_US, 5 * MINUTE_US)
    assert wider.tolist() == [-HOUR_US, *edges.tolist(), 5 * HOUR_US]
    assert [part.level for part in plan(wider)] == [LEVELS_US.index(HOUR_US)]
    assert reach(edges + 1, 5 * MINUTE_US, 0).tolist() == [1 - 5 * MINUTE_US, *(edges + 1).tolist()]
