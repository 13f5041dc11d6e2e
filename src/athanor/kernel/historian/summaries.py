"""The algebra of rollups: what a run of samples comes to, in columns that merge into coarser ones without loss.

A summary keeps what any aggregate needs to know of a run of one tag's samples. Summaries of neighbouring runs merge
into the summary of both, so that rollups answer exactly as the samples would; where they cannot, `doubtful` says so.
Columns in, columns out; no store, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.gaps import NONE, GapPolicy, is_good
from athanor.kernel.telemetry import TIME

SUMMARIES = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),  # TagId
        pa.field("begin_at", TIME, nullable=False),  # first sample, whatever its quality
        pa.field("end_after_us", pa.int64(), nullable=False),  # last sample, whatever its quality, after begin_at
        pa.field("first_after_us", pa.int64()),  # first good sample; so for the others: null where there is none
        pa.field("last_after_us", pa.int64()),
        pa.field("minimum_after_us", pa.int64()),  # the first of them, where there are several
        pa.field("maximum_after_us", pa.int64()),
        pa.field("count", pa.int64(), nullable=False),  # good samples
        pa.field("bad", pa.int64(), nullable=False),  # all others
        pa.field("first", pa.float64()),
        pa.field("last", pa.float64()),
        pa.field("minimum", pa.float64()),
        pa.field("maximum", pa.float64()),
        pa.field("total", pa.float64(), nullable=False),  # sum of the good samples
        pa.field("squares", pa.float64(), nullable=False),  # sum of their squared distances from their mean
        pa.field("integral_hold", pa.float64()),  # value·s from the first good sample to the end, in steps
        pa.field("integral_linear", pa.float64()),  # value·s, where two good samples follow each other
        pa.field("known_hold_us", pa.int64(), nullable=False),  # time that integral_hold reaches over
        pa.field("known_linear_us", pa.int64(), nullable=False),
        pa.field("longest_gap_us", pa.int64(), nullable=False),  # longest time from a good sample to the next of any
    ]
)
# Both integrals are null in a run of good samples that are evenly spaced, since they follow from the rest there:
# longest_gap * (total - last) and longest_gap * (total - (first + last) / 2).

_AFTER = {  # the column that a stored distance from begin_at stands for
    "end_us": "end_after_us",
    "first_us": "first_after_us",
    "last_us": "last_after_us",
    "minimum_us": "minimum_after_us",
    "maximum_us": "maximum_after_us",
}
_CHUNK_ROWS = 1 << 16  # so that a pass finds its columns in the processor's cache
_US = 1e-6  # [s]


@dataclass(frozen=True, slots=True)
class Summaries:
    """Summaries by tag, then time, that do not overlap. Columns of one length; the fields are those of SUMMARIES.

    `limit_us` is None when every gap counts whole. Otherwise no gap counts for longer than that: such summaries answer
    for policies of that very limit only, but without doubt.
    """

    tag: np.ndarray
    begin_us: np.ndarray
    first_us: np.ndarray  # begin_us where there is no good sample; so are last_us, minimum_us and maximum_us
    last_us: np.ndarray
    minimum_us: np.ndarray
    maximum_us: np.ndarray
    end_us: np.ndarray
    count: np.ndarray
    bad: np.ndarray
    first: np.ndarray  # NaN where there is no good sample; so are last, minimum and maximum
    last: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    total: np.ndarray
    squares: np.ndarray
    integral_hold: np.ndarray
    integral_linear: np.ndarray
    known_hold_us: np.ndarray
    known_linear_us: np.ndarray
    longest_gap_us: np.ndarray
    limit_us: int | None = None

    def __len__(self) -> int:
        return len(self.tag)

    @property
    def begins_good(self) -> np.ndarray:
        """True where the run's first sample is good: a line may lead to it."""
        begins_good: np.ndarray = (self.count > 0) & (self.first_us == self.begin_us)
        return begins_good

    @property
    def ends_good(self) -> np.ndarray:
        """True where the run's last sample is good: it holds on."""
        ends_good: np.ndarray = (self.count > 0) & (self.last_us == self.end_us)
        return ends_good

    def columns(self) -> dict[str, np.ndarray]:
        """The columns by field name."""
        return {name: getattr(self, name) for name in _COLUMNS}

    def take(self, rows: np.ndarray) -> Self:
        """The summaries that a mask or ascending indices pick."""
        return replace(self, **{name: column[rows] for name, column in self.columns().items()})

    def limited_to(self, policy: GapPolicy) -> Self:
        """The same, said to be limited as the policy is. Raises ValueError if any is `doubtful`."""
        if doubtful(self, policy).any():
            raise ValueError(f"Some summaries hold a gap longer than {policy}. Summarise those runs from samples.")
        return self if policy == NONE else replace(self, limit_us=policy.limit_us)

    def to_arrow(self) -> pa.Table:
        """As a table (schema SUMMARIES). Raises ValueError for limited ones: kept, they would pass for whole ones."""
        if self.limit_us is not None:
            raise ValueError("Only summaries that count every gap whole may be kept.")
        is_void, is_even = self.count == 0, self._is_even
        columns = self.columns() | {after: getattr(self, name) - self.begin_us for name, after in _AFTER.items()}
        arrays = []
        for field in SUMMARIES:
            if field.name == "begin_at":
                arrays.append(pa.array(self.begin_us, pa.int64()).cast(TIME))
                continue
            mask = None
            if field.nullable:
                mask = is_even if field.name.startswith("integral") else is_void
            arrays.append(pa.array(columns[field.name], field.type, mask=mask))
        return pa.Table.from_arrays(arrays, schema=SUMMARIES)

    @property
    def _is_even(self) -> np.ndarray:
        """True for runs of good samples at equal distances, whose integrals follow from the rest."""
        is_even: np.ndarray = (self.bad == 0) & (self.longest_gap_us * (self.count - 1) == self.end_us - self.begin_us)
        return is_even

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """The summaries in a table (schema SUMMARIES), by tag, then begin_at. Columns that it lacks become 0."""
        begin_us = table["begin_at"].cast(pa.int64()).to_numpy()
        columns = {"begin_us": begin_us}
        nothing = np.zeros(len(begin_us), np.int64)
        present = set(table.column_names)
        for name, after in _AFTER.items():
            columns[name] = begin_us + table[after].fill_null(0).to_numpy() if after in present else begin_us
        for name in _COLUMNS:
            if name in present:
                column = table[name]
                columns[name] = (column.fill_null(np.nan) if column.null_count else column).to_numpy()
            elif name not in columns:
                columns[name] = nothing
        summaries = cls(**columns, limit_us=None)
        hold, linear = summaries.integral_hold.copy(), summaries.integral_linear.copy()
        even = np.flatnonzero(np.isnan(hold))
        hold[even] = summaries.longest_gap_us[even] * _US * (summaries.total[even] - summaries.last[even])
        even = np.flatnonzero(np.isnan(linear))
        ends = 0.5 * (summaries.first[even] + summaries.last[even])
        linear[even] = summaries.longest_gap_us[even] * _US * (summaries.total[even] - ends)
        return replace(summaries, integral_hold=hold, integral_linear=linear)


