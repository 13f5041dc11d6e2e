"""How the historian answers: from samples and rollups, hot and sealed, as if all were samples in one place.

Rollups are used where they come to exactly what the samples would. Three things may speak against a cell of a level:
two sources that know samples of the same time (of a pair that is written twice only the later counts), a gap inside it
that the policy does not reach over, and steps that cut it. Such cells are asked again at the next finer level, down to
the samples. Where samples are gone and rollups of them are kept, these alone answer (`kept_runs`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
from tsdownsample import MinMaxLTTBDownsampler

from athanor.kernel.historian.aggregation import Measure, Steps, aggregate
from athanor.kernel.historian.gaps import Between, GapPolicy, is_good
from athanor.kernel.historian.hotlog import Generation, HotLog
from athanor.kernel.historian.kept import Closed, Kept
from athanor.kernel.historian.kept_runs import runs_of
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.layout import columns_of, merged, sorted_samples
from athanor.kernel.historian.levels import LEVELS_US, SAMPLES, Part, Ranges, level_within, plan, reach
from athanor.kernel.historian.port import STEPS, STORED, DamagedFileError, Span, moment
from athanor.kernel.historian.rollupfiles import DAY, FINE, RollupReader, is_in, pairs_of, split_pairs
from athanor.kernel.historian.rollups import Rollups
from athanor.kernel.historian.sealed import OpenFiles, SealedReader
from athanor.kernel.historian.summaries import Summaries, doubtful, each, joined, summarise
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME

POINTS = pa.schema([STORED.field("tag"), STORED.field("time"), STORED.field("value")])

_TELL_ENDS = {Measure.FIRST, Measure.LAST}
_WEIGHED = {Measure.MEAN, Measure.INTEGRAL, Measure.SHARE_GOOD}  # what a gap's length goes into
_CELLS_A_POINT = 2.0  # how wide a cell may be, in points of a chart: it brings four samples to choose from
_APART = timedelta(hours=1) // timedelta(microseconds=1)  # ranges further apart than this are read one by one

_ALONE = ("tag", "begin_at", "end_after_us", "count", "bad")  # what samples that stand for themselves need
_ENDS = (
    "tag",
    "begin_at",
    "end_after_us",
    "first_after_us",
    "last_after_us",
    "count",
    "bad",
    "first",
    "last",
    "longest_gap_us",
)
_COLUMNS: dict[Measure, tuple[str, ...]] = {  # of rollups, that a measure needs beside _ENDS
    Measure.MIN: ("minimum",),
    Measure.MAX: ("maximum",),
    Measure.SUM: ("total",),
    Measure.STD: ("total", "squares"),
}
_KNOWN = {Between.NONE: (), Between.HOLD: ("known_hold_us",), Between.LINEAR: ("known_linear_us",)}  # for `covered`
_INTEGRALS = {
    Between.NONE: ("total",),
    Between.HOLD: ("total", "integral_hold", "known_hold_us"),
    Between.LINEAR: ("total", "integral_linear", "known_linear_us"),
}
_DRAWN = (*_ENDS, "minimum", "maximum", "minimum_after_us", "maximum_after_us")


_Answer = TypeVar("_Answer")
_Points = tuple[np.ndarray, np.ndarray, np.ndarray]  # tag, time [us] and value of good samples, by tag, then time


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of all sources in the same way."""

    inner_us: tuple[int, int]  # what is asked for; outside it only the ends of runs matter
    columns: Sequence[str]  # of rollups, that are needed
    policy: GapPolicy | None  # None where gaps do not matter
    of_samples: Callable[[np.ndarray, Ranges], Summaries]  # where no rollup answers
    closed: Closed  # what is not to be asked of samples, nor of rollups of those that are there


