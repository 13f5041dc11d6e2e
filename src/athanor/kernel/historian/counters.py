"""Consumption from the registers of meters, which only grow until they roll over, are reset or are replaced.

Readings become whole counts of the register's last digit before anything is subtracted, so that large registers lose
nothing: the increments of a range always add up to the difference of its readings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum

import numpy as np

from athanor.kernel.historian.gaps import is_good
from athanor.kernel.historian.port import microseconds
from athanor.kernel.plant.meter import Meter

_NEAR = 0.1  # of the register's width: how near its ends a rollover is believed
_MOST_COUNTS = 2**53  # beyond, a float64 skips whole numbers
_US = 1e-6  # [s]


class MeterEvent(IntEnum):
    """What a register did other than count on. Numbers are stable: they are stored."""

    ROLLOVER = 1  # from the top of its width on to the bottom; counted through
    RESET = 2  # set to zero; counted from there
    REPLACEMENT = 3  # another meter, as known; the old one's end and the new one's start are counted
    NEGATIVE_JUMP = 4  # back without a reason that is known; not counted
    IMPLAUSIBLE_JUMP = 5  # on by more than the meter can measure; not counted
    MAY_HAVE_TURNED = 6  # counted, but in a gap so long that the register may have gone round unseen


class Split(StrEnum):
    """Where the increment of an interval that reaches over several steps is booked."""

    NONE = "none"  # whole, in the step in which the interval ends
    PRO_RATA = "pro_rata"  # by time, as if consumption had been even: an estimate


@dataclass(frozen=True, slots=True)
class Increments:
    """What was consumed between readings that follow each other, by tag, then time. Columns of one length."""

    tag: np.ndarray
    from_us: np.ndarray
    to_us: np.ndarray
    counts: np.ndarray  # whole counts of the last digit, never below 0; int64
    scale: np.ndarray  # counts in one unit of the tag: 100 where there are two decimals
    is_known: np.ndarray  # False where the register jumped, so that nobody knows what was consumed

    @property
    def amount(self) -> np.ndarray:
        """The same in the tag's unit."""
        amount: np.ndarray = self.counts / self.scale
        return amount


@dataclass(frozen=True, slots=True)
class Bookings:
    """Increments added up in steps, by tag, then step. Columns of one length."""

    tag: np.ndarray
    step: np.ndarray  # its number: k is [edges[k], edges[k + 1])
    counts: np.ndarray  # counts of the last digit; whole ones where whole intervals are booked
    scale: np.ndarray  # counts in one unit of the tag
    known_us: np.ndarray  # time that went by in what was counted; longer than a step where a reading closes several


@dataclass(frozen=True, slots=True)
class MeterEvents:
    """What registers did other than count on, by tag, then time. Columns of one length."""

    tag: np.ndarray
    time_us: np.ndarray  # of the reading that showed it
    kind: np.ndarray  # MeterEvent
    before: np.ndarray  # the reading that it was judged by
    after: np.ndarray
    counted: np.ndarray  # what was booked for it, in the tag's unit


@dataclass(frozen=True, slots=True)
class _Readings:
    """Good readings of all registers in whole counts, replacements among them; columns of one length."""

    tag: np.ndarray
    time_us: np.ndarray
    counts: np.ndarray
    life: np.ndarray  # number of the meter that it is of: replaced ones count up
    scale: np.ndarray
    width: np.ndarray  # [counts] 0 where the register never turns over
    rate: np.ndarray  # [counts/us] inf where nothing is implausible


def increments(
    tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, quality: np.ndarray, meters: Mapping[int, Meter]
) -> tuple[Increments, MeterEvents]:
    """What each register counted between its readings, and what else it did.

    Between two readings, in this order: a growth is counted, unless the meter cannot be that quick
    (`IMPLAUSIBLE_JUMP`); a fall from the top tenth of the register's width to the lowest tenth, which the meter can
    be quick enough for, is a `ROLLOVER`; a fall to a value that the meter can have counted since zero is a `RESET`
    (to zero itself where its greatest rate is not known); any other is a `NEGATIVE_JUMP`, and counting goes on from
    the lower value. A single reading that leaves the row of its neighbours and is followed by a return to it, and a
    row of zeros that is, is disturbed: it is reported as a jump, and the register counts on across it. So is what
    lies outside 0 to width, or is too large to be held to its last digit (2**53 counts).

    Parameters
    ----------
    tag, time_us, value, quality
        Readings by tag, then time, one for each pair; only good ones count. To have the increment of a range's first
        reading, give the one before the range too. [N]
    meters
        What is known of each tag's register; those not named have two decimals and nothing else known.

    Returns
    -------
    tuple of Increments and MeterEvents
        An interval for each pair of readings that follow each other, those that count nothing too; an interval that a
        replacement falls in is two.
    """
    readings = _sorted_with_replacements(_good_readings(tag, time_us, value, quality, meters), meters)
    readings, out_events = _without(readings, _outside(readings))
    readings, zero_events = _without(readings, _zeros_amid(readings))
    readings, lone_events = _without(readings, _lone_disturbed(readings))
    between, events = _between(readings)
    return between, _events_in_order([out_events, zero_events, lone_events, events])


