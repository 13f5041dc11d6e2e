"""From what turned to findings: in order of time, suppressions joined, no two of one alarm at the same time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.judging.delays import Turned
from athanor.kernel.alarms.judging.tags import ranks

# What a turn is about, besides What: whether a formula or the schedule suppresses the alarm from here on.
FORMULA_OFF, FORMULA_ON, SCHEDULE_OFF, SCHEDULE_ON = 10, 11, 12, 13


@dataclass(slots=True)
class Turns:
    """Turns of alarms, by the alarm's row; `what` is a What or one of the above. [n]"""

    row: np.ndarray
    what: np.ndarray
    at_us: np.ndarray
    value: np.ndarray
    limit: np.ndarray


def turns_of(turned: Turned, alarms: int, owner: np.ndarray) -> Turns:
    """The turns of rows, those of formulas that suppress given to their alarm.

    Parameters
    ----------
    alarms
        So many rows are alarms; the others are formulas.
    owner
        Row of the alarm that each formula is of. [F]
    """
    is_alarm = turned.row < alarms
    if is_alarm.all():
        return Turns(turned.row, _what(turned.is_active), turned.at_us, turned.value, turned.limit)
    row = turned.row.copy()
    row[~is_alarm] = owner[turned.row[~is_alarm] - alarms]
    formula = np.where(turned.is_active, FORMULA_ON, FORMULA_OFF)
    what = np.where(is_alarm, _what(turned.is_active), formula).astype(np.uint8)
    return Turns(row, what, turned.at_us, turned.value, turned.limit)


def turns_at(row: np.ndarray, what: int, at_us: int) -> Turns:
    """The same turn of several alarms at one time, with nothing measured."""
    blank = np.full(len(row), np.nan)
    return Turns(row, np.full(len(row), what, np.uint8), np.full(len(row), at_us, np.int64), blank, blank)


class Told:
    """What has been told of every alarm. [N]"""

    def __init__(self, alarm: np.ndarray) -> None:
        self.alarm = alarm
        self.is_active = np.zeros(len(alarm), bool)
        self.by_formula = np.zeros(len(alarm), bool)
        self.by_schedule = np.zeros(len(alarm), bool)
        self.is_suppressed = np.zeros(len(alarm), bool)
        self.last_us = np.zeros(len(alarm), np.int64)

    def state(self) -> Mapping[str, np.ndarray]:
        """By name, a value for each alarm. [N]"""
        return {
            "told_active": self.is_active,
            "by_formula": self.by_formula,
            "by_schedule": self.by_schedule,
            "suppressed": self.is_suppressed,
            "last_us": self.last_us,
        }

    def keep_reasons(self, by_formula: np.ndarray, by_schedule: np.ndarray) -> None:
        """Forget what suppresses any but these rows: their rules have no formula, or no schedule, any more."""
        for reason, rows in ((self.by_formula, by_formula), (self.by_schedule, by_schedule)):
            kept = reason[rows]
            reason[:] = False
            reason[rows] = kept

    def findings(self, turns: Sequence[Turns]) -> Findings:
        """Tell of turns: by time, and of one alarm each later than what was told before, if by a microsecond only."""
        if not turns:
            return _none()
        row, what = _joined(turns, "row"), _joined(turns, "what")
        at_us, value, limit = _joined(turns, "at_us"), _joined(turns, "value"), _joined(turns, "limit")
        order = np.lexsort((at_us, row))
        row, what, at_us = row[order], what[order], at_us[order]
        keep = np.ones(len(row), bool)
        is_active = np.zeros(len(row), bool)
        rank = ranks(row)
        for turn in range(int(rank.max()) + 1):
            now = np.flatnonzero(rank == turn)
            what[now], keep[now] = self._merged(row[now], what[now])
            told = now[keep[now]]
            at_us[told] = np.maximum(at_us[told], self.last_us[row[told]] + 1)
            self.last_us[row[told]] = at_us[told]
            is_active[told] = self.is_active[row[told]]
        by_time = np.flatnonzero(keep)
        by_time = by_time[np.argsort(at_us[by_time], kind="stable")]
        of = order[by_time]
        return Findings(
            self.alarm[row[by_time]], what[by_time], at_us[by_time], value[of], limit[of], is_active[by_time]
        )

    def _merged(self, row: np.ndarray, what: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One turn of each alarm as it is told, and whether it is told at all. [n]"""
        told = what.copy()
        self.is_active[row[what == What.RAISED]] = True
        self.is_active[row[what == What.CLEARED]] = False
        about = what >= FORMULA_OFF
        if not about.any():
            return told, np.ones(len(row), bool)
        self.by_formula[row[what == FORMULA_ON]] = True
        self.by_formula[row[what == FORMULA_OFF]] = False
        self.by_schedule[row[what == SCHEDULE_ON]] = True
        self.by_schedule[row[what == SCHEDULE_OFF]] = False
        suppressed = self.by_formula[row] | self.by_schedule[row]
        told[about] = np.where(suppressed[about], What.SUPPRESSED, What.RESUMED)
        keep = ~about | (suppressed != self.is_suppressed[row])
        self.is_suppressed[row] = suppressed
        return told, keep


def _what(is_active: np.ndarray) -> np.ndarray:
    return np.where(is_active, What.RAISED, What.CLEARED).astype(np.uint8)


def _joined(turns: Sequence[Turns], name: str) -> np.ndarray:
    return np.concatenate([getattr(one, name) for one in turns])


def _none() -> Findings:
    return Findings(
        np.empty(0, np.int64),
        np.empty(0, np.uint8),
        np.empty(0, np.int64),
        np.empty(0),
        np.empty(0),
        np.empty(0, bool),
    )
