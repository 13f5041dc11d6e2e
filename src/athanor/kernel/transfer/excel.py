"""A sheet of an Excel file as an Arrow file of texts: `python -m athanor.kernel.transfer.excel FILE SHEET TARGET`.

A process of its own, with bounded memory: whoever reads a sheet must hold all of it, and a sheet of few bytes may claim
to have billions of cells. It prints one JSON object: the sheets' names and rows, or the fault.
"""

import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine as calamine

MEMORY_BYTES = 4 << 30
_PIECE_ROWS = 10_000
_WHOLE = 1e15  # whole numbers below are written without a point, so that a lot 4711 stays 4711
# A formula whose result nobody has computed yet: the file was made by a program and never opened in Excel.
_EMPTY_FORMULA = re.compile(rb"<f[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>")
_SCAN_BYTES = 1 << 20
_OVERLAP = 4096


def convert(file: Path, sheet: str, target: Path) -> dict[str, Any]:
    """Write a sheet, the first when no name is given; say what is in the file.

    Raises calamine.CalamineError for what is no Excel file, KeyError for a sheet that is not there.
    """
    with calamine.load_workbook(str(file)) as book:
        names = list(book.sheet_names)
        if sheet and sheet not in names:
            raise KeyError(sheet)
        place = names.index(sheet) if sheet else 0
        cells = book.get_sheet_by_index(place)
        rows = _write(cells.iter_rows() if cells.end else iter(()), target)
    return {"sheets": names, "rows": rows, "formulas_without_value": _empty_formulas(file, place)}


def text_of(cell: object) -> str:
    """A cell as text from which times and numbers are read back exactly."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _WHOLE:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)  # a float's shortest digits, a length of time


def _write(rows: Iterator[Sequence[object]], target: Path) -> int:
    """Write rows as columns of texts named 0, 1, …; the first piece says how many there are."""
    pieces = iter(lambda: list(islice(rows, _PIECE_ROWS)), [])
    first = next(pieces, [])
    width = max((len(row) for row in first), default=0)
    schema = pa.schema([(str(index), pa.string()) for index in range(width)])
    count = 0
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for piece in (first, *pieces) if first else ():
            columns = [[text_of(cell) for cell in column] for column in zip(*piece, strict=True)]
            writer.write_batch(pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema))
            count += len(piece)
    return count


def _empty_formulas(file: Path, place: int) -> int:
    """How many formulas of a sheet have no value."""
    if not zipfile.is_zipfile(file):
        return 0
    with zipfile.ZipFile(file) as book:
        parts = sorted(
            (name for name in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)),
            key=lambda name: int(re.findall(r"\d+", name)[-1]),
        )
        if place >= len(parts):
            return 0
        found, before = 0, b""
        with book.open(parts[place]) as part:
            while piece := part.read(_SCAN_BYTES):
                text = before + piece
                hits = list(_EMPTY_FORMULA.finditer(text))
                found += len(hits)
                end = hits[-1].end() if hits else 0
                before = text[max(end, len(text) - _OVERLAP) :]
    return found


def main() -> None:
    """Convert, and print what came of it; a fault is an answer too."""
    file, sheet, target = sys.argv[1:4]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer = convert(Path(file), sheet, Path(target))
    except calamine.PasswordError:
        answer = {"fault": "it is protected by a password. Save it without one."}
    except (calamine.CalamineError, zipfile.BadZipFile) as error:
        answer = {"fault": f"it is no whole Excel file ({error}). Open it in Excel and save it again."}
    except KeyError as error:
        answer = {"fault": f"it has no sheet {error}."}
    except MemoryError:
        answer = {"fault": "its sheet is larger than memory allows. Save it as CSV."}
    except OSError as error:
        answer = {"fault": f"the disk takes no more ({error.strerror}). Free disk space."}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
