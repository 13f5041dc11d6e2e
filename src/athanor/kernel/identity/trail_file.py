"""The audit trail as a file that an outsider can check: CSV or JSON lines, each entry with its chain and what it is of.

An entry is as it was written where SHA-256 of its `before` and its `content` (UTF-8) is its `chain`; none is missing
between two that follow each other where the later's `before` is the earlier's `chain`. docs/audit.md tells people so.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import orjson

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.audit import content_of
from athanor.kernel.identity.trail import Link
from athanor.kernel.transfer.plain_cells import plain_cell

_READABLE = ("at", "actor", "action", "subject", "address", "detail")  # in the order of the content
COLUMNS = ("id", *_READABLE, "before", "chain", "content")
_LONGEST_CELL = 1 << 26  # [characters] of CSV


class TrailForm(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class BadTrailFileError(AthanorError):
    """A file that is no export of the audit trail."""

    code = "identity.bad-trail-file"

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(
            f"{file} is no export of the audit trail: {reason}. Give the file that `athanor audit export` or the page "
            "made, as it was made; a spreadsheet program that saves it writes it differently."
        )


@dataclass(frozen=True, slots=True)
class FileVerified:
    """What became of checking a file. `first` and `last` are the chains to compare with another copy's."""

    rows: int
    first: str | None
    last: str | None
    gaps: int  # places where entries of the trail are not in the file
    fault: str | None = None


def form_of(file: Path) -> TrailForm:
    """By the file's ending. Raises BadTrailFileError."""
    try:
        return TrailForm(file.suffix.removeprefix("."))
    except ValueError as error:
        raise BadTrailFileError(file, "its name ends neither in .csv nor in .jsonl") from error


def begin(form: TrailForm) -> bytes:
    """What stands before the first entry."""
    return b"\xef\xbb\xbf" + _csv_line(COLUMNS) if form is TrailForm.CSV else b""


def written(links: Sequence[Link], form: TrailForm) -> bytes:
    """Some entries."""
    lines = map(_csv_of if form is TrailForm.CSV else _json_of, links)
    return b"".join(lines)


def verify_file(file: Path, *, may_lack_entries: bool = False) -> FileVerified:
    """Check a file by itself: each entry as it was written and, unless some may lack, none missing in between.

    Whether entries lack before the first or after the last is not to be seen in a file: compare `last` with what the
    server says or has logged. Raises BadTrailFileError, OSError.
    """
    rows, gaps, first, last = 0, 0, None, None
    for number, line in _lines(file):
        fault = _fault(line)
        if fault is not None:
            return FileVerified(rows, first, last, gaps, f"entry {number} {fault}")
        if last is not None and line["before"] != last:
            gaps += 1
            if not may_lack_entries:
                return FileVerified(
                    rows, first, last, gaps, f"entries are missing, or were moved, before entry {number}"
                )
        rows, last = rows + 1, line["chain"]
        first = first or last
    return FileVerified(rows, first, last, gaps)


def _fault(line: Mapping[str, str]) -> str | None:
    if hashlib.sha256((line["before"] + line["content"]).encode()).hexdigest() != line["chain"]:
        return "was changed: its chain is not that of its content"
    content = dict(zip(_READABLE, orjson.loads(line["content"]), strict=True))
    wrong = [name for name in _READABLE if line[name] not in (_text(content[name]), plain_cell(_text(content[name])))]
    return f"was changed: {', '.join(wrong)} is not what its content says" if wrong else None


def _json_of(link: Link) -> bytes:
    return orjson.dumps(_fields(link), option=orjson.OPT_APPEND_NEWLINE)


def _csv_of(link: Link) -> bytes:
    return _csv_line([plain_cell(_text(value)) for value in _fields(link).values()])


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _fields(link: Link) -> dict[str, Any]:
    entry = link.entry
    shown = {name: getattr(entry, name) for name in _READABLE}
    return {
        "id": entry.id,
        **shown,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "before": link.before,
        "chain": entry.chain,
        "content": content_of(shown).decode(),
    }


def _lines(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The id of each entry and its columns as texts."""
    form = form_of(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        read = _csv_lines(lines) if form is TrailForm.CSV else _json_lines(lines)
        try:
            for line in read:
                if any(not isinstance(line.get(name), str) for name in COLUMNS):
                    raise BadTrailFileError(file, f"it lacks one of the columns {', '.join(COLUMNS)}")
                yield line["id"], line
        except (ValueError, csv.Error) as error:
            raise BadTrailFileError(file, error) from error


def _csv_lines(lines: TextIO) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_LONGEST_CELL)
    yield from csv.DictReader(lines)


def _json_lines(lines: TextIO) -> Iterator[dict[str, str]]:
    for line in lines:
        found = orjson.loads(line)
        if not isinstance(found, dict):
            raise ValueError(f"a line is no JSON object: {line[:80]!r}")  # noqa: TRY004 told as a fault of the file
        yield {name: _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
