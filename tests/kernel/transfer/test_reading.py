"""Real files, whole and broken: what is in them comes out row by row, and what is not a table is refused by name."""

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.dialect import Dialect, FileKind
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.excel import text_of
from athanor.kernel.transfer.plan import FilePlan
from athanor.kernel.transfer.reading import ReadChunk, chunks_of, head_of
from athanor.kernel.transfer.times import TimeLayout, read_times

NAMES = ["Time", "A", "B"]


def written(folder: Path, content: bytes, name: str = "history.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, plan: FilePlan | None = None, names: list[str] | None = None) -> list[ReadChunk]:
    """All chunks of a file; as it is found to be, where no plan is given."""
    head = head_of(path, path.name)
    return list(chunks_of(path, path.name, plan or FilePlan(dialect=head.dialect), names or NAMES))


def cells(chunks: list[ReadChunk]) -> list[tuple[int, ...]]:
    """Row numbers and cells of all rows."""
    return [
        (row, *values)
        for one in chunks
        for row, *values in zip(
            one.chunk.row.tolist(), *(part.to_pylist() for part in one.chunk.columns.values()), strict=True
        )
    ]


TEXT = 'Time,A,B\n2026-03-01,"1,5",温\n2026-03-02,2,"say ""hi"""\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_of_any_encoding_and_line_end(tmp_path: Path, encoding: str, end: str) -> None:
    path = written(tmp_path, TEXT.replace("\n", end).encode(encoding))
    head = head_of(path, path.name)
    assert head.kind is FileKind.TEXT
    assert head.cells[0] == NAMES
    assert cells(read(path)) == [(2, "2026-03-01", "1,5", "温"), (3, "2026-03-02", "2", 'say "hi"')]


def test_rows_that_do_not_fit_are_told_with_their_numbers(tmp_path: Path) -> None:
    lines = [f"t{row},{row},x" for row in range(3, 5000)]
    lines[10], lines[20], lines[4000] = "only one", "a,b,c,d", ""
    path = written(tmp_path, ("# title\nTime,A,B\n" + "\n".join(lines) + "\n").encode())
    chunks = read(path, FilePlan(dialect=Dialect(), header_row=2, first_row=3))
    found = [row for row in cells(chunks) if row[1:] != ("", "", "")]
    assert all(time == f"t{row}" for row, time, *_rest in found)
    assert len(found) == len(lines) - 3
    told = [one for chunk in chunks for one in chunk.malformed.to_pylist()]
    assert [(one["row"], one["value"], one["reason"]) for one in told] == [
        (13, "only one", "wrong-columns"),
        (23, "a,b,c,d", "wrong-columns"),
    ]


def test_a_header_of_several_lines_is_one_row(tmp_path: Path) -> None:
    path = written(tmp_path, b'Time,"A\n(degC)",B\n2026-03-01,1,2\n2026-03-02,3,4\n')
    assert cells(read(path)) == [(2, "2026-03-01", "1", "2"), (3, "2026-03-02", "3", "4")]


def test_bytes_that_a_failed_logger_left_become_no_number(tmp_path: Path) -> None:
    path = written(tmp_path, b"Time,A,B\n2026-03-01,1,2\n2026-03-02,1\x00\x00\x00,x\n" + b"\x00" * 3000)
    found = cells(read(path))
    assert found == [(2, "2026-03-01", "1", "2"), (3, "2026-03-02", "1\ufffd", "x")]


def test_a_file_of_many_blocks_comes_in_bounded_chunks_with_true_row_numbers(tmp_path: Path) -> None:
    rows = 400_000
    body = "".join(f"2026-03-01 00:00:00.{row:06d},{row},{'x' * 20}\n" for row in range(rows))
    path = written(tmp_path, ("Time,A,B\n" + body).encode("gb18030"))
    chunks = read(path)
    assert len(chunks) > 1
    assert max(len(one.chunk.row) for one in chunks) < 250_000
    row = np.concatenate([one.chunk.row for one in chunks])
    value = np.concatenate([np.asarray(one.chunk.columns["A"].cast(pa.int64())) for one in chunks])
    assert np.array_equal(row, value + 2)
    shares = [one.share for one in chunks]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "empty.csv", "it is empty"),
        (b"%PDF-1.7\n%rest", "report.csv", "it is a PDF"),
        (b"PK\x03\x04rubbish", "a.xlsx", "no whole Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rubbish", "a.xls", "no whole Excel file"),
        (b"PAR1rubbish", "a.parquet", "no whole Parquet file"),
        (b"<html><table></table></html>", "a.xls", "it is a web page"),
        (b"x" * (2 << 20), "a.csv", "longer than"),
        (b",".join([b"1"] * 1_000_000), "paste.csv", "columns; 5,000 are the most|longer than"),
        (bytes(range(256)) * 100, "a.csv", "it is not text"),
    ],
)
def test_what_is_no_table_is_refused_for_what_it_is(tmp_path: Path, content: bytes, name: str, reason: str) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(BadFileError, match=reason) as refused:
        head_of(path, name)
    assert str(refused.value).startswith(name)


def test_a_quotation_mark_that_is_never_closed_is_named_and_swallows_nothing(tmp_path: Path) -> None:
    body = "2026-03-01,1,2\n" * 100 + '2026-03-01,"1,2\n' + "2026-03-01,1,2\n" * 20_000
    path = written(tmp_path, ("Time,A,B\n" + body).encode())
    with pytest.raises(BadFileError, match=r"a quotation mark before row .* is never closed"):
        read(path)


