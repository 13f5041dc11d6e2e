"""What a table's rows and columns are: where its header is, which column is the time, wide or long. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from athanor.kernel.transfer.columns import BLANKS
from athanor.kernel.transfer.matching import are_units
from athanor.kernel.transfer.numbers import Decimal, read_numbers
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.times import TimeLayout, are_times, joined, layouts_of, read_times

_TEXT_LAYOUTS = (TimeLayout.YMD, TimeLayout.DMY, TimeLayout.MDY, TimeLayout.COMPACT)
_MOST = 0.8
_TIME_WORDS = re.compile(r"time|date|stamp|zeit|datum|fecha|heure|时间|日期|时刻|^ts$|^t$", re.IGNORECASE)
_CLOCK = re.compile(r"\s*\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([ap]m)?\s*", re.IGNORECASE)
_TAG_WORDS = re.compile(
    r"^(tag|tag ?name|tag_?id|point|point ?name|item|variable|series|signal|name)$|位号|测点|点名|标签", re.IGNORECASE
)
_VALUE_WORDS = re.compile(r"^(value|val|v|pv|reading|wert|messwert|valor|valeur)$|数值|测量值|^值$", re.IGNORECASE)
_QUALITY_WORDS = re.compile(r"^(quality|qual|q|status|statuscode|validity)$|质量|品质|^状态$", re.IGNORECASE)
_UNIT_WORDS = re.compile(r"^(unit|units|uom|eu|einheit|unidad)$|^单位$", re.IGNORECASE)
_TEXT_WORDS = re.compile(r"^(text|string|label)$|^文本$", re.IGNORECASE)
_BLANK_WORDS = frozenset(BLANKS.to_pylist())


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the parts of a table are, as indices of rows; -1 for what is not there."""

    header: int
    units: int
    first: int  # of samples


@dataclass(frozen=True, slots=True)
class TimeGuess:
    """The columns that hold the time, as indices, and every layout that explains them."""

    columns: tuple[int, ...]
    layouts: tuple[TimeLayout, ...]


@dataclass(frozen=True, slots=True)
class ShapeGuess:
    """What the columns are, as indices. `long` has what there is of tag, value, text, quality and unit."""

    shape: Shape
    time: TimeGuess | None
    long: dict[str, int]


def rows_of_table(cells: Sequence[Sequence[str]], decimal: Decimal = Decimal.POINT) -> Rows:
    """Find header, units and first sample of a table from its first rows: samples begin where times begin."""
    first = _first_sample(cells, decimal)
    above = [index for index in range(first) if any(cell.strip() for cell in cells[index])]
    if not above:
        return Rows(-1, -1, first)
    if len(above) > 1 and _is_row_of_units(cells[above[-1]], cells[above[-2]]):
        return Rows(above[-2], above[-1], first)
    return Rows(above[-1], -1, first)


def _is_row_of_units(cells: Sequence[str], above: Sequence[str]) -> bool:
    """Columns may be called A and B, which are units too: a row of units has no time in it, and names above it."""
    speaks_of_time = any(len(cell.strip()) > 2 and _TIME_WORDS.search(cell) for cell in cells)
    names, units = (sum(bool(cell.strip()) for cell in row) for row in (above, cells))
    return are_units(cells) and not speaks_of_time and names >= units


def width_of(cells: Sequence[Sequence[str]], rows: Rows) -> int:
    """How many columns the samples have: what most of their rows have."""
    widths = [len(row) for row in cells[rows.first :] if any(cell.strip() for cell in row)]
    if widths:
        return max(set(widths), key=widths.count)
    return max((len(row) for row in cells), default=0)


def names_of(header: Sequence[str], width: int) -> list[str]:
    """A name for each column, none twice: `Column 3` for one without, `Flow (2)` for a second Flow."""
    names: list[str] = []
    for index in range(width):
        cell = " ".join(header[index].split()) if index < len(header) else ""
        base = cell or f"Column {index + 1}"
        name, count = base, 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return names


def shape_of(
    names: Sequence[str],
    samples: Sequence[Sequence[str]],
    is_tag: Callable[[str], bool],
    decimal: Decimal = Decimal.POINT,
) -> ShapeGuess:
    """What the columns of a table are.

    Parameters
    ----------
    names, samples
        The columns' names, and some cells of each.
    is_tag
        Whether a text surely means a tag.
    """
    time = time_of(names, samples, decimal)
    others = [index for index in range(len(names)) if time is None or index not in time.columns]
    long = _long_columns(names, samples, others, is_tag, decimal)
    return ShapeGuess(Shape.LONG if long else Shape.WIDE, time, long)


def time_of(
    names: Sequence[str], samples: Sequence[Sequence[str]], decimal: Decimal = Decimal.POINT
) -> TimeGuess | None:
    """The column of time, or those of date and time of day; None where no column is one."""
    best: tuple[float, TimeGuess] | None = None
    known = layouts_of(samples, decimal)
    for index, (name, cells, layouts) in enumerate(zip(names, samples, known, strict=True)):
        has_word = bool(_TIME_WORDS.search(name))
        written = tuple(layout for layout in layouts if layout in _TEXT_LAYOUTS)
        # A column of numbers may be anything: it is the time when it says so, or stands first and grows.
        counted = tuple(layouts) if has_word or (index == 0 and _grows(cells, decimal)) else ()
        if found := written or counted:
            score = bool(written) + 2.0 * has_word - index / 1000
            if best is None or score > best[0]:
                best = score, TimeGuess((index,), found)
    return None if best is None else _with_clock(best[1], samples)


