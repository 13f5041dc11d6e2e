"""What every kind of condition on one tag is: rows that are judged together, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import NEVER, Verdict
from athanor.kernel.alarms.rule import Condition


@dataclass(slots=True)
class Given:
    """One sample for each of some rows. [n]

    Parameters
    ----------
    value
        NaN where there is no number, and of every bad sample.
    text
        Where it is a text; None where none is.
    """

    time_us: np.ndarray
    value: np.ndarray
    is_bad: np.ndarray
    text: np.ndarray | None

    def of(self, which: np.ndarray) -> Self:
        """Some of the rows."""
        text = None if self.text is None else self.text[which]
        return type(self)(self.time_us[which], self.value[which], self.is_bad[which], text)


class Kind:
    """Rows of one kind of condition.

    A subclass says what `judge` finds, and names in `KEPT` the arrays that hold what it must remember, which have a
    place for each row in the first direction. `edge_us` is for conditions that turn by themselves, as when no sample
    comes: the time at which they would, NEVER where they would not.
    """

    CONDITION: ClassVar[type]
    NEEDS_NUMBER: ClassVar[bool] = True
    KEPT: ClassVar[tuple[str, ...]] = ()

    def __init__(self, instances: Sequence[Instance]) -> None:
        self.rows = len(instances)
        self.edge_us: np.ndarray | None = None

    def judge(self, row: np.ndarray, given: Given) -> Verdict:
        """What a sample shows of each row; every row at most once. [n]"""
        raise NotImplementedError

    def turn(self, row: np.ndarray) -> Verdict:
        """What is so of rows from their `edge_us` on, which is then no more. [n]"""
        raise NotImplementedError

    def kept(self) -> Mapping[str, np.ndarray]:
        """What must outlive a restart, by name."""
        names = self.KEPT if self.edge_us is None else (*self.KEPT, "edge_us")
        return {name: getattr(self, name) for name in names}

    def edges_before(self, row: np.ndarray, time_us: np.ndarray) -> np.ndarray:
        """Which of these rows turn by themselves before a time. Places in `row`."""
        if self.edge_us is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.edge_us[row] < time_us)

    def clear_edges(self, row: np.ndarray) -> None:
        """These have turned by themselves."""
        if self.edge_us is not None:
            self.edge_us[row] = NEVER


def column(conditions: Sequence[Condition], name: str) -> np.ndarray:
    """A number of each condition, NaN where it has none. [R]"""
    return np.array([np.nan if (one := getattr(each, name)) is None else float(one) for each in conditions], float)


def nothing(count: int) -> np.ndarray:
    """NaN for rows of which there is no number to show."""
    return np.full(count, np.nan)
