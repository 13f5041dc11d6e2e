"""When a value is old: one rule for every page, alarm and report."""

import numpy as np
import numpy.typing as npt

PERIODS = 3.0  # two samples may be lost on the way before a value counts as old
TRANSPORT_S = 5.0  # and delivery may take so long: edge's buffer, uplink, ingest


def stale_after_s(period_s: float) -> float:
    """The age from which a value is old that is due every `period_s`. [s]"""
    return PERIODS * period_s + TRANSPORT_S


def is_stale(age_s: npt.NDArray[np.float64], period_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each value is old. [N]

    Parameters
    ----------
    age_s
        Age of the newest sample, infinite where none ever came. [s]
    period_s
        How often a sample is due, NaN for tags that come as they come: of these only those without any sample are
        stale. [s]
    """
    with np.errstate(invalid="ignore"):
        old: npt.NDArray[np.bool_] = age_s > PERIODS * period_s + TRANSPORT_S
    result: npt.NDArray[np.bool_] = old | np.isinf(age_s)
    return result
