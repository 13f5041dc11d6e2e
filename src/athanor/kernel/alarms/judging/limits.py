"""A value beyond a limit, with its deadband."""

from collections.abc import Sequence

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import Verdict
from athanor.kernel.alarms.judging.kind import Given, Kind, column
from athanor.kernel.alarms.rule import Limit, Side


class Limits(Kind):
    """High: there at x ≥ at, over at x < at - deadband. Low: the mirror image."""

    CONDITION = Limit

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._at = column(conditions, "at")
        self._sign = np.array([1.0 if getattr(one, "side", None) == Side.HIGH else -1.0 for one in conditions])
        self._on_at = self._sign * self._at  # with low limits mirrored, every row is a high one
        self._off_at = self._on_at - np.nan_to_num(column(conditions, "deadband"))

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        x = self._sign[row] * given.value
        return Verdict(x >= self._on_at[row], x < self._off_at[row], np.isnan(x), given.value, self._at[row])
