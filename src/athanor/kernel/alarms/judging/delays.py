"""When a condition has held for long enough: the on-delay and the off-delay of every row, and what that finds.

A row is one alarm, or the formula that suppresses one. Each time that something is known of it, `step` is told whether
its condition is there (`on`), is over (`off`), or neither, as within a deadband; both at once there is not. What was
known holds until the next time. A delay that began at t ends at t + delay if nothing known in [t, t + delay]
contradicts. While the input is bad (`holds`) nothing is raised or clears, and a delay stands still.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NEVER = np.iinfo(np.int64).max  # later than any time [us]


@dataclass(slots=True)
class Verdict:
    """What is known of some rows at one time each.

    Parameters
    ----------
    on, off
        The condition is there, or is over; never both. [n]
    holds
        Nothing can be said, so that all stays as it is. [n]
    value, limit
        For people: what was measured, and what it was compared with. [n]
    """

    on: np.ndarray
    off: np.ndarray
    holds: np.ndarray
    value: np.ndarray
    limit: np.ndarray

    def of(self, which: np.ndarray) -> "Verdict":
        """Some of the rows."""
        return Verdict(self.on[which], self.off[which], self.holds[which], self.value[which], self.limit[which])


@dataclass(slots=True)
class Turned:
    """Rows that were raised (`is_active`) or cleared, and when. [n]"""

    row: np.ndarray
    is_active: np.ndarray
    at_us: np.ndarray
    value: np.ndarray
    limit: np.ndarray


class Delays:
    """Where every row stands, as one array for each thing that has to be known.

    Parameters
    ----------
    on_us, off_us
        The delays. [µs] [R]
    """

    def __init__(self, on_us: np.ndarray, off_us: np.ndarray) -> None:
        rows = len(on_us)
        self.on_us, self.off_us = on_us, off_us
        self.is_active = np.zeros(rows, bool)
        # Since when what would turn the row has been known; NEVER: it is not; below 0: -1 less what has passed of the
        # delay, which stands still while the input is bad.
        self.since_us = np.full(rows, NEVER, np.int64)
        self.value = np.full(rows, np.nan)  # as known last, of rows in a delay
        self.limit = np.full(rows, np.nan)
        self.cap_us = NEVER  # no delay ends later than this: a source's clock may be ahead of ours
        self._turned: list[Turned] = []

    def step(self, row: np.ndarray, at_us: np.ndarray, verdict: Verdict, complete_us: np.ndarray | None = None) -> None:
        """Take in what is known.

        Parameters
        ----------
        row
            Each at most once. [n]
        at_us
            When it is so; of one row never earlier than before. [n]
        complete_us
            Of rows that look at several tags: up to when all of them are known. A delay that would end at `at_us` but
            after this waits, since the other tags' samples of the same time may contradict. [n]
        """
        active, since = self.is_active[row], self.since_us[row]
        wanted = np.where(active, verdict.off, verdict.on) & ~verdict.holds
        busy = np.flatnonzero(wanted | (since != NEVER))
        if not len(busy):
            return
        known = verdict.of(busy)
        row, at_us, wanted = row[busy], at_us[busy], wanted[busy]
        active, since = active[busy], since[busy]
        settled = np.ones(len(row), bool) if complete_us is None else complete_us[busy] >= at_us

        turned = self._end_before(row, at_us, active, since, wanted & settled, known)
        active ^= turned
        since[turned] = NEVER
        wanted = np.where(active, known.off, known.on) & ~known.holds

        since = _moved(since, at_us, wanted, known.holds)
        delay = np.where(active, self.off_us[row], self.on_us[row])
        ends = wanted & settled
        ends[ends] = (since[ends] + delay[ends] <= at_us[ends]) & ((delay[ends] == 0) | (at_us[ends] <= self.cap_us))
        if ends.any():
            self._turn(row[ends], ~active[ends], at_us[ends], known.value[ends], known.limit[ends])
            active ^= ends
            since[ends] = NEVER
        self.is_active[row], self.since_us[row] = active, since
        self.value[row], self.limit[row] = known.value, known.limit

    def _end_before(
        self,
        row: np.ndarray,
        at_us: np.ndarray,
        active: np.ndarray,
        since: np.ndarray,
        still: np.ndarray,
        known: Verdict,
    ) -> np.ndarray:
        """Turn the rows whose delay ended before what is now known, or with it where that agrees; which they are."""
        pending = (since >= 0) & (since != NEVER)
        turned: np.ndarray = np.zeros(len(row), bool)
        if not pending.any():
            return turned
        due = np.full(len(row), NEVER, np.int64)
        due[pending] = since[pending] + np.where(active, self.off_us[row], self.on_us[row])[pending]
        earlier = due < at_us
        turned = (earlier | ((due == at_us) & still)) & (due <= self.cap_us)
        if turned.any():
            value = np.where(earlier, self.value[row], known.value)
            limit = np.where(earlier, self.limit[row], known.limit)
            self._turn(row[turned], ~active[turned], due[turned], value[turned], limit[turned])
        return turned

    def due(self, until_us: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose delay ends at or before a time, and when each ends. [n]"""
        row = np.flatnonzero((self.since_us >= 0) & (self.since_us <= until_us))
        ends = self.since_us[row] + np.where(self.is_active[row], self.off_us[row], self.on_us[row])
        over = ends <= until_us
        return row[over], ends[over]

    def end(self, row: np.ndarray, at_us: np.ndarray) -> None:
        """Turn rows whose delay is over. [n]"""
        active = ~self.is_active[row]
        self._turn(row, active, at_us, self.value[row], self.limit[row])
        self.is_active[row] = active
        self.since_us[row] = NEVER

    def set_active(self, row: int, is_active: bool) -> None:  # noqa: FBT001 it is what is set
        """Say where a row stands; a delay that would lead there is over."""
        if self.is_active[row] != is_active:
            self.is_active[row] = is_active
            self.since_us[row] = NEVER

    def take_turned(self) -> list[Turned]:
        """What has turned since the last call, in the order in which it was found."""
        turned, self._turned = self._turned, []
        return turned

    def state(self) -> Mapping[str, np.ndarray]:
        """By name, a value for each row. [R]"""
        return {"active": self.is_active, "since_us": self.since_us, "value": self.value, "limit": self.limit}

    def _turn(
        self, row: np.ndarray, is_active: np.ndarray, at_us: np.ndarray, value: np.ndarray, limit: np.ndarray
    ) -> None:
        if len(row):
            self._turned.append(Turned(row, is_active, at_us, value, limit))


def _moved(since: np.ndarray, at_us: np.ndarray, wanted: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Since when, after what is now known: delays stand still, go on, begin or are given up. [n]"""
    runs = (since >= 0) & (since != NEVER)
    stands = since < 0
    moved = np.where(wanted, at_us, NEVER)
    keeps = (wanted & runs) | (holds & ~runs)
    moved[keeps] = since[keeps]
    resumes = wanted & stands
    moved[resumes] = at_us[resumes] + since[resumes] + 1
    stops = holds & runs
    moved[stops] = since[stops] - at_us[stops] - 1
    return moved
