"""Times as people, loggers and spreadsheets write them, by columns. No clock, no zone: `zones.py` has those."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.transfer.columns import is_text, mask_of, trimmed
from athanor.kernel.transfer.numbers import Decimal, read_numbers

_US = 1_000_000
_DAY_US = 86_400 * _US


class TimeLayout(StrEnum):
    """How a time is written. The first three differ in the order of day, month and year alone."""

    YMD = "ymd"  # 2026-03-01 08:05:00, 2026/3/1 8:05, 2026年3月1日 8时5分, with or without offset
    DMY = "dmy"  # 01.03.2026 08:05, 1/3/26 8:05, 01-Mar-2026
    MDY = "mdy"  # 3/1/2026 8:05 AM, Mar 1, 2026
    COMPACT = "compact"  # 20260301, 202603010805, 20260301080500, 20260301080500123
    EXCEL = "excel"  # days since 1899-12-30
    EPOCH_S = "epoch_s"  # since 1970 UTC
    EPOCH_MS = "epoch_ms"
    EPOCH_US = "epoch_us"
    EPOCH_NS = "epoch_ns"


@dataclass(frozen=True, slots=True)
class Times:
    """A column read as times. [N]"""

    us: np.ndarray  # microseconds since 1970, UTC where `is_utc`, else on the local clock; 0 where unreadable
    is_utc: np.ndarray
    is_read: np.ndarray


_EPOCHS = {  # what one is in microseconds
    TimeLayout.EPOCH_S: 1e6,
    TimeLayout.EPOCH_MS: 1e3,
    TimeLayout.EPOCH_US: 1.0,
    TimeLayout.EPOCH_NS: 1e-3,
}
_PLAUSIBLE = {  # 1980 to 2100: what a column of plain numbers is taken for
    TimeLayout.EXCEL: (29_221.0, 73_051.0),
    TimeLayout.EPOCH_S: (315_532_800.0, 4_102_444_800.0),
    TimeLayout.EPOCH_MS: (315_532_800e3, 4_102_444_800e3),
    TimeLayout.EPOCH_US: (315_532_800e6, 4_102_444_800e6),
    TimeLayout.EPOCH_NS: (315_532_800e9, 4_102_444_800e9),
}
_FIRST_SERIAL = 61.0  # before it, spreadsheets count a 29 February 1900 that never was

_DATES = {
    TimeLayout.YMD: r"(?P<y>\d{4})\s?[-/.]\s?(?P<m>\d{1,2})\s?[-/.]\s?(?P<d>\d{1,2})",
    TimeLayout.DMY: r"(?P<d>\d{1,2})[-/. ]{1,2}m?(?P<m>\d{1,2})[-/., ]{1,2}(?P<y>\d{4}|\d{2})",
    TimeLayout.MDY: r"m?(?P<m>\d{1,2})[-/. ]{1,2}(?P<d>\d{1,2})[-/., ]{1,2}(?P<y>\d{4}|\d{2})",
}
_HALF = r"am|pm|a\.m\.|p\.m\.|上午|下午"
_CLOCK = (
    rf"(?:[t ]\s*(?P<early>{_HALF})?\s*(?P<h>\d{{1,2}})"
    r"(?::(?P<n>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,:](?P<f>\d{1,9}))?)?)?"
    rf"\s*(?P<late>{_HALF})?\s*(?P<o>z|utc|gmt|[+-]\d{{2}}(?::?\d{{2}})?)?)?"
)
_COMPACT = (
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"
    r"(?:[ t_-]?(?P<h>\d{2})(?P<n>\d{2})(?:(?P<s>\d{2})(?:[.,]?(?P<f>\d{3}|\d{6}))?)?)?(?P<o>z)?$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LETTERS = r"[a-z]{3}"
_CHINESE = ((r"[年月]", "-"), (r"日", " "), (r"[时点分]", ":"), (r"秒", ""), (r":\s*$", ""))


def read_times(column: pa.Array, layout: TimeLayout, decimal: Decimal = Decimal.POINT) -> Times:
    """A column's cells as times.

    Columns of times or dates are what they are, whatever the layout; numbers are read as a layout of numbers. [N]
    """
    if pa.types.is_dictionary(column.type):
        return _taken(read_times(column.dictionary, layout, decimal), column.indices)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _of_timestamps(column)
    if layout in _EPOCHS or layout is TimeLayout.EXCEL:
        return _of_numbers(read_numbers(column, decimal).value, layout)
    text = column if is_text(column) else pc.cast(_whole(column), pa.string())
    quick = _of_iso(text) if layout is TimeLayout.YMD else None
    if quick is not None:
        return quick
    encoded = pc.dictionary_encode(pc.fill_null(text, ""))  # a time often stands in many rows
    return _taken(_of_texts(encoded.dictionary, layout), encoded.indices)


def joined(date: pa.Array, clock: pa.Array) -> pa.Array:
    """A column of dates and one of times of day as one of both; a spreadsheet's midnight after a date is dropped."""
    day = pc.replace_substring_regex(trimmed(date), r"[ T]00:00(:00(\.0+)?)?$", "")
    return pc.binary_join_element_wise(day, trimmed(clock), " ")


