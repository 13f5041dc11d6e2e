"""How long an alarm takes from its source to an operator's screen: the pages say what they have shown.

A screen's report comes back to the server, whose clock is the one that counts: so the time of its way is in the figure
too. Alarms that came in late, as after an outage, are counted apart; they say nothing of how quick the house is.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.metrics import ALARM_SCREEN_SECONDS

LATE_S = 60.0  # raised so long after its source time: the samples came late
BOUNDS_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)
_MOST = 10_000  # the newest ones of which exact percentiles are given


@dataclass(frozen=True, slots=True)
class Shown:
    """What was measured, of this server since it began: the newest ten thousand.

    Parameters
    ----------
    bars
        How many took at most each of BOUNDS_S and longer than the one before; the last, longer than all. [N + 1]
    p50_s, p95_s, p99_s
        NaN where nothing was measured. [s]
    late
        How many came in late and are not among them.
    """

    measured: int
    late: int
    bars: Sequence[int]
    p50_s: float
    p95_s: float
    p99_s: float


class ScreenTimes:
    """Takes what pages report. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_MOST)
        self._late = 0

    def note(self, alarm: StandingAlarm, now: datetime) -> None:
        """This alarm is on a screen now."""
        if alarm.raised_at is None:
            return
        took_s = (now - alarm.raised_at).total_seconds()
        raised_s = 0.0 if alarm.seen_at is None else (alarm.seen_at - alarm.raised_at).total_seconds()
        if raised_s > LATE_S:
            self._late += 1
            return
        self._seconds.append(max(0.0, took_s))
        ALARM_SCREEN_SECONDS.observe_all(np.array([max(0.0, took_s)]))

    def summary(self) -> Shown:
        """As of now."""
        seconds = np.array(self._seconds)
        places = np.searchsorted(np.array(BOUNDS_S), seconds, side="left")
        bars = np.bincount(places, minlength=len(BOUNDS_S) + 1).tolist()
        p50, p95, p99 = np.percentile(seconds, [50, 95, 99]).tolist() if len(seconds) else [float("nan")] * 3
        return Shown(len(seconds), self._late, bars, p50, p95, p99)


screen_times = ScreenTimes()
"""Of this process, as its metrics are."""
