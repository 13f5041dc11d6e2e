"""Up to which time it may be said that no sample came: what delays and staleness are judged by.

After an outage an edge first delivers what it kept, and a clock that was set makes
everything look old at once. Whoever goes by the clock alone raises an alarm for each of these, and takes it back.
"""

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import structlog

from athanor.kernel.ingest.sources import EdgeState

_log = structlog.get_logger(__name__)

_WAIT_S = 60.0  # for edges after a start, and for everything after a clock was set
_SETTLE_S = 5.0  # for what comes first, once they are there
_JUMP_S = 5.0  # by which the clock must have gone apart from the machine's own count of seconds
_BEHIND_US = 10_000_000  # what a tag brings now is older: it is delivered late
_QUIET_S = 10.0  # without anything more: that was all


class Horizon:
    """Used by one at a time.

    Parameters
    ----------
    now_us
        The clock that people and devices go by. [µs since 1970 UTC]
    steady_s
        A clock that nobody sets. [s]
    """

    def __init__(self, now_us: Callable[[], int], steady_s: Callable[[], float] = time.monotonic) -> None:
        self._now_us = now_us
        self._steady_s = steady_s
        self._last = (now_us(), steady_s())
        self._awaited: set[str] = set()
        self._not_before_s = float("inf")
        self._heard_s = np.empty(0, np.float64)
        self._came_late = np.empty(0, bool)

    def begin(self, awaited: Iterable[str] | None) -> None:
        """Samples are judged from now on; these edges delivered before. None: nobody knows which ones there are."""
        self._awaited = set(awaited or ())
        self._last = (self._now_us(), self._steady_s())
        self._not_before_s = self._steady_s() + (_WAIT_S if self._awaited or awaited is None else _SETTLE_S)

    def look(self, edges: Sequence[EdgeState]) -> float:
        """See what the clock and the edges say; returns by how much the clock was set since the last look. [s]"""
        now_us, steady_s = self._now_us(), self._steady_s()
        jumped_s = (now_us - self._last[0]) / 1e6 - (steady_s - self._last[1])
        self._last = (now_us, steady_s)
        if abs(jumped_s) < _JUMP_S:
            jumped_s = 0.0
        else:
            _log.warning("alarms.clock-set", by_s=round(jumped_s, 1), waits_s=_WAIT_S if jumped_s > 0 else 0)
            self._heard_s[:] = -np.inf  # and what looked late before may be in time now
        if jumped_s > 0:
            self._not_before_s = steady_s + _WAIT_S
            self._awaited.clear()
        elif self._awaited:
            self._awaited -= {edge.edge for edge in edges}
            if not self._awaited:
                self._not_before_s = steady_s + _SETTLE_S
        return jumped_s

    def heard(self, tag: np.ndarray, time_us: np.ndarray) -> None:
        """Samples came in just now, the newest of a tag last."""
        if not len(tag):
            return
        missing = int(tag.max()) + 1 - len(self._heard_s)
        if missing > 0:
            self._heard_s = np.append(self._heard_s, np.full(missing, -np.inf))
            self._came_late = np.append(self._came_late, np.zeros(missing, bool))
        self._heard_s[tag] = self._steady_s()
        self._came_late[tag] = time_us < self._now_us() - _BEHIND_US

    def is_open(self) -> bool:
        """Whether it may be said of a tag that nothing came, unless it is `late`."""
        return self._steady_s() >= self._not_before_s

    def late(self) -> np.ndarray:
        """Ids of the tags of which old samples are coming in: theirs is not the time that the clock shows."""
        return np.flatnonzero(self._came_late & (self._steady_s() - self._heard_s < _QUIET_S))
