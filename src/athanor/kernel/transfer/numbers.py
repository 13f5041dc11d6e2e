"""Texts as people and loggers write numbers, by columns. What could be read in two ways is no number."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.transfer.columns import BLANKS, integers, is_text, mask_of, trimmed


class Decimal(StrEnum):
    """The mark between whole and fraction."""

    POINT = "."
    COMMA = ","


_TRUTHS = pa.array(["true", "false"])
_PLAIN = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
# Thousands are told by groups of three, so that 1,5 never becomes 15.
_GROUPED = {
    Decimal.POINT: r"^[+-]?\d{1,3}([,' \x{00a0}\x{202f}]\d{3})+(\.\d*)?$",
    Decimal.COMMA: r"^[+-]?\d{1,3}([.' \x{00a0}\x{202f}]\d{3})+(,\d*)?$",
}
_SEPARATORS = {Decimal.POINT: r"[,' \x{00a0}\x{202f}]", Decimal.COMMA: r"[.' \x{00a0}\x{202f}]"}
_COMMA_PLAIN = r"^[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d{1,3})?$"


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers. `is_blank` rows have no value; what is neither is no number. [N]"""

    value: np.ndarray  # float64, NaN where there is no number
    is_blank: np.ndarray

    @property
    def is_number(self) -> np.ndarray:
        found: np.ndarray = ~np.isnan(self.value)
        return found


def read_numbers(column: pa.Array, decimal: Decimal = Decimal.POINT) -> Numbers:
    """A column's cells as numbers; columns of numbers pass as they are, with null and NaN for blanks. [N]"""
    if not is_text(column):
        value = np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
        return Numbers(value, np.isnan(value))
    if decimal is Decimal.POINT and (quick := _if_all_are_numbers(column)) is not None:
        return Numbers(quick, np.zeros(len(quick), bool))
    text = trimmed(column)
    is_blank = pc.is_in(pc.utf8_lower(text), BLANKS)
    plain = _with_point(text, decimal)
    value = _cast(plain, pc.match_substring_regex(plain, _PLAIN))
    value[~np.isfinite(value)] = np.nan  # 1e999 is no number that anything measured
    _read_truths(text, value)
    return Numbers(value, mask_of(is_blank))


def _if_all_are_numbers(column: pa.Array) -> np.ndarray | None:
    """The quick way of the usual case: nothing but finite numbers with a decimal point."""
    if column.null_count:
        return None
    try:
        value = np.array(pc.cast(column, pa.float64()))
    except pa.ArrowInvalid:
        return None
    return value if np.isfinite(value).all() else None


def _with_point(text: pa.Array, decimal: Decimal) -> pa.Array:
    """Texts of numbers as `1234.5`; a text that is no number of this spelling becomes something that is none."""
    grouped = pc.match_substring_regex(text, _GROUPED[decimal])
    if pc.any(grouped).as_py():
        text = pc.if_else(grouped, pc.replace_substring_regex(text, _SEPARATORS[decimal], ""), text)
    if decimal is Decimal.COMMA:
        is_plain = pc.match_substring_regex(text, _COMMA_PLAIN)
        text = pc.if_else(is_plain, pc.replace_substring(text, ",", "."), "?")
    return text


def _cast(text: pa.Array, is_number: pa.Array) -> np.ndarray:
    values = pc.cast(pc.if_else(is_number, text, pa.scalar(None, text.type)), pa.float64())
    return np.array(values.to_numpy(zero_copy_only=False), np.float64)


def _read_truths(text: pa.Array, value: np.ndarray) -> None:
    """TRUE and FALSE, as spreadsheets write them, are 1 and 0."""
    place = integers(pc.index_in(pc.utf8_lower(text), _TRUTHS))
    value[place == 0] = 1.0
    value[place == 1] = 0.0
