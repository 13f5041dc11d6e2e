"""Which values are fresh, and how healthy the data of many tags is."""

import numpy as np
import numpy.typing as npt

STALE_AFTER_PERIODS = 3.0  # two samples may be lost on the way before a value counts as old


def is_stale(age_s: npt.NDArray[np.float64], period_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each value is older than three of its periods. [N]

    Parameters
    ----------
    age_s
        Age of the newest sample, infinite where none ever came. [s]
    period_s
        How often a sample is due, NaN for tags that come as they come: of these only those without any sample are
        stale. [s]
    """
    with np.errstate(invalid="ignore"):
        result: npt.NDArray[np.bool_] = np.isinf(age_s) | (age_s > STALE_AFTER_PERIODS * period_s)
    return result


def healthy_share(stale: npt.NDArray[np.bool_], good: npt.NDArray[np.bool_]) -> float:
    """The share of tags whose value is both fresh and good, 0 to 1; NaN for no tags. [-]"""
    return float(np.mean(~stale & good)) if len(stale) else float("nan")