def _with_clock(guess: TimeGuess, samples: Sequence[Sequence[str]]) -> TimeGuess:
    """Dates alone, beside a column of times of day, make up the time with it."""
    (date,) = guess.columns
    clock = next((index for index, cells in enumerate(samples) if index != date and _is_clock(cells)), None)
    if clock is None or not _is_date_alone(samples[date], guess.layouts[0]):
        return guess
    whole = joined(pa.array(samples[date], pa.string()), pa.array(samples[clock], pa.string()))
    return TimeGuess((date, clock), tuple(layouts_of([whole.to_pylist()])[0]) or guess.layouts)


def _is_clock(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and sum(_CLOCK.fullmatch(cell) is not None for cell in filled) >= _MOST * len(filled)


def _is_date_alone(cells: Sequence[str], layout: TimeLayout) -> bool:
    times = read_times(pa.array(cells, pa.string()), layout)
    return bool((times.us[times.is_read] % 86_400_000_000 == 0).all())


def _grows(cells: Sequence[str], decimal: Decimal) -> bool:
    value = read_numbers(pa.array(cells, pa.string()), decimal).value
    value = value[~np.isnan(value)]
    return len(value) > 1 and bool((np.diff(value) >= 0).all()) and value[-1] > value[0]


def _long_columns(
    names: Sequence[str],
    samples: Sequence[Sequence[str]],
    others: Sequence[int],
    is_tag: Callable[[str], bool],
    decimal: Decimal,
) -> dict[str, int]:
    """The columns of a long table; empty for a wide one."""
    share = dict(zip(others, _shares_of_numbers([samples[index] for index in others], decimal), strict=True))
    tag = next((index for index in others if share[index] < 1 - _MOST and _names_tags(samples[index], is_tag)), None)
    if tag is None:
        tag = next((index for index in others if share[index] < 1 - _MOST and _TAG_WORDS.search(names[index])), None)
    if tag is None:
        return {}
    rest = [index for index in others if index != tag]
    found = {"tag": tag}
    for role, words in (("quality", _QUALITY_WORDS), ("unit", _UNIT_WORDS), ("text", _TEXT_WORDS)):
        place = next((index for index in rest if words.search(names[index])), None)
        if place is not None:
            found[role] = place
            rest.remove(place)
    value = next((index for index in rest if _VALUE_WORDS.search(names[index])), None)
    if value is None:
        value = next((index for index in rest if share[index] >= _MOST), next(iter(rest), found.get("text")))
    if value is None:
        return {}
    return {**found, "value": value}


def _names_tags(cells: Sequence[str], is_tag: Callable[[str], bool]) -> bool:
    distinct = {cell.strip() for cell in cells if cell.strip()}
    return bool(distinct) and sum(map(is_tag, distinct)) * 2 >= len(distinct)


def _shares_of_numbers(columns: Sequence[Sequence[str]], decimal: Decimal) -> list[float]:
    """For each column, of the cells that say something those that are numbers; 1 for a column that says nothing."""
    numbers = read_numbers(pa.array([cell for cells in columns for cell in cells], pa.string()), decimal)
    bounds = np.cumsum([0, *(len(cells) for cells in columns)])
    shares = []
    for begin, end in pairwise(bounds.tolist()):
        filled = ~numbers.is_blank[begin:end]
        shares.append(float(numbers.is_number[begin:end][filled].mean()) if filled.any() else 1.0)
    return shares


def _first_sample(cells: Sequence[Sequence[str]], decimal: Decimal) -> int:
    """The row at which times begin; the second row where there are none."""
    width = max((len(row) for row in cells), default=0)
    columns = [[row[index] if index < len(row) else "" for row in cells] for index in range(width)]
    filled = np.array([[cell.strip().casefold() not in _BLANK_WORDS for cell in column] for column in columns], bool)
    best, best_count = min(1, max(len(cells) - 1, 0)), 0.0
    for layout in TimeLayout:
        is_time = are_times(columns, layout, decimal)
        for index in np.flatnonzero(is_time.any(axis=1)).tolist():
            begin, count = _run(is_time[index], filled[index])
            count -= (
                0.0 if layout in _TEXT_LAYOUTS else 0.5
            )  # a column of numbers is the time only where nothing else is
            if count > best_count:
                best, best_count = begin, count
    return best


def _run(is_time: np.ndarray, is_filled: np.ndarray) -> tuple[int, float]:
    """Where times begin in a column and how many follow, if from there on it holds mostly times."""
    for begin in np.flatnonzero(is_time)[:3].tolist():  # a date in a title is no sample
        count = int(is_time[begin:].sum())
        if count >= _MOST * is_filled[begin:].sum():
            return begin, float(count)
    return 0, 0.0
