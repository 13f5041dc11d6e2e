"""What is wrong with a value: nothing, too old, bad, or never there."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from athanor.kernel.freshness import is_stale

_BAD_QUALITY = 2  # after OPC UA


class Trouble(IntEnum):
    """The worse, the larger."""

    NONE = 0
    BAD = 1  # the source says itself that the value is bad
    STALE = 2  # no sample for so long that more than one was lost
    NEVER = 3  # no sample ever


def troubles(
    age_s: npt.NDArray[np.float64], period_s: npt.NDArray[np.float64], quality: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int8]:
    """What is wrong with each value, as `Trouble`. [N]

    Parameters
    ----------
    age_s
        Age of the newest sample, infinite where none ever came. [s]
    period_s
        How often a sample is due, NaN for tags that come as they come and so are never stale. [s]
    quality
        0 good, 1 uncertain, 2 bad.
    """
    result = np.full(len(age_s), Trouble.NONE, np.int8)
    result[quality == _BAD_QUALITY] = Trouble.BAD
    result[is_stale(age_s, period_s)] = Trouble.STALE
    result[np.isinf(age_s)] = Trouble.NEVER
    return result
