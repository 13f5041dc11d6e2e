"""How many alarms come, by steps of time and hours of the week."""

import numpy as np

from athanor.apps.alarms.domain.log import HOUR_US


def per_step(raised_us: np.ndarray, edges_us: np.ndarray) -> np.ndarray:
    """How many were raised in each step; a step holds its start and not its end. Both ascending, int64. [len - 1]"""
    return np.diff(np.searchsorted(raised_us, edges_us))


def steps(start_us: int, end_us: int, step_us: int) -> np.ndarray:
    """Edges of steps of one length on the clock of UTC, from the step that holds `start_us` to past `end_us`."""
    first = start_us // step_us * step_us
    return np.arange(first, end_us + step_us, step_us, dtype=np.int64)


def week(raised_us: np.ndarray, offset_us: np.ndarray | int = 0) -> np.ndarray:
    """How many were raised in each hour of the week, Monday first, on a clock that is `offset_us` ahead of UTC. [7, 24]

    1970-01-01 was a Thursday.
    """
    hours = (raised_us + offset_us) // HOUR_US
    place = (hours // 24 + 3) % 7 * 24 + hours % 24
    return np.bincount(place, minlength=168).reshape(7, 24)
