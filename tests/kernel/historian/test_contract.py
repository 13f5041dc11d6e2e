"""The rules of docs/historian.md, on every adapter of the port, and on every store that a lake may lie in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE, hold, linear
from athanor.kernel.historian.port import STORED, Historian, Span
from athanor.kernel.historian.store import Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import Quality

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Span(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
VOLTAGE, STATE, CURRENT = TagId(1), TagId(2), TagId(3)

Row = tuple[int, float, float | str | None] | tuple[int, float, float | str | None, Quality]


def batch(*rows: Row, start: datetime = NOON) -> pa.RecordBatch:
    """Rows of (tag, seconds after start, value[, quality]) as a batch."""
    return pa.record_batch(
        [
            pa.array([row[0] for row in rows], pa.int32()),
            pa.array([start + timedelta(seconds=row[1]) for row in rows], STORED.field("time").type),
            pa.array([None if isinstance(row[2], str) else row[2] for row in rows], pa.float64()),
            pa.array([row[2] if isinstance(row[2], str) else None for row in rows], pa.string()),
            pa.array([int(row[3]) if len(row) > 3 else 0 for row in rows], pa.uint8()),
        ],
        schema=STORED,
    )


def rows_of(table: pa.Table) -> list[tuple[int, float, float | str | None]]:
    return [
        (row["tag"], (row["time"] - NOON).total_seconds(), row["value"] if row.get("text") is None else row["text"])
        for row in table.to_pylist()
    ]


class Sealing(TieredHistorian):
    """Seals after every write, so that each rule is also asked of the lake."""

    async def write(self, batch: pa.RecordBatch) -> None:
        await super().write(batch)
        await self.seal_now()


class Rolling(TieredHistorian):
    """Seals and rolls up after every write, so that each rule is also asked of rollups."""

    async def write(self, batch: pa.RecordBatch) -> None:
        await super().write(batch)
        await self.seal_now()
        await self.roll_up_now()


class Importing(TieredHistorian):
    """Stores by bulk import only."""

    async def write(self, batch: pa.RecordBatch) -> None:
        await self.import_history(pa.Table.from_batches([batch]))


class Mixing(TieredHistorian):
    """Stores by turns hot, sealed and imported."""

    turn = 0

    async def write(self, batch: pa.RecordBatch) -> None:
        self.turn += 1
        if self.turn % 3 == 0:
            await self.import_history(pa.Table.from_batches([batch]))
        else:
            await super().write(batch)
        if self.turn % 3 == 1:
            await self.seal_now()


KINDS = [TieredHistorian, Sealing, Rolling, Importing, Mixing]
# What is hot is in no store, so that the first kind need not be asked twice.
VARIANTS = [(kind, "folder") for kind in KINDS] + [(kind, "s3") for kind in KINDS[1:]]


@pytest.fixture(params=VARIANTS, ids=lambda variant: f"{variant[0].__name__}-{variant[1]}")
async def historian(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Historian]:
    kind, place = request.param
    lake = tmp_path / "lake" if place == "folder" else request.getfixturevalue("s3_store")
    historian = kind(tmp_path / "hot", lake)
    yield historian
    await historian.close()


async def test_what_was_written_is_read_by_tag_then_time(historian: Historian) -> None:
    await historian.write(batch((STATE, 5, "running"), (VOLTAGE, 1, 4.2), (VOLTAGE, 0, 4.1)))
    assert rows_of(await historian.read([STATE, VOLTAGE], DAY)) == [
        (VOLTAGE, 0, 4.1),
        (VOLTAGE, 1, 4.2),
        (STATE, 5, "running"),
    ]


async def test_a_range_holds_its_start_and_not_its_end(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 1.0), (VOLTAGE, 1, 2.0)))
    assert rows_of(await historian.read([VOLTAGE], Span(NOON, NOON + timedelta(seconds=1)))) == [(VOLTAGE, 0, 1.0)]


async def test_a_later_write_of_the_same_tag_and_time_replaces_the_earlier(historian: Historian) -> None:
    for value in (1.0, 2.0, 3.0, 4.0, 5.0):
        await historian.write(batch((VOLTAGE, 0, value), (VOLTAGE, value, value)))
        assert rows_of(await historian.read([VOLTAGE], DAY))[0] == (VOLTAGE, 0, value)
    assert len(await historian.read([VOLTAGE], DAY)) == 6


async def test_within_a_batch_the_last_row_wins(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 1.0), (VOLTAGE, 0, 2.0)))
    assert rows_of(await historian.read([VOLTAGE], DAY)) == [(VOLTAGE, 0, 2.0)]


async def test_late_data_of_any_age_lands_in_its_day(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 1.0)))
    old = NOON - timedelta(days=4000)
    await historian.write(batch((VOLTAGE, 0, 7.0), start=old))
    assert rows_of(await historian.read([VOLTAGE], DAY)) == [(VOLTAGE, 0, 1.0)]
    assert (await historian.read([VOLTAGE], Span(old, old + timedelta(1))))["value"].to_pylist() == [7.0]


async def test_bad_samples_are_kept_and_never_counted(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 1.0), (VOLTAGE, 10, 99.0, Quality.BAD), (VOLTAGE, 20, None, Quality.BAD)))
    table = await historian.read([VOLTAGE], DAY)
    assert table["quality"].to_pylist() == [Quality.GOOD, Quality.BAD, Quality.BAD]
    assert rows_of(table)[1:] == [(VOLTAGE, 10, 99.0), (VOLTAGE, 20, None)]
    counted = await historian.resample([VOLTAGE], np.array([DAY.start_us, DAY.end_us]), Measure.COUNT, NONE)
    assert counted["value"].to_pylist() == [1.0]
    assert (await historian.downsample([VOLTAGE], DAY, 100))["value"].to_pylist() == [1.0]


async def test_an_unknown_tag_has_no_rows(historian: Historian) -> None:
    assert (await historian.read([TagId(77)], DAY)).num_rows == 0
    assert (await historian.read([], DAY)).num_rows == 0


async def test_microseconds_survive(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0.000001, 1.0), (VOLTAGE, 0.000002, 2.0)))
    assert [time.microsecond for time in (await historian.read([VOLTAGE], DAY))["time"].to_pylist()] == [1, 2]


MINUTES = Span(NOON, NOON + timedelta(minutes=2)).start_us + 60_000_000 * np.arange(3)


async def test_a_mean_is_weighted_by_time(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 10.0), (VOLTAGE, 45, 20.0), (VOLTAGE, 60, 30.0)))
    held = await historian.resample([VOLTAGE], MINUTES, Measure.MEAN, hold(timedelta(hours=1)))
    assert rows_of(held) == [(VOLTAGE, 0, (45 * 10 + 15 * 20) / 60), (VOLTAGE, 60, 30.0)]
    drawn = await historian.resample([VOLTAGE], MINUTES, Measure.MEAN, linear(timedelta(hours=1)))
    assert rows_of(drawn) == [(VOLTAGE, 0, (45 * 15 + 15 * 25) / 60)]


async def test_what_reaches_over_the_edges_counts(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, -30, 10.0), (VOLTAGE, 90, 20.0), (VOLTAGE, 150, 30.0)))
    table = await historian.resample([VOLTAGE], MINUTES, Measure.INTEGRAL, linear(timedelta(hours=1)))
    assert table["value"].to_pylist() == pytest.approx([15.0 * 60, 18.75 * 30 + 22.5 * 30])
    assert table["covered"].to_pylist() == [1.0, 1.0]


async def test_nothing_is_made_up_across_a_gap(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 10.0), (VOLTAGE, 110, 20.0)))
    held = await historian.resample([VOLTAGE], MINUTES, Measure.INTEGRAL, hold(timedelta(seconds=15)))
    assert held.select(["value", "covered"]).to_pylist() == [
        {"value": 150.0, "covered": 0.25},
        {"value": 200.0, "covered": pytest.approx(10 / 60)},
    ]
    drawn = await historian.resample([VOLTAGE], MINUTES, Measure.INTEGRAL, linear(timedelta(seconds=15)))
    assert drawn.num_rows == 0


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Measure.MIN, [1.0, 5.0]),
        (Measure.MAX, [3.0, 5.0]),
        (Measure.FIRST, [3.0, 5.0]),
        (Measure.LAST, [2.0, 5.0]),
        (Measure.SUM, [6.0, 5.0]),
        (Measure.COUNT, [3.0, 1.0]),
        (Measure.MEAN, [2.0, 5.0]),
        (Measure.STD, [(2 / 3) ** 0.5, 0.0]),
        (Measure.SHARE_GOOD, [1.0, 1.0]),
    ],
)
async def test_each_measure(historian: Historian, how: Measure, expected: list[float]) -> None:
    await historian.write(batch((VOLTAGE, 0, 3.0), (VOLTAGE, 20, 1.0), (VOLTAGE, 40, 2.0), (VOLTAGE, 60, 5.0)))
    table = await historian.resample([VOLTAGE], MINUTES, how, NONE)
    assert table["value"].to_pylist() == pytest.approx(expected)


async def test_several_measures_at_once_are_what_each_is_alone(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 3.0), (VOLTAGE, 20, 1.0), (VOLTAGE, 70, 2.0), (CURRENT, 60, 5.0)))
    for policy in (NONE, hold(timedelta(seconds=30)), linear(timedelta(seconds=30))):
        hows = [how for how in Measure if how is not Measure.INTEGRAL or policy != NONE]
        together = await historian.measures([VOLTAGE, CURRENT], MINUTES, hows, policy)
        assert list(together) == hows
        for how in hows:
            assert together[how].equals(await historian.resample([VOLTAGE, CURRENT], MINUTES, how, policy)), how


async def test_downsampling_keeps_the_extremes(historian: Historian) -> None:
    seconds = np.arange(20_000)
    value = np.sin(seconds / 500)
    value[12_345], value[777] = 50.0, -50.0
    await historian.write(batch(*((VOLTAGE, float(s), float(v)) for s, v in zip(seconds, value, strict=True))))
    table = await historian.downsample([VOLTAGE], Span(NOON, NOON + timedelta(seconds=20_000)), 500)
    assert 400 <= table.num_rows <= 500
    assert {-50.0, 50.0} <= set(table["value"].to_pylist())


async def test_a_range_without_samples_has_no_points(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 0, 1.0), (VOLTAGE, 5, 2.0)))
    later = Span(NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    assert (await historian.downsample([VOLTAGE, CURRENT], later, 100)).num_rows == 0
    assert (await historian.downsample([CURRENT], DAY, 100)).num_rows == 0


async def test_latest_is_the_newest_sample_of_every_tag(historian: Historian) -> None:
    await historian.write(batch((VOLTAGE, 5, 5.0), (STATE, 0, "off"), (CURRENT, 1, 1.0)))
    await historian.write(batch((VOLTAGE, 3, 3.0), (STATE, 2, "on")))
    await historian.write(batch((CURRENT, 9, None, Quality.BAD)))
    assert rows_of(await historian.latest()) == [(VOLTAGE, 5, 5.0), (STATE, 2, "on"), (CURRENT, 9, None)]


async def test_latest_follows_a_correction(historian: Historian) -> None:
    for value in (1.0, 2.0, 3.0):
        await historian.write(batch((VOLTAGE, 0, value)))
        assert rows_of(await historian.latest()) == [(VOLTAGE, 0, value)]


async def test_many_writers_at_once_lose_nothing(historian: Historian) -> None:
    await asyncio.gather(*(historian.write(batch((VOLTAGE, n, float(n)), (CURRENT, n, 0.0))) for n in range(12)))
    assert (await historian.read([VOLTAGE], DAY))["value"].to_pylist() == [float(n) for n in range(12)]


async def test_all_is_there_after_closing_and_opening_again(tmp_path: Path, store: Store) -> None:
    for turn in range(4):
        historian = Mixing(tmp_path / "hot", store)
        historian.turn = turn
        await historian.write(batch((VOLTAGE, turn, float(turn)), (STATE, 0, f"turn {turn}")))
        await historian.close()
    historian = Mixing(tmp_path / "hot", store)
    assert [row[2] for row in rows_of(await historian.read([VOLTAGE], DAY))] == [0.0, 1.0, 2.0, 3.0]
    assert rows_of(await historian.read([STATE], DAY)) == [(STATE, 0, "turn 3")]
    assert rows_of(await historian.latest()) == [(VOLTAGE, 3, 3.0), (STATE, 0, "turn 3")]
    await historian.close()


async def test_more_tags_than_fit_into_a_query(historian: Historian) -> None:
    await historian.write(batch(*((tag, 0, float(tag)) for tag in range(1, 3000))))
    assert (await historian.read([TagId(tag) for tag in range(5000)], DAY)).num_rows == 2999
