"""Which alarms make the load, and of which priority it is."""

from dataclasses import dataclass

import numpy as np

from athanor.apps.alarms.domain.log import Log

# Shares of annunciated alarms by priority after ISA-18.2: critical below 1 %, high 5 %, medium 15 %, low 80 %.
CRITICAL_MOST, HIGH_GOAL, MEDIUM_GOAL, LOW_GOAL = 0.01, 0.05, 0.15, 0.80


@dataclass(frozen=True, slots=True)
class Ranking:
    """The most frequent alarms, the most first: which, how often, what part of all, what part up to here."""

    alarm: np.ndarray
    count: np.ndarray
    share: np.ndarray
    running_share: np.ndarray

    @property
    def part(self) -> float:
        """What part of all alarms these are, 0 to 1; NaN for none."""
        return float(self.running_share[-1]) if len(self.alarm) else float("nan")


def most_frequent(log: Log, most: int = 10) -> Ranking:
    """The alarms with the most activations: a Pareto list. Of equal ones the smaller id comes first."""
    alarms, counts = np.unique(log.alarm, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    share = counts[order] / max(1, len(log))
    return Ranking(alarms[order], counts[order], share, np.cumsum(share))


def by_priority(log: Log, priorities: int = 4) -> np.ndarray:
    """How many of each priority, the highest (1) first. [priorities]"""
    return np.bincount(log.priority, minlength=priorities + 1)[1 : priorities + 1]
