"""Tags over a range as CSV or Excel: all samples, or means over equal steps; streamed, however long the range."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import xlsxwriter

from athanor.apps.trends.services.drawing import STEPS
from athanor.apps.trends.services.summing import slices
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian import queries
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import Step
from athanor.kernel.historian.port import Historian, Span, moment
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import display_unit
from athanor.web.exporting import plain_cell
from athanor.web.language import _, text_of

EXCEL_ROWS = 1_048_576  # a sheet holds no more
_SLICE_ROWS = 50_000

Row = Sequence[datetime | float | str | None]


class TooManyRowsError(AthanorError):
    """More rows than an Excel sheet holds."""

    code = "trends.too-many-rows"

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"The export has more than {rows:,} rows, which is all that an Excel sheet holds. Take a longer step or a "
            "shorter range, or export as CSV."
        )


@dataclass(frozen=True, slots=True)
class Export:
    """What to export. Without `step` all samples come, one a row; with it one row a step and a column a tag.

    `header` and `names` are in the reader's language already: the rows are made later, when nobody speaks.
    """

    plant: RunningPlant
    tags: Sequence[Tag]
    span: Span
    step: Step | None
    header: Sequence[str]
    names: Mapping[str, str]  # by path

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plant.model.timezone)

    async def rows(self, historian: Historian) -> AsyncIterator[list[Row]]:
        """The rows, some thousands at a time, in order of time (all samples: of tag, then time, within each slice)."""
        step_s = None if self.step is None else _length_s(self.step)
        rows_per_s = sum(1 / (tag.period_s or 1.0) for tag in self.tags) if step_s is None else len(self.tags) / step_s
        for part in slices(self.span, rows_per_s=max(rows_per_s, 1e-6), most_rows=_SLICE_ROWS):
            if self.step is None:
                yield await self._samples(historian, part)
            else:
                yield await self._steps(historian, part, self.step)

    async def _samples(self, historian: Historian, part: Span) -> list[Row]:
        ids = self.plant.ids_of(tag.path for tag in self.tags).tolist()
        table = await historian.read(ids, part)
        tags = {self.plant.id_of(tag.path): tag for tag in self.tags}
        texts = {key: (tag.path, self.names[tag.path], display_unit(tag.unit)) for key, tag in tags.items()}
        zone = self.zone
        rows: list[Row] = []
        for row in table.to_pylist():
            path, name, unit = texts[row["tag"]]
            value = plain_cell(row["text"]) if row["text"] is not None else row["value"]
            rows.append((row["time"].astimezone(zone), path, name, value, unit, Quality(row["quality"]).name.lower()))
        return rows

    async def _steps(self, historian: Historian, part: Span, step: Step) -> list[Row]:
        columns: dict[str, dict[int, float]] = {tag.path: {} for tag in self.tags}
        first_us = 0 if part.start == self.span.start else part.start_us  # a step that two parts share is the earlier's
        for how in (Measure.MEAN, Measure.LAST):
            tags = [tag for tag in self.tags if (tag.kind in STEPS) == (how is Measure.LAST)]
            if not tags:
                continue
            table = await queries.resample(historian, self.plant, tags, part, step, how)
            tag_id, time_us = table.column("tag").to_numpy(), table.column("time").cast(pa.int64()).to_numpy()
            value = table.column("value").to_numpy()
            for tag in tags:
                mine = (tag_id == self.plant.id_of(tag.path)) & (time_us >= first_us)
                columns[tag.path] = dict(zip(time_us[mine].tolist(), value[mine].tolist(), strict=True))
        times = np.unique(np.concatenate([np.fromiter(column, np.int64) for column in columns.values()]))
        zone = self.zone
        return [
            (moment(time).astimezone(zone), *(columns[tag.path].get(time) for tag in self.tags))
            for time in times.tolist()
        ]


def _length_s(step: Step) -> float:
    """About how long a step is; short for those of the calendar, so that enough rows are made room for."""
    return 3600.0 if step.length is None else step.length.total_seconds()


def export_of(plant: RunningPlant, tags: Sequence[Tag], span: Span, step: Step | None) -> Export:
    """An export in the language that is spoken here."""
    names = {tag.path: plain_cell(text_of(tag.name)) for tag in tags}
    time = _("Time ({zone})").format(zone=plant.model.timezone)
    if step is None:
        header = [time, _("Tag"), _("Name"), _("Value"), _("Unit"), _("Quality")]
    else:
        header = [time, *(_column_title(tag, names[tag.path]) for tag in tags)]
    return Export(plant, tags, span, step, header, names)


async def csv_of(export: Export, historian: Historian) -> AsyncIterator[bytes]:
    """The export as CSV (UTF-8 with the mark that Excel looks for), piece by piece. Times are ISO 8601 with offset."""
    yield "\ufeff".encode()
    yield _csv_lines([export.header])
    async for rows in export.rows(historian):
        yield _csv_lines([[_csv_cell(cell) for cell in row] for row in rows])


async def excel_of(export: Export, historian: Historian, path: Path) -> None:
    """Write the export to an Excel file with real numbers and times. Raises TooManyRowsError."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": False,
        "default_date_format": "yyyy-mm-dd hh:mm:ss.000",
    }
    book = xlsxwriter.Workbook(path, options)
    try:
        sheet = book.add_worksheet("Athanor")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 24)
        sheet.write_row(0, 0, export.header, book.add_format({"bold": True}))
        line = 1
        async for rows in export.rows(historian):
            if line + len(rows) > EXCEL_ROWS:
                raise TooManyRowsError(EXCEL_ROWS)
            await asyncio.to_thread(_write_rows, sheet, line, rows)
            line += len(rows)
    finally:
        await asyncio.to_thread(book.close)


def _write_rows(sheet: Any, line: int, rows: Sequence[Row]) -> None:
    for offset, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(line + offset, column, cell.replace(tzinfo=None))  # Excel knows no zones
            elif isinstance(cell, str):
                sheet.write_string(line + offset, column, cell)
            elif cell is not None and not np.isnan(cell):
                sheet.write_number(line + offset, column, cell)


def _csv_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def _csv_cell(cell: datetime | float | str | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="milliseconds")
    return cell if isinstance(cell, str) else f"{cell:.10g}"


def _column_title(tag: Tag, name: str) -> str:
    unit = display_unit(tag.unit)
    return f"{name} [{unit}] {tag.path}" if unit else f"{name} {tag.path}"
