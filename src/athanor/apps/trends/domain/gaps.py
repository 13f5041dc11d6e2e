"""Where a line must break: nobody may read a value off a line where none was measured."""

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGER_THAN_AROUND = 3.0  # a distance so many times that of both its neighbours is a gap


def broken_at_gaps(time: Times, value: Floats, bridged: float) -> tuple[Times, Floats]:
    """The line with a NaN put in wherever samples are missing.

    Samples are missing between two points that lie farther apart than `bridged` allows, and much farther than the
    points before and after them: a history kept at a coarser step than the tag's period is no row of gaps.

    Parameters
    ----------
    time
        Times, ascending, in any unit. [N]
    value
        Values; NaN where the line is broken already. [N]
    bridged
        The distance that a line may always bridge, in the unit of `time`; infinite to bridge all.
    """
    if len(time) < 2 or not np.isfinite(bridged):
        return time, value
    distance = np.diff(time)
    around = np.maximum(np.append(0, distance[:-1]), np.append(distance[1:], 0))
    gaps = np.flatnonzero((distance > bridged) & (distance > LONGER_THAN_AROUND * around))
    return np.insert(time, gaps + 1, time[gaps] + 1), np.insert(value, gaps + 1, np.nan)


def always_bridged(period: float | None, bucket: float) -> float:
    """How far apart two neighbours may lie before it can be a gap.

    Parameters
    ----------
    period
        How often a sample is due; None for a tag that comes as it comes, whose line is never broken.
    bucket
        How much time one drawn point stands for, in the same unit. A downsampled line keeps two points of each.
    """
    return float("inf") if period is None else max(3 * period, 4 * bucket)
