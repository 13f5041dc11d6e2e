"""Alarms that tell an operator nothing: chattering, fleeting, stale."""

import numpy as np

from athanor.apps.alarms.domain.log import DAY_US, Log

CHATTER_TIMES, CHATTER_WITHIN_US = 3, 60_000_000
FLEETING_US = 15_000_000
STALE_US = DAY_US


def chattering(log: Log, *, times: int = CHATTER_TIMES, within_us: int = CHATTER_WITHIN_US) -> np.ndarray:
    """Which rows belong to chattering: the same alarm so many times within so long [1]_. bool [N]

    References
    ----------
    .. [1] ISA-18.2-2016 / IEC 62682: three activations or more of one alarm within 60 s.
    """
    order = np.argsort(log.alarm, kind="stable")  # by alarm, and of each by time
    alarm, raised = log.alarm[order], log.raised_us[order]
    found = np.zeros(len(log), bool)
    last = times - 1
    if len(log) > last:
        is_burst = (alarm[last:] == alarm[:-last]) & (raised[last:] - raised[:-last] <= within_us)
        for shift in range(times):
            found[shift : len(found) - last + shift] |= is_burst
    result = np.zeros(len(log), bool)
    result[order] = found
    return result


def fleeting(log: Log, within_us: int = FLEETING_US) -> np.ndarray:
    """Which rows cleared before anybody could act. bool [N]"""
    return np.asarray(log.cleared_us - log.raised_us < within_us)


def stale(log: Log, now_us: int, after_us: int = STALE_US) -> np.ndarray:
    """Which rows stood for longer than a day, or stand so now. bool [N]"""
    return np.asarray(np.minimum(log.cleared_us, now_us) - log.raised_us > after_us)


def stale_per_step(log: Log, edges_us: np.ndarray, now_us: int, after_us: int = STALE_US) -> np.ndarray:
    """How many alarms were stale at some moment of each step. Pass a log that reaches back to before the first edge."""
    is_stale = stale(log, now_us, after_us)
    since = np.sort(log.raised_us[is_stale] + after_us)
    until = np.sort(np.minimum(log.cleared_us[is_stale], now_us))
    begun = np.searchsorted(since, edges_us[1:], "left")  # before the step's end
    over = np.searchsorted(until, edges_us[:-1], "right")  # at its start or before
    return np.asarray(begun - over)


def sums_by_alarm(log: Log, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The alarms of these rows (a mask) and how many rows each has, the most first."""
    alarms, counts = np.unique(log.alarm[rows], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return alarms[order], counts[order]
