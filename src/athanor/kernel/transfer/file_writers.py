"""Files of tables, slice after slice: Parquet and Arrow for programs, CSV and Excel for people.

What is written for people has the site's times, and one column of values that are numbers or texts.
"""

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from athanor.kernel.errors import AthanorError
from athanor.kernel.telemetry import numpy_column
from athanor.kernel.transfer.local_times import local_texts, offsets_us
from athanor.kernel.transfer.plain_cells import plain_column

EXCEL_ROWS = 1_048_576  # a sheet holds no more

_PIECE_ROWS = 100_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 Excel knows no zones
_US = timedelta(microseconds=1)
_MARK = "\ufeff".encode()


class TooManyRowsError(AthanorError):
    """More rows than an Excel sheet holds."""

    code = "transfer.too-many-rows"

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"The export has more than {rows:,} rows, which is all that an Excel sheet holds. Take a longer step or a "
            "shorter range, or another format."
        )


class FileWriter(Protocol):
    """Appends tables of one schema to a file."""

    def write(self, table: pa.Table) -> None:
        """Some rows. Raises OSError, TooManyRowsError."""

    def close(self) -> None:
        """Finish the file."""


def parquet_writer(path: Path, schema: pa.Schema) -> FileWriter:
    """Parquet with ZSTD."""
    writer: FileWriter = pq.ParquetWriter(path, schema, compression="zstd")
    return writer


def arrow_writer(path: Path, schema: pa.Schema) -> FileWriter:
    """An Arrow IPC file with ZSTD."""
    options = pa.ipc.IpcWriteOptions(compression="zstd", unify_dictionaries=True)
    writer: FileWriter = pa.ipc.new_file(str(path), schema, options=options)
    return writer


class CsvWriter:
    """CSV in UTF-8 with the mark that Excel looks for; times are ISO 8601 with offset."""

    def __init__(self, path: Path | None, titles: Sequence[str], zone: ZoneInfo) -> None:
        """Without a path what is written is fetched with `taken`."""
        self._sink: Any = io.BytesIO() if path is None else path.open("wb")
        self._zone = zone
        self._sink.write(_MARK)
        pa_csv.write_csv(pa.table({title: pa.array([], pa.string()) for title in titles}), self._sink)

    def write(self, table: pa.Table) -> None:
        """See `FileWriter`."""
        columns = [self._texts(table, name) for name in _shown(table)]
        # In one chunk: of one without rows, Arrow 26 writes whatever is in memory there.
        plain = pa.table(columns, [str(number) for number in range(len(columns))]).combine_chunks()
        pa_csv.write_csv(plain, self._sink, pa_csv.WriteOptions(include_header=False))

    def taken(self) -> bytes:
        """What was written since the last call, when there is no file."""
        written: bytes = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return written

    def close(self) -> None:
        """See `FileWriter`."""
        self._sink.close()

    def _texts(self, table: pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            return local_texts(numpy_column(table, name), self._zone)
        if pa.types.is_floating(column.type):
            texts = column.cast(pa.string())
            return (
                pc.coalesce(plain_column(table["text"]), texts)
                if name == "value" and "text" in table.schema.names
                else texts
            )
        return plain_column(column)


class ExcelWriter:
    """An Excel sheet; numbers are numbers and times are times of the site, as Excel knows no zones."""

    def __init__(self, path: Path, titles: Sequence[str], zone: ZoneInfo) -> None:
        path.touch()  # what cannot be written fails before the work
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
            "default_date_format": "yyyy-mm-dd hh:mm:ss.000",
        }
        self._book = xlsxwriter.Workbook(path, options)
        self._zone = zone
        self._sheet = self._book.add_worksheet("Athanor")
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, 0, 24)
        self._sheet.write_row(0, 0, titles, self._book.add_format({"bold": True}))
        self._line = 1

    def write(self, table: pa.Table) -> None:
        """See `FileWriter`."""
        if self._line + table.num_rows > EXCEL_ROWS:
            raise TooManyRowsError(EXCEL_ROWS)
        for first in range(0, table.num_rows, _PIECE_ROWS):
            self._write_some(table.slice(first, _PIECE_ROWS))

    def close(self) -> None:
        """See `FileWriter`."""
        try:
            self._book.close()
        except FileCreateError as error:
            raise OSError(str(error)) from error

    def _write_some(self, table: pa.Table) -> None:
        columns = [self._cells(table, name) for name in _shown(table)]
        writers: dict[type, Callable[[int, int, Any], Any]] = {
            float: self._sheet.write_number,
            str: self._sheet.write_string,
            datetime: self._sheet.write_datetime,
        }
        for line, row in enumerate(zip(*columns, strict=True), self._line):
            for number, cell in enumerate(row):
                if cell is not None:
                    writers[type(cell)](line, number, cell)
        self._line += table.num_rows

    def _cells(self, table: pa.Table, name: str) -> list[Any]:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            time_us = numpy_column(table, name)
            return [_EPOCH + one * _US for one in (time_us + offsets_us(time_us, self._zone)).tolist()]
        if not pa.types.is_floating(column.type):
            texts: list[Any] = plain_column(column).to_pylist()
            return texts
        numbers = [one if one is not None and np.isfinite(one) else None for one in column.to_pylist()]
        if name == "value" and "text" in table.schema.names:
            texts = plain_column(table["text"]).to_pylist()
            return [number if text is None else text for number, text in zip(numbers, texts, strict=True)]
        return numbers


def _shown(table: pa.Table) -> list[str]:
    """The columns that people see: texts stand among the values."""
    return [name for name in table.schema.names if not (name == "text" and "value" in table.schema.names)]