_COLUMNS = tuple(field.name for field in fields(Summaries) if field.name != "limit_us")


def summarise(
    tag: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray,
    edges: np.ndarray,
    *,
    limit_us: int | None = None,
) -> Summaries:
    """One summary for each tag and step that has samples, bad ones included.

    Parameters
    ----------
    tag, time_us, value, quality
        Samples by tag, then time, one for each pair. Those before the first edge and after the last are summarised
        too, in one summary a tag on each side, so that their neighbours can lean on them. [N]
    edges
        Ascending boundaries of the steps, as `calendar.edges` gives them. [us] [K + 1]
    limit_us
        A gap policy's limit, to count no gap for longer and leave nothing doubtful; None to count them whole, as what
        is kept and asked with any policy must. [us]

    Returns
    -------
    Summaries
        By tag, then time. [M]

    Raises
    ------
    ValueError
        If the edges do not ascend.
    """
    good = is_good(value, quality)
    parts = []
    for low in range(0, max(len(tag), 1), _CHUNK_ROWS):
        rows = slice(low, low + _CHUNK_ROWS)
        start = _run_starts(tag[rows], step_of(time_us[rows], edges))
        parts.append(_summarised_runs(tag[rows], time_us[rows], value[rows], good[rows], start, limit_us))
    return parts[0] if len(parts) == 1 else merge(joined(parts), edges)


def each(tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, quality: np.ndarray) -> Summaries:
    """One summary for each sample: for the neighbours of a span, which `aggregate` leans on at its ends. [N]"""
    return _summarised_runs(tag, time_us, value, is_good(value, quality), np.arange(len(tag)), None)


def joined(parts: Sequence[Summaries]) -> Summaries:
    """All of them as one, by tag, then time. They must not overlap. Raises ValueError if their limits differ."""
    limits = {part.limit_us for part in parts}
    if len(limits) != 1:
        raise ValueError(f"Summaries of different limits cannot be joined: {limits} us.")
    columns = {name: np.concatenate([part.columns()[name] for part in parts]) for name in parts[0].columns()}
    whole = Summaries(**columns, limit_us=limits.pop())
    order = np.lexsort((whole.begin_us, whole.tag))
    return whole if np.array_equal(order, np.arange(len(order))) else whole.take(order)


