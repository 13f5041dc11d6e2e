"""Who may see a tag from a moment on reads what there would be if nothing older had ever been stored."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE, GapPolicy, hold, linear
from athanor.kernel.historian.port import STORED, Span, microseconds, moment
from athanor.kernel.historian.seen import SeenCurrentValues, SeenHistorian
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality

START = datetime(2026, 5, 4, tzinfo=UTC)
MINUTE_US = 60_000_000
LENGTH_MIN = 24 * 60
POLICIES = (NONE, hold(timedelta(minutes=7)), linear(timedelta(minutes=7)), hold(timedelta(hours=3)))
fresh = count(1)  # tags, so that no example meets another's samples

Sample = tuple[int, float, Quality]  # minute, value, quality
samples_of_a_day = st.lists(
    st.tuples(
        st.integers(0, LENGTH_MIN),
        st.floats(-100, 100).map(lambda value: round(value, 2)),
        st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.BAD]),
    ),
    max_size=60,
    unique_by=lambda sample: sample[0],
)
minutes = st.integers(0, LENGTH_MIN)


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield historian
    await historian.close()


def stored(tag: int, samples: list[Sample]) -> pa.RecordBatch:
    return pa.record_batch(
        [
            pa.array([tag] * len(samples), pa.int32()),
            pa.array([at(minute) for minute, _value, _quality in samples], TIME),
            pa.array([value for _minute, value, _quality in samples], pa.float64()),
            pa.nulls(len(samples), pa.string()),
            pa.array([quality for _minute, _value, quality in samples], pa.uint8()),
        ],
        schema=STORED,
    )


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


async def two_tags(whole: TieredHistorian, samples: list[Sample], since_min: int) -> tuple[TagId, TagId]:
    """One with all samples, of which nothing before the moment may be seen, and one that only ever had the rest."""
    limited, plain = TagId(next(fresh)), TagId(next(fresh))
    rest = [one for one in samples if one[0] >= since_min]
    await whole.write(pa.concat_batches([stored(limited, samples), stored(plain, rest)]))
    return limited, plain


def named(table: pa.Table, tag: TagId) -> pa.Table:
    """The same rows of another tag."""
    return table.set_column(0, table.schema.field("tag"), pa.array([tag] * len(table), pa.int32()))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=samples_of_a_day, since_min=minutes, bounds=st.tuples(minutes, minutes), points=st.integers(3, 40))
async def test_samples_and_points_are_those_from_the_moment_on(
    whole: TieredHistorian, samples: list[Sample], since_min: int, bounds: tuple[int, int], points: int
) -> None:
    limited, plain = await two_tags(whole, samples, since_min)
    seen = SeenHistorian(whole, {limited: at(since_min)})
    span = Span(at(min(bounds)), at(max(bounds)))
    assert (await seen.read([limited], span)).equals(named(await whole.read([plain], span), limited))
    expected = await whole.downsample([plain], Span(max(span.start, min(at(since_min), span.end)), span.end), points)
    assert (await seen.downsample([limited], span, points)).equals(named(expected, limited))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=samples_of_a_day,
    since_min=minutes,
    step_min=st.sampled_from([1, 5, 7, 30, 60, 360, 1440]),
    first_min=st.integers(0, 400),
    policy=st.sampled_from(POLICIES),
)
async def test_steps_are_those_from_the_moment_on_as_if_nothing_older_were_stored(
    whole: TieredHistorian, samples: list[Sample], since_min: int, step_min: int, first_min: int, policy: GapPolicy
) -> None:
    limited, plain = await two_tags(whole, samples, since_min)
    seen = SeenHistorian(whole, {limited: at(since_min)})
    edges = microseconds(START) + MINUTE_US * np.arange(first_min, LENGTH_MIN + 400, step_min, dtype=np.int64)
    hows = [how for how in Measure if policy is not NONE or how is not Measure.INTEGRAL]
    answer = await seen.measures([limited], edges, hows, policy)
    allowed = edges[edges >= microseconds(at(since_min))]
    for how in hows:
        table = answer[how]
        if len(allowed) < 2:
            assert table.num_rows == 0
            continue
        expected = await whole.resample([plain], allowed, how, policy)
        assert table["time"].to_pylist() == expected["time"].to_pylist(), how
        for column in ("value", "covered"):
            got, wanted = (one[column].to_numpy(zero_copy_only=False).astype(float) for one in (table, expected))
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=f"{how} {column}")


async def test_tags_without_a_moment_are_read_beside_those_that_have_one(whole: TieredHistorian) -> None:
    free, limited, later = (TagId(next(fresh)) for _ in range(3))
    for tag in (free, limited, later):
        await whole.write(stored(tag, [(minute, float(minute), Quality.GOOD) for minute in range(60)]))
    seen = SeenHistorian(whole, {limited: at(30), later: at(50)})
    span = Span(at(0), at(60))
    table = await seen.read([later, free, limited], span)
    assert table["tag"].to_pylist() == [free] * 60 + [limited] * 30 + [later] * 10
    assert table["time"].cast(pa.int64()).to_pylist() == [
        microseconds(at(minute)) for first in (0, 30, 50) for minute in range(first, 60)
    ]
    edges = microseconds(START) + MINUTE_US * np.arange(0, 61, 20, dtype=np.int64)
    steps = await seen.resample([free, limited, later], edges, Measure.COUNT, NONE)
    assert steps.select(["tag", "value"]).to_pylist() == [
        *({"tag": free, "value": 20.0} for _ in range(3)),
        {"tag": limited, "value": 20.0},
    ]
    assert (await seen.read([], span)).num_rows == 0


async def test_the_newest_samples_and_current_values_are_there_only_where_they_are_new_enough(
    whole: TieredHistorian,
) -> None:
    old, new, free = (TagId(next(fresh)) for _ in range(3))
    for tag, minute in ((old, 10), (new, 40), (free, 10)):
        await whole.write(stored(tag, [(minute, 1.0, Quality.GOOD)]))
    since = {old: at(30), new: at(30)}
    latest = await SeenHistorian(whole, since).latest()
    assert set(latest["tag"].to_pylist()) >= {new, free}
    assert old not in latest["tag"].to_pylist()
    current = CurrentValues()
    current.update(await whole.latest())
    seen = SeenCurrentValues(current, since)
    assert (seen.get(old), seen.get(new), seen.get(free)) == (None, current.get(new), current.get(free))
    tags = [old, new, free]
    np.testing.assert_array_equal(seen.numbers(tags), [np.nan, 1.0, 1.0])
    np.testing.assert_array_equal(seen.ages_s(tags, at(60)), [np.inf, 20 * 60, 50 * 60])
    assert seen.qualities(tags).tolist() == [Quality.BAD, Quality.GOOD, Quality.GOOD]
    assert (seen.version, seen.changed_since(0).tolist()) == (current.version, current.changed_since(0).tolist())
    assert moment(microseconds(at(30))) == at(30)
