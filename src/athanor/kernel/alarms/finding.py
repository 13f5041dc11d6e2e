"""What judging found: conditions that began or ended, in order, as columns."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class What(IntEnum):
    """What was found of an alarm."""

    RAISED = 1  # the condition held for the whole on-delay
    CLEARED = 2  # it was over, beyond the deadband, for the whole off-delay
    SUPPRESSED = 3  # by design, from here on
    RESUMED = 4  # no longer suppressed by design


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows in the order of what they are of: of one alarm in the order of time.

    Parameters
    ----------
    alarm
        Ids, int64. [N]
    what
        `What`, uint8. [N]
    at_us
        Source time at which it was so, int64: the end of the delay, not the sample that showed it. [µs since 1970 UTC]
    value
        What was measured there, NaN where there is no number. [N]
    limit
        What it was compared with, NaN where nothing was. [N]
    is_active
        Whether the condition holds after this row: what tells, on RESUMED, whether there is an alarm now. [N]
    """

    alarm: np.ndarray
    what: np.ndarray
    at_us: np.ndarray
    value: np.ndarray
    limit: np.ndarray
    is_active: np.ndarray

    def __len__(self) -> int:
        return len(self.alarm)