def doubtful(summaries: Summaries, policy: GapPolicy) -> np.ndarray:
    """True where a run holds a gap that the policy does not reach over, so that only its samples can answer. [M]

    Summarise the samples of these with the policy's limit and join them with the others, `limited_to` the policy.
    Raises ValueError for summaries that another policy's limit has gone into.
    """
    if policy == NONE or summaries.limit_us == policy.limit_us:
        return np.zeros(len(summaries), bool)
    if summaries.limit_us is not None:
        raise ValueError(f"These summaries are limited to {summaries.limit_us} us; {policy} needs others.")
    exceeds: np.ndarray = summaries.longest_gap_us > policy.limit_us
    return exceeds


def merge(summaries: Summaries, edges: np.ndarray) -> Summaries:
    """One summary for each tag and step, exactly what `summarise` makes of the same samples and edges.

    Parameters
    ----------
    summaries
        Finer ones, each within one step. [M]
    edges
        Ascending boundaries of the steps. Runs before the first and after the last merge on either side. [us] [K + 1]

    Raises
    ------
    ValueError
        If the edges do not ascend, or a run reaches over one.
    """
    step = step_of(summaries.begin_us, edges)
    if not np.array_equal(step, step_of(summaries.end_us, edges)):
        raise ValueError("A summary reaches over an edge. Merge only into steps that are made of whole finer ones.")
    start = _run_starts(summaries.tag, step)
    if len(start) == len(summaries):
        return summaries
    return _merged_runs(summaries, start)


