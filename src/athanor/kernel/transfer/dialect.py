"""How a text file of rows is written, told from its first bytes. Pure: bytes and texts in, findings out."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.numbers import Decimal

HEAD_BYTES = 4 << 20  # what is looked at
MOST_COLUMNS = 5_000
LONGEST_LINE = 1 << 20  # characters
_ROWS_LOOKED_AT = 300
_ENOUGH = 0.8


class FileKind(StrEnum):
    """What a file is, whatever its name says."""

    TEXT = "text"
    EXCEL = "excel"
    PARQUET = "parquet"


class Dialect(BaseModel):
    """How the rows of a text file are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str = Field(default="utf-8", description="A Python codec: utf-8, gb18030, utf-16-le, cp1252 …")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="Between two cells of a row.")
    decimal: Decimal = Field(default=Decimal.POINT, description="Between whole and fraction of a number.")


_DELIMITERS = (",", ";", "\t", "|")
_SIGNS: tuple[tuple[bytes, FileKind | str], ...] = (
    (b"PAR1", FileKind.PARQUET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind.EXCEL),
    (b"PK\x03\x04", FileKind.EXCEL),
    (b"%PDF", "it is a PDF. Export the table as CSV or Excel where it was made."),
    (b"\x1f\x8b", "it is compressed (gzip). Unpack it first."),
    (b"7z\xbc\xaf", "it is compressed (7z). Unpack it first."),
    (b"Rar!", "it is compressed (RAR). Unpack it first."),
    (b"\x89PNG", "it is a picture. Give a table: CSV, Excel or Parquet."),
    (b"\xff\xd8\xff", "it is a picture. Give a table: CSV, Excel or Parquet."),
    (b"GIF8", "it is a picture. Give a table: CSV, Excel or Parquet."),
    (b"SQLite format 3", "it is a database (SQLite). Export a table of it as CSV."),
    (b"ARROW1", "it is an Arrow file. Save it as Parquet."),
)
_WEB_PAGE = re.compile(rb"^\s*(<!doctype html|<html|<head|<table|<\?xml)", re.IGNORECASE)
_UTF16_SHARE = 0.3  # of NUL bytes on one side, as Latin digits have in UTF-16
_BINARY_SHARE = 0.05  # of control characters that no text has
_COMMON_HANZI = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa9][\xa1-\xfe]")  # GB 2312's own
_WITH_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[. '\u00a0\u202f]\d{3})+),\d+")
_WITH_POINT = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[, '\u00a0\u202f]\d{3})+)\.\d+")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # 1,234: twelve hundred or one and a bit


def kind_of(head: bytes, name: str) -> FileKind:
    """What a file is. Raises BadFileError for one that is no table, or empty."""
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise BadFileError(name, "it is empty.")
    for sign, meaning in _SIGNS:
        if head.startswith(sign):
            if isinstance(meaning, FileKind):
                return meaning
            raise BadFileError(name, meaning)
    if _WEB_PAGE.match(head):
        raise BadFileError(name, "it is a web page or XML, whatever its name says. Open it in Excel and save as .xlsx.")
    return FileKind.TEXT


def encoding_of(head: bytes, name: str) -> str:
    """The Python codec of a text file. Raises BadFileError for what is no text."""
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return codec
    sample = head[: 1 << 16]
    even, odd = sample[0::2], sample[1::2]
    if odd.count(0) > _UTF16_SHARE * len(odd) and even.count(0) < odd.count(0) / 4:
        return "utf-16-le"
    if even.count(0) > _UTF16_SHARE * len(even) and odd.count(0) < even.count(0) / 4:
        return "utf-16-be"
    controls = sum(sample.count(code) for code in (*range(1, 9), *range(14, 32)))
    if controls > _BINARY_SHARE * (len(sample) - sample.count(0)):  # NULs alone are what a failed logger leaves
        raise BadFileError(name, "it is not text. Give a table: CSV, Excel or Parquet.")
    return _codec_without_mark(head)


def _codec_without_mark(head: bytes) -> str:
    try:
        head[:-4].decode("utf-8") if len(head) >= HEAD_BYTES else head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 and not _is_a_cut(head, error):
            high = sum(byte >= 0x80 for byte in head)
            paired = sum(len(pair) for pair in _COMMON_HANZI.findall(head))
            return "gb18030" if paired >= _ENOUGH * high else "cp1252"
    return "utf-8"


def _is_a_cut(head: bytes, error: UnicodeDecodeError) -> bool:
    """Whether the fault is a character that the end of the head cut in two."""
    return error.end >= len(head) and len(head) >= HEAD_BYTES


def delimiter_of(text: str) -> str:
    """What stands between the cells of a file's beginning."""
    return max(_DELIMITERS, key=lambda one: _fit(text, one))


def check_is_table(text: str, delimiter: str, name: str) -> None:
    """Raises BadFileError for a file's beginning that is no table which anybody could mean."""
    longest = max((len(line) for line in text.splitlines()[:_ROWS_LOOKED_AT]), default=0)
    if longest > LONGEST_LINE:
        raise BadFileError(name, f"a line of it is longer than {LONGEST_LINE:,} characters. It is no table of history.")
    widest = max((len(row) for row in rows_of(text, delimiter, _ROWS_LOOKED_AT)), default=0)
    if widest == 0:
        raise BadFileError(name, "it is empty.")
    if widest > MOST_COLUMNS:
        raise BadFileError(name, f"it has {widest:,} columns; {MOST_COLUMNS:,} are the most. Cut it into several.")


def rows_of(text: str, delimiter: str, most: int) -> list[list[str]]:
    """The first rows of a text as cells; a last line that the text's end may have cut is kept."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    csv.field_size_limit(HEAD_BYTES)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error:  # a quotation mark that is never closed: what was read until then counts
        return rows
    return rows


def lines_in_rows(text: str, delimiter: str, rows: int) -> int:
    """How many lines the first rows take: more than one each where a quoted cell holds a line's end."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for _row in range(rows):
        if next(reader, None) is None:
            break
    return reader.line_num


def decimal_of(cells: Sequence[str]) -> tuple[Decimal, bool]:
    """The decimal mark of these cells, and whether they leave no doubt."""
    counts = Counter[str]()
    for cell in cells:
        text = cell.strip()
        if _EITHER.fullmatch(text):
            counts["either," if "," in text else "either."] += 1
        elif _WITH_COMMA.fullmatch(text):
            counts[","] += 1
        elif _WITH_POINT.fullmatch(text):
            counts["."] += 1
    if counts[","] != counts["."]:
        return (Decimal.COMMA if counts[","] > counts["."] else Decimal.POINT), True
    # 1.234 alone is one and a bit, as machines write it; 1,234 alone may be anything.
    return Decimal.POINT, not counts["either,"]


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains a text: the share of rows that have the usual number of cells, if more than one.

    A comma that leaves semicolons within its cells is a decimal mark.
    """
    rows = [row for row in rows_of(text, delimiter, _ROWS_LOOKED_AT) if any(cell.strip() for cell in row)]
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0.0, 0
    width, usual = widths.most_common(1)[0]
    cells = [cell for row in rows for cell in row]
    torn = sum(any(other in cell for other in ";\t|") for cell in cells) / len(cells) if delimiter == "," else 0.0
    return (usual / widths.total() * (1 - torn) if width > 1 else 0.0), width
