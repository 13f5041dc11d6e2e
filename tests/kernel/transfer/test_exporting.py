"""Files of series: the same rows in every format, with names, states, units and words for qualities."""

import csv
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import STORED, Span, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, Quality
from athanor.kernel.transfer import exporting, file_writers
from athanor.kernel.transfer.exporting import Export, ExportFailedError, FileFormat, csv_pieces, write_file
from athanor.kernel.transfer.file_writers import TooManyRowsError
from athanor.kernel.transfer.local_times import local_texts, offsets_us
from athanor.kernel.transfer.plain_cells import plain_cell, plain_column
from athanor.kernel.transfer.series import How, Series, Shape, tables_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER = Tag("works.power", {"en": "Power"}, "kW", decimals=1, period_s=1.0)
MODE = Tag("works.mode", {"en": "Mode"}, "1", TagKind.STATE, states={0: {"en": "Off"}, 1: {"en": "Blowing"}})
NOTE = Tag("works.note", {"en": "=HYPERLINK(1)"}, "1", TagKind.TEXT)
TAGS = (POWER, MODE, NOTE)
PLANT = RunningPlant(
    Plant(
        "park",
        {"en": "Park"},
        "Asia/Shanghai",
        {"copper": Tenant("copper", {"en": "Copper"})},
        {"works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=TAGS)},
    ),
    1,
    {tag.path: TagId(number) for number, tag in enumerate(TAGS, 1)},
)
SPAN = Span(NOON, NOON + timedelta(seconds=4))


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    """Four seconds of power, of which one is bad, a mode that changes, and a note."""
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    await historian.write(batch(POWER, [0, 1, 3], [-1.5, 2.25, 4.0]))
    await historian.write(batch(POWER, [2], [9.0], Quality.BAD))
    await historian.write(batch(MODE, [0, 2], [0.0, 1.0]))
    await historian.write(batch(NOTE, [1.5], ["=1+1"]))
    yield historian
    await historian.close()


def batch(
    tag: Tag, seconds: Sequence[float], values: Sequence[float | str], quality: Quality = Quality.GOOD
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


def export_of(series: Series, form: FileFormat) -> Export:
    return Export(
        series,
        form,
        "Asia/Shanghai",
        {tag.path: tag.name["en"] for tag in series.tags},
        {tag.path: {number: name["en"] for number, name in tag.states.items()} for tag in series.tags},
    )


async def written(historian: TieredHistorian, series: Series, form: FileFormat, folder: Path) -> Path:
    path = folder / f"out.{form}"
    told: list[tuple[float, int]] = []
    tables = tables_of(series, historian, PLANT)
    rows = await write_file(export_of(series, form), tables, path, lambda share, rows: told.append((share, rows)))
    assert told[-1][1] == rows
    assert 0 <= told[-1][0] <= 1
    return path


LONG = Series(TAGS, SPAN)
WIDE = Series(TAGS[:2], SPAN, parse_step("2s"), How.USUAL, shape=Shape.WIDE)


async def test_all_samples_as_csv(historian: TieredHistorian, tmp_path: Path) -> None:
    path = await written(historian, LONG, FileFormat.CSV, tmp_path)
    assert path.read_bytes().startswith("\ufeff".encode())
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    at = "2026-05-04 20:00:0"
    assert rows == [
        ["Time (Asia/Shanghai)", "Tag", "Name", "Value", "State", "Unit", "Quality"],
        [f"{at}0.000+08:00", "works.power", "Power", "-1.5", "", "kW", "good"],
        [f"{at}1.000+08:00", "works.power", "Power", "2.25", "", "kW", "good"],
        [f"{at}2.000+08:00", "works.power", "Power", "9", "", "kW", "bad"],
        [f"{at}3.000+08:00", "works.power", "Power", "4", "", "kW", "good"],
        [f"{at}0.000+08:00", "works.mode", "Mode", "0", "Off", "1", "good"],
        [f"{at}2.000+08:00", "works.mode", "Mode", "1", "Blowing", "1", "good"],
        [f"{at}1.500+08:00", "works.note", "'=HYPERLINK(1)", "'=1+1", "", "1", "good"],
    ]


async def test_steps_side_by_side_as_csv_whole_and_in_pieces(historian: TieredHistorian, tmp_path: Path) -> None:
    path = await written(historian, WIDE, FileFormat.CSV, tmp_path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["Time (Asia/Shanghai)", "Power [kW] works.power", "Mode works.mode", "State: Mode works.mode"],
        ["2026-05-04 20:00:00.000+08:00", "0.375", "0", "Off"],
        ["2026-05-04 20:00:02.000+08:00", "", "1", "Blowing"],
    ]
    pieces = csv_pieces(export_of(WIDE, FileFormat.CSV), tables_of(WIDE, historian, PLANT))
    assert b"".join([piece async for piece in pieces]) == path.read_bytes()


async def test_excel_gets_numbers_as_numbers_and_texts_as_texts(historian: TieredHistorian, tmp_path: Path) -> None:
    path = await written(historian, LONG, FileFormat.EXCEL, tmp_path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    assert [cell.value for cell in sheet["D"]] == ["Value", -1.5, 2.25, 9, 4, 0, 1, "'=1+1"]
    assert {cell.data_type for cell in sheet["D"][1:]} == {"n", "s"}
    assert sheet["A2"].value == datetime(2026, 5, 4, 20)  # noqa: DTZ001 (Excel knows no zones)
    assert [cell.value for cell in sheet["E"]][5:7] == ["Off", "Blowing"]
    wide = await written(historian, WIDE, FileFormat.EXCEL, tmp_path)
    rows = list(openpyxl.load_workbook(wide).active.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]
    assert [row[1:] for row in rows] == [(0.375, 0, "Off"), (None, 1, "Blowing")]


@pytest.mark.parametrize("form", [FileFormat.PARQUET, FileFormat.ARROW])
async def test_programs_get_types_and_utc(historian: TieredHistorian, tmp_path: Path, form: FileFormat) -> None:
    def read(path: Path) -> pa.Table:
        return pq.read_table(path) if form is FileFormat.PARQUET else pa.ipc.open_file(str(path)).read_all()

    table = read(await written(historian, LONG, form, tmp_path))
    assert table.column_names == ["time", "tag", "name", "value", "text", "state", "unit", "quality"]
    assert table.schema.field("time").type == TIME
    assert table.to_pylist()[-1] == {
        "time": NOON + timedelta(seconds=1.5), "tag": "works.note", "name": "=HYPERLINK(1)", "value": None,
        "text": "=1+1", "state": None, "unit": "1", "quality": "good",
    }  # fmt: skip
    wide = read(await written(historian, WIDE, form, tmp_path))
    assert wide.column_names == ["time", "works.power", "works.mode", "works.mode:state"]
    assert wide["works.mode:state"].to_pylist() == ["Off", "Blowing"]
    assert wide.schema.field("works.power").metadata[b"unit"] == b"kW"


async def test_long_steps_say_how_much_is_known(historian: TieredHistorian, tmp_path: Path) -> None:
    series = Series((POWER,), SPAN, parse_step("2s"), How.INTEGRAL)
    table = pq.read_table(await written(historian, series, FileFormat.PARQUET, tmp_path))
    assert table.column_names == ["time", "tag", "name", "value", "unit", "covered"]
    assert table.to_pylist()[0] | {"time": None} == {
        "time": None, "tag": "works.power", "name": "Power", "value": pytest.approx(0.375 / 3600), "unit": "kWh",
        "covered": 0.5,
    }  # fmt: skip


async def test_an_export_without_a_row_is_a_whole_file_all_the_same(historian: TieredHistorian, tmp_path: Path) -> None:
    nothing = replace(LONG, span=Span(NOON - timedelta(days=9), NOON - timedelta(days=8)))
    for form in FileFormat:
        path = await written(historian, nothing, form, tmp_path)
        if form is FileFormat.PARQUET:
            assert pq.read_table(path).num_rows == 0
        elif form is FileFormat.CSV:
            assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 1


async def test_more_rows_than_a_sheet_holds_are_refused(
    historian: TieredHistorian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_writers, "EXCEL_ROWS", 5)
    with pytest.raises(TooManyRowsError, match="more than 5 rows"):
        await written(historian, LONG, FileFormat.EXCEL, tmp_path)


async def test_a_folder_that_is_not_there_is_named(historian: TieredHistorian, tmp_path: Path) -> None:
    for form in FileFormat:
        with pytest.raises(ExportFailedError, match=r"out\.\w+ cannot be written"):
            await written(historian, LONG, form, tmp_path / "nowhere")


async def test_progress_is_told_amid_a_slice(
    historian: TieredHistorian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exporting._ROWS_AT_ONCE, FileFormat.CSV, 2)
    told: list[tuple[float, int]] = []
    tables = tables_of(LONG, historian, PLANT)
    path = tmp_path / "out.csv"
    await write_file(export_of(LONG, FileFormat.CSV), tables, path, lambda share, rows: told.append((share, rows)))
    assert [rows for _, rows in told] == [2, 4, 6, 7]
    assert [share for share, _ in told] == pytest.approx([0.75 * rows / 7 for rows in (2, 4, 6, 7)])


async def test_who_is_told_may_end_the_work(historian: TieredHistorian, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def told(_share: float, _rows: int) -> None:
        raise EnoughError

    tables = tables_of(LONG, historian, PLANT)
    with pytest.raises(EnoughError):
        await write_file(export_of(LONG, FileFormat.CSV), tables, tmp_path / "out.csv", told)


ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "UTC")]


@given(st.sampled_from(ZONES), st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), max_size=5))  # noqa: DTZ001
def test_local_times_are_those_of_the_zone(zone: ZoneInfo, moments: list[datetime]) -> None:
    instants = [moment.replace(tzinfo=UTC) for moment in moments]
    time_us = np.array([microseconds(one) for one in instants], np.int64)
    assert local_texts(time_us, zone).to_pylist() == [
        one.replace(microsecond=one.microsecond // 1000 * 1000).astimezone(zone).isoformat(" ", "milliseconds")
        for one in instants
    ]
    assert offsets_us(time_us, zone).tolist() == [
        one.astimezone(zone).utcoffset() // timedelta(microseconds=1)  # type: ignore[operator]
        for one in instants
    ]


@given(st.lists(st.text("=+-@\t\r1a\n'", max_size=4), max_size=5))
def test_a_column_of_texts_is_made_plain_as_its_cells_are(texts: list[str]) -> None:
    column = pa.array(texts, pa.string())
    for same in (column, pa.chunked_array([column, column[:0]]), column.dictionary_encode()):
        assert plain_column(same).to_pylist() == [plain_cell(text) for text in texts]
    assert plain_column(pa.chunked_array([], pa.string())).to_pylist() == []
    assert plain_column(pa.nulls(2, pa.string())).to_pylist() == [None, None]


def test_a_chunk_without_rows_leaves_nothing_in_the_file() -> None:
    schema = pa.schema([("tag", pa.string()), ("value", pa.float64())])
    rows = pa.table({"tag": ["hall.power"], "value": [1.5]}, schema)
    writer = file_writers.CsvWriter(None, ["Tag", "Value"], ZoneInfo("UTC"))
    writer.taken()
    writer.write(pa.concat_tables([schema.empty_table(), rows]))
    assert writer.taken().decode().splitlines() == ['"hall.power","1.5"']