def test_a_line_longer_than_a_block_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, b"Time,A,B\n" + b"2026-03-01,1,2\n" * 400_000 + b"x" * (20 << 20) + b"\n")
    with pytest.raises(BadFileError, match=r"line after row .* is longer than"):
        read(path)


def excel(path: Path) -> Path:
    """A workbook with every kind of cell."""
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = book.add_worksheet("History")
        sheet.write_row(0, 0, NAMES)
        sheet.write_datetime(1, 0, dt.datetime(2026, 3, 1, 8, 5, 3), day)  # noqa: DTZ001 Excel knows no zones
        sheet.write_number(1, 1, 0.1)
        sheet.write_string(1, 2, "007")
        sheet.write_number(2, 0, 46082.5)
        sheet.write_formula(2, 1, "=B2+1", None, 1.1)
        sheet.write_boolean(2, 2, boolean=True)
        sheet.write_string(3, 0, "2026-03-03")
        sheet.write_number(3, 1, 4711)
        sheet.write_formula(3, 2, "=1/0", None, "#DIV/0!")
        book.add_worksheet("另一张").write_row(2, 1, ["x", "y"])
    return path


def test_an_excel_sheet_is_read_exactly_with_formulas_as_their_values(tmp_path: Path) -> None:
    path = excel(tmp_path / "history.xlsx")
    head = head_of(path, path.name)
    assert (head.kind, head.sheets, head.rows) == (FileKind.EXCEL, ("History", "另一张"), 4)
    assert head.cells[0] == NAMES
    found = cells(read(path))
    assert found[0] == (2, "2026-03-01 08:05:03", "0.1", "007")
    assert found[1] == (3, "46082.5", "1.1", "TRUE")
    assert found[2][:3] == (4, "2026-03-03", "4711")
    assert head_of(path, path.name, sheet="另一张").cells[-1] == ["x", "y"]


def test_an_old_excel_file_named_csv_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = excel(tmp_path / "history.csv")
    assert head_of(path, "history.csv").kind is FileKind.EXCEL


def test_formulas_that_nobody_has_computed_are_counted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(NAMES)
    sheet.append(["2026-03-01", "=1+1", "=A2"])
    path = tmp_path / "made.xlsx"
    book.save(path)
    assert head_of(path, path.name).formulas_without_value == 2


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = excel(tmp_path / "history.xlsx")
    with pytest.raises(BadFileError, match="it has no sheet 'Nope'"):
        head_of(path, path.name, sheet="Nope")


def test_a_cut_excel_file_is_refused(tmp_path: Path) -> None:
    whole = excel(tmp_path / "history.xlsx").read_bytes()
    for share in (0.2, 0.5, 0.9, 0.999):
        path = written(tmp_path, whole[: int(len(whole) * share)], f"cut-{share}.xlsx")
        with pytest.raises(BadFileError, match="no whole Excel file"):
            head_of(path, path.name)


def test_a_sheet_that_claims_billions_of_cells_ends_nothing_but_its_import(tmp_path: Path) -> None:
    whole = excel(tmp_path / "history.xlsx")
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as bomb:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = (
                    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                    b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
                    b"</sheetData></worksheet>"
                )
            bomb.writestr(name, content)
    with pytest.raises(BadFileError, match="larger than memory allows"):
        head_of(path, path.name)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_of_a_spreadsheet_comes_back_from_its_text(value: float) -> None:
    assert float(text_of(value)) == value


@given(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)))  # noqa: DTZ001 Excel knows no zones
def test_a_time_of_a_spreadsheet_comes_back_from_its_text(moment: dt.datetime) -> None:
    times = read_times(pa.array([text_of(moment)]), TimeLayout.YMD)
    epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001
    assert epoch + dt.timedelta(microseconds=int(times.us[0])) == moment


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    time = [dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC) for hour in range(24)]
    table = pa.table(
        {"time": time, "v": np.arange(24.0), "on": [True] * 24, "s": pa.array(["a"] * 24).dictionary_encode()}
    )
    pq.write_table(table, path, row_group_size=7)
    head = head_of(path, path.name)
    assert (head.kind, head.rows, head.cells[0]) == (FileKind.PARQUET, 24, ["time", "v", "on", "s"])
    chunks = read(path, FilePlan(), ["time", "v", "on", "s"])
    assert cells(chunks)[3] == (4, time[3], 3.0, 1, "a")
    cut = written(tmp_path, path.read_bytes()[:-20], "cut.parquet")
    with pytest.raises(BadFileError, match="no whole Parquet file"):
        head_of(cut, cut.name)


@given(st.binary(max_size=400))
def test_no_file_whatever_fails_but_with_a_reason(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    if content.startswith(b"PK\x03\x04"):
        return  # a process of its own for each would take too long
    path = written(tmp_path_factory.mktemp("any"), content)
    try:
        head = head_of(path, "any")
        names = [f"c{place}" for place in range(max(len(row) for row in head.cells))]
        rows = [
            one
            for chunk in chunks_of(path, "any", FilePlan(dialect=head.dialect, first_row=1), names)
            for one in chunk.chunk.row
        ]
    except BadFileError:
        return
    assert len(rows) <= len(content) + 1