def layouts_of(
    columns: Sequence[Sequence[str]], decimal: Decimal = Decimal.POINT, *, share: float = 0.9
) -> list[list[TimeLayout]]:
    """For each column, the layouts by which at least this share of its filled cells are times.

    More than one where the cells leave it open. Plain numbers are taken for times only within 1980 to 2100.
    """
    length = max((len(cells) for cells in columns), default=0)
    filled = np.array([[bool(cell.strip()) for cell in _padded(cells, length)] for cells in columns], bool)
    counts = np.maximum(filled.sum(axis=1), 1) if len(columns) else np.empty(0)
    found: list[list[TimeLayout]] = [[] for _ in columns]
    for layout in TimeLayout:
        times = are_times(columns, layout, decimal)
        for index in np.flatnonzero((times & filled).sum(axis=1) >= np.maximum(share * counts, 1)).tolist():
            found[index].append(layout)
    return found


def are_times(columns: Sequence[Sequence[str]], layout: TimeLayout, decimal: Decimal = Decimal.POINT) -> np.ndarray:
    """Which cells are times of a layout; of numbers, those within 1980 to 2100. [columns, length of the longest]"""
    length = max((len(cells) for cells in columns), default=0)
    # All cells at once: a call for each of a thousand columns would take seconds.
    flat = pa.array([cell for cells in columns for cell in _padded(cells, length)], pa.string())
    good = read_times(flat, layout, decimal).is_read
    if layout in _PLAUSIBLE:
        low, high = _PLAUSIBLE[layout]
        value = read_numbers(flat, decimal).value
        with np.errstate(invalid="ignore"):
            good = good & (value >= low) & (value <= high)
    return good.reshape(len(columns), length)


def _padded(cells: Sequence[str], length: int) -> list[str]:
    return [*cells, *[""] * (length - len(cells))]


