"""Numbers are read as they were written; what could be read in two ways is no number."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.numbers import Decimal, read_numbers

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


def one(text: str, decimal: Decimal) -> float | None:
    """The number, or None where the text is none."""
    value = float(read_numbers(pa.array([text]), decimal).value[0])
    return None if math.isnan(value) else value


@given(st.lists(NUMBERS, max_size=30), st.sampled_from(Decimal))
def test_every_number_comes_back_from_its_digits(values: list[float], decimal: Decimal) -> None:
    texts = [repr(value).replace(".", decimal) for value in values]
    numbers = read_numbers(pa.array(texts, pa.string()), decimal)
    assert numbers.value.tolist() == values
    assert not numbers.is_blank.any()


@given(st.integers(-(10**12), 10**12), st.sampled_from(["'", " ", "\u00a0", "\u202f"]), st.sampled_from(Decimal))
def test_thousands_may_be_parted(value: int, sign: str, decimal: Decimal) -> None:
    assert one(f"{value:,}".replace(",", sign), decimal) == value


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1.5", 1.5, None),
        ("1,5", None, 1.5),
        ("1,234.5", 1234.5, None),
        ("1.234,5", None, 1234.5),
        ("12,34", None, 12.34),
        ("1,234", 1234.0, 1.234),
        ("1.234", 1.234, 1234.0),
        ("1.2.3", None, None),
        ("12 kW", None, None),
        ("1 2", None, None),
        ("12.5.", None, None),
        ("+7", 7.0, 7.0),
        (" 7 ", 7.0, 7.0),
        ("1e3", 1000.0, 1000.0),
        ("1e999", None, None),
        ("inf", None, None),
        ("0x10", None, None),
        ("TRUE", 1.0, 1.0),
        ("false", 0.0, 0.0),
        ("12\x00", None, None),
        ("１２", None, None),
        ("Bad Input", None, None),
    ],
)
def test_a_text_is_a_number_of_one_spelling_or_none(text: str, point: float | None, comma: float | None) -> None:
    assert (one(text, Decimal.POINT), one(text, Decimal.COMMA)) == (point, comma)


def test_what_says_that_there_is_nothing_is_blank_and_no_number() -> None:
    texts = ["", " ", "-", "--", "NaN", "null", "N/A", "#N/A", None, "7"]
    numbers = read_numbers(pa.array(texts))
    assert numbers.is_blank.tolist() == [True] * 9 + [False]
    assert numbers.is_number.tolist() == [False] * 9 + [True]


def test_columns_of_numbers_pass_with_null_and_nan_as_blanks() -> None:
    for column in (pa.array([1, None], pa.int64()), pa.array([1.0, math.nan]), pa.array([1, None], pa.uint8())):
        numbers = read_numbers(column)
        assert numbers.is_blank.tolist() == [False, True]
        assert numbers.value[0] == 1.0


@given(st.lists(st.text(max_size=20), max_size=20), st.sampled_from(Decimal))
def test_no_text_whatever_fails_or_becomes_infinite(texts: list[str], decimal: Decimal) -> None:
    numbers = read_numbers(pa.array(texts, pa.string()), decimal)
    assert not np.isinf(numbers.value).any()
    assert not (numbers.is_blank & numbers.is_number).any()
