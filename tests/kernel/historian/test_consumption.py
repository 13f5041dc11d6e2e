"""What counters counted, read from a real historian: any cut of a range adds up to the whole."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.consumption import CONSUMED, EVENTS, Consumption, NotACounterError, delta, delta_in_slices
from athanor.kernel.historian.counters import Split
from athanor.kernel.historian.port import Span, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.meter import Meter, Replacement
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality

from .plants import ENERGY, NOON, PLANT, POWER, WATER, Row, batch, plant_of

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield historian
    await historian.close()


def amounts(consumption: Consumption) -> list[float]:
    return consumption.steps["value"].to_pylist()  # type: ignore[no-any-return]


def kinds(consumption: Consumption) -> list[str]:
    return consumption.events["event"].to_pylist()  # type: ignore[no-any-return]


def hourly(*readings: float | None, bad: Sequence[int] = ()) -> list[Row]:
    """One reading at each full hour; none where None."""
    return [
        (3600.0 * hour, reading, Quality.BAD if hour in bad else Quality.GOOD)
        for hour, reading in enumerate(readings)
        if reading is not None
    ]


async def test_a_step_holds_what_its_readings_close(historian: TieredHistorian) -> None:
    await historian.write(batch(ENERGY, *hourly(100, 110, 125, 125, 150.5)))
    span = Span(NOON, NOON + 4 * HOUR)
    found = await delta(historian, PLANT, [ENERGY], span, parse_step("1h"))
    assert found.steps.schema == CONSUMED
    assert found.events == EVENTS.empty_table()
    assert found.steps["time"].to_pylist() == [NOON + hour * HOUR for hour in range(4)]
    assert amounts(found) == [10, 15, 0, 25.5]
    assert found.steps["covered"].to_pylist() == [1, 1, 1, 1]
    assert amounts(await delta(historian, PLANT, [ENERGY], span)) == [50.5]


async def test_what_a_reading_closes_over_several_steps_says_so_or_is_split_by_time(historian: TieredHistorian) -> None:
    await historian.write(batch(ENERGY, *hourly(100, None, None, 130, 140)))
    span = Span(NOON + HOUR, NOON + 4 * HOUR)  # the reading before it is an hour away
    whole = await delta(historian, PLANT, [ENERGY], span, parse_step("1h"))
    assert (amounts(whole), whole.steps["covered"].to_pylist()) == ([30, 10], [3, 1])
    split = await delta(historian, PLANT, [ENERGY], span, parse_step("1h"), Split.PRO_RATA)
    assert amounts(split) == pytest.approx([10, 10, 10])
    assert split.steps["covered"].to_pylist() == pytest.approx([1, 1, 1])


async def test_rollover_replacement_reset_and_jumps_are_events_and_only_the_first_two_count(
    historian: TieredHistorian,
) -> None:
    meter = Meter(1, 1e6, 1.0, (Replacement(NOON + 2 * HOUR + HOUR / 2, 60.0, 5.0),))
    tag = replace(ENERGY, meter=meter)
    plant = plant_of(tag)
    await historian.write(batch(tag, *hourly(999_950, 20, 50, 15, 3, 500_000, 500_010, 499_000), plant=plant))
    found = await delta(historian, plant, [tag], Span(NOON, NOON + 7 * HOUR), parse_step("1h"))
    assert kinds(found) == ["rollover", "replacement", "reset", "implausible_jump", "negative_jump"]
    assert amounts(found) == [70, 30, 20, 3, 0, 10, 0]
    assert found.steps["covered"].to_pylist() == pytest.approx([1, 1, 1, 1, 0, 1, 0])
    rollover = found.events.to_pylist()[0]
    assert rollover["time"] == NOON + HOUR
    assert (rollover["before"], rollover["after"], rollover["counted"]) == (999_950, 20, 70)


async def test_a_counter_of_which_nothing_is_known_has_its_tags_decimals(historian: TieredHistorian) -> None:
    await historian.write(batch(WATER, *hourly(0.14, 10.26, 12.26, 3)))
    found = await delta(historian, PLANT, [WATER], Span(NOON, NOON + 3 * HOUR), parse_step("1h"))
    assert amounts(found) == [10.2, 2, 0]
    assert kinds(found) == ["negative_jump"]


async def test_days_are_those_of_the_site_and_several_counters_come_by_tag(historian: TieredHistorian) -> None:
    hours = range(24 * 3)
    for tag, each in ((WATER, 2.0), (ENERGY, 1.0)):
        await historian.write(batch(tag, *((3600.0 * hour, 100 + each * hour) for hour in hours)))
    span = Span(datetime(2026, 5, 4, 16, tzinfo=UTC), datetime(2026, 5, 6, 16, tzinfo=UTC))  # two days in Shanghai
    found = await delta(historian, PLANT, [WATER, ENERGY], span, parse_step("day"))
    assert amounts(found) == [24, 24, 48, 48]
    assert found.steps["tag"].to_pylist() == [PLANT.id_of(tag.path) for tag in (ENERGY, ENERGY, WATER, WATER)]


async def test_the_step_in_which_it_is_now_ends_now(historian: TieredHistorian) -> None:
    now = datetime.now(UTC)
    await historian.write(batch(ENERGY, (-1200, 100.0), (-600, 104.0), start=now))
    found = await delta(historian, PLANT, [ENERGY], Span(now - DAY, now + DAY))
    assert amounts(found) == [4]
    assert amounts(await delta(historian, PLANT, [ENERGY], Span(now + HOUR, now + DAY))) == []


async def test_what_is_no_counter_has_no_consumption(historian: TieredHistorian) -> None:
    with pytest.raises(NotACounterError, match=r"works\.power is no counter but of kind analog"):
        await delta(historian, PLANT, [ENERGY, POWER], Span(NOON, NOON + HOUR))


async def test_zeros_are_judged_by_what_was_before_them_however_long_ago(historian: TieredHistorian) -> None:
    """A register that shows 0 for days and then what it had: disturbed, and no consumption of its whole reading."""
    minutes = range(1, 3 * 1440)
    await historian.write(batch(ENERGY, (-60, 40_000.0), (0, 40_000.0), *((60.0 * minute, 0.0) for minute in minutes)))
    await historian.write(batch(ENERGY, (3 * 86_400, 40_007.0), (3 * 86_400 + 60, 40_008.0)))
    ends = [NOON + DAY * n / 2 for n in range(8)]
    pieces = [await delta(historian, PLANT, [ENERGY], Span(a, b)) for a, b in pairwise(ends)]
    assert [amount for piece in pieces for amount in amounts(piece)] == [7, 1]
    assert {kind for piece in pieces for kind in kinds(piece)} == {"negative_jump"}


def _readings(random: np.random.Generator, count: int, width: float, scale: int) -> list[Row]:
    """A register with rollovers, resets, spikes, rows of zeros, bad readings and holes."""
    counts = np.cumsum(random.integers(0, 4000, count)) + random.integers(0, int(width * scale))
    reset_at = random.integers(0, count, 2)
    for at in reset_at:
        counts[at:] -= counts[at] - random.integers(0, 50)
    value = (counts % int(width * scale)) / scale
    for at in random.integers(2, count - 2, 4):
        value[at] = random.choice([0.0, value[at] / 2, min(value[at] * 1.5, width - 1)])
    first = int(random.integers(2, count - 9))
    value[first : first + int(random.integers(0, 6))] = 0.0
    second = np.cumsum(random.choice([60.0, 60.0, 60.0, 120.0, 7200.0], count))
    bad = random.random(count) < 0.05
    return [
        (float(at), float(shown), Quality.BAD if is_bad else Quality.GOOD)
        for at, shown, is_bad in zip(second, value, bad, strict=True)
    ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    seed=st.integers(0, 10**6),
    max_rate=st.none() | st.just(20.0),
    cuts=st.lists(st.floats(0.02, 0.98), min_size=1, max_size=4),
    split=st.sampled_from(Split),
)
async def test_any_cut_of_a_range_adds_up_to_the_whole(
    historian: TieredHistorian, seed: int, max_rate: float | None, cuts: list[float], split: Split
) -> None:
    random = np.random.default_rng(seed)
    tags = [
        Tag(f"works.meter_{seed}_{n}_{max_rate}_{len(cuts)}", {"en": "M"}, "kWh", TagKind.COUNTER, 0, meter=meter)
        for n, meter in enumerate((Meter(1, 1e4, max_rate), Meter(0, None, max_rate)))
    ]
    plant = fresh_plant(tags)
    for tag in tags:
        await historian.write(batch(tag, *_readings(random, 60, 1e4, 10), plant=plant))
    length = timedelta(hours=24)
    whole = await delta(historian, plant, tags, Span(NOON, NOON + length), None, split)
    ends = [NOON, *(NOON + length * cut for cut in sorted(cuts)), NOON + length]
    pieces = [await delta(historian, plant, tags, Span(start, end), None, split) for start, end in pairwise(ends)]
    for tag in tags:
        tag_id = plant.id_of(tag.path)
        parts = [row["value"] for piece in pieces for row in piece.steps.to_pylist() if row["tag"] == tag_id]
        total = [row["value"] for row in whole.steps.to_pylist() if row["tag"] == tag_id]
        assert sum(parts) == pytest.approx(sum(total), abs=1e-6)
    events = pa.concat_tables([piece.events for piece in pieces])
    assert events.sort_by([("tag", "ascending"), ("time", "ascending")]) == whole.events


_plants: dict[str, RunningPlant] = {}


def fresh_plant(tags: list[Tag]) -> RunningPlant:
    """A plant whose tags have ids that no other example has."""
    plant = plant_of(*tags)
    first = 1000 + 10 * len(_plants)
    fresh = RunningPlant(plant.model, 1, {tag.path: first + n for n, tag in enumerate(tags)})  # type: ignore[misc]
    _plants[tags[0].path] = fresh
    return fresh


@pytest.mark.parametrize("split", Split)
async def test_a_range_longer_than_memory_is_counted_in_slices(historian: TieredHistorian, split: Split) -> None:
    random = np.random.default_rng(3)
    for tag in (ENERGY, WATER):
        await historian.write(batch(tag, *_readings(random, 600, 1e6, 10)))
    span = Span(NOON, NOON + 12 * HOUR)
    for text, boundaries in (("1h", 12), ("day", 1)):
        whole = await delta(historian, PLANT, [ENERGY, WATER], span, parse_step(text), split)
        edges = microseconds(NOON) + np.arange(13) * 3_600_000_000
        if boundaries == 1:
            day = datetime(2026, 5, 3, 16, tzinfo=UTC)
            edges = np.array([microseconds(day), microseconds(day + DAY), microseconds(day + 2 * DAY)])
        slices = [part async for part in delta_in_slices(historian, PLANT, [ENERGY, WATER], edges, split, 3000)]
        joined = pa.concat_tables([part.steps for part in slices])
        joined = joined.sort_by([("tag", "ascending"), ("time", "ascending")])
        assert joined.select(["tag", "time"]) == whole.steps.select(["tag", "time"])
        for column in ("value", "covered"):
            np.testing.assert_allclose(joined[column].to_numpy(), whole.steps[column].to_numpy(), rtol=1e-9)
