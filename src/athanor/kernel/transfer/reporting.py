"""The report of refused cells: a CSV file that a person sorts and corrects in a spreadsheet."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import structlog

from athanor.kernel.transfer.plain_cells import plain_column
from athanor.kernel.transfer.refusals import REFUSED, Reason

_log = structlog.get_logger(__name__)

MOST_ROWS = 1_000_000  # a spreadsheet shows no more
_NUMBER = r"^[+-]?[\d.,]+$"  # which no spreadsheet runs

REASONS: Mapping[str, str] = {
    Reason.WRONG_COLUMNS: "The row has more or fewer cells than the table has columns.",
    Reason.UNREADABLE_TIME: "The time cannot be read.",
    Reason.TIME_TWICE: "The clock was set back and showed this time twice.",
    Reason.TIME_NEVER: "The clock was set forward and never showed this time.",
    Reason.NOT_A_NUMBER: "The value is no number.",
    Reason.UNKNOWN_QUALITY: "The quality is none that is known.",
    Reason.OUT_OF_RANGE: "The value is outside the instrument's range.",
    Reason.UNKNOWN_TAG: "No tag that you may see has this name.",
    Reason.IMPOSSIBLE_TIME: "The time is before the oldest allowed, or in the future.",
    Reason.UNKNOWN_UNIT: "The unit is none that is known.",
    Reason.INCOMPATIBLE_UNIT: "The unit measures something else than the tag's.",
    Reason.WRONG_KIND: "A text for a tag of numbers, or a number for a tag of texts.",
}


class Report:
    """Writes refused cells as they come. A disk that takes no more ends the report and nothing else."""

    def __init__(self, path: Path, reasons: Mapping[str, str]) -> None:
        """`reasons` are texts by reason, in the reader's language; English stands in for what is missing."""
        self.path = path
        self.is_cut = False  # some refused cells are not in it
        self._reasons = {**REASONS, **reasons}
        self._rows = 0
        self._file = path.open("wb")
        self._file.write("\ufeff".encode())  # by which spreadsheets know UTF-8
        self._write(REFUSED.empty_table(), has_header=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was refused so far."""
        return self._rows == 0

    def add(self, refused: pa.Table) -> None:
        """Write refused cells (schema REFUSED)."""
        left = MOST_ROWS - self._rows
        if refused.num_rows > left:
            self.is_cut = True
            refused = refused.slice(0, left)
        if refused.num_rows == 0:
            return
        try:
            self._write(refused, has_header=False)
            self._rows += refused.num_rows
        except OSError as error:
            _log.warning("transfer.report-cut", reason=str(error))
            self.is_cut, self._rows = True, MOST_ROWS

    def close(self) -> None:
        """Finish the file."""
        try:
            self._file.close()
        except OSError as error:
            _log.warning("transfer.report-cut", reason=str(error))
            self.is_cut = True

    def _write(self, refused: pa.Table, *, has_header: bool) -> None:
        known = pa.array([*self._reasons], pa.string())
        texts = pa.array([*self._reasons.values()], pa.string())
        meaning = texts.take(pc.index_in(refused["reason"], known))
        table = refused.append_column("meaning", meaning)
        for place, name in enumerate(table.schema.names):
            if name != "row":
                table = table.set_column(place, name, _safe(table[name]))
        table = table.combine_chunks()  # of a chunk without rows, Arrow 26 writes whatever is in memory there
        text = pa.BufferOutputStream()
        pa_csv.write_csv(table, text, pa_csv.WriteOptions(include_header=has_header))
        self._file.write(text.getvalue())


def _safe(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, plain_column(texts))
