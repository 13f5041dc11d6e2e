"""The past as a file, CSV or Excel: a job with progress, piece by piece, so that a year of alarms fits."""

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter

from athanor.apps.alarms.services.history import Piece
from athanor.kernel.alarms.history import Wanted
from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.kernel.transfer.file_writers import EXCEL_ROWS, TooManyRowsError
from athanor.kernel.transfer.plain_cells import plain_cell

KIND = "alarms.export"  # of the jobs
CSV, EXCEL = "csv", "xlsx"

Cells = Sequence[str | float | None]
Pieces = AsyncIterator[Piece[Any]]


class _Writer(Protocol):
    def write(self, rows: Sequence[Cells]) -> None: ...
    def close(self) -> None: ...


def start_export(
    jobs: Jobs,
    viewer: User,
    pieces: Pieces,
    headings: Sequence[str],
    cells_of: Callable[[Any], Cells],
    *,
    name: str,
    form: str,
) -> str:
    """Start the job that writes the file; returns its id. `cells_of` gives the cells of one of the pieces' rows."""
    file_name = f"{name}.{form}"

    async def work(progress: Progress) -> JobResult:
        path = progress.folder / file_name
        writer = _CsvWriter(path, headings) if form == CSV else _ExcelWriter(path, headings)
        rows = 0
        try:
            async for piece in pieces:
                progress.check_cancelled()
                await asyncio.to_thread(writer.write, [cells_of(one) for one in piece.rows])
                rows += len(piece.rows)
                progress.tell(fraction=piece.fraction, rows=rows)
        finally:
            await asyncio.to_thread(writer.close)
        return JobResult({"rows": rows}, path, file_name)

    return jobs.start(KIND, file_name, viewer, work)


async def note_export(db: Database, viewer: User, what: str, wanted: Wanted, address: str) -> None:
    """Note in the audit trail who takes what out."""
    detail = {
        "what": what,
        "from": None if wanted.since is None else wanted.since.isoformat(),
        "to": None if wanted.until is None else wanted.until.isoformat(),
        "area": wanted.under or "",
        "text": wanted.text,
    }
    async with db.session() as session:
        record(session, viewer.login, "alarms.exported", what, address=address, detail=detail, at=datetime.now(UTC))


class _CsvWriter:
    """UTF-8 with its mark, for Excel; a cell that would be a formula is a text."""

    def __init__(self, path: Path, headings: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow([plain_cell(text) for text in headings])

    def write(self, rows: Sequence[Cells]) -> None:
        for row in rows:
            self._csv.writerow(
                [plain_cell(cell) if isinstance(cell, str) else ("" if cell is None else f"{cell:g}") for cell in row]
            )

    def close(self) -> None:
        self._file.close()


class _ExcelWriter:
    """One sheet, written row by row."""

    def __init__(self, path: Path, headings: Sequence[str]) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self._sheet = self._book.add_worksheet()
        bold = self._book.add_format({"bold": True})
        self._sheet.write_row(0, 0, list(headings), bold)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(headings) - 1, 20)
        self._row = 1

    def write(self, rows: Sequence[Cells]) -> None:
        """Raises TooManyRowsError."""
        if self._row + len(rows) > EXCEL_ROWS:
            raise TooManyRowsError(EXCEL_ROWS - 1)
        for row in rows:
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    self._sheet.write_string(self._row, place, cell)
                elif cell is not None:
                    self._sheet.write_number(self._row, place, cell)
            self._row += 1

    def close(self) -> None:
        self._book.close()
