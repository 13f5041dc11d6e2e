"""A log of alarms as columns: what every figure of performance is computed from."""

from dataclasses import dataclass, fields

import numpy as np

NEVER = int(np.iinfo(np.int64).max)  # the time of what has not happened yet
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """Activations of alarms, in the order in which they were raised.

    Parameters
    ----------
    alarm
        Which alarm, int64. [N]
    raised_us
        Source time, int64, ascending. [µs since 1970 UTC]
    cleared_us
        Source time, NEVER while it stands. [µs]
    acknowledged_us
        NEVER where nobody did. [µs]
    seen_us
        When Athanor raised it. [µs]
    priority
        As of the rules: 1 is the highest, uint8. [N]
    """

    alarm: np.ndarray
    raised_us: np.ndarray
    cleared_us: np.ndarray
    acknowledged_us: np.ndarray
    seen_us: np.ndarray
    priority: np.ndarray

    def __len__(self) -> int:
        return len(self.alarm)

    def cut(self, rows: np.ndarray | slice) -> "Log":
        """Some of the rows: a mask, places in ascending order, or a slice."""
        return Log(*(getattr(self, one.name)[rows] for one in fields(self)))

    def within(self, start_us: int, end_us: int) -> "Log":
        """What was raised from `start_us` up to but without `end_us`."""
        return self.cut(slice(*np.searchsorted(self.raised_us, [start_us, end_us])))


def log_of(
    alarm: np.ndarray,
    raised_us: np.ndarray,
    *,
    cleared_us: np.ndarray | None = None,
    acknowledged_us: np.ndarray | None = None,
    seen_us: np.ndarray | None = None,
    priority: np.ndarray | None = None,
) -> Log:
    """A log of columns in any order; what is left out has not happened, was seen at once, is of the lowest priority."""
    raised = np.asarray(raised_us, np.int64)
    order = np.argsort(raised, kind="stable")
    never = np.full(len(raised), NEVER, np.int64)

    def column(given: np.ndarray | None, otherwise: np.ndarray, kind: type = np.int64) -> np.ndarray:
        return np.asarray(otherwise if given is None else given, kind)[order]

    return Log(
        np.asarray(alarm, np.int64)[order],
        raised[order],
        column(cleared_us, never),
        column(acknowledged_us, never),
        column(seen_us, raised),
        column(priority, np.full(len(raised), 4), np.uint8),
    )
