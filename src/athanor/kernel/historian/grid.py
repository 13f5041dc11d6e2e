"""Many tags on one grid of times: a matrix for models. Columns in, matrix out; no store, no clock."""

from collections.abc import Sequence

import numpy as np

from athanor.kernel.historian.gaps import Between, GapPolicy, is_good
from athanor.kernel.plant.model import TagId


def on_grid(
    tag: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray,
    grid_us: np.ndarray,
    policy: GapPolicy,
    tags: Sequence[TagId],
) -> np.ndarray:
    """The value that each tag had at each time, as far as the policy lets it be known.

    Parameters
    ----------
    tag, time_us, value, quality
        Samples by tag, then time, bad ones too, one for each pair. They reach over the grid by one sample on each
        side (or by the policy's limit): what holds at the grid's start was sampled before it. [N]
    grid_us
        The times asked for, in any order. [us] [G]
    policy
        none: only where a sample has that very time. hold: the last sample, no older than the limit. linear: on the
        line between the samples around, no further apart than the limit.
    tags
        The columns, in this order. [T]

    Returns
    -------
    array of float64
        Values in the tags' units; NaN where nothing is known, as in the column of a tag without samples. [G, T]
    """
    wanted = np.asarray(tags, tag.dtype)
    begin, end = np.searchsorted(tag, wanted, side="left"), np.searchsorted(tag, wanted, side="right")
    following = np.empty((len(grid_us), len(tags)), np.int64)  # index of the first sample after each time
    for column, (low, high) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        following[:, column] = low + np.searchsorted(time_us[low:high], grid_us, side="right")
    outcome = np.full(following.shape, np.nan)
    if len(tag) == 0:
        return outcome
    good, before = is_good(value, quality), np.maximum(following - 1, 0)
    age = grid_us[:, np.newaxis] - time_us[before]
    is_known = (following > begin) & good[before]
    is_own = is_known & (age <= policy.limit_us if policy.between is Between.HOLD else age == 0)
    outcome[is_own] = value[before[is_own]]
    if policy.between is Between.LINEAR:
        after = np.minimum(following, len(tag) - 1)
        is_near = time_us[after] - time_us[before] <= policy.limit_us
        on_line = np.nonzero(is_known & ~is_own & (following < end) & good[after] & is_near)
        start, stop = before[on_line], after[on_line]
        share = age[on_line] / (time_us[stop] - time_us[start])
        outcome[on_line] = value[start] + (value[stop] - value[start]) * share
    return outcome


def at(
    tag: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray,
    at_us: int,
    policy: GapPolicy,
    tags: Sequence[TagId],
) -> np.ndarray:
    """The value that each tag had at one time: the one row of `on_grid`. [T]"""
    row: np.ndarray = on_grid(tag, time_us, value, quality, np.array([at_us], np.int64), policy, tags)[0]
    return row
