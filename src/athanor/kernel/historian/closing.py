"""Closing a day: the rollups of samples that go, joined to those that were kept of the day before."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.kept import Kept, KeptDay
from athanor.kernel.historian.layout import columns_of
from athanor.kernel.historian.levels import LEVELS_US, Ranges
from athanor.kernel.historian.rollupfiles import (
    DAY,
    FINE,
    DayRollups,
    cells_of,
    is_in,
    levels_of,
    pairs_of,
    split_pairs,
)
from athanor.kernel.historian.summaries import SUMMARIES, Summaries, each, joined, merge

FEWER = (4, 8, 4, 0, 0)  # as in `rollupfiles`, but an hour is kept for every tag too: no samples will answer for it
_TAGS = 2000  # of what was kept before, passed on at a time
_DAY_US = LEVELS_US[DAY]


class FormerDay:
    """What was kept of a day before."""

    def __init__(self, kept: Kept, day: KeptDay) -> None:
        """Raises DamagedFileError."""
        self._number = day.number
        self._coarse = kept.readers.reader(day.coarse)
        self._fine = self._coarse if day.fine is None else kept.readers.reader(day.fine)
        days, tags = split_pairs(self._coarse.kept_at(DAY))
        self.tags = tags[days == day.number]  # sorted

    def levels(self, tags: np.ndarray) -> list[Summaries]:
        """Level by level what there is of these tags. Raises DamagedFileError."""
        return [self._read(level, tags) for level in range(len(LEVELS_US))]

    def finest(self, tags: np.ndarray) -> np.ndarray:
        """The finest level of each of these tags, which there all are. [T]"""
        finest = np.full(len(tags), DAY)
        for level in reversed(range(DAY)):
            finest[is_in(self._pairs(tags), self._coarse.kept_at(level))] = level
        return finest

    def _read(self, level: int, tags: np.ndarray) -> Summaries:
        reader = self._fine if level in FINE else self._coarse
        pairs = self._pairs(tags)
        pairs = pairs[is_in(pairs, self._coarse.kept_at(level))]
        if not len(pairs):
            return Summaries.from_arrow(SUMMARIES.empty_table())
        begin_us = np.array([self._number * _DAY_US])
        return reader.read(pairs, level, Ranges.of(begin_us, begin_us + _DAY_US), SUMMARIES.names)

    def _pairs(self, tags: np.ndarray) -> np.ndarray:
        return pairs_of(np.full(len(tags), self._number), tags)


class ClosedDay(DayRollups):
    """What samples that go come to, and what was kept of their day before."""

    def __init__(self, day: date, stem: str, samples: Iterable[pa.Table], former: FormerDay | None) -> None:
        """`samples` come by tag, then time, one for each pair, and hold whole tags, ascending from one to the next."""
        super().__init__(day, stem, samples)
        self.stem = stem
        self.too_late = 0  # samples that came for a time of which a rollup was kept already
        self._former = former

    def _found(self) -> Iterator[list[Summaries]]:
        former = np.empty(0, np.int32) if self._former is None else self._former.tags
        passed = 0
        for table in self._samples:
            if not table.num_rows:
                continue
            tag = table["tag"].to_numpy()
            before, through = np.searchsorted(former, [tag[0], tag[-1] + 1]).tolist()
            yield from self._passed_on(former[passed:before])
            yield self._joined(table, former[before:through])
            passed = through
        yield from self._passed_on(former[passed:])

    def _passed_on(self, tags: np.ndarray) -> Iterator[list[Summaries]]:
        """What was kept before of tags of which no samples come."""
        if self._former is not None:
            for first in range(0, len(tags), _TAGS):
                yield self._former.levels(tags[first : first + _TAGS])

    def _joined(self, samples: pa.Table, former: np.ndarray) -> list[Summaries]:
        """Samples of some tags, and what was kept before of tags between the first and the last of them."""
        tag = samples["tag"].to_numpy()
        is_late = is_in(tag, former)
        late_tags = np.unique(tag[is_late])
        parts = [levels_of(samples.filter(pa.array(~is_late)), self._midnight_us, FEWER)]
        if self._former is not None and len(former):
            parts += [self._former.levels(former[~is_in(former, late_tags)])]
            parts += self._with_late(self._former, late_tags, samples.filter(pa.array(is_late)))
        return [joined(level) for level in zip(*parts, strict=True)]

    def _with_late(self, former: FormerDay, tags: np.ndarray, late: pa.Table) -> Iterator[list[Summaries]]:
        """What was kept of these tags and late samples of them, as far as these lie outside of what was kept."""
        columns = columns_of(late)
        finest = former.finest(tags)
        for level in np.unique(finest).tolist():
            some = tags[finest == level]
            kept = former.levels(some)
            rows = np.flatnonzero(is_in(columns[0], some))
            is_new = ~_lies_within(columns[0][rows], columns[1][rows], kept[level])
            self.too_late += int(np.count_nonzero(~is_new))
            new = each(*(column[rows[is_new]] for column in columns))
            yield _merged_from(level, joined([kept[level], new]), self._midnight_us, kept)


def _merged_from(level: int, finest: Summaries, midnight_us: int, kept: Sequence[Summaries]) -> list[Summaries]:
    """All levels of a tag whose finest is this one; those that are finer are empty, as they were."""
    levels = list(kept)
    summaries = finest
    for coarser in range(level, len(LEVELS_US)):
        summaries = merge(summaries, cells_of(midnight_us, coarser))
        levels[coarser] = summaries
    return levels


def _lies_within(tag: np.ndarray, time_us: np.ndarray, runs: Summaries) -> np.ndarray:
    """True for samples, by tag and time, that lie between the first and last sample of a run of their tag. [N]"""
    within = np.zeros(len(tag), bool)
    for one in np.unique(tag).tolist():
        first, end = np.searchsorted(tag, [one, one + 1]).tolist()
        low, high = np.searchsorted(runs.tag, [one, one + 1]).tolist()
        place = low + np.searchsorted(runs.begin_us[low:high], time_us[first:end], side="right") - 1
        within[first:end] = (place >= low) & (time_us[first:end] <= runs.end_us[np.maximum(place, low)])
    return within
