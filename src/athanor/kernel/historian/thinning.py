"""Readings of registers that tell nothing which their neighbours do not: left out before increments are looked for.

Where a register simply counts on, only what it shows at the ends of steps matters: the increments between add up to the
same. Most readings are such, and judging them costs more than reading them.
"""

from collections.abc import Mapping

import numpy as np

from athanor.kernel.historian.gaps import is_good
from athanor.kernel.plant.meter import Meter

KEPT_AROUND = 8  # readings on each side of one that does not simply count on: as many as judge one another


def telling(
    tag: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray,
    edges: np.ndarray,
    meters: Mapping[int, Meter],
) -> np.ndarray:
    """True for the readings that increments and events of these steps follow from.

    Parameters
    ----------
    tag, time_us, value, quality
        Readings by tag, then time, one for each pair. [N]
    edges
        Ascending boundaries of the steps in which increments will be booked. [us] [K + 1]
    meters
        What is known of each tag's register. Of one whose greatest rate is known every reading is kept: whether a
        growth is plausible follows from how long it took.

    Returns
    -------
    array of bool
        False only between readings that are good, above 0, within the register and no lower than the one before, all
        in one step and `KEPT_AROUND` away from any that is not so. [N]
    """
    keep = np.zeros(len(tag), bool)
    good = np.flatnonzero(is_good(value, quality))
    if len(good) == 0:
        return keep
    tag, time_us, value = tag[good], time_us[good], value[good]
    tags, place = np.unique(tag, return_inverse=True)
    known = [meters.get(int(number), Meter()) for number in tags]
    top = np.array([np.inf if meter.width is None else meter.width for meter in known])[place]
    is_first = np.append(True, tag[1:] != tag[:-1])
    falls = np.append(False, value[1:] < value[:-1])
    is_odd = is_first | falls | np.append(is_first[1:], True) | (value <= 0) | (value >= top)
    step = np.searchsorted(edges, time_us, side="left")
    turns = np.append(True, step[1:] != step[:-1])
    has_rate = np.array([meter.max_rate_per_s is not None for meter in known])[place]
    keep[good] = _around(is_odd) | turns | np.append(turns[1:], True) | has_rate
    return keep


def _around(is_odd: np.ndarray) -> np.ndarray:
    """True within `KEPT_AROUND` readings of an odd one."""
    odd = np.concatenate([[0], np.cumsum(is_odd)])
    row = np.arange(len(is_odd))
    last = np.minimum(row + KEPT_AROUND + 1, len(is_odd))
    near: np.ndarray = odd[last] > odd[np.maximum(row - KEPT_AROUND, 0)]
    return near
