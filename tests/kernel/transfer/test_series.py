"""Series as tables by tag path: shapes, units, and slices that are the whole."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest

from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.gaps import hold
from athanor.kernel.historian.port import Span
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import SAMPLES, TIME, Quality
from athanor.kernel.transfer.series import BadSeriesError, How, Series, Shape, count_rows, schema_of, tables_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER = Tag("works.power", {"en": "Power", "zh_CN": "功率"}, "kW", period_s=10.0)
FLOW = Tag("works.flow", {"en": "Flow"}, "t/h", period_s=60.0)
ENERGY = Tag("works.energy", {"en": "Energy"}, "kWh", TagKind.COUNTER, 1, period_s=60.0)
LOT = Tag("works.lot", {"en": "Lot"}, "1", TagKind.TEXT)
TAGS = (POWER, FLOW, ENERGY, LOT)
PLANT = RunningPlant(
    Plant(
        "park",
        {"en": "Park"},
        "Asia/Shanghai",
        {"copper": Tenant("copper", {"en": "Copper"})},
        {"works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=TAGS)},
    ),
    1,
    {tag.path: TagId(number) for number, tag in zip((7, 3, 9, 5), TAGS, strict=True)},  # ids in no order of paths
)
SPAN = Span(NOON, NOON + timedelta(hours=6))


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    random = np.random.default_rng(1)
    for tag, period in ((POWER, 10), (FLOW, 60), (ENERGY, 60)):
        seconds = np.arange(0, 6 * 3600, period)
        values = np.round(np.abs(np.cumsum(random.random(len(seconds)))), 1)
        await historian.write(rows(tag, seconds, values))
    await historian.write(rows(POWER, np.array([100]), np.array([99.0]), Quality.BAD))
    await historian.write(rows(LOT, np.array([0, 100]), ["A", "B"]))
    yield historian
    await historian.close()


def rows(
    tag: Tag, seconds: np.ndarray, values: np.ndarray | list[str], quality: Quality = Quality.GOOD
) -> pa.RecordBatch:
    is_text = isinstance(values, list)
    return pa.record_batch(
        {
            "tag": pa.array(np.full(len(seconds), PLANT.id_of(tag.path), np.int32)),
            "time": pa.array([NOON + timedelta(seconds=float(one)) for one in seconds], TIME),
            "value": pa.nulls(len(seconds), pa.float64()) if is_text else pa.array(values),
            "text": pa.array(values, pa.string()) if is_text else pa.nulls(len(seconds), pa.string()),
            "quality": pa.array(np.full(len(seconds), quality, np.uint8)),
        }
    )


async def answer(series: Series, historian: TieredHistorian, most_rows: int = 10**6) -> tuple[pa.Table, int]:
    """The whole answer, and in how many slices it came."""
    tables = [table async for table in tables_of(series, historian, PLANT, most_rows)]
    return pa.concat_tables([schema_of(series, PLANT).empty_table(), *tables]), len(tables)


ASKED = {
    "samples": Series(TAGS, SPAN),
    "wide samples": Series(TAGS, SPAN, shape=Shape.WIDE),
    "steps": Series(TAGS[:3], SPAN, parse_step("15m"), How.MAX),
    "wide steps": Series(TAGS[:3], SPAN, parse_step("15m"), How.MEAN, shape=Shape.WIDE),
    "consumption": Series((ENERGY,), SPAN, parse_step("1h"), How.DELTA),
    "grid": Series(TAGS[:3], SPAN, parse_step("5m"), How.AT, hold(timedelta(minutes=5)), shape=Shape.WIDE),
    "long grid": Series(TAGS[:3], SPAN, parse_step("5m"), How.AT),
    "points": Series(TAGS[:3], SPAN, points=50),
}


@pytest.mark.parametrize("series", ASKED.values(), ids=ASKED)
async def test_slices_are_the_whole(historian: TieredHistorian, series: Series) -> None:
    whole, _ = await answer(series, historian)
    assert whole.schema == schema_of(series, PLANT)
    assert whole.num_rows > 5
    sliced, count = await answer(series, historian, 100 if series.measure is None else 20)
    if series.how is not How.AT:
        assert count > 2
    order = [("time", "ascending")] if series.shape is Shape.WIDE else [("tag", "ascending"), ("time", "ascending")]
    assert in_words(sliced).sort_by(order) == in_words(whole).sort_by(order)


def in_words(table: pa.Table) -> pa.Table:
    columns = [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return pa.table(columns, table.column_names)


async def test_samples_come_in_the_schema_of_the_uplink(historian: TieredHistorian) -> None:
    table, _ = await answer(ASKED["samples"], historian)
    assert table.schema == SAMPLES
    first = {row["tag"]: row for row in reversed(table.to_pylist())}
    assert (first[LOT.path]["text"], first[LOT.path]["unit"]) == ("A", "1")
    assert (first[POWER.path]["unit"], first[FLOW.path]["unit"]) == ("kW", "t/h")


async def test_wide_samples_leave_bad_ones_out(historian: TieredHistorian) -> None:
    table, _ = await answer(ASKED["wide samples"], historian)
    row = next(row for row in table.to_pylist() if row["time"] == NOON + timedelta(seconds=100))
    assert row == {"time": NOON + timedelta(seconds=100), POWER.path: None, FLOW.path: None, ENERGY.path: None,
                   LOT.path: "B"}  # fmt: skip


def test_the_schema_tells_names_and_units() -> None:
    schema = schema_of(Series((POWER, FLOW), SPAN, parse_step("1h"), How.INTEGRAL), PLANT)
    about = orjson.loads(schema.metadata[b"athanor"])
    assert about == {
        "tags": {
            POWER.path: {"name": {"en": "Power", "zh_CN": "功率"}, "unit": "kWh", "kind": "analog"},
            FLOW.path: {"name": {"en": "Flow"}, "unit": "t", "kind": "analog"},
        },
        "timezone": "Asia/Shanghai",
        "step": "1h",
        "how": "integral",
    }
    assert schema_of(ASKED["wide steps"], PLANT).field(FLOW.path).metadata[b"unit"] == b"t/h"


@pytest.mark.parametrize(
    ("series", "expected"),
    [("samples", 6 * 360 + 2 * 6 * 60 - 1), ("wide samples", (6 * 360 + 2 * 6 * 60 - 1) / 4), ("steps", 72),
     ("wide steps", 24), ("consumption", 6), ("points", 150)],
)  # fmt: skip
async def test_how_many_rows_come_is_told_before(historian: TieredHistorian, series: str, expected: float) -> None:
    assert await count_rows(ASKED[series], historian, PLANT) == expected


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"points": 10, "step": parse_step("1h")}, "points are of samples"),
        ({"points": 10, "shape": Shape.WIDE}, "times of their own"),
        ({"how": How.AT}, "need a step"),
    ],
)
def test_what_does_not_go_together_is_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(BadSeriesError, match=reason):
        Series((POWER,), SPAN, **wrong)  # type: ignore[arg-type]


async def test_consumption_of_a_range_that_has_not_begun_is_nothing(historian: TieredHistorian) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    series = Series((ENERGY,), Span(later, later + timedelta(days=1)), how=How.DELTA)
    assert (await answer(series, historian))[0].num_rows == 0
