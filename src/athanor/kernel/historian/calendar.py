"""Steps of a site's calendar, and the instants at which one ends and the next begins. No clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

import numpy as np

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Span, microseconds, moment

MIDNIGHT = time(0)
THREE_SHIFTS = (time(0), time(8), time(16))

_UNITS_S = {"s": 1, "m": 60, "h": 3600}
_DAY_S = 86_400
_US = 1_000_000


class UnknownStepError(AthanorError):
    """A text or a length that is no step of a calendar."""

    code = "historian.unknown-step"

    def __init__(self, step: object, reason: str) -> None:
        super().__init__(
            f"{step} is no step ({reason}). Give a length that divides a day, such as 10s, 15m or 1h, or one of shift, "
            "day, week, month, year; a start other than midnight follows an @: day@06:00, shift@06:00,14:00,22:00."
        )


class StepKind(StrEnum):
    """What a step follows: a length of time, or the calendar on the wall."""

    FIXED = "fixed"
    SHIFT = "shift"
    DAY = "day"
    WEEK = "week"  # from Monday, ISO 8601
    MONTH = "month"
    YEAR = "year"


_LONGEST_DAYS = {
    StepKind.FIXED: 1,  # counted from its midnight
    StepKind.SHIFT: 1,
    StepKind.DAY: 1,
    StepKind.WEEK: 7,
    StepKind.MONTH: 31,
    StepKind.YEAR: 366,
}


@dataclass(frozen=True, slots=True)
class Step:
    """How a range of time is cut into steps.

    Fixed steps count from local midnight in elapsed time: on a day whose clock is set forward or back each still has
    its length (the last is cut short by the next midnight where the length does not divide such a day), and the two
    hours that a clock shows twice are two steps. All others begin when the clock on the wall shows `starts`; a time
    that the clock leaps over begins at the leap, one that it shows twice begins at the first.

    Raises UnknownStepError for a length that does not divide a day into whole seconds, and for starts that do not fit.
    """

    kind: StepKind
    length: timedelta | None = None  # of a FIXED step, and of no other
    starts: tuple[time, ...] = (
        MIDNIGHT,
    )  # local; of a SHIFT each start, of the longer ones the one in their first day

    def __post_init__(self) -> None:
        if (self.length is None) == (self.kind is StepKind.FIXED):
            raise UnknownStepError(self.kind.value, "a fixed step has a length, and no other has")
        if self.length is not None:
            _check_length(self.length)
        _check_starts(self.kind, self.starts)

    def __str__(self) -> str:
        """The text that `parse_step` reads."""
        if self.length is not None:
            seconds = self.length // timedelta(seconds=1)
            unit = next(unit for unit in "hms" if seconds % _UNITS_S[unit] == 0)
            return f"{seconds // _UNITS_S[unit]}{unit}"
        if self.starts == _usual_starts(self.kind):
            return self.kind.value
        return f"{self.kind.value}@{','.join(start.isoformat('minutes') for start in self.starts)}"


def fixed(length: timedelta) -> Step:
    """A step of elapsed time that divides a day. Raises UnknownStepError."""
    return Step(StepKind.FIXED, length)


def parse_step(text: str) -> Step:
    """The step that a text such as `15m`, `shift@06:00,14:00,22:00`, `day@06:00` or `month` names.

    `shift` alone is three shifts from midnight. Raises UnknownStepError.
    """
    if match := re.fullmatch(r"([1-9][0-9]{0,5})([smh])", text):
        return fixed(timedelta(seconds=int(match[1]) * _UNITS_S[match[2]]))
    name, at, starts = text.partition("@")
    if name not in _LONGEST_DAYS or name == StepKind.FIXED:
        raise UnknownStepError(repr(text), "its name is not known")
    kind = StepKind(name)
    if not at:
        return Step(kind, starts=_usual_starts(kind))
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](,([01][0-9]|2[0-3]):[0-5][0-9])*", starts):
        raise UnknownStepError(repr(text), "a start is written as 06:00")
    return Step(kind, starts=tuple(time.fromisoformat(start) for start in starts.split(",")))


def edges(span: Span, step: Step, zone: tzinfo) -> np.ndarray:
    """The boundaries of every step that overlaps a span.

    Parameters
    ----------
    span
        The range asked for.
    step
        How it is cut.
    zone
        The site's time zone, a `ZoneInfo`.

    Returns
    -------
    array of int64
        Ascending instants, microseconds since 1970 UTC: the first at or before the span's start, the last at or after
        its end; step k is [edges[k], edges[k + 1]). An empty span that lies on a boundary has that one alone. [K + 1]
    """
    reach = timedelta(days=_LONGEST_DAYS[step.kind] + 2)  # so that a step begins on either side of the span
    first, last = (span.start.astimezone(zone) - reach).date(), (span.end.astimezone(zone) + reach).date()
    walls = (datetime.combine(day, start) for day in _first_days(step.kind, first, last) for start in step.starts)
    # Distinct ones: a zone may leap over a day (Samoa, 2011), and two steps then begin at once.
    boundaries = np.unique(np.fromiter((_instant_us(wall, zone) for wall in walls), np.int64))
    if step.length is not None:
        boundaries = _cut(boundaries, step.length // timedelta(microseconds=1))
    begin = np.searchsorted(boundaries, span.start_us, side="right") - 1
    end = np.searchsorted(boundaries, span.end_us, side="left")
    return boundaries[begin : end + 1]


def _check_length(length: timedelta) -> None:
    seconds, rest = divmod(length, timedelta(seconds=1))
    if rest or seconds < 1 or seconds > _DAY_S // 2 or _DAY_S % seconds:
        raise UnknownStepError(length, "a fixed step is a part of a day, of whole seconds")


def _check_starts(kind: StepKind, starts: tuple[time, ...]) -> None:
    if any(start.tzinfo is not None for start in starts):
        raise UnknownStepError(kind.value, "starts are times on the site's clock, without a zone")
    if not starts or any(later <= earlier for earlier, later in pairwise(starts)):
        raise UnknownStepError(kind.value, "starts ascend")
    if len(starts) > 1 and kind is not StepKind.SHIFT:
        raise UnknownStepError(kind.value, "only shifts start more than once a day")
    if kind is StepKind.FIXED and starts != (MIDNIGHT,):
        raise UnknownStepError(kind.value, "fixed steps count from midnight")


def _usual_starts(kind: StepKind) -> tuple[time, ...]:
    return THREE_SHIFTS if kind is StepKind.SHIFT else (MIDNIGHT,)


def _first_days(kind: StepKind, first: date, last: date) -> Iterator[date]:
    """The days in [first, last] on which a step of this kind begins."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if (
            kind in {StepKind.FIXED, StepKind.SHIFT, StepKind.DAY}
            or (kind is StepKind.WEEK and day.isoweekday() == 1)
            or (kind is StepKind.MONTH and day.day == 1)
            or (kind is StepKind.YEAR and day.day == day.month == 1)
        ):
            yield day


def _instant_us(wall: datetime, zone: tzinfo) -> int:
    """The first instant at which a clock in the zone shows this time or, where it leaps over it, a later one. [us]"""
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return microseconds(instant)
    # Leapt over: one reading of the time lies before the leap and one after it (PEP 495); the leap is between.
    low, high = microseconds(wall.replace(tzinfo=zone, fold=1)) // _US, microseconds(instant) // _US
    while high - low > 1:
        middle = (low + high) // 2
        shown = moment(middle * _US).astimezone(zone).replace(tzinfo=None)
        low, high = (middle, high) if shown < wall else (low, middle)
    return high * _US


def _cut(midnights: np.ndarray, length_us: int) -> np.ndarray:
    """Every boundary from the first midnight to the last: each day in steps of one length from its midnight."""
    count = -(-np.diff(midnights) // length_us)
    day = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(day)) - np.repeat(np.cumsum(count) - count, count)
    return np.append(midnights[day] + step * length_us, midnights[-1])
