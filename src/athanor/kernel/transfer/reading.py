"""Reading files of history: their beginning for a person to look at, then all of it in chunks of bounded memory."""

import codecs
import io
import json
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from athanor.kernel.transfer.columns import as_text
from athanor.kernel.transfer.dialect import (
    HEAD_BYTES,
    MOST_COLUMNS,
    Dialect,
    FileKind,
    check_is_table,
    decimal_of,
    delimiter_of,
    encoding_of,
    kind_of,
    lines_in_rows,
    rows_of,
)
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.plan import DialectParts, FilePlan
from athanor.kernel.transfer.refusals import REFUSED, Reason, refused
from athanor.kernel.transfer.row_samples import Chunk

HEAD_ROWS = 300
_HEAD_CELLS = 60_000  # of a table of very many columns fewer rows are looked at, but never fewer than
_LEAST_HEAD_ROWS = 30
_BLOCK_BYTES = 8 << 20  # of text at a time; no line may be longer
_CHUNK_ROWS = 200_000  # of Parquet and Excel at a time
_LONGEST_CELL = 64 << 10  # beyond it a quotation mark was never closed
_CONVERT_WITHIN_S = 300
_LINE_END = re.compile(r"\r\n|\n|\r")
_NULS = re.compile("\x00+")


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file. `cells` are its first rows as texts; of a Parquet file the first is its names."""

    kind: FileKind
    cells: list[list[str]]
    dialect: Dialect | None = None  # of a text file
    is_decimal_certain: bool = True
    sheets: tuple[str, ...] = ()  # of an Excel file
    formulas_without_value: int = 0  # of the sheet
    rows: int | None = None  # in all, where the file says


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """Some rows, those among them whose cells do not fit the columns, and how much of the file is read."""

    chunk: Chunk
    malformed: pa.Table  # schema REFUSED
    share: float


def head_of(path: Path, name: str, *, dialect: DialectParts | None = None, sheet: str | None = None) -> Head:
    """Look at a file; with a sheet or parts of its dialect where a person knows better. Raises BadFileError.

    `name` is what the person calls the file.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of(head, name)
    if kind is FileKind.EXCEL:
        return _excel_head(path, name, sheet)
    if kind is FileKind.PARQUET:
        return _parquet_head(path, name)
    said = dialect or DialectParts()
    encoding = said.encoding or encoding_of(head, name)
    text = _decoded(head, encoding, name)
    delimiter = said.delimiter or delimiter_of(text)
    check_is_table(text, delimiter, name)
    rows = rows_of(text, delimiter, HEAD_ROWS)
    decimal, is_certain = decimal_of([cell for row in rows for cell in row])
    chosen = Dialect(encoding=encoding, delimiter=delimiter, decimal=said.decimal or decimal)
    return Head(kind, _some_rows(rows), chosen, is_certain or said.decimal is not None)


def chunks_of(path: Path, name: str, plan: FilePlan, names: Sequence[str]) -> Generator[ReadChunk]:
    """All rows of a file from `plan.first_row` on, as columns of these names. Raises BadFileError.

    A row that has more or fewer cells is left out and told as malformed; an empty one is left out.
    """
    with path.open("rb") as file:
        kind = kind_of(file.read(HEAD_BYTES), name)
    if kind is FileKind.PARQUET:
        yield from _parquet_chunks(path, name, names)
    elif kind is FileKind.EXCEL:
        yield from _excel_chunks(path, name, plan, names)
    else:
        yield from _text_chunks(path, name, plan, names)


