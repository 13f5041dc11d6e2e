"""The figures of performance against what ISA-18.2 and EEMUA 191 call for, per operator position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from athanor.apps.alarms.domain import nuisance, ranking
from athanor.apps.alarms.domain.floods import BEGINS_ABOVE, find_floods, share_in_flood, window_counts
from athanor.apps.alarms.domain.log import DAY_US, HOUR_US, MINUTE_US, Log
from athanor.apps.alarms.domain.rates import per_step, steps

ENOUGH_US = 30 * DAY_US  # of data, for a verdict on averages after the standard
TEN_MINUTES_US = 10 * MINUTE_US


class Figure(StrEnum):
    """What is measured."""

    PER_DAY = "per-day"
    PER_HOUR = "per-hour"
    PER_TEN_MINUTES = "per-ten-minutes"
    BUSY_HOURS = "busy-hours"
    BUSY_WINDOWS = "busy-windows"
    PEAK = "peak"
    IN_FLOOD = "in-flood"
    TOP_TEN = "top-ten"
    CHATTERING = "chattering"
    FLEETING = "fleeting"
    STALE = "stale"


class Verdict(StrEnum):
    """Where a value stands."""

    ON_TARGET = "on-target"
    MANAGEABLE = "manageable"  # above the target, not above what one can still manage
    BEYOND = "beyond"
    UNKNOWN = "unknown"  # nothing was there to measure


class Level(StrEnum):
    """What EEMUA 191 calls how an alarm system does."""

    OVERLOADED = "overloaded"
    REACTIVE = "reactive"
    STABLE = "stable"
    ROBUST = "robust"
    PREDICTIVE = "predictive"


@dataclass(frozen=True, slots=True)
class Goal:
    """Up to `target` all is well; up to `most` it can be managed. Whether the values themselves are still good."""

    target: float
    most: float
    is_below: bool = False  # the target itself is too much already: "< 1 %"
    is_share: bool = False


# ISA-18.2-2016, table of performance metrics, and EEMUA 191: per operator position, from 30 days at least.
GOALS = {
    Figure.PER_DAY: Goal(150, 300),
    Figure.PER_HOUR: Goal(6, 12),
    Figure.PER_TEN_MINUTES: Goal(1, 2),
    Figure.BUSY_HOURS: Goal(0.01, 0.01, is_below=True, is_share=True),
    Figure.BUSY_WINDOWS: Goal(0.01, 0.01, is_below=True, is_share=True),
    Figure.PEAK: Goal(10, 10),
    Figure.IN_FLOOD: Goal(0.01, 0.01, is_below=True, is_share=True),
    Figure.TOP_TEN: Goal(0.01, 0.05, is_share=True),
    Figure.CHATTERING: Goal(0, 0),
    Figure.FLEETING: Goal(0, 0),
    Figure.STALE: Goal(5, 5, is_below=True),
}
BUSY_HOUR = 30  # alarms


@dataclass(frozen=True, slots=True)
class Kpi:
    """One line of the table."""

    figure: Figure
    value: float
    verdict: Verdict

    @property
    def goal(self) -> Goal:
        return GOALS[self.figure]


def judged(figure: Figure, value: float) -> Kpi:
    """A value against its goal; NaN is unknown."""
    goal = GOALS[figure]
    if np.isnan(value):
        return Kpi(figure, value, Verdict.UNKNOWN)
    if value < goal.target or (value == goal.target and not goal.is_below):
        return Kpi(figure, value, Verdict.ON_TARGET)
    is_manageable = value < goal.most or (value == goal.most and not goal.is_below)
    return Kpi(figure, value, Verdict.MANAGEABLE if is_manageable else Verdict.BEYOND)


# Level, and up to which mean and peak per ten minutes it reaches; the first that holds both. "About 1" is read as up
# to 2, the most that ISA-18.2 calls manageable.
_LEVELS = ((Level.PREDICTIVE, 1, 10), (Level.ROBUST, 2, 100), (Level.STABLE, 10, 1000), (Level.REACTIVE, 100, 1000))

_MEANS = (Figure.PER_DAY, Figure.PER_HOUR, Figure.PER_TEN_MINUTES, Figure.BUSY_HOURS, Figure.BUSY_WINDOWS)
_WORST = (Figure.PEAK, Figure.STALE)


def level(mean_per_ten_minutes: float, peak_per_ten_minutes: float) -> Level:
    """The performance level of EEMUA 191: by mean and peak of one operator position, whichever is worse."""
    for name, mean, peaks in _LEVELS:
        is_below = mean_per_ten_minutes < mean and peak_per_ten_minutes < peaks
        is_at = name is not Level.PREDICTIVE and mean_per_ten_minutes <= mean and peak_per_ten_minutes <= peaks
        if is_below or is_at:
            return name
    return Level.OVERLOADED


def measured(log: Log, start_us: int, end_us: int, *, days_us: np.ndarray | None = None) -> dict[Figure, float]:
    """The figures of one operator position from `start_us` up to but without `end_us`; NaN where there is none.

    `log` also has what was raised earlier and stood in that time, or stale alarms are too few. `days_us` are the edges
    of the days, those of UTC where they are left out.
    """
    length_us = end_us - start_us
    inside = log.within(start_us, end_us)
    raised = inside.raised_us
    windows = window_counts(raised)

    def rate(step_us: int) -> float:
        return len(inside) * step_us / length_us if length_us > 0 else float("nan")

    return {
        Figure.PER_DAY: rate(DAY_US),
        Figure.PER_HOUR: rate(HOUR_US),
        Figure.PER_TEN_MINUTES: rate(TEN_MINUTES_US),
        Figure.BUSY_HOURS: _share_above(raised, start_us, end_us, HOUR_US, BUSY_HOUR),
        Figure.BUSY_WINDOWS: _share_above(raised, start_us, end_us, TEN_MINUTES_US, BEGINS_ABOVE),
        Figure.PEAK: float(windows[1].max(initial=0)),
        Figure.IN_FLOOD: share_in_flood(find_floods(inside, windows=windows), start_us, end_us),
        Figure.TOP_TEN: ranking.most_frequent(inside).part,
        Figure.CHATTERING: float(len(np.unique(inside.alarm[nuisance.chattering(inside)]))),
        Figure.FLEETING: float(len(np.unique(inside.alarm[nuisance.fleeting(inside)]))),
        Figure.STALE: float(_stale_on_worst_day(log, start_us, end_us, days_us)),
    }


def combined(each: Sequence[Mapping[Figure, float]], whole: Mapping[Figure, float]) -> dict[Figure, float]:
    """The figures of several positions: rates and shares as their mean, peaks and stale ones of the worst.

    Lists of alarms (top ten, chattering, fleeting) are of the `whole`.
    """
    result = dict(whole)
    if each:
        for figure in (*_MEANS, Figure.IN_FLOOD):
            result[figure] = float(np.mean([one[figure] for one in each]))
        for figure in _WORST:
            result[figure] = float(np.max([one[figure] for one in each]))
    return result


def table(values: Mapping[Figure, float]) -> list[Kpi]:
    """The figures with their verdicts, in the order of the standard's table."""
    return [judged(figure, values[figure]) for figure in Figure]


def _share_above(raised: np.ndarray, start_us: int, end_us: int, step_us: int, most: int) -> float:
    """Part of the steps on the clock that have more."""
    counts = per_step(raised, steps(start_us, end_us, step_us))
    return float((counts > most).mean()) if len(counts) else float("nan")


def _stale_on_worst_day(standing: Log, start_us: int, end_us: int, days_us: np.ndarray | None) -> int:
    edges = steps(start_us, end_us, DAY_US) if days_us is None else days_us
    counts = nuisance.stale_per_step(standing, edges, end_us)
    return int(counts.max()) if len(counts) else 0
