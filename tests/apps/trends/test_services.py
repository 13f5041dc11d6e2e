"""Lines, newcomers, statistics and exports, against the real historian."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from athanor.apps.trends import services
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import STORED, Span
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, Quality

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TEMPERATURE = Tag("works.temperature", {"en": "Temperature", "zh_CN": "温度"}, "degC", decimals=1, period_s=1.0)
SETPOINT = Tag("works.setpoint", {"en": "Setpoint"}, "degC", TagKind.SETPOINT)
NOTE = Tag("works.note", {"en": "=HYPERLINK(1)"}, "1", TagKind.TEXT)
TAGS = (TEMPERATURE, SETPOINT, NOTE)
PLANT = RunningPlant(
    Plant(
        "park",
        {"en": "Park"},
        "Asia/Shanghai",
        {"copper": Tenant("copper", {"en": "Copper"})},
        {"works": Node("works", Level.SITE, {"en": "Works", "zh_CN": "工厂"}, "copper", tags=TAGS)},
    ),
    1,
    {tag.path: TagId(number) for number, tag in enumerate(TAGS, 1)},
)


def batch(
    tag: Tag, seconds: list[float], values: list[float | str | None], quality: Quality = Quality.GOOD
) -> pa.RecordBatch:
    return pa.record_batch(
        [
            pa.array([PLANT.id_of(tag.path)] * len(seconds), pa.int32()),
            pa.array([NOON + timedelta(seconds=one) for one in seconds], TIME),
            pa.array([None if isinstance(one, str) else one for one in values], pa.float64()),
            pa.array([one if isinstance(one, str) else None for one in values], pa.string()),
            pa.array([quality] * len(seconds), pa.uint8()),
        ],
        schema=STORED,
    )


def ramp(count: int) -> pa.RecordBatch:
    return batch(TEMPERATURE, [float(n) for n in range(count)], [float(n) for n in range(count)])


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield historian
    await historian.close()


async def test_few_samples_are_drawn_one_for_one_and_bad_ones_break_the_line(historian: TieredHistorian) -> None:
    await historian.write(ramp(10))
    await historian.write(batch(TEMPERATURE, [4.0], [99.0], Quality.BAD))
    span = Span(NOON, NOON + timedelta(seconds=10))
    lines = await services.lines(historian, CurrentValues(), PLANT, [TEMPERATURE], span, 1000)
    time, value = lines[TEMPERATURE.path]
    assert time.tolist() == [int(NOON.timestamp() * 1000) + 1000 * n for n in range(10)]
    np.testing.assert_array_equal(value, [0, 1, 2, 3, np.nan, 5, 6, 7, 8, 9])


async def test_many_samples_become_as_many_points_as_asked_and_keep_their_extremes(historian: TieredHistorian) -> None:
    await historian.write(ramp(5000))
    span = Span(NOON, NOON + timedelta(seconds=5000))
    lines = await services.lines(historian, CurrentValues(), PLANT, [TEMPERATURE], span, 200)
    _time, value = lines[TEMPERATURE.path]
    assert len(value) <= 220
    assert (value.min(), value.max()) == (0.0, 4999.0)
    assert not np.isnan(value).any()


async def test_a_setpoint_shows_what_it_held_before_the_range(historian: TieredHistorian) -> None:
    await historian.write(batch(SETPOINT, [-3600.0, 30.0], [1200.0, 1250.0]))
    span = Span(NOON, NOON + timedelta(seconds=60))
    lines = await services.lines(historian, CurrentValues(), PLANT, [SETPOINT], span, 500)
    time, value = lines[SETPOINT.path]
    assert value.tolist() == [1200.0, 1250.0]
    assert time[0] == int(NOON.timestamp() * 1000)


async def test_a_setpoint_set_long_ago_and_never_since_is_a_line_all_the_same(historian: TieredHistorian) -> None:
    held = batch(SETPOINT, [-90 * 86_400.0], [1180.0])
    await historian.write(held)
    current = CurrentValues()
    current.update(held)
    span = Span(NOON, NOON + timedelta(seconds=60))
    lines = await services.lines(historian, current, PLANT, [SETPOINT], span, 500)
    assert lines[SETPOINT.path][1].tolist() == [1180.0]


def test_each_newcomer_is_told_once_and_silence_breaks_the_line() -> None:
    current = CurrentValues()
    newcomers = services.Newcomers(PLANT, current)
    noon_ms = int(NOON.timestamp() * 1000)
    current.update(batch(TEMPERATURE, [0.0], [1200.0]))
    assert newcomers.since_last([TEMPERATURE]) == {TEMPERATURE.path: [(noon_ms, 1200.0)]}
    assert newcomers.since_last([TEMPERATURE]) == {}
    current.update(batch(TEMPERATURE, [60.0], [1210.0]))
    assert newcomers.since_last([TEMPERATURE]) == {TEMPERATURE.path: [(noon_ms + 1, None), (noon_ms + 60_000, 1210.0)]}
    current.update(batch(TEMPERATURE, [61.0], [1400.0], Quality.BAD))
    assert newcomers.since_last([TEMPERATURE]) == {TEMPERATURE.path: [(noon_ms + 61_000, None)]}


async def test_statistics_are_of_the_range(historian: TieredHistorian) -> None:
    await historian.write(ramp(1001))
    await historian.write(batch(TEMPERATURE, [500.5], [5000.0], Quality.BAD))
    span = Span(NOON, NOON + timedelta(seconds=1000))
    found = await services.statistics(historian, PLANT, [TEMPERATURE], span)
    statistics = found[TEMPERATURE.path]
    assert (statistics.count, statistics.minimum, statistics.maximum, statistics.last) == (1000, 0.0, 1000.0, 1000.0)
    assert statistics.mean == pytest.approx(500, abs=0.01)
    assert statistics.good_share == 0.999  # no line leads over the bad one


async def test_statistics_of_a_setpoint_begin_with_what_it_held(historian: TieredHistorian) -> None:
    await historian.write(batch(SETPOINT, [-3600.0, 30.0], [1200.0, 1250.0]))
    found = await services.statistics(historian, PLANT, [SETPOINT, NOTE], Span(NOON, NOON + timedelta(seconds=60)))
    assert found[SETPOINT.path] == services.Statistics(1, 1200.0, 1250.0, 1225.0, 1250.0, 1.0)
    assert found[NOTE.path].count == 0
    assert np.isnan(found[NOTE.path].mean)


async def test_the_future_counts_for_nothing(historian: TieredHistorian) -> None:
    now = datetime.now(UTC)
    held = pa.record_batch(
        [[PLANT.id_of(SETPOINT.path)], [now - timedelta(hours=1)], [7.0], [None], [0]], schema=STORED
    )
    await historian.write(held)
    span = Span(now - timedelta(hours=1), now + timedelta(hours=5))
    found = (await services.statistics(historian, PLANT, [SETPOINT], span))[SETPOINT.path]
    assert (found.mean, found.good_share) == (pytest.approx(7.0), 1.0)
    later = Span(now + timedelta(hours=1), now + timedelta(hours=5))
    assert (await services.statistics(historian, PLANT, [SETPOINT], later))[SETPOINT.path].good_share == 0


def test_only_tags_that_can_be_drawn_are_known() -> None:
    assert services.known(PLANT, ["no.such", SETPOINT.path, NOTE.path, SETPOINT.path]) == [SETPOINT]
    assert not services.is_drawn(NOTE)
