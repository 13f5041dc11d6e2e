"""How healthy the data of many tags is."""

import numpy as np
import numpy.typing as npt


def healthy_share(stale: npt.NDArray[np.bool_], good: npt.NDArray[np.bool_]) -> float:
    """The share of tags whose value is both fresh and good, 0 to 1; NaN for no tags. [-]"""
    return float(np.mean(~stale & good)) if len(stale) else float("nan")
