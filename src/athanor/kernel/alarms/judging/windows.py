"""How a value moves over a window: its rate, and whether it will reach a limit."""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import NEVER, Verdict
from athanor.kernel.alarms.judging.kind import Given, Kind, column
from athanor.kernel.alarms.judging.slopes import slope_per_s, time_to_limit_s
from athanor.kernel.alarms.rule import Ramp, Rate, Side

_PARTS: Final = 30  # of each such part of a window one sample is kept
_ROOM: Final = _PARTS + 3
_US: Final = 1e6
_MINUTE_S: Final = 60.0


class _Windows(Kind):
    """Of each row the samples of its window, one of each thirtieth, and the last one before it.

    A value holds until the next sample: where none comes for a whole window, nothing moves any more.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("ring_us", "ring", "first", "held")

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        self.window_us = np.round(column([one.condition for one in instances], "window_s") * _US).astype(np.int64)
        self.ring_us = np.zeros((self.rows, _ROOM), np.int64)
        self.ring = np.full((self.rows, _ROOM), np.nan)
        self.first = np.zeros(self.rows, np.int64)
        self.held = np.zeros(self.rows, np.int64)
        self.edge_us = np.full(self.rows, NEVER, np.int64)

    def keep(self, row: np.ndarray, given: Given) -> None:
        """Add the samples that have a number, and let go of what is older than needed."""
        known = np.flatnonzero(~np.isnan(given.value))
        row, time_us, value = row[known], given.time_us[known], given.value[known]
        if self.edge_us is not None:
            self.edge_us[row] = time_us + self.window_us[row]
        newest = self.ring_us[row, (self.first[row] + self.held[row] - 1) % _ROOM]
        due = (self.held[row] == 0) | (time_us - newest >= self.window_us[row] // _PARTS)
        added = row[due]
        place = (self.first[added] + self.held[added]) % _ROOM
        self.ring_us[added, place], self.ring[added, place] = time_us[due], value[due]
        self.held[added] += 1
        begins = time_us - self.window_us[row]
        while len(row):
            over = (self.held[row] > 1) & (self.ring_us[row, (self.first[row] + 1) % _ROOM] <= begins)
            row, begins = row[over], begins[over]
            self.first[row] = (self.first[row] + 1) % _ROOM
            self.held[row] -= 1

    def oldest(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Time and value of the first sample that is kept of each. [µs], [n]"""
        return self.ring_us[row, self.first[row]], self.ring[row, self.first[row]]


class Rates(_Windows):
    """The change against the value that held a window ago, by the minute. Unknown until a window is over."""

    CONDITION = Rate

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._at = column(conditions, "at")
        self._off_at = self._at - column(conditions, "deadband")
        self._is_either = np.array([getattr(one, "side", None) == "either" for one in conditions])
        self._sign = np.array([-1.0 if getattr(one, "side", None) == Side.LOW else 1.0 for one in conditions])

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        self.keep(row, given)
        then_us, then = self.oldest(row)
        window_us = self.window_us[row]
        over_us = np.clip(given.time_us - then_us, window_us, window_us + window_us // _PARTS)
        rate = (given.value - then) / (over_us / _US) * _MINUTE_S
        rate[given.time_us - then_us < window_us] = np.nan
        return self._verdict(row, rate)

    def turn(self, row: np.ndarray) -> Verdict:
        """Nothing has moved for a whole window."""
        return self._verdict(row, np.zeros(len(row)))

    def _verdict(self, row: np.ndarray, rate: np.ndarray) -> Verdict:
        speed = np.where(self._is_either[row], np.abs(rate), self._sign[row] * rate)
        limit = self._at[row] * np.where(self._is_either[row], np.where(rate < 0, -1.0, 1.0), self._sign[row])
        return Verdict(speed > self._at[row], speed < self._off_at[row], np.isnan(speed), rate, limit)


class Ramps(_Windows):
    """A pre-alarm: by the straight line through the window the limit is reached within the horizon.

    Unknown until half a window is over.
    """

    CONDITION = Ramp

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._at = column(conditions, "at")
        self._horizon_s = column(conditions, "horizon_s")
        self._sign = np.array([1.0 if getattr(one, "side", None) == Side.HIGH else -1.0 for one in conditions])

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        self.keep(row, given)
        age_us = given.time_us[:, None] - self.ring_us[row]
        place = (np.arange(_ROOM) - self.first[row][:, None]) % _ROOM
        is_kept = (place < self.held[row][:, None]) & (age_us <= self.window_us[row][:, None])
        age_s = np.where(is_kept, age_us / _US, np.nan)
        newest = np.zeros((len(row), 1))  # the sample itself counts, whether it is among those kept or not
        slope = slope_per_s(
            np.hstack([np.where(age_s == 0, np.nan, age_s), newest]),
            np.hstack([self.ring[row], given.value[:, None]]),
        )
        then_us, _then = self.oldest(row)
        slope[given.time_us - then_us < self.window_us[row] // 2] = np.nan
        beyond = self._sign[row] * (given.value - self._at[row]) >= 0
        on = beyond | (time_to_limit_s(given.value, slope, self._at[row]) <= self._horizon_s[row])
        unknown = np.isnan(given.value) | (np.isnan(slope) & ~beyond)
        return Verdict(on & ~unknown, ~on & ~unknown, unknown, given.value, self._at[row])

    def turn(self, row: np.ndarray) -> Verdict:
        """Nothing has moved for a whole window: over, unless the limit is reached already."""
        newest = self.ring[row, (self.first[row] + self.held[row] - 1) % _ROOM]
        beyond = self._sign[row] * (newest - self._at[row]) >= 0
        return Verdict(beyond, ~beyond, np.zeros(len(row), bool), newest, self._at[row])