def step_of(time_us: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Which step each time lies in: -1 before the first edge, K from the last on. [N]

    Raises ValueError if the edges do not ascend.
    """
    lengths = np.diff(edges)
    if len(edges) == 0 or np.any(lengths <= 0):
        raise ValueError(f"Edges ascend, and there is at least one; got {edges}.")
    step: np.ndarray
    if len(lengths) and np.all(lengths == lengths[0]):  # steps of one length need no search
        step = np.clip((time_us - edges[0]) // lengths[0], -1, len(lengths))
    else:
        step = np.searchsorted(edges, time_us, side="right") - 1
    return step


def _run_starts(tag: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Index of the first row of each run of rows that share tag and step."""
    differs = np.ones(len(tag), bool)
    differs[1:] = (tag[1:] != tag[:-1]) | (step[1:] != step[:-1])
    return np.flatnonzero(differs)


def _summarised_runs(
    tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, good: np.ndarray, start: np.ndarray, limit_us: int | None
) -> Summaries:
    """One summary for each run of rows that begins at `start`."""
    rows = len(tag)
    if rows == 0:
        return _of_nothing(limit_us)
    has_bad = not good.all()
    size = np.diff(start, append=rows)
    end = start + size - 1
    number = np.where(good, value, 0.0) if has_bad else value
    gap_us = np.zeros(rows, np.int64)  # how long each sample is followed by nothing, within its run
    np.subtract(time_us[1:], time_us[:-1], out=gap_us[:-1])
    gap_us[end] = 0
    held_us, is_joined = gap_us, np.ones(rows, bool)
    if has_bad:
        held_us = np.where(good, gap_us, 0)
        is_joined = good & np.append(good[1:], False)
    if limit_us is not None:
        is_joined &= gap_us <= limit_us
        held_us = np.minimum(held_us, limit_us)
    joined_us = np.where(is_joined, gap_us, 0)
    middle = np.zeros(rows)
    middle[:-1] = number[:-1] + 0.5 * np.diff(number)
    count = np.add.reduceat(good, start, dtype=np.int64) if has_bad else size
    total = np.add.reduceat(number, start)
    deviation = number - np.repeat(total / np.maximum(count, 1), size)
    if has_bad:
        deviation[~good] = 0.0
    first, last = (_first_good(good, start), _last_good(good, start)) if has_bad else (start, end)
    is_void = count == 0
    counted = np.where(good, value, np.nan) if has_bad else value
    minimum, maximum = np.fmin.reduceat(counted, start), np.fmax.reduceat(counted, start)
    lowest, highest = _first_equal(counted, minimum, start), _first_equal(counted, maximum, start)
    return Summaries(
        tag=tag[start],
        begin_us=time_us[start],
        first_us=np.where(is_void, time_us[start], time_us[first]),
        last_us=np.where(is_void, time_us[start], time_us[last]),
        minimum_us=time_us[lowest],
        maximum_us=time_us[highest],
        end_us=time_us[end],
        count=count,
        bad=size - count,
        first=np.where(is_void, np.nan, value[first]),
        last=np.where(is_void, np.nan, value[last]),
        minimum=minimum,
        maximum=maximum,
        total=total,
        squares=np.add.reduceat(deviation * deviation, start),
        integral_hold=np.add.reduceat(number * held_us, start) * _US,
        integral_linear=np.add.reduceat(middle * joined_us, start) * _US,
        known_hold_us=np.add.reduceat(held_us, start),
        known_linear_us=np.add.reduceat(joined_us, start),
        longest_gap_us=np.maximum.reduceat(held_us, start),
        limit_us=limit_us,
    )


def _merged_runs(parts: Summaries, start: np.ndarray) -> Summaries:
    """One summary for each run of summaries that begins at `start`: Chan's way for the squares [1]_.

    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample
       variances, Stanford STAN-CS-79-773, 1979.
    """
    size = np.diff(start, append=len(parts))
    end = start + size - 1
    to_next = np.zeros(len(parts), np.int64)
    is_joined = np.zeros(len(parts), bool)
    to_next[:-1] = parts.begin_us[1:] - parts.last_us[:-1]
    is_joined[:-1] = parts.ends_good[:-1] & parts.begins_good[1:]
    is_joined[end] = False
    held_us = np.where(parts.ends_good, to_next, 0)
    held_us[end] = 0
    if parts.limit_us is not None:
        is_joined &= to_next <= parts.limit_us
        held_us = np.minimum(held_us, parts.limit_us)
    joined_us = np.where(is_joined, to_next, 0)
    has_good = parts.count > 0
    last = np.where(has_good, parts.last, 0.0)
    middle = np.zeros(len(parts))
    middle[:-1] = last[:-1] + 0.5 * (np.where(has_good, parts.first, 0.0)[1:] - last[:-1])
    count, total = np.add.reduceat(parts.count, start), np.add.reduceat(parts.total, start)
    apart = parts.total / np.maximum(parts.count, 1) - np.repeat(total / np.maximum(count, 1), size)
    first_row, last_row = _first_good(has_good, start), _last_good(has_good, start)
    is_void = count == 0
    minimum, maximum = np.fmin.reduceat(parts.minimum, start), np.fmax.reduceat(parts.maximum, start)
    lowest, highest = _first_equal(parts.minimum, minimum, start), _first_equal(parts.maximum, maximum, start)
    return Summaries(
        tag=parts.tag[start],
        begin_us=parts.begin_us[start],
        first_us=np.where(is_void, parts.begin_us[start], parts.first_us[first_row]),
        last_us=np.where(is_void, parts.begin_us[start], parts.last_us[last_row]),
        minimum_us=np.where(is_void, parts.begin_us[start], parts.minimum_us[lowest]),
        maximum_us=np.where(is_void, parts.begin_us[start], parts.maximum_us[highest]),
        end_us=parts.end_us[end],
        count=count,
        bad=np.add.reduceat(parts.bad, start),
        first=parts.first[first_row],
        last=parts.last[last_row],
        minimum=minimum,
        maximum=maximum,
        total=total,
        squares=np.add.reduceat(parts.squares + parts.count * apart**2, start),
        integral_hold=np.add.reduceat(parts.integral_hold + last * (held_us * _US), start),
        integral_linear=np.add.reduceat(parts.integral_linear + middle * (joined_us * _US), start),
        known_hold_us=np.add.reduceat(parts.known_hold_us + held_us, start),
        known_linear_us=np.add.reduceat(parts.known_linear_us + joined_us, start),
        longest_gap_us=np.maximum.reduceat(np.maximum(parts.longest_gap_us, held_us), start),
        limit_us=parts.limit_us,
    )


def _first_good(good: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Index of the first good row of each run; of its last row where none is good."""
    end = np.append(start[1:], len(good)) - 1
    index: np.ndarray = np.minimum(np.minimum.reduceat(np.where(good, np.arange(len(good)), len(good)), start), end)
    return index


def _last_good(good: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Index of the last good row of each run; of its first row where none is good."""
    index: np.ndarray = np.maximum(np.maximum.reduceat(np.where(good, np.arange(len(good)), -1), start), start)
    return index


def _first_equal(value: np.ndarray, wanted: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Index of the first row of each run that has the run's wanted value; of the run's first row where none has."""
    rows = np.flatnonzero(value == np.repeat(wanted, np.diff(start, append=len(value))))
    if len(rows) == 0:
        return start
    place = np.searchsorted(rows, start)
    found = rows[np.minimum(place, len(rows) - 1)]
    is_own = (found >= start) & (found < np.append(start[1:], len(value))) & (place < len(rows))
    index: np.ndarray = np.where(is_own, found, start)
    return index


def _of_nothing(limit_us: int | None) -> Summaries:
    return replace(Summaries.from_arrow(SUMMARIES.empty_table()), limit_us=limit_us)