def _of_timestamps(column: pa.Array) -> Times:
    is_read = mask_of(pc.is_valid(column))
    has_zone = pa.types.is_timestamp(column.type) and column.type.tz is not None
    stamps = pc.cast(column, pa.timestamp("us", column.type.tz if has_zone else None), safe=False)
    us = pc.fill_null(pc.cast(stamps, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return Times(np.asarray(us, np.int64), np.full(len(us), has_zone), is_read)


def _of_numbers(value: np.ndarray, layout: TimeLayout) -> Times:
    """Spreadsheet days are rounded to a millisecond, which is all that they hold; epochs to a microsecond."""
    is_serial = layout is TimeLayout.EXCEL
    low, high = (_FIRST_SERIAL, 2_958_466.0) if is_serial else (0.0, 253_402_300_800e6 / _EPOCHS[layout])
    with np.errstate(invalid="ignore"):
        is_read = (value >= low) & (value < high)
    safe = np.where(is_read, value, low)
    if is_serial:
        us = np.rint((safe - 25_569) * 86_400_000).astype(np.int64) * 1000
    else:
        us = np.rint(safe * _EPOCHS[layout]).astype(np.int64)
    return Times(np.where(is_read, us, 0), np.full(len(us), not is_serial), is_read)


def _of_iso(text: pa.Array) -> Times | None:
    """The quick way where every cell is ISO 8601 and all are of one kind."""
    for zone in (None, "UTC"):
        try:
            return _of_timestamps(pc.cast(text, pa.timestamp("us", zone)))
        except pa.ArrowInvalid:
            continue  # the other kind, or not ISO: the slow way tells
    return None


def _of_texts(text: pa.Array, layout: TimeLayout) -> Times:
    spelled = _with_numbered_months(_with_signs(pc.utf8_lower(trimmed(text))))
    pattern = _COMPACT if layout is TimeLayout.COMPACT else rf"^{_DATES[layout]}{_CLOCK}\s*$"
    parts = pc.extract_regex(spelled, pattern)
    is_matched = mask_of(pc.is_valid(parts))
    names = {field.name for field in parts.type}
    field = {
        name: _field(parts, name) if name in names else None for name in ("early", "h", "n", "s", "f", "late", "o")
    }
    year, month, day = (_whole_numbers(_field(parts, name)) for name in ("y", "m", "d"))
    year = np.where(_lengths(_field(parts, "y")) == 2, year + np.where(year < 70, 2000, 1900), year)
    hour, minute, second = (_whole_numbers(field[name]) for name in ("h", "n", "s"))
    hour, is_hour = _of_24(hour, field["early"], field["late"])
    fraction_us = _fractions_us(field["f"])
    offset_us, has_offset = _offsets_us(field["o"])
    clock_us = ((hour * 60 + minute) * 60 + second) * _US + fraction_us
    is_read = is_matched & _is_date(year, month, day) & is_hour & (minute < 60) & (second < 60)
    is_read &= clock_us <= _DAY_US  # 24:00 is the end of a day
    is_read &= np.abs(offset_us) <= 18 * 3600 * _US
    us = _days(year, month, day) * _DAY_US + clock_us - offset_us
    return Times(np.where(is_read, us, 0), has_offset, is_read)


def _of_24(hour: np.ndarray, early: pa.Array | None, late: pa.Array | None) -> tuple[np.ndarray, np.ndarray]:
    """Hours of a day from hours of a half, and which were possible."""
    if early is None or late is None:
        return hour, hour <= 24
    is_afternoon = _is_one_of(early, _AFTERNOON) | _is_one_of(late, _AFTERNOON)
    is_morning = _is_one_of(early, _MORNING) | _is_one_of(late, _MORNING)
    is_half = is_afternoon | is_morning
    is_possible = np.where(is_half, (hour <= 12) & ~(is_afternoon & is_morning), hour <= 24)
    return np.where(is_half, hour % 12 + np.where(is_afternoon, 12, 0), hour), is_possible


_AFTERNOON = pa.array(["pm", "p.m.", "下午"])
_MORNING = pa.array(["am", "a.m.", "上午"])


def _offsets_us(offset: pa.Array | None) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from UTC, and where there was one. `offset` is z, utc, gmt, +08, +0800 or +08:00, or empty."""
    if offset is None:
        raise ValueError("every pattern has a group for the offset")
    has_offset = _lengths(offset) > 0
    digits = pc.replace_substring_regex(offset, r"[^0-9]", "")
    number = _whole_numbers(digits)
    minutes = np.where(_lengths(digits) == 4, number // 100 * 60 + number % 100, number * 60)
    sign = np.where(mask_of(pc.starts_with(offset, "-")), -1, 1)
    return sign * minutes * 60 * _US, has_offset


def _fractions_us(digits: pa.Array | None) -> np.ndarray:
    """Microseconds of the digits after the point; what is finer is cut off."""
    if digits is None:
        raise ValueError("every pattern has a group for the fraction")
    return _whole_numbers(pc.utf8_slice_codeunits(pc.utf8_rpad(digits, 6, "0"), 0, 6))


def _with_signs(text: pa.Array) -> pa.Array:
    """2026年3月1日8时5分 as 2026-3-1 8:5."""
    if not pc.any(pc.match_substring_regex(text, "[年月日时点分秒]")).as_py():
        return text
    for sign, written in _CHINESE:
        text = pc.replace_substring_regex(text, sign, written)
    return trimmed(text)


def _with_numbered_months(text: pa.Array) -> pa.Array:
    """01-Mar-2026 as 01-m03-2026: a number that can only be the month."""
    if not pc.any(pc.match_substring_regex(text, _LETTERS)).as_py():
        return text
    for number, name in enumerate(_MONTHS, start=1):
        text = pc.replace_substring_regex(text, rf"\b{name}[a-z]*\b\.?", f"m{number:02d}")
    return text


def _is_date(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Whether the calendar has this day."""
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    is_month = (month >= 1) & (month <= 12)
    last = lengths[np.where(is_month, month, 0)] + (is_leap & (month == 2))
    found: np.ndarray = is_month & (day >= 1) & (day <= last) & (year >= 1)
    return found


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since 1970 of dates of the Gregorian calendar."""
    months = ((np.maximum(year, 1) - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    days: np.ndarray = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return days


def _field(parts: pa.StructArray, name: str) -> pa.Array:
    return pc.fill_null(pc.struct_field(parts, name), "")


def _whole_numbers(digits: pa.Array | None) -> np.ndarray:
    """Texts of digits as numbers, 0 for none. [N]"""
    if digits is None:
        raise ValueError("every pattern has groups for hour, minute and second")
    filled = pc.if_else(pc.equal(digits, ""), "0", digits)
    return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _lengths(text: pa.Array) -> np.ndarray:
    return np.asarray(pc.utf8_length(text).to_numpy(zero_copy_only=False), np.int64)


def _is_one_of(text: pa.Array, words: pa.Array) -> np.ndarray:
    return mask_of(pc.is_in(text, words))


def _taken(times: Times, indices: pa.Array) -> Times:
    place = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
    if len(times.us) == 0:
        return Times(*(np.zeros(len(place), kind) for kind in (np.int64, bool, bool)))
    is_read = times.is_read[place] & (place >= 0)
    return Times(times.us[place], times.is_utc[place], is_read)


def _whole(column: pa.Array) -> pa.Array:
    """Numbers that stand for digits, such as 20260301080500, without a fraction."""
    return pc.cast(column, pa.int64(), safe=False) if pa.types.is_floating(column.type) else column