class Answers:
    """The reading half of the tiered historian. Its methods block, and may run in many threads at once."""

    def __init__(self, tail: HotLog, lake: Lake, rollups: Rollups, kept: Kept, decoders: Executor) -> None:
        """`decoders` share the work of one query; it must not be what the query itself runs in."""
        self._tail = tail
        self._lake = lake
        self._rollups = rollups
        self._kept = kept
        self._decoders = decoders
        self._samples = OpenFiles(lake.store, SealedReader)
        self._fine = OpenFiles(rollups.store, RollupReader)
        self._coarse = OpenFiles(rollups.store, RollupReader)

    def forget(self, samples: Sequence[str], rollups: Sequence[str]) -> None:
        """Let go of files that are gone."""
        self._samples.forget(samples)
        self._fine.forget(rollups)
        self._coarse.forget(rollups)

    def read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        """See `Historian.read`."""
        return self._read(_sorted(tags), span.start_us, span.end_us)

    def resample(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> pa.Table:
        """See `Historian.resample`."""
        return self.measures(tags, edges, [how], policy)[how]

    def measures(
        self, tags: Sequence[TagId], edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy
    ) -> Mapping[Measure, pa.Table]:
        """See `Historian.measures`."""
        wanted = _sorted(tags)
        before_us = policy.limit_us
        after_us = policy.limit_us if policy.between is Between.LINEAR else 0
        wider = reach(edges, before_us, after_us)

        def answer(closed: Closed) -> Mapping[Measure, pa.Table]:
            return self._measured(wanted, edges, wider, hows, policy, closed)

        return self._while_closed(wanted, wider, answer)

    def _measured(
        self,
        tags: np.ndarray,
        edges: np.ndarray,
        wider: np.ndarray,
        hows: Sequence[Measure],
        policy: GapPolicy,
        closed: Closed,
    ) -> Mapping[Measure, pa.Table]:
        stands_alone = policy.between is Between.NONE
        question = _Question(
            inner_us=(int(edges[0]), int(edges[-1])),
            columns=_columns_for(hows, policy),
            policy=None if stands_alone else policy,
            of_samples=lambda some, ranges: self._summarised(
                some, ranges, wider, None if stands_alone else policy.limit_us, closed
            ),
            closed=closed,
        )
        parts = [one for part in plan(wider) for one in self._answered(tags, part, question)]
        limit_us = None if stands_alone else policy.limit_us
        if not closed:
            summaries = _limited(parts, limit_us)
            return {how: _stepped(aggregate(summaries, edges, how, policy)) for how in hows}
        span_us, coarsest = (int(wider[0]), int(wider[-1])), max(level_within(int(np.diff(edges).max())), 0)
        kept = runs_of(self._kept, closed, span_us, edges, question.columns, question.policy, coarsest)
        summaries = _limited([*parts, kept.sound if stands_alone else kept.known()], limit_us)
        answers = {}
        for how in hows:
            steps = aggregate(summaries, edges, how, policy)
            is_cut = stands_alone or how not in _WEIGHED  # else `covered` says how much is known
            answers[how] = _stepped(steps.without(*kept.steps_cut(edges), edges) if is_cut else steps)
        return answers

    def downsample(self, tags: Sequence[TagId], span: Span, points: int) -> pa.Table:
        """See `Historian.downsample`."""
        wanted = _sorted(tags)
        edges = np.array([span.start_us, span.end_us], np.int64)
        if span.start_us == span.end_us:
            return POINTS.empty_table()
        coarsest = level_within((span.end_us - span.start_us) / points * _CELLS_A_POINT)

        def answer(closed: Closed) -> pa.Table:
            kept = self._kept_to_draw(closed, edges, coarsest)
            if coarsest == SAMPLES:
                live = self._good(wanted, Ranges.of(edges[:1], edges[1:]), closed)
            else:
                live = self._drawn(wanted, edges, coarsest, points, kept, closed)
            return _points(_together(live, _within(_candidates(kept), edges)) if closed else live, points)

        return self._while_closed(wanted, edges, answer)

    def _drawn(
        self, tags: np.ndarray, edges: np.ndarray, coarsest: int, points: int, kept: Summaries, closed: Closed
    ) -> _Points:
        """The samples that a chart may be drawn from: a few of each cell, all where a tag has no more than points."""
        of_samples = partial(self._each_good, closed=closed)
        question = _Question((int(edges[0]), int(edges[1])), _DRAWN, None, of_samples, closed)
        parts = [one for part in plan(edges, coarsest=coarsest) for one in self._answered(tags, part, question)]
        summaries = joined(parts)
        tag, time_us, value = _candidates(summaries)
        few = _with_few(joined([summaries, kept]), points)
        keep = ~np.isin(tag, few)
        exact = self._good(few, Ranges.of(edges[:1], edges[1:]), closed)
        return _together((tag[keep], time_us[keep], value[keep]), exact)

    # --- closed days

    def _while_closed(self, tags: np.ndarray, edges: np.ndarray, answer: Callable[[Closed], _Answer]) -> _Answer:
        """An answer; anew where days were closed while it was found, since their samples may have been missed."""
        span_us = int(edges[0]), int(edges[-1])
        while True:
            closed = self._kept.closed(tags, *span_us)
            found = answer(closed)
            if self._kept.is_still(closed, *span_us):
                return found

    def _kept_to_draw(self, closed: Closed, edges: np.ndarray, coarsest: int) -> Summaries:
        level = max(coarsest, 0)
        return runs_of(self._kept, closed, (int(edges[0]), int(edges[1])), edges, _DRAWN, None, level).all()

    # --- summaries

    def _answered(self, tags: np.ndarray, part: Part, question: _Question) -> list[Summaries]:
        """Summaries of the part, each within a step; where rollups cannot tell, of finer ones or of samples."""
        if part.level == SAMPLES:
            return [question.of_samples(tags, part.ranges)]
        found = self._rolled_up(tags, part, question)
        suspect = _overlapping(found)
        if question.policy is not None:
            first_us, end_us = question.inner_us
            is_inner = (found.begin_us >= first_us) & (found.begin_us < end_us)
            suspect |= doubtful(found, question.policy) & is_inner
        if not suspect.any():
            return [found]
        again = np.unique(found.tag[suspect])
        cells = Ranges.of_cells(found.begin_us[suspect], part.level)
        rest = found.take(~(np.isin(found.tag, again) & cells.hold(found.begin_us)))
        return [rest, *self._answered(again, Part(part.level - 1, cells), question)]

    def _rolled_up(self, tags: np.ndarray, part: Part, question: _Question) -> Summaries:
        """What every source has of the part, each summary within a cell; they may overlap."""
        begin_us, end_us = part.ranges.hull
        generations = self._tail.generations  # first: what is sealed meanwhile is then seen twice, and found to overlap
        files = self._lake.candidates(tags, Span(moment(begin_us), moment(end_us)))
        groups: dict[str | None, list[SealedFile]] = defaultdict(list)
        for file in files:
            if part.ranges.meet(file.first_us, file.last_us):
                groups[self._rollups.coarse_of(file)].append(file)
        found = [self._of_generation(generation, tags, part, question.closed) for generation in generations]
        asked = partial(self._of_files, tags=tags, part=part, question=question)
        for of_files in self._decoders.map(asked, groups, groups.values()):
            found += of_files
        return joined([one for one in found if len(one)] or found[:1])

    def _of_files(
        self, name: str | None, files: Sequence[SealedFile], tags: np.ndarray, part: Part, question: _Question
    ) -> list[Summaries]:
        """What files of samples come to that share a file of coarse rollups, or have none.

        Each tag and day answers at the part's level or, where that is not kept of it, at the next finer one that is.
        """
        closed, columns = question.closed, question.columns
        if name is None:
            return [self._of_samples(file, tags, part, closed) for file in files]
        by_day = {file.first_us // LEVELS_US[DAY]: file for file in files}
        days = np.sort(np.fromiter(by_day, np.int64))
        rest = pairs_of(np.repeat(days, len(tags)), np.tile(tags, len(days)))
        found: list[Summaries] = []
        try:
            reader = self._coarse.reader(name)
            rest = rest[is_in(rest, reader.kept_at(DAY)) & ~is_in(rest, closed.pairs)]  # what there is
            for level in range(part.level, -1, -1):
                is_kept = is_in(rest, reader.kept_at(level))
                if not is_kept.any():
                    continue
                if level in FINE:
                    found += self._of_fine(by_day, rest[is_kept], level, part, question)
                else:
                    found.append(reader.read(rest[is_kept], level, part.ranges, columns))
                rest = rest[~is_kept]
        except DamagedFileError as error:
            self._rollups.discard(name, error)
            return [self._of_samples(file, tags, part, closed) for file in files]
        of_samples = (self._of_samples(by_day[day], split_pairs(own)[1], part, closed) for day, own in _each_day(rest))
        return [*found, *of_samples]

    def _of_fine(
        self, by_day: Mapping[int, SealedFile], pairs: np.ndarray, level: int, part: Part, question: _Question
    ) -> Iterator[Summaries]:
        """What days and tags come to by fine rollups of this level, which is kept of them."""
        for day, own in _each_day(pairs):
            name = self._rollups.fine_of(by_day[day])
            if name is not None:
                try:
                    yield self._fine.reader(name).read(own, level, part.ranges, question.columns)
                    continue
                except DamagedFileError as error:
                    self._rollups.discard(name, error)
            yield self._of_samples(by_day[day], split_pairs(own)[1], part, question.closed)

    def _of_samples(self, file: SealedFile, tags: np.ndarray, part: Part, closed: Closed) -> Summaries:
        tags = closed.open_among(tags, file.first_us // LEVELS_US[DAY])
        if not len(tags):
            return _by_cells(STORED.empty_table(), part)
        first_us = max(part.ranges.hull[0], file.first_us)
        rows = self._samples.reader(file.name).read(tags, first_us, min(part.ranges.hull[1], file.last_us + 1))
        return _by_cells(rows, part)

    def _of_generation(self, generation: Generation, tags: np.ndarray, part: Part, closed: Closed) -> Summaries:
        rows = generation.read(tags, *part.ranges.hull)
        return _by_cells(_open(sorted_samples(rows), closed), part)

    # --- samples

    def _read(self, tags: np.ndarray, start_us: int, end_us: int) -> pa.Table:
        """Sealed files and generations in the order of their writing, merged.

        Generations are listed first: one that is sealed in between is then read twice, which does no harm, and never
        not at all.
        """
        if not len(tags) or start_us >= end_us:
            return STORED.empty_table()
        parts: list[tuple[int, pa.Table]] = [
            (generation.order, generation.read(tags, start_us, end_us)) for generation in self._tail.generations
        ]
        files = self._lake.candidates(tags, Span(moment(start_us), moment(end_us)))
        tables = self._decoders.map(lambda file: self._samples.reader(file.name).read(tags, start_us, end_us), files)
        parts += [(file.order, table) for file, table in zip(files, tables, strict=True)]
        return merged([part for _, part in sorted(parts, key=lambda part: part[0])])

    def _read_ranges(self, tags: np.ndarray, ranges: Ranges, closed: Closed) -> pa.Table:
        """Samples that lie in the ranges and in no closed day, by tag, then time."""
        tables = []
        for near in ranges.clusters(_APART):
            rows = self._read(tags, *near.hull)
            is_held = near.hold(rows["time"].cast(pa.int64()).to_numpy())
            tables.append(rows if is_held.all() else rows.filter(pa.array(is_held)))
        return _open(tables[0] if len(tables) == 1 else merged(tables), closed)

    def _summarised(
        self, tags: np.ndarray, ranges: Ranges, edges: np.ndarray, limit_us: int | None, closed: Closed
    ) -> Summaries:
        """Summaries of samples in the ranges, within the edges, that count no gap beyond the limit."""
        boundaries = np.unique(np.concatenate([edges, ranges.begin_us, ranges.end_us]))
        return summarise(*columns_of(self._read_ranges(tags, ranges, closed)), boundaries, limit_us=limit_us)

    def _good(self, tags: np.ndarray, ranges: Ranges, closed: Closed) -> _Points:
        """Tag, time [us] and value of the good numbers in the ranges, sorted."""
        tag, time_us, value, quality = columns_of(self._read_ranges(tags, ranges, closed))
        good = is_good(value, quality)
        return tag[good], time_us[good], value[good]

    def _each_good(self, tags: np.ndarray, ranges: Ranges, closed: Closed) -> Summaries:
        """One summary for each good number in the ranges."""
        tag, time_us, value = self._good(tags, ranges, closed)
        return each(tag, time_us, value, np.zeros(len(tag), np.uint8))


def _columns_for(hows: Sequence[Measure], policy: GapPolicy) -> tuple[str, ...]:
    """The columns of rollups that go into the measures."""
    needed = [_INTEGRALS[policy.between] if how in _WEIGHED else _COLUMNS.get(how, ()) for how in hows]
    is_alone = policy.between is Between.NONE and _TELL_ENDS.isdisjoint(hows)
    ends = _ALONE if is_alone else (*_ENDS, *_KNOWN[policy.between])
    return tuple(dict.fromkeys([*ends, *(name for names in needed for name in names)]))


def _sorted(tags: Iterable[TagId]) -> np.ndarray:
    return np.unique(np.fromiter(tags, np.int32))


def _open(rows: pa.Table, closed: Closed) -> pa.Table:
    """Samples without those of closed days: they have come too late, or are on their way out."""
    if not closed or not rows.num_rows:
        return rows
    is_closed = closed.hold(rows["tag"].to_numpy(), rows["time"].cast(pa.int64()).to_numpy())
    return rows.filter(pa.array(~is_closed)) if is_closed.any() else rows


def _limited(parts: Sequence[Summaries], limit_us: int | None) -> Summaries:
    return joined([replace(part, limit_us=limit_us) for part in parts])


def _each_day(pairs: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Sorted pairs, day by day."""
    days = split_pairs(pairs)[0]
    for day in np.unique(days).tolist():
        yield day, pairs[days == day]


def _by_cells(rows: pa.Table, part: Part) -> Summaries:
    """Summaries of sorted samples that lie in the part's ranges, one for each tag and cell."""
    tag, time_us, value, quality = columns_of(rows)
    is_held = part.ranges.hold(time_us)
    if not is_held.all():
        tag, time_us, value, quality = tag[is_held], time_us[is_held], value[is_held], quality[is_held]
    if not len(tag):
        return each(tag, time_us, value, quality)
    length = LEVELS_US[part.level]
    first_us, last_us = int(time_us.min()), int(time_us.max())
    cells = part.ranges.within(first_us // length * length, (last_us // length + 1) * length)
    return summarise(tag, time_us, value, quality, cells.boundaries(part.level))


def _overlapping(summaries: Summaries) -> np.ndarray:
    """True for runs of one tag that begin before the run before them has ended, and for those before them. [M]"""
    meets = (summaries.tag[1:] == summaries.tag[:-1]) & (summaries.begin_us[1:] <= summaries.end_us[:-1])
    return np.append(meets, False) | np.append(False, meets) if len(summaries) else np.zeros(0, bool)


def _with_few(summaries: Summaries, points: int) -> np.ndarray:
    """The tags, sorted, that have no more good samples than that."""
    tags, place = np.unique(summaries.tag, return_inverse=True)
    few: np.ndarray = tags[np.bincount(place, weights=summaries.count, minlength=len(tags)) <= points]
    return few


def _candidates(summaries: Summaries) -> _Points:
    """Of each run the first, lowest, highest and last good sample: tag, time [us] and value, sorted, each once."""
    runs = summaries.take(summaries.count > 0)
    tag = np.repeat(runs.tag, 4)
    time_us = np.stack([runs.first_us, runs.minimum_us, runs.maximum_us, runs.last_us], axis=1).ravel()
    value = np.stack([runs.first, runs.minimum, runs.maximum, runs.last], axis=1).ravel()
    order = np.lexsort((time_us, tag))
    tag, time_us, value = tag[order], time_us[order], value[order]
    is_new = np.ones(len(tag), bool)
    is_new[1:] = (tag[1:] != tag[:-1]) | (time_us[1:] != time_us[:-1])
    return tag[is_new], time_us[is_new], value[is_new]


def _together(one: _Points, other: _Points) -> _Points:
    """Samples of two sources, by tag, then time."""
    tag, time_us, value = (np.concatenate(both) for both in zip(one, other, strict=True))
    order = np.lexsort((time_us, tag))
    return tag[order], time_us[order], value[order]


def _within(points: _Points, edges: np.ndarray) -> _Points:
    tag, time_us, value = points
    is_within = (time_us >= edges[0]) & (time_us < edges[-1])
    return tag[is_within], time_us[is_within], value[is_within]


def _points(samples: _Points, points: int) -> pa.Table:
    """Samples by tag, then time, thinned out to so many a tag (schema POINTS)."""
    chosen = _looks_alike(*samples, points)
    tag, time_us, value = (column[chosen] for column in samples)
    return pa.table([pa.array(tag, pa.int32()), pa.array(time_us).cast(TIME), pa.array(value)], POINTS)


def _looks_alike(tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, points: int) -> np.ndarray:
    """Indices of at most about `points` samples a tag that keep the curve's shape and extremes (MinMaxLTTB)."""
    first = np.flatnonzero(np.append(True, tag[1:] != tag[:-1])) if len(tag) else np.empty(0, np.int64)
    keep = [np.empty(0, np.int64)]
    for begin, end in zip(first, np.append(first, len(tag))[1:], strict=True):
        if end - begin <= points:
            keep.append(np.arange(begin, end))
        else:
            chosen = MinMaxLTTBDownsampler().downsample(time_us[begin:end], value[begin:end], n_out=max(points, 3))
            keep.append(begin + chosen.astype(np.int64))
    return np.concatenate(keep)


def _stepped(steps: Steps) -> pa.Table:
    time = pa.array(steps.start_us, pa.int64()).cast(TIME)
    covered = pa.array(steps.covered, mask=np.isnan(steps.covered))
    return pa.table([pa.array(steps.tag, pa.int32()), time, pa.array(steps.value), covered], STEPS)
