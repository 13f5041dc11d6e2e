"""Control charts on single samples: small shifts that no limit sees.

After D. C. Montgomery, Introduction to Statistical Quality Control, chapter 9; S. W. Roberts, Technometrics 1 (1959);
E. S. Page, Biometrika 41 (1954). Each good sample counts once, however far apart in time they are.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import Verdict
from athanor.kernel.alarms.judging.kind import Given, Kind, column
from athanor.kernel.alarms.rule import Cusum, Ewma

_MOST_INTERVALS: Final = 2.0  # a sum grows no further, so that it comes back after a large excursion


class Ewmas(Kind):
    """z = weight·x + (1 - weight)·z, from the mean on; its limits widen as samples come."""

    CONDITION = Ewma
    KEPT: ClassVar[tuple[str, ...]] = ("z", "fade")

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._mean = column(conditions, "mean")
        self._weight = column(conditions, "weight")
        self._width = column(conditions, "width") * column(conditions, "sigma")
        self._width *= np.sqrt(self._weight / (2 - self._weight))
        self.z = self._mean.copy()
        self.fade = np.ones(self.rows)  # (1 - weight) to the power of 2i after i samples

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row; what is shown is the mean and the control limit on its side."""
        unknown = np.isnan(given.value)
        rest = 1 - self._weight[row]
        z = np.where(unknown, self.z[row], self._weight[row] * given.value + rest * self.z[row])
        fade = np.where(unknown, self.fade[row], self.fade[row] * rest * rest)
        self.z[row], self.fade[row] = z, fade
        width = self._width[row] * np.sqrt(1 - fade)
        off_centre = z - self._mean[row]
        on = np.abs(off_centre) > width
        limit = self._mean[row] + np.where(off_centre < 0, -width, width)
        return Verdict(on & ~unknown, ~on & ~unknown, unknown, z, limit)


class Cusums(Kind):
    """C⁺ = max(0, x - (mean + k) + C⁺) and C⁻ = max(0, (mean - k) - x + C⁻), against h."""

    CONDITION = Cusum
    KEPT: ClassVar[tuple[str, ...]] = ("above", "below")

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        sigma = column(conditions, "sigma")
        self._mean = column(conditions, "mean")
        self._slack = column(conditions, "slack") * sigma
        self._interval = column(conditions, "interval") * sigma
        self.above = np.zeros(self.rows)
        self.below = np.zeros(self.rows)

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row; what is shown is the larger sum, the lower one as negative."""
        unknown = np.isnan(given.value)
        off_centre = np.where(unknown, 0.0, given.value - self._mean[row])
        slack, interval = self._slack[row], self._interval[row]
        most = _MOST_INTERVALS * interval
        above = np.where(unknown, self.above[row], np.clip(self.above[row] + off_centre - slack, 0, most))
        below = np.where(unknown, self.below[row], np.clip(self.below[row] - off_centre - slack, 0, most))
        self.above[row], self.below[row] = above, below
        on = np.maximum(above, below) > interval
        is_above = above >= below
        value = np.where(is_above, above, -below)
        return Verdict(on & ~unknown, ~on & ~unknown, unknown, value, np.where(is_above, interval, -interval))