def _some_rows(cells: list[list[str]]) -> list[list[str]]:
    width = max((len(row) for row in cells), default=1)
    return cells[: max(_LEAST_HEAD_ROWS, _HEAD_CELLS // max(width, 1))]


# --- text


def _decoded(head: bytes, encoding: str, name: str) -> str:
    try:
        text, _length = codecs.getincrementaldecoder(encoding)("replace").decode(head), len(head)
    except (LookupError, ValueError) as error:
        raise BadFileError(name, f"there is no encoding {encoding!r}. Name one such as utf-8 or gb18030.") from error
    return text.removeprefix("\ufeff")


class _Utf8(io.RawIOBase):
    """A text file in any encoding, as UTF-8 without its first lines; what is no character becomes U+FFFD.

    So do NUL bytes, which loggers leave behind where the power failed: a cell with them is no number.
    """

    def __init__(self, path: Path, encoding: str, skip_lines: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._skip_lines = skip_lines
        self._size = path.stat().st_size
        self._waiting = b""
        self._is_first = True
        self.done = 0

    @property
    def share(self) -> float:
        return self.done / self._size if self._size else 1.0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = _BLOCK_BYTES if size < 0 else size
        parts, length = [self._waiting], len(self._waiting)
        while length < size and (more := self._more()) is not None:
            parts.append(more)
            length += len(more)
        whole = b"".join(parts)
        self._waiting = whole[size:]
        return whole[:size]

    def close(self) -> None:
        self._file.close()
        super().close()

    def _more(self) -> bytes | None:
        raw = self._file.read(1 << 20)
        self.done += len(raw)
        if not raw and self.done > self._size:
            return None
        text = self._decoder.decode(raw, final=not raw)
        if not raw:
            self.done = self._size + 1  # said once more, and then no more
        if self._is_first and text:
            text, self._is_first = text.removeprefix("\ufeff"), False
        while self._skip_lines and (end := _LINE_END.search(text)):
            text, self._skip_lines = text[end.end() :], self._skip_lines - 1
        if self._skip_lines:
            return b""
        return _NULS.sub("\ufffd", text).encode()


def _text_chunks(path: Path, name: str, plan: FilePlan, names: Sequence[str]) -> Generator[ReadChunk]:
    dialect = plan.dialect or Dialect()
    with path.open("rb") as file:
        head = _decoded(file.read(HEAD_BYTES), dialect.encoding, name)
    skipped = plan.first_row - 1
    source = _Utf8(path, dialect.encoding, lines_in_rows(head, dialect.delimiter, skipped))
    misfits: list[tuple[int, str]] = []

    def set_aside(row: Any) -> str:
        misfits.append((skipped + row.number, row.text))
        return "skip"

    next_row = skipped + 1
    try:
        reader = pa_csv.open_csv(
            source,
            read_options=pa_csv.ReadOptions(column_names=list(names), use_threads=False, block_size=_BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={one: pa.string() for one in names}, strings_can_be_null=False, check_utf8=False
            ),
        )
        with reader:
            for batch in reader:
                row, next_row = _row_numbers(batch.num_rows, next_row, misfits)
                _check_cells(batch, name, next_row)
                told = _malformed([one for one in misfits if one[0] < next_row], name)
                del misfits[: sum(one[0] < next_row for one in misfits)]
                columns = dict(zip(names, batch.columns, strict=True))
                yield ReadChunk(Chunk(columns, row), told, min(source.share, 1.0))
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise BadFileError(name, _reason(str(error), next_row)) from error
    finally:
        source.close()
    if misfits:
        empty = Chunk({one: pa.array([], pa.string()) for one in names}, np.empty(0, np.int64))
        yield ReadChunk(empty, _malformed(misfits, name), 1.0)


def _row_numbers(rows: int, first: int, misfits: Sequence[tuple[int, str]]) -> tuple[np.ndarray, int]:
    """The numbers of the next rows that fit, between those that do not, and the number after the last."""
    left_out = np.array([number for number, _text in misfits if number >= first], np.int64)
    numbers = np.arange(first, first + rows + len(left_out))
    fitting = numbers[~np.isin(numbers, left_out)][:rows]
    return fitting, int(fitting[-1]) + 1 if rows else first


def _check_cells(batch: pa.RecordBatch, name: str, row: int) -> None:
    for column in batch.columns:
        if len(column) and pc.max(pc.binary_length(column)).as_py() > _LONGEST_CELL:
            raise _never_closed(name, row)


def _never_closed(name: str, row: int) -> BadFileError:
    return BadFileError(name, f"a quotation mark before row {row:,} is never closed. Correct it in the file.")


def _malformed(misfits: Sequence[tuple[int, str]], name: str) -> pa.Table:
    """Rows that do not fit. Raises BadFileError for one that can only be many, behind an open quotation mark."""
    for number, text in misfits:
        if len(text) > _LONGEST_CELL and '"' in text:
            raise _never_closed(name, number + 1)
    filled = [(number, text) for number, text in misfits if text.strip(' \t\r\n,;|"\ufffd') or "\ufffd" in text]
    if not filled:
        return REFUSED.empty_table()
    texts = pa.array([text for _number, text in filled], pa.string())
    rows = np.array([number for number, _text in filled], np.int64)
    nothing = pa.array([""] * len(rows), pa.string())
    return refused(rows, Reason.WRONG_COLUMNS, column="", tag="", time=nothing, value=texts)


def _reason(message: str, row: int) -> str:
    if "straddling" in message or "block" in message:
        return f"a line after row {row:,} is longer than {_BLOCK_BYTES >> 20} MB. Look at the file there."
    return f"it is no table after row {row:,} ({message.splitlines()[0]})."


# --- Excel


def _excel_head(path: Path, name: str, sheet: str | None) -> Head:
    known = _sheet(path, name, sheet)
    with pa.memory_map(str(known.file)) as source, pa.ipc.open_file(source) as reader:
        width = len(reader.schema)
        first = reader.get_batch(0).slice(0, HEAD_ROWS) if reader.num_record_batches else None
    if width > MOST_COLUMNS:
        raise BadFileError(name, f"its sheet has {width:,} columns; {MOST_COLUMNS:,} are the most.")
    cells = [] if first is None else [list(row.values()) for row in first.to_pylist()]
    if not cells:
        raise BadFileError(name, "its sheet is empty. Name another sheet.")
    return Head(
        FileKind.EXCEL,
        _some_rows(cells),
        sheets=known.sheets,
        formulas_without_value=known.formulas_without_value,
        rows=known.rows,
    )


def _excel_chunks(path: Path, name: str, plan: FilePlan, names: Sequence[str]) -> Generator[ReadChunk]:
    known = _sheet(path, name, plan.sheet)
    begin = 0
    with pa.memory_map(str(known.file)) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            skip = min(max(plan.first_row - 1 - begin, 0), batch.num_rows)
            columns = [column.slice(skip) for column in batch.columns][: len(names)]
            row = np.arange(begin + skip + 1, begin + batch.num_rows + 1)
            begin += batch.num_rows
            chunk = Chunk(dict(zip(names, columns, strict=True)), row)
            yield ReadChunk(chunk, REFUSED.empty_table(), begin / max(known.rows, 1))


@dataclass(frozen=True, slots=True)
class _Sheet:
    file: Path  # Arrow IPC, all texts
    sheets: tuple[str, ...]
    rows: int
    formulas_without_value: int


def _sheet(path: Path, name: str, sheet: str | None) -> _Sheet:
    """A sheet as an Arrow file beside the Excel file, made when it is first asked for."""
    base = path.with_name(f"{path.name}.{(sheet or '').encode().hex()[:120]}")
    file, notes = base.with_name(base.name + ".arrow"), base.with_name(base.name + ".json")
    if not notes.exists():
        answer = _converted(path, name, sheet, file)
        notes.write_text(json.dumps(answer), encoding="utf-8")
    known = json.loads(notes.read_text(encoding="utf-8"))
    return _Sheet(file, tuple(known["sheets"]), known["rows"], known["formulas_without_value"])


def _converted(path: Path, name: str, sheet: str | None, target: Path) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "athanor.kernel.transfer.excel", str(path), sheet or "", str(target)]
    try:
        ended = subprocess.run(  # noqa: S603 our own program, and no shell
            command, capture_output=True, timeout=_CONVERT_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BadFileError(name, "reading it takes too long. Save it as CSV.") from error
    if ended.returncode != 0:
        raise BadFileError(name, "its sheet is damaged, or larger than memory allows. Save it as CSV.")
    answer: dict[str, Any] = json.loads(ended.stdout)
    if "fault" in answer:
        raise BadFileError(name, answer["fault"])
    return answer


# --- Parquet


def _parquet_head(path: Path, name: str) -> Head:
    with _parquet(path, name) as file:
        names = file.schema_arrow.names
        if len(names) > MOST_COLUMNS:
            raise BadFileError(name, f"it has {len(names):,} columns; {MOST_COLUMNS:,} are the most.")
        try:
            first = next(file.iter_batches(batch_size=HEAD_ROWS), None)
            rows = [] if first is None else list(zip(*(as_text(_plain(one)).to_pylist() for one in first), strict=True))
        except (pa.ArrowException, OSError) as error:
            raise BadFileError(name, f"it is damaged, or holds columns that are no cells ({error}).") from error
        cells = [list(names), *([cell or "" for cell in row] for row in rows)]
        return Head(FileKind.PARQUET, _some_rows(cells), rows=file.metadata.num_rows)


def _parquet_chunks(path: Path, name: str, names: Sequence[str]) -> Generator[ReadChunk]:
    begin = 0
    with _parquet(path, name) as file:
        total = max(file.metadata.num_rows, 1)
        try:
            for batch in file.iter_batches(batch_size=_CHUNK_ROWS):
                columns = {one: _plain(column) for one, column in zip(names, batch.columns, strict=True)}
                row = np.arange(begin + 1, begin + batch.num_rows + 1)
                begin += batch.num_rows
                yield ReadChunk(Chunk(columns, row), REFUSED.empty_table(), begin / total)
        except (pa.ArrowException, OSError) as error:
            raise BadFileError(name, f"it is damaged after row {begin:,} ({error}).") from error


def _parquet(path: Path, name: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise BadFileError(name, f"it is no whole Parquet file ({error}).") from error


def _plain(column: pa.Array) -> pa.Array:
    """A column without a dictionary, and with truths as numbers."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.cast(column, pa.int8())
    return pc.cast(column, pa.string()) if pa.types.is_large_string(column.type) else column