def booked(
    increments: Increments, edges: np.ndarray, split: Split = Split.NONE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Increments added up in steps: tag, start of the step [us], amount in the tag's unit, as `bookings` has them."""
    sums = bookings(increments, edges, split)
    return sums.tag, edges[sums.step], sums.counts / sums.scale


def bookings(increments: Increments, edges: np.ndarray, split: Split = Split.NONE) -> Bookings:
    """Increments added up in steps.

    Parameters
    ----------
    increments
        Of one or many tags.
    edges
        Ascending boundaries of the steps. An increment lies in (from, to]: what a reading at the full hour closes
        belongs to the hour before it. What lies outside the edges is left out. [us] [K + 1]
    split
        Whether an interval over several steps is booked whole at its end, or by time.

    Returns
    -------
    Bookings
        A row for each tag and step in which an interval is booked. Whole bookings are added as whole counts, so they
        are exact; pro rata ones to rounding.
    """
    row, step, share = (_pro_rata if split is Split.PRO_RATA else _at_end)(increments, edges)
    tag, length_us = increments.tag[row], (increments.to_us - increments.from_us)[row]
    counts = increments.counts[row] if split is Split.NONE else increments.counts[row] * share
    known_us = length_us * share * increments.is_known[row]
    if len(row) == 0:
        return Bookings(tag, step, counts, increments.scale[row], known_us)
    start = _starts(tag, step)
    return Bookings(
        tag[start],
        step[start],
        np.add.reduceat(counts, start),
        increments.scale[row][start],
        np.add.reduceat(known_us, start),
    )


def _at_end(increments: Increments, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of increments, the step that each is booked in, and how much of it."""
    step = np.searchsorted(edges, increments.to_us, side="left") - 1
    rows = np.flatnonzero((step >= 0) & (step < len(edges) - 1))
    return rows, step[rows], np.ones(len(rows))


def _pro_rata(increments: Increments, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    begin, end = np.maximum(increments.from_us, edges[0]), np.minimum(increments.to_us, edges[-1])
    rows = np.flatnonzero(begin < end)
    first = np.searchsorted(edges, begin[rows], side="right") - 1
    size = np.searchsorted(edges, end[rows], side="left") - first
    row = np.repeat(rows, size)
    step = np.arange(len(row)) - np.repeat(np.cumsum(size) - size - first, size)
    part = np.minimum(end[row], edges[step + 1]) - np.maximum(begin[row], edges[step])
    return row, step, part / (increments.to_us - increments.from_us)[row]


def _good_readings(
    tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, quality: np.ndarray, meters: Mapping[int, Meter]
) -> _Readings:
    rows = np.flatnonzero(is_good(value, quality))
    tags, place = np.unique(tag[rows], return_inverse=True)
    known = [meters.get(int(number), Meter()) for number in tags]
    scale, width, rate = (
        np.array(column, np.float64)[place]
        for column in (
            [10.0**meter.decimals for meter in known],
            [(meter.width or 0.0) * 10.0**meter.decimals for meter in known],
            [_counts_per_us(meter) for meter in known],
        )
    )
    counts = _whole(np.clip(value[rows], -_MOST_COUNTS, _MOST_COUNTS) * scale)
    life = np.zeros(len(rows), np.int64)
    for number, meter in zip(tags, known, strict=True):
        if meter.replacements:
            low, high = np.searchsorted(tag[rows], [number, number + 1])
            instants = [microseconds(replacement.at) for replacement in meter.replacements]
            life[low:high] = np.searchsorted(instants, time_us[rows][low:high], side="right")
    return _Readings(tag[rows], time_us[rows], counts, life, scale, _whole(width), rate)


def _sorted_with_replacements(readings: _Readings, meters: Mapping[int, Meter]) -> _Readings:
    """Each replacement as two readings more: the old meter's last and the new one's first, at the same time."""
    rows = [
        (number, microseconds(replacement.at), shown * 10.0**meter.decimals, life, meter)
        for number, meter in meters.items()
        for before, replacement in enumerate(meter.replacements)
        if _lies_within(readings, number, microseconds(replacement.at))
        for shown, life in ((replacement.old_final, before), (replacement.new_initial, before + 1))
    ]
    if not rows:
        return readings
    tag, time_us, counts, life, known = zip(*rows, strict=True)
    added = _Readings(
        np.array(tag, readings.tag.dtype),
        np.array(time_us, np.int64),
        _whole(np.array(counts)),
        np.array(life, np.int64),
        np.array([10.0**meter.decimals for meter in known]),
        _whole(np.array([(meter.width or 0.0) * 10.0**meter.decimals for meter in known])),
        np.array([_counts_per_us(meter) for meter in known]),
    )
    both = _Readings(*(np.concatenate([getattr(added, name), getattr(readings, name)]) for name in _Readings.__slots__))
    # A meter that is put in is read first as it was put in, and read last as it was taken out.
    return _taken(both, np.lexsort((both.life, both.time_us, both.tag)))


def _lies_within(readings: _Readings, tag: int, time_us: int) -> bool:
    """Whether the tag has readings before this time, and from it on: only then does an interval hold it."""
    low, high = np.searchsorted(readings.tag, [tag, tag + 1])
    return bool(low < high and readings.time_us[low] < time_us <= readings.time_us[high - 1])


def _outside(readings: _Readings) -> np.ndarray:
    """True for readings that the register cannot show."""
    top = np.where(readings.width > 0, readings.width, _MOST_COUNTS)
    outside: np.ndarray = (readings.counts < 0) | (readings.counts >= top)
    return outside


def _counts_per_us(meter: Meter) -> float:
    return np.inf if meter.max_rate_per_s is None else meter.max_rate_per_s * 10.0**meter.decimals * _US


def _whole(counts: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.rint(np.clip(counts, -_MOST_COUNTS, _MOST_COUNTS)).astype(np.int64)
    return whole


def _zeros_amid(readings: _Readings) -> np.ndarray:
    """True for readings of zero between two others of one meter, of which the later is no lower and not too high."""
    is_zero, row = readings.counts == 0, np.arange(len(readings.tag))
    before = np.maximum.accumulate(np.where(is_zero, -1, row)) if len(row) else row
    after = np.minimum.accumulate(np.where(is_zero, len(row), row)[::-1])[::-1] if len(row) else row
    has_both = is_zero & (before >= 0) & (after < len(row))
    before, after = np.where(has_both, before, 0), np.where(has_both, after, 0)
    is_amid: np.ndarray = has_both & _is_same_meter(readings, before, after) & _counts_on(readings, before, after)
    return is_amid


def _lone_disturbed(readings: _Readings) -> np.ndarray:
    """True for readings that fall out of the row of their two neighbours, which count on across them."""
    is_disturbed = np.zeros(len(readings.tag), bool)
    if len(readings.tag) < 3:
        return is_disturbed
    row = np.arange(1, len(readings.tag) - 1)
    earlier, own, later = readings.counts[row - 1], readings.counts[row], readings.counts[row + 1]
    is_low = own < earlier
    is_high = (own > later) & (earlier > 0) & (~_counts_on(readings, row - 1, row) | np.isinf(readings.rate[row]))
    is_row = _is_same_meter(readings, row - 1, row + 1) & _counts_on(readings, row - 1, row + 1)
    is_disturbed[row] = is_row & (is_low | is_high)
    return is_disturbed


def _is_same_meter(readings: _Readings, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    is_same: np.ndarray = (readings.tag[one] == readings.tag[other]) & (readings.life[one] == readings.life[other])
    return is_same


def _counts_on(readings: _Readings, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """True where the later reading is no lower, and no higher than the meter can have counted."""
    growth = readings.counts[after] - readings.counts[before]
    counts_on: np.ndarray = (growth >= 0) & _is_plausible(readings, growth, before, after)
    return counts_on


def _is_plausible(readings: _Readings, growth: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """True where the meter can have counted so much; its last digit may have been about to turn."""
    most = readings.rate[after] * np.maximum(readings.time_us[after] - readings.time_us[before], 1) + 1
    plausible: np.ndarray = growth <= most
    return plausible


def _without(readings: _Readings, is_disturbed: np.ndarray) -> tuple[_Readings, MeterEvents]:
    """The readings but the disturbed ones, and what to report of these: each judged by the one kept before it."""
    row = np.flatnonzero(is_disturbed)
    kept = np.flatnonzero(~is_disturbed)
    place = np.searchsorted(kept, row) - 1
    before = kept[np.maximum(place, 0)] if len(kept) else row
    has_before = (place >= 0) & _is_same_meter(readings, before, row)
    shown = np.where(has_before, readings.counts[before], 0)
    kind = np.where(readings.counts[row] < shown, MeterEvent.NEGATIVE_JUMP, MeterEvent.IMPLAUSIBLE_JUMP)
    scale = readings.scale[row]
    earlier = np.where(has_before, shown / scale, np.nan)
    later = readings.counts[row] / scale
    events = MeterEvents(readings.tag[row], readings.time_us[row], kind, earlier, later, np.zeros(len(row)))
    return _taken(readings, kept), events


def _between(readings: _Readings) -> tuple[Increments, MeterEvents]:
    """The increment of each pair of readings that follow each other, and the events that they show."""
    after = np.flatnonzero(readings.tag[1:] == readings.tag[:-1]) + 1
    before = after - 1
    is_replaced = readings.life[after] != readings.life[before]
    width, shown = readings.width[after], readings.counts[after]
    growth = shown - readings.counts[before]
    turned = growth + width
    is_near = (readings.counts[before] >= width * (1 - _NEAR)) & (shown <= width * _NEAR)
    is_rollover = (growth < 0) & (width > 0) & is_near & _is_plausible(readings, turned, before, after)
    is_reset = np.where(np.isinf(readings.rate[after]), shown == 0, _is_plausible(readings, shown, before, after))
    counts_on = _counts_on(readings, before, after)
    may_turn = (
        counts_on & (width > 0) & np.isfinite(readings.rate[after]) & _is_plausible(readings, turned, before, after)
    )
    cases = [is_replaced, may_turn, counts_on, growth >= 0, is_rollover, is_reset]
    nothing = np.zeros(len(after), np.int64)
    counts = np.select(cases, [nothing, growth, growth, nothing, turned, shown], 0)
    kind = np.select(
        cases,
        [
            MeterEvent.REPLACEMENT,
            MeterEvent.MAY_HAVE_TURNED,
            0,
            MeterEvent.IMPLAUSIBLE_JUMP,
            MeterEvent.ROLLOVER,
            MeterEvent.RESET,
        ],
        MeterEvent.NEGATIVE_JUMP,
    )
    scale = readings.scale[after]
    row = np.flatnonzero(kind)
    events = MeterEvents(
        readings.tag[after][row],
        readings.time_us[after][row],
        kind[row],
        (readings.counts[before] / scale)[row],
        (shown / scale)[row],
        (counts / scale)[row],
    )
    # A replacement takes no time; what the new meter shows at that very moment beyond its start takes the least.
    is_known = ~np.isin(kind, (MeterEvent.NEGATIVE_JUMP, MeterEvent.IMPLAUSIBLE_JUMP))
    is_interval = (readings.time_us[after] > readings.time_us[before]) | (counts > 0)
    from_us = np.minimum(readings.time_us[before], readings.time_us[after] - 1)
    columns = (readings.tag[after], from_us, readings.time_us[after], counts, scale, is_known)
    return Increments(*(column[is_interval] for column in columns)), events


def _events_in_order(parts: list[MeterEvents]) -> MeterEvents:
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(MeterEvents)
    }
    order = np.lexsort((columns["time_us"], columns["tag"]))
    return MeterEvents(**{name: column[order] for name, column in columns.items()})


def _taken(readings: _Readings, rows: np.ndarray) -> _Readings:
    return _Readings(*(getattr(readings, name)[rows] for name in _Readings.__slots__))


def _starts(tag: np.ndarray, step: np.ndarray) -> np.ndarray:
    differs = np.ones(len(tag), bool)
    differs[1:] = (tag[1:] != tag[:-1]) | (step[1:] != step[:-1])
    return np.flatnonzero(differs)
