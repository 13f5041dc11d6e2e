"""Alarm limits over columns: which values lie beyond which limit, and how far."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Crossing(IntEnum):
    """The limit that a value is beyond; the sign says on which side, the size how bad it is."""

    LOW_LOW = -2
    LOW = -1
    NONE = 0
    HIGH = 1
    HIGH_HIGH = 2


def crossings(value: Floats, low_low: Floats, low: Floats, high: Floats, high_high: Floats) -> npt.NDArray[np.int8]:
    """The worst limit that each value is beyond, as `Crossing`. [N]

    A value at its limit is not beyond it. A limit of NaN is none, a value of NaN is beyond nothing. All arrays are
    [N] and in the tags' own units.
    """
    result = np.zeros(len(value), np.int8)
    for limit, crossing in ((low, Crossing.LOW), (low_low, Crossing.LOW_LOW)):
        result[value < limit] = crossing
    for limit, crossing in ((high, Crossing.HIGH), (high_high, Crossing.HIGH_HIGH)):
        result[value > limit] = crossing
    return result


def limits_crossed(
    crossing: npt.NDArray[np.int8], low_low: Floats, low: Floats, high: Floats, high_high: Floats
) -> Floats:
    """The limit that each crossing is beyond; NaN where there is none. [N]"""
    columns = np.stack([low_low, low, np.full(len(crossing), np.nan), high, high_high])
    result: Floats = columns[crossing.astype(np.intp) + 2, np.arange(len(crossing))]
    return result


def by_severity(crossing: npt.NDArray[np.int8], value: Floats, limit: Floats) -> npt.NDArray[np.intp]:
    """Indices of the values beyond a limit, the most severe first. [up to N]

    First by limit (HH and LL before H and L), then by how far beyond, relative to the limit's own size.
    """
    beyond = np.flatnonzero(crossing)
    size = np.maximum(np.abs(limit[beyond]), 1e-9)
    distance = np.abs(value[beyond] - limit[beyond]) / size
    result: npt.NDArray[np.intp] = beyond[np.lexsort((-distance, -np.abs(crossing[beyond].astype(np.int16))))]
    return result
