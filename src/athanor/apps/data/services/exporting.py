"""Exports as jobs: how large they will be, and running them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from athanor.apps.data.domain.pasted import pasted_words
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.exporting import Export, FileFormat, write_file
from athanor.kernel.transfer.file_writers import EXCEL_ROWS
from athanor.kernel.transfer.series import Shape, count_rows, tables_of

KIND = "data.export"  # of the jobs
MOST_TAGS = 10_000
MOST_WIDE = 2000  # side by side; Excel holds 16,384 columns, and nobody reads that many

_BYTES_A_ROW = {  # about, of samples with their names
    FileFormat.CSV: 95.0,
    FileFormat.EXCEL: 45.0,
    FileFormat.PARQUET: 4.0,
    FileFormat.ARROW: 6.0,
}
_BYTES_A_CELL = {FileFormat.CSV: 8.0, FileFormat.EXCEL: 9.0, FileFormat.PARQUET: 4.0, FileFormat.ARROW: 4.0}


class BadRangeError(AthanorError):
    """A range that ends before it begins."""

    code = "data.export-range"

    def __init__(self) -> None:
        super().__init__("The range ends before it begins. Swap From and To.")


class TooManyColumnsError(AthanorError):
    """More tags side by side than a table bears."""

    code = "data.too-many-columns"

    def __init__(self, tags: int) -> None:
        super().__init__(
            f"{tags:,} tags are too many for a column each; {MOST_WIDE:,} are the most. Take a row for each tag and "
            "time, or fewer tags."
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """How large an export will be, about."""

    rows: float
    size_bytes: float
    is_too_long_for_excel: bool


def checked(export: Export) -> Export:
    """The export, if it may begin. Raises TooManyColumnsError."""
    if export.series.shape is Shape.WIDE and len(export.series.tags) > MOST_WIDE:
        raise TooManyColumnsError(len(export.series.tags))
    return export


async def estimate(export: Export, historian: Historian, plant: RunningPlant) -> Estimate:
    """How many rows and bytes an export will have, from rollups and the calendar: before it begins."""
    series = export.series
    rows = await count_rows(series, historian, plant)
    a_row = _BYTES_A_ROW[export.form]
    if series.shape is Shape.WIDE:
        a_row = _BYTES_A_CELL[export.form] * len(series.tags) + 12
    return Estimate(rows, rows * a_row, export.form is FileFormat.EXCEL and rows >= EXCEL_ROWS)


def start_export(jobs: Jobs, historian: Historian, plant: RunningPlant, viewer: User, export: Export) -> str:
    """Start the job that writes the file; returns its id. `plant` is what the viewer may see of it."""
    name = file_name(export)

    async def work(progress: Progress) -> JobResult:
        def told(share: float, rows: int) -> None:
            progress.check_cancelled()
            progress.tell(fraction=share, rows=rows)

        path = progress.folder / name
        rows = await write_file(export, tables_of(export.series, historian, plant), path, told)
        return JobResult({"rows": rows, "tags": len(export.series.tags)}, path, name)

    return jobs.start(KIND, name, viewer, work)


def file_name(export: Export) -> str:
    """`athanor-20260401-20260501-1h.csv`: the range as the site's clocks show it, the step where there is one."""
    zone = ZoneInfo(export.timezone)
    start, end = (_short(moment.astimezone(zone)) for moment in (export.series.span.start, export.series.span.end))
    step = "" if export.series.step is None else f"-{str(export.series.step).replace(':', '').replace('@', '-')}"
    return f"athanor-{start}-{end}{step.replace(',', '-')}.{export.form}"


def pasted_tags(plant: RunningPlant, text: str) -> tuple[list[Tag], list[str]]:
    """The tags whose paths a pasted list names, and the words of it that are no path of the viewer's plant."""
    words = pasted_words(text)
    known = [plant.model.tags[word] for word in words if word in plant.model.tags]
    return known, [word for word in words if word not in plant.model.tags]


def known_tags(plant: RunningPlant, paths: Sequence[str]) -> list[Tag]:
    """The tags of these paths that are there, each once."""
    return [plant.model.tags[path] for path in dict.fromkeys(paths) if path in plant.model.tags]


def _short(moment: datetime) -> str:
    has_time = moment.hour or moment.minute or moment.second
    return f"{moment:%Y%m%dT%H%M}" if has_time else f"{moment:%Y%m%d}"
