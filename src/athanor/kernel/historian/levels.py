"""Levels of rollups, and which of them answers which part of a range. No store, no clock.

A *cell* of a level is a stretch of UTC time of its length, counted from 1970. Cells of a level are made of whole cells
of the next finer one, and a UTC day of whole cells of each.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

LEVELS_US = tuple(seconds * 1_000_000 for seconds in (60, 300, 900, 3600, 86_400))
"""A minute, five, a quarter of an hour, an hour, a day; fine first. [us]"""

SAMPLES = -1  # below the finest level: the samples themselves

_WORTH_IT = 0.5  # share of what is asked that a level must cover


@dataclass(frozen=True, slots=True)
class Ranges:
    """Stretches of time that hold their begin and not their end; ascending, apart from each other. [us]"""

    begin_us: np.ndarray
    end_us: np.ndarray

    def __len__(self) -> int:
        return len(self.begin_us)

    @classmethod
    def of(cls, begin_us: np.ndarray, end_us: np.ndarray) -> Self:
        """From stretches in any order that do not overlap; empty ones fall away, those that touch become one."""
        keep = begin_us < end_us
        order = np.argsort(begin_us[keep], kind="stable")
        begin_us, end_us = begin_us[keep][order], end_us[keep][order]
        is_apart = begin_us[1:] != end_us[:-1]
        return cls(
            begin_us[np.append(True, is_apart)[: len(begin_us)]], end_us[np.append(is_apart, True)[: len(end_us)]]
        )

    @classmethod
    def of_cells(cls, time_us: np.ndarray, level: int) -> Self:
        """The cells of a level that these times lie in."""
        begin_us = np.unique(time_us // LEVELS_US[level]) * LEVELS_US[level]
        return cls.of(begin_us, begin_us + LEVELS_US[level])

    @property
    def hull(self) -> tuple[int, int]:
        """The first begin and the last end. There must be a range."""
        return int(self.begin_us[0]), int(self.end_us[-1])

    def hold(self, time_us: np.ndarray) -> np.ndarray:
        """True for times that lie in one of the ranges. [N]"""
        if len(self) == 0:
            return np.zeros(len(time_us), bool)
        if len(self) == 1:
            return np.asarray((time_us >= self.begin_us[0]) & (time_us < self.end_us[0]))
        place = np.searchsorted(self.begin_us, time_us, side="right") - 1
        return np.asarray((place >= 0) & (time_us < self.end_us[np.maximum(place, 0)]))

    def meet(self, first_us: int, last_us: int) -> bool:
        """True where one of the ranges holds a time from the first to the last."""
        place = int(np.searchsorted(self.end_us, first_us, side="right"))
        return place < len(self) and int(self.begin_us[place]) <= last_us

    def clusters(self, apart_us: int) -> list[Self]:
        """The ranges in groups that lie further apart than this."""
        if len(self) == 0:
            return []
        cuts = np.flatnonzero(self.begin_us[1:] - self.end_us[:-1] > apart_us) + 1
        pairs = zip(np.split(self.begin_us, cuts), np.split(self.end_us, cuts), strict=True)
        return [type(self)(begin_us, end_us) for begin_us, end_us in pairs]

    def within(self, begin_us: int, end_us: int) -> Self:
        """What of them lies in [begin, end)."""
        low = np.searchsorted(self.end_us, begin_us, side="right")
        high = np.searchsorted(self.begin_us, end_us, side="left")
        return type(self)(np.maximum(self.begin_us[low:high], begin_us), np.minimum(self.end_us[low:high], end_us))

    def boundaries(self, level: int) -> np.ndarray:
        """Every boundary of the level's cells in the ranges, which are made of whole ones. [us] [K]"""
        length = LEVELS_US[level]
        count = (self.end_us - self.begin_us) // length
        first = np.repeat(self.begin_us, count)
        nth = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
        return np.unique(np.concatenate([first + nth * length, self.end_us]))


@dataclass(frozen=True, slots=True)
class Part:
    """Ranges that summaries of one level answer. They are made of whole cells of it, each within one step."""

    level: int  # an index of LEVELS_US, or SAMPLES
    ranges: Ranges


def level_within(length_us: float) -> int:
    """The coarsest level whose cells are no longer than this; SAMPLES where none is."""
    return int(np.searchsorted(np.array(LEVELS_US), length_us, side="right")) - 1


def plan(edges: np.ndarray, *, coarsest: int = len(LEVELS_US) - 1) -> list[Part]:
    """The parts that together make up [edges[0], edges[-1]), each as coarse as its steps allow.

    Parameters
    ----------
    edges
        Ascending boundaries of the steps. [us] [K + 1]
    coarsest
        No coarser level than this one.
    """
    return _parted(edges[:-1], edges[1:], coarsest)


def _parted(begin_us: np.ndarray, end_us: np.ndarray, level: int) -> list[Part]:
    ranges = Ranges.of(begin_us, end_us)
    if len(ranges) == 0:
        return []
    if level == SAMPLES:
        return [Part(SAMPLES, ranges)]
    length = LEVELS_US[level]
    first, last = -(-begin_us // length) * length, end_us // length * length  # whole cells of each step
    has_cells = last > first
    if (last - first)[has_cells].sum() < _WORTH_IT * (end_us - begin_us).sum():
        return _parted(begin_us, end_us, level - 1)
    rest_begin = np.concatenate([begin_us, last[has_cells]])
    rest_end = np.concatenate([np.where(has_cells, first, end_us), end_us[has_cells]])
    keep = rest_begin < rest_end
    cells = Part(level, Ranges.of(first[has_cells], last[has_cells]))
    return [cells, *_parted(rest_begin[keep], rest_end[keep], level - 1)]


def reach(edges: np.ndarray, before_us: int, after_us: int) -> np.ndarray:
    """The edges with a step put before and one after, as long as a gap policy reaches, or longer to spare work.

    Whole cells are taken where the first and last edge are boundaries of such: one summary of a cell tells what was
    last known in it as well as its samples do.
    """
    outer = []
    for edge, distance, sign in ((int(edges[0]), before_us, -1), (int(edges[-1]), after_us, 1)):
        if distance:
            length = _aligned(edge, edges)
            outer.append(edge + sign * -(-distance // length) * length)
    low = [outer[0]] if before_us else []
    high = [outer[-1]] if after_us else []
    return np.concatenate([np.array(low, np.int64), edges, np.array(high, np.int64)])


def _aligned(edge: int, edges: np.ndarray) -> int:
    """The length of the coarsest cells, no longer than the longest step, of which the edge is a boundary. [us]"""
    longest = int(np.diff(edges).max())
    return next((length for length in reversed(LEVELS_US) if length <= longest and edge % length == 0), 1)
