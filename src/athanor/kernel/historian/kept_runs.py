"""What closed days answer: summaries that are kept of them, each within one step where that can be.

There are no samples to ask any more. So a cell of which rollups cannot tell what is asked, since a step's edge cuts it
or a gap in it is longer than the policy reaches over, is looked up at finer levels as far as they are kept; beyond,
nothing is guessed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from athanor.kernel.historian.gaps import GapPolicy
from athanor.kernel.historian.kept import Closed, Kept
from athanor.kernel.historian.levels import LEVELS_US, Ranges
from athanor.kernel.historian.rollupfiles import DAY, FINE, is_in, split_pairs
from athanor.kernel.historian.summaries import SUMMARIES, Summaries, doubtful, each, joined, step_of
from athanor.kernel.telemetry import Quality


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """What is kept of a range.

    Parameters
    ----------
    sound
        Within one step each. The time of those with a gap that is too long is not known.
    cut
        Those that reach over an edge of the steps.
    """

    sound: Summaries
    cut: Summaries

    def known(self) -> Summaries:
        """What can be said under a policy that draws: what is cut is not known, from its first sample on."""
        nothing = np.full(len(self.cut), np.nan)
        ends = each(self.cut.tag, self.cut.begin_us, nothing, np.full(len(self.cut), Quality.BAD, np.uint8))
        return joined([self.sound, ends])

    def all(self) -> Summaries:
        """All of them, whatever the steps are."""
        return joined([self.sound, self.cut])

    def steps_cut(self, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tags and steps of which some samples, and nobody knows which, lie in a run that is cut. [N], [N]"""
        first = np.maximum(step_of(self.cut.begin_us, edges), 0)
        size = np.maximum(np.minimum(step_of(self.cut.end_us, edges), len(edges) - 2) - first + 1, 0)
        row = np.repeat(np.arange(len(size)), size)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        return self.cut.tag[row], first[row] + nth


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every file in the same way."""

    edges: np.ndarray
    columns: Sequence[str]
    policy: GapPolicy | None

    def is_cut(self, runs: Summaries) -> np.ndarray:
        cut: np.ndarray = step_of(runs.begin_us, self.edges) != step_of(runs.end_us, self.edges)
        return cut

    def is_doubtful(self, runs: Summaries) -> np.ndarray:
        if self.policy is None:
            return np.zeros(len(runs), bool)
        is_inner: np.ndarray = (runs.begin_us >= self.edges[0]) & (runs.begin_us < self.edges[-1])
        is_inner &= doubtful(runs, self.policy)
        return is_inner


def runs_of(
    kept: Kept,
    closed: Closed,
    span_us: tuple[int, int],
    edges: np.ndarray,
    columns: Sequence[str],
    policy: GapPolicy | None,
    coarsest: int,
) -> KeptRuns:
    """The runs of closed days in a span.

    Parameters
    ----------
    span_us
        What is asked for, the neighbours of the steps included; whole cells of it come. [us]
    edges
        Boundaries of the steps. What lies before the first and after the last may reach as far as it likes. [us]
    columns
        Of summaries, that are needed.
    policy
        To which no gap within a run may be too long; None where gaps do not matter.
    coarsest
        The level to begin with.

    Raises
    ------
    DamagedFileError
        If a file of what is kept cannot be read. There is nothing else that could answer.
    """
    asked = _Asked(edges, columns, policy)
    numbers, _ = split_pairs(closed.pairs)
    by_file: dict[str, dict[int, str | None]] = defaultdict(dict)
    for one in closed.days:
        by_file[one.coarse][one.number] = one.fine
    found = []
    for name, fine in by_file.items():
        pairs = closed.pairs[np.isin(numbers, list(fine))]
        found += _Source(kept, name, fine, asked).runs(pairs, _whole_cells(*span_us, coarsest), coarsest)
    whole = joined(found or [Summaries.from_arrow(SUMMARIES.empty_table())])
    cut = asked.is_cut(whole)
    return KeptRuns(_not_known(whole.take(~cut), asked), whole.take(cut))


def _whole_cells(begin_us: int, end_us: int, level: int) -> Ranges:
    length = LEVELS_US[level]
    return Ranges.of(np.array([begin_us // length * length]), np.array([-(-end_us // length) * length]))


def _not_known(runs: Summaries, asked: _Asked) -> Summaries:
    """Runs whose own time counts as not known where the policy does not reach over all of it."""
    is_known = ~asked.is_doubtful(runs)
    return replace(
        runs,
        integral_hold=np.where(is_known, runs.integral_hold, 0.0),
        integral_linear=np.where(is_known, runs.integral_linear, 0.0),
        known_hold_us=np.where(is_known, runs.known_hold_us, 0),
        known_linear_us=np.where(is_known, runs.known_linear_us, 0),
        longest_gap_us=np.where(is_known, runs.longest_gap_us, 0),
    )


class _Source:
    """A file of coarse rollups, and the fine ones of its days."""

    def __init__(self, kept: Kept, coarse: str, fine: dict[int, str | None], asked: _Asked) -> None:
        self._kept = kept
        self._coarse = kept.readers.reader(coarse)
        self._fine = fine
        self._asked = asked

    def runs(self, pairs: np.ndarray, ranges: Ranges, level: int) -> list[Summaries]:
        """The runs of days and tags in ranges, none coarser than `level` where that can be."""
        return self._looked_up(pairs, ranges, level, None)

    def _looked_up(self, pairs: np.ndarray, ranges: Ranges, level: int, former: int | None) -> list[Summaries]:
        """The runs at this level or finer ones; at `former`, or the finest there is, where there are none such."""
        if level < 0:
            return self._at_last(pairs, ranges, former)
        is_kept = is_in(pairs, self._coarse.kept_at(level))
        found = [] if is_kept.all() else self._looked_up(pairs[~is_kept], ranges, level - 1, former)
        pairs = pairs[is_kept]
        if not len(pairs):
            return found
        runs = self._read(pairs, level, ranges)
        unsure = self._asked.is_cut(runs) | self._asked.is_doubtful(runs)
        if not unsure.any():
            return [*found, runs]
        own = _pairs(runs)
        again = np.unique(own[unsure])
        cells = Ranges.of_cells(runs.begin_us[unsure], level)
        rest = runs.take(~(is_in(own, again) & cells.hold(runs.begin_us)))
        return [*found, rest, *self._looked_up(again, cells, level - 1, level)]

    def _at_last(self, pairs: np.ndarray, ranges: Ranges, former: int | None) -> list[Summaries]:
        if former is not None:
            return [self._read(pairs, former, ranges)]
        found = []
        for level in range(len(LEVELS_US)):
            is_kept = is_in(pairs, self._coarse.kept_at(level))
            if is_kept.any():
                found.append(self._read(pairs[is_kept], level, _whole_cells(*ranges.hull, level)))
                pairs = pairs[~is_kept]
        return found

    def _read(self, pairs: np.ndarray, level: int, ranges: Ranges) -> Summaries:
        if level not in FINE:
            return self._coarse.read(pairs, level, ranges, self._asked.columns)
        days = split_pairs(pairs)[0]
        parts = []
        for day in np.unique(days).tolist():
            name = self._fine[day]
            if name is not None:
                reader = self._kept.readers.reader(name)
                parts.append(reader.read(pairs[days == day], level, ranges, self._asked.columns))
        return joined(parts)


def _pairs(runs: Summaries) -> np.ndarray:
    pairs: np.ndarray = runs.begin_us // LEVELS_US[DAY] << 32 | runs.tag
    return pairs
