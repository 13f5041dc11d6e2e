"""A few points that look as very many samples do."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def outline(time: Times, value: Floats, points: int) -> tuple[Times, Floats]:
    """The lowest and the highest number of each of `points` / 2 equal parts; few samples stay as they are.

    A part of which every value is NaN gives one NaN, so that the line breaks there. Parameters are columns, ascending
    in time. [N]
    """
    if len(time) <= points:
        return time, value
    edges = np.linspace(0, len(time), points // 2 + 1).astype(np.int64)
    kept = [_of_part(int(first), value[first:last]) for first, last in pairwise(edges)]
    rows = np.concatenate(kept)
    return time[rows], value[rows]


def _of_part(first: int, value: Floats) -> npt.NDArray[np.int64]:
    known = np.flatnonzero(~np.isnan(value))
    if not len(known):
        return np.array([first])
    low, high = known[np.argmin(value[known])], known[np.argmax(value[known])]
    return first + np.unique([low, high])
