"""What a file is, and how it is written, is told from its bytes and not from its name."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.dialect import (
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
from athanor.kernel.transfer.numbers import Decimal

HEADER = "时间,1#电解槽温度,电压\n2026-03-01 08:00,955.2,4.11\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_chinese_comes_back_from_every_encoding(encoding: str) -> None:
    head = (HEADER * 20).encode(encoding)
    assert head.decode(encoding_of(head, "a.csv")).removeprefix("\ufeff") == HEADER * 20


def test_the_degree_of_a_western_logger_is_no_chinese() -> None:
    head = "Zeit;Temperatur [°C];Durchfluss [m³/h]\n".encode("cp1252")
    assert encoding_of(head, "a.csv") == "cp1252"


def test_a_character_cut_in_two_by_the_end_of_the_head_changes_nothing() -> None:
    assert encoding_of(b"a,b\n" + "温".encode() * 100, "a.csv") == "utf-8"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf \n\n", "it is empty"),
        (b"\x00" * 5000, "it is empty"),
        (b"%PDF-1.7 rest", "it is a PDF"),
        (b"\x1f\x8b\x08\x00", "it is compressed"),
        (b"\x89PNG\r\n", "it is a picture"),
        (b"<html><body><table>", "it is a web page"),
        (b"  <!DOCTYPE html>", "it is a web page"),
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(head: bytes, reason: str) -> None:
    with pytest.raises(BadFileError, match=reason):
        kind_of(head, "history.csv")


def test_a_program_is_not_text() -> None:
    with pytest.raises(BadFileError, match="it is not text"):
        encoding_of(bytes(range(256)) * 40, "history.csv")


def test_some_bytes_of_a_failed_logger_leave_a_text_a_text() -> None:
    assert encoding_of(b"time,value\n2026-03-01 08:00,1\n" * 20 + b"\x00" * 40, "a.csv") == "utf-8"


def test_kinds_are_told_from_their_first_bytes() -> None:
    assert kind_of(b"PAR1....", "a.txt") is FileKind.PARQUET
    assert kind_of(b"PK\x03\x04....", "a.csv") is FileKind.EXCEL
    assert kind_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.csv") is FileKind.EXCEL
    assert kind_of(b"a,b\n", "a.xlsx") is FileKind.TEXT


CELLS = st.text("abcxyz0189 温-_", min_size=1, max_size=8)


@given(
    st.integers(2, 6).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=3)),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_the_delimiter_of_any_table_is_found(rows: Sequence[Sequence[str]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    assert delimiter_of(text.getvalue()) == delimiter
    assert rows_of(text.getvalue(), delimiter, 100) == [list(row) for row in rows][:100]


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 99)), min_size=2))
def test_a_decimal_comma_is_no_delimiter(values: Sequence[tuple[int, int]]) -> None:
    text = "".join(f"2026-03-01 08:00;{whole},{part:02d};{part},{whole}5\n" for whole, part in values)
    assert delimiter_of(text) == ";"
    assert decimal_of([cell for row in rows_of(text, ";", 10) for cell in row]) == (Decimal.COMMA, True)


def test_lines_above_the_header_mislead_nobody() -> None:
    text = "Report, exported by Anna\nPlant: Copper, Park\n\n" + "Time;T1;T2\n2026-03-01 08:00;1,5;2,5\n" * 5
    assert delimiter_of(text) == ";"


@pytest.mark.parametrize(
    ("cells", "decimal", "is_certain"),
    [
        (["1.5", "2.5"], Decimal.POINT, True),
        (["1,5", "2,5"], Decimal.COMMA, True),
        (["1,234.5"], Decimal.POINT, True),
        (["1.234,5"], Decimal.COMMA, True),
        (["1.234", "5.678"], Decimal.POINT, True),
        (["1,234", "5,678"], Decimal.POINT, False),
        (["7", "8"], Decimal.POINT, True),
        ([], Decimal.POINT, True),
    ],
)
def test_a_decimal_mark_that_could_be_either_is_said_to_be_open(
    cells: list[str], decimal: Decimal, *, is_certain: bool
) -> None:
    assert decimal_of(cells) == (decimal, is_certain)


def test_a_paste_of_rubbish_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(BadFileError, match="500,000 columns"):
        check_is_table(",".join(["1"] * 500_000), ",", "a.csv")
    with pytest.raises(BadFileError, match="longer than"):
        check_is_table("x" * (2 << 20), ",", "a.csv")


def test_a_header_of_several_lines_is_one_row() -> None:
    text = 'Time,"Temp\n(degC)","Flow\nt/h"\n2026-03-01,1,2\n'
    assert rows_of(text, ",", 10)[0] == ["Time", "Temp\n(degC)", "Flow\nt/h"]
    assert lines_in_rows(text, ",", 1) == 3


@given(st.binary(max_size=300))
def test_no_bytes_whatever_fail_but_with_a_reason(head: bytes) -> None:
    with suppress(BadFileError):
        if kind_of(head, "a") is FileKind.TEXT:
            text = head.decode(encoding_of(head, "a"), "replace")
            check_is_table(text, delimiter_of(text), "a")
