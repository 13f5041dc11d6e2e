"""What people name and paste, and how large an export is said to be."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from athanor.apps.data.domain.pasted import pasted_words
from athanor.apps.data.domain.ranges import Preset, range_of
from athanor.apps.data.services import exporting
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import STORED, Span
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import JobState
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME
from athanor.kernel.transfer.exporting import Export, FileFormat
from athanor.kernel.transfer.series import How, Series, Shape

ZONE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TAGS = tuple(Tag(f"works.pump_{number}", {"en": f"Pump {number}"}, "m3/h", period_s=10.0) for number in range(4))
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
HOURS = 6
ANNA = User(1, "anna", "Anna", ("operator",))


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    seconds = np.arange(0, HOURS * 3600, 10)
    for number in range(1, 5):
        columns = [
            pa.array(np.full(len(seconds), number, np.int32)),
            pa.array([NOON + timedelta(seconds=int(one)) for one in seconds], TIME),
            pa.array(np.round(50 + np.sin(seconds / 600), 2)),
            pa.nulls(len(seconds), pa.string()),
            pa.array(np.zeros(len(seconds), np.uint8)),
        ]
        await historian.write(pa.record_batch(columns, schema=STORED))
    yield historian
    await historian.close()


def export_of(form: FileFormat, shape: Shape = Shape.LONG, step: str | None = None) -> Export:
    span = Span(NOON, NOON + timedelta(hours=HOURS))
    series = Series(TAGS, span, parse_step(step) if step else None, How.USUAL, shape=shape)
    return Export(
        series, form, "Asia/Shanghai", {tag.path: tag.name["en"] for tag in TAGS}, {tag.path: {} for tag in TAGS}
    )


@pytest.mark.parametrize(
    ("preset", "start", "end"),
    [
        (Preset.LAST_DAY, "2026-03-29T15:04", "2026-03-30T15:04"),
        (Preset.TODAY, "2026-03-30T00:00", "2026-03-30T15:04"),
        (Preset.YESTERDAY, "2026-03-29T00:00", "2026-03-30T00:00"),
        (Preset.THIS_MONTH, "2026-03-01T00:00", "2026-03-30T15:04"),
        (Preset.LAST_MONTH, "2026-02-01T00:00", "2026-03-01T00:00"),
    ],
)
def test_ranges_are_those_of_the_wall_clock(preset: Preset, start: str, end: str) -> None:
    now = datetime(2026, 3, 30, 15, 4, 5, tzinfo=ZONE)  # the clock was set forward the day before
    found = range_of(preset, now)
    assert [moment.strftime("%Y-%m-%dT%H:%M") for moment in found] == [start, end]
    assert {moment.tzinfo for moment in found} == {ZONE}


def test_a_list_is_read_however_it_is_parted() -> None:
    text = '"works.pump_1"; works.pump_2,\n\tworks.pump_1\r\n[works.pump_3] | no.such'
    assert pasted_words(text) == ["works.pump_1", "works.pump_2", "works.pump_3", "no.such"]
    known, unknown = exporting.pasted_tags(PLANT, text)
    assert [tag.path for tag in known] == ["works.pump_1", "works.pump_2", "works.pump_3"]
    assert unknown == ["no.such"]
    assert pasted_words(" ;\n") == []


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("form", FileFormat)
async def test_the_size_that_is_said_is_about_the_size_it_has(
    historian: TieredHistorian, tmp_path: Path, form: FileFormat, shape: Shape
) -> None:
    export = export_of(form, shape)
    said = await exporting.estimate(export, historian, PLANT)
    rows = HOURS * 360 * (4 if shape is Shape.LONG else 1)
    assert said.rows == rows
    jobs = MemoryJobs(tmp_path / "jobs")
    job = exporting.start_export(jobs, historian, PLANT, ANNA, export)
    done = await jobs.wait(job, ANNA)
    assert (done.state, done.rows, done.summary) == (JobState.SUCCEEDED, rows, {"rows": rows, "tags": 4})
    assert done.file_name == f"athanor-20260504T2000-20260505T0200.{form}"
    assert done.file_bytes is not None
    assert said.size_bytes / 4 < done.file_bytes < said.size_bytes * 4
    await jobs.close()


async def test_more_rows_than_excel_holds_are_told_before(historian: TieredHistorian) -> None:
    many = export_of(FileFormat.EXCEL, step="1s")
    span = Span(NOON - timedelta(days=30), NOON)
    series = Series(TAGS, span, parse_step("1s"), How.USUAL)
    too_long = Export(series, FileFormat.EXCEL, many.timezone, many.names, many.states)
    assert (await exporting.estimate(too_long, historian, PLANT)).is_too_long_for_excel
    assert not (await exporting.estimate(many, historian, PLANT)).is_too_long_for_excel


def test_more_columns_than_a_table_bears_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exporting.checked(export_of(FileFormat.CSV, Shape.WIDE)).series.shape is Shape.WIDE
    monkeypatch.setattr(exporting, "MOST_WIDE", 3)
    with pytest.raises(exporting.TooManyColumnsError, match="4 tags are too many"):
        exporting.checked(export_of(FileFormat.CSV, Shape.WIDE))
    assert exporting.checked(export_of(FileFormat.CSV))


def test_a_files_name_says_range_and_step() -> None:
    assert exporting.file_name(export_of(FileFormat.PARQUET, step="shift@06:00,14:00")) == (
        "athanor-20260504T2000-20260505T0200-shift-0600-1400.parquet"
    )
