"""Pure functions from samples to steps. Columns in, columns out; no store, no clock.

All take samples sorted by tag, then time, good numbers only (no NaN), and count steps from the span's start.
"""

from collections.abc import Callable

import numpy as np

from athanor.kernel.historian.port import Aggregate

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def resampled(
    tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, *, start_us: int, end_us: int, step_us: int, how: Aggregate
) -> Columns:
    """One row for each tag and step that has samples.

    Parameters
    ----------
    tag, time_us, value
        Sorted samples within [start_us, end_us). [N]
    start_us, end_us
        The span. [us]
    step_us
        Length of a step; the last may be cut short by the span's end. [us]
    how
        What a step's samples become; `mean` is weighted by time.

    Returns
    -------
    tuple of arrays
        Tag, start of the step [us], value; by tag, then time. [M]
    """
    if len(tag) == 0:
        return tag, time_us, value
    if how is Aggregate.MEAN:
        tag, time_us, value, weight = _cut_at_steps(tag, time_us, value, start_us, end_us, step_us)
    step = (time_us - start_us) // step_us
    first = np.flatnonzero(np.append(True, (tag[1:] != tag[:-1]) | (step[1:] != step[:-1])))
    count = np.diff(np.append(first, len(tag)))
    if how is Aggregate.MEAN:
        outcome = np.add.reduceat(value * weight, first) / np.add.reduceat(weight, first)
    else:
        outcome = _REDUCE[how](value, first, count)
    return tag[first], start_us + step[first] * step_us, outcome


def _cut_at_steps(
    tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, start_us: int, end_us: int, step_us: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Samples with how long each holds [us], repeated at the start of a step that its own first sample comes late to.

    A sample holds until the next of its tag or the end of its step. A value is carried into a step only from the
    step right before it and only where that step has samples of its own: over a longer gap nothing is known.
    """
    step = (time_us - start_us) // step_us
    is_next_same = np.append((tag[1:] == tag[:-1]) & (step[1:] == step[:-1] + 1), False)
    begins_late = np.append((time_us[1:] - start_us) % step_us > 0, False)
    carried = np.flatnonzero(is_next_same & begins_late)
    boundary = start_us + (step[carried] + 1) * step_us
    tag = np.insert(tag, carried + 1, tag[carried])
    time_us = np.insert(time_us, carried + 1, boundary)
    value = np.insert(value, carried + 1, value[carried])
    step_end = np.minimum(start_us + ((time_us - start_us) // step_us + 1) * step_us, end_us)
    following = np.append(np.where(tag[1:] == tag[:-1], time_us[1:], np.iinfo(np.int64).max), np.iinfo(np.int64).max)
    return tag, time_us, value, (np.minimum(step_end, following) - time_us).astype(np.float64)


_REDUCE: dict[Aggregate, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    Aggregate.MIN: lambda value, first, _: np.minimum.reduceat(value, first),
    Aggregate.MAX: lambda value, first, _: np.maximum.reduceat(value, first),
    Aggregate.SUM: lambda value, first, _: np.add.reduceat(value, first),
    Aggregate.FIRST: lambda value, first, _: value[first],
    Aggregate.LAST: lambda value, first, count: value[first + count - 1],
    Aggregate.COUNT: lambda _, __, count: count.astype(np.float64),
}
