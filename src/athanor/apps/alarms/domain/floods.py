"""Floods: stretches in which more alarms come than an operator can take in."""

from dataclasses import dataclass

import numpy as np

from athanor.apps.alarms.domain.log import MINUTE_US, Log

WINDOW_US = 10 * MINUTE_US
BEGINS_ABOVE, ENDS_BELOW = 10, 5  # alarms within the window


@dataclass(frozen=True, slots=True)
class Floods:
    """Floods in the order of time, as columns.

    Parameters
    ----------
    begin_us, end_us
        When the window first held more than BEGINS_ABOVE, and then fewer than ENDS_BELOW. [µs]
    first, stop
        The alarms of each are the log's rows from `first`, which is the first-out, up to but without `stop`.
    peak
        Most alarms within one window.
    """

    begin_us: np.ndarray
    end_us: np.ndarray
    first: np.ndarray
    stop: np.ndarray
    peak: np.ndarray

    def __len__(self) -> int:
        return len(self.begin_us)

    @property
    def alarms(self) -> np.ndarray:
        """How many each has."""
        return np.asarray(self.stop - self.first)


def window_counts(raised_us: np.ndarray, window_us: int = WINDOW_US) -> tuple[np.ndarray, np.ndarray]:
    """When the number of alarms in the window ending there changes, and what it is from then on.

    The window that ends at t holds what was raised in (t - window, t]. `raised_us` is ascending.
    """
    at = np.sort(np.concatenate([raised_us, raised_us + window_us]), kind="stable")  # two runs in order: quickly merged
    at = at[np.diff(at, prepend=at[:1] - 1) != 0]
    since = np.searchsorted(raised_us, at - window_us, "right")
    return at, np.searchsorted(raised_us, at, "right") - since


def peak(raised_us: np.ndarray, window_us: int = WINDOW_US) -> int:
    """Most alarms in any window of this length, wherever it begins."""
    counts = window_counts(raised_us, window_us)[1]
    return int(counts.max()) if len(counts) else 0


def find_floods(
    log: Log,
    *,
    windows: tuple[np.ndarray, np.ndarray] | None = None,
    begins_above: int = BEGINS_ABOVE,
    ends_below: int = ENDS_BELOW,
) -> Floods:
    """Floods of a log: each begins above one rate and ends below another [1]_.

    Its alarms begin with the earliest in the window that made it one: that is what came first. A flood that has not
    ended ends at the latest when its last alarm leaves the window. `windows` are the log's `window_counts`, where they
    are known already.

    References
    ----------
    .. [1] ISA-18.2-2016 / IEC 62682: more than 10 in 10 minutes begin a flood, fewer than 5 in 10 minutes end it.
    """
    at, counts = window_counts(log.raised_us) if windows is None else windows
    turns = np.where(counts > begins_above, 1, np.where(counts < ends_below, -1, 0))
    told = np.flatnonzero(turns)
    changes = told[np.diff(turns[told], prepend=-1) != 0]  # what is between two turns goes on as it was
    begins, ends = changes[::2], changes[1::2]
    begin_us, end_us = at[begins], at[ends]
    since_us = np.maximum(begin_us - WINDOW_US, np.concatenate([[np.iinfo(np.int64).min], end_us[:-1]])[: len(begins)])
    first = np.searchsorted(log.raised_us, since_us, "right")
    stop = np.searchsorted(log.raised_us, end_us, "right")
    peaks = np.array([counts[i : j + 1].max() for i, j in zip(begins, ends, strict=True)], np.int64)
    return Floods(begin_us, end_us, first, stop, peaks)


def share_in_flood(floods: Floods, start_us: int, end_us: int) -> float:
    """Part of the time from `start_us` to `end_us` that was in flood, 0 to 1; NaN for no time."""
    if end_us <= start_us:
        return float("nan")
    inside = np.clip(floods.end_us, start_us, end_us) - np.clip(floods.begin_us, start_us, end_us)
    return float(inside.sum() / (end_us - start_us))
