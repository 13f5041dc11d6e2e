"""What a signal does rather than how high it is: its state, its silence, its quality, a frozen value, a jump."""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import NEVER, Verdict
from athanor.kernel.alarms.judging.kind import Given, Kind, column, nothing
from athanor.kernel.alarms.rule import BadQuality, Frozen, InState, Jump, Stale

_US: Final = 1e6


class States(Kind):
    """In one of some states, or in none of them. A state is a number or a text."""

    CONDITION = InState
    NEEDS_NUMBER = False

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances if isinstance(one.condition, InState)]
        self._is_in = np.array([one.is_in for one in conditions])
        self._number = np.unique([float(one) for each in conditions for one in each.states if not isinstance(one, str)])
        texts = dict.fromkeys(one for each in conditions for one in each.states if isinstance(one, str))
        self._text = {text: len(self._number) + place for place, text in enumerate(texts)}
        self._codes = len(self._number) + len(texts) + 1
        self._listed = np.unique(
            [row * self._codes + self._code_of(state) for row, each in enumerate(conditions) for state in each.states]
        )

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        code = self._code(given)
        key = row * self._codes + code
        place = np.minimum(np.searchsorted(self._listed, key), len(self._listed) - 1)
        on = (self._listed[place] == key) == self._is_in[row]
        unknown = code < 0
        return Verdict(on & ~unknown, ~on & ~unknown, unknown, given.value, nothing(len(row)))

    def _code_of(self, state: float | str) -> int:
        return self._text[state] if isinstance(state, str) else int(np.searchsorted(self._number, float(state)))

    def _code(self, given: Given) -> np.ndarray:
        """A number for each state that some rule names, the same for all others, -1 where there is no state. [n]"""
        code: np.ndarray = np.full(len(given.value), self._codes - 1)
        if len(self._number):
            place = np.minimum(np.searchsorted(self._number, given.value), len(self._number) - 1)
            code = np.where(self._number[place] == given.value, place, code)
        code[np.isnan(given.value)] = -1
        if given.text is not None:
            texts = {n: one for n, one in enumerate(given.text.tolist()) if one is not None}
            code[list(texts)] = [self._text.get(one, self._codes - 1) for one in texts.values()]
        return code


class Silences(Kind):
    """No sample for so long, good or bad. A tag that never sent anything is not yet connected, and not silent."""

    CONDITION = Stale
    NEEDS_NUMBER = False

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        self._after_us = np.array([_after_us(one) for one in instances], np.int64)
        self.edge_us = np.full(self.rows, NEVER, np.int64)

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """There is one."""
        after_us = self._after_us[row]
        if self.edge_us is not None:
            self.edge_us[row] = np.where(
                after_us == NEVER, NEVER, given.time_us + np.where(after_us == NEVER, 0, after_us)
            )
        no, yes = np.zeros(len(row), bool), np.ones(len(row), bool)
        return Verdict(no, yes, no, given.value, nothing(len(row)))

    def turn(self, row: np.ndarray) -> Verdict:
        """There has been none."""
        no, yes = np.zeros(len(row), bool), np.ones(len(row), bool)
        return Verdict(yes, no, no, nothing(len(row)), nothing(len(row)))


class Qualities(Kind):
    """The source says that the value cannot be used."""

    CONDITION = BadQuality
    NEEDS_NUMBER = False

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        no = np.zeros(len(row), bool)
        return Verdict(given.is_bad, ~given.is_bad, no, given.value, nothing(len(row)))


class Freezes(Kind):
    """No sample has differed from the first by more than the band, for so long."""

    CONDITION = Frozen
    KEPT: ClassVar[tuple[str, ...]] = ("reference", "reference_us")

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._for_us = np.round(column(conditions, "for_s") * _US).astype(np.int64)
        self._band = column(conditions, "band")
        self.reference = np.full(self.rows, np.nan)
        self.reference_us = np.zeros(self.rows, np.int64)

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row."""
        unknown = np.isnan(given.value)
        moved = ~unknown & ~(np.abs(given.value - self.reference[row]) <= self._band[row])
        self.reference[row[moved]] = given.value[moved]
        self.reference_us[row[moved]] = given.time_us[moved]
        on = ~unknown & ~moved & (given.time_us - self.reference_us[row] >= self._for_us[row])
        return Verdict(on, moved, unknown, given.value, nothing(len(row)))


class Jumps(Kind):
    """Two good samples in turn differ by more than allowed; over once it was calm for so long."""

    CONDITION = Jump
    KEPT: ClassVar[tuple[str, ...]] = ("previous",)

    def __init__(self, instances: Sequence[Instance]) -> None:
        super().__init__(instances)
        conditions = [one.condition for one in instances]
        self._by = column(conditions, "by")
        self._calm_us = np.round(column(conditions, "calm_s") * _US).astype(np.int64)
        self.previous = np.full(self.rows, np.nan)
        self.edge_us = np.full(self.rows, NEVER, np.int64)

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row; what is shown is by how much it jumped."""
        unknown = np.isnan(given.value)
        change = given.value - self.previous[row]
        jumped = np.abs(change) > self._by[row]
        self.previous[row] = np.where(unknown, self.previous[row], given.value)
        is_calm = np.ones(len(row), bool)
        if self.edge_us is not None:
            self.edge_us[row[jumped]] = given.time_us[jumped] + self._calm_us[row[jumped]]
            is_calm = self.edge_us[row] == NEVER
        limit = np.where(change < 0, -self._by[row], self._by[row])
        return Verdict(jumped, is_calm & ~unknown, unknown, change, limit)

    def turn(self, row: np.ndarray) -> Verdict:
        """It has been calm."""
        no, yes = np.zeros(len(row), bool), np.ones(len(row), bool)
        return Verdict(no, yes, no, nothing(len(row)), self._by[row])


def _after_us(instance: Instance) -> int:
    """After how long a tag is silent; never, where neither the rule nor the plant says."""
    if instance.stale_after_us is not None:
        return instance.stale_after_us
    after_s = instance.condition.after_s if isinstance(instance.condition, Stale) else None
    return NEVER if after_s is None else round(after_s * _US)
