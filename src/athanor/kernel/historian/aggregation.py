"""From summaries to one value a step: what a gap policy draws between them is cut exactly at the edges."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from athanor.kernel.historian.gaps import Between, GapPolicy, GapPolicyNeededError
from athanor.kernel.historian.summaries import Summaries, doubtful, merge, step_of, summarise

_EVER_US = np.iinfo(np.int64).max
_US = 1e-6  # [s]


class Measure(StrEnum):
    """What a step comes to.

    Sum, count and std are of its own good samples, whatever the policy; without any there is no row. The others are of
    the signal that the policy draws: under hold and linear what comes over the step's edges belongs to it, so that
    min <= mean <= max (to rounding). Where samples stand for themselves, these too are of the samples alone.
    """

    MEAN = "mean"  # over the time that is known; of samples that stand for themselves the plain mean
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    SUM = "sum"
    COUNT = "count"
    INTEGRAL = "integral"  # value·s over the time that is known: kW become kWs
    STD = "std"  # about the samples' mean, divided by their count
    SHARE_GOOD = "share_good"  # of the step's time that is known; of its samples where they stand for themselves


_NEEDS_GAPS = {Measure.MEAN, Measure.INTEGRAL, Measure.SHARE_GOOD}


@dataclass(frozen=True, slots=True)
class Steps:
    """Values of steps by tag, then time; no row where nothing is known. Columns of one length."""

    tag: np.ndarray
    start_us: np.ndarray
    value: np.ndarray  # NaN only where needs_samples
    covered: np.ndarray  # share of the step's time that is known, 0 to 1; NaN where no policy or no summary can say
    needs_samples: np.ndarray  # True where summaries hold a gap beyond the limit: ask again with samples

    def without(self, tag: np.ndarray, step: np.ndarray, edges: np.ndarray) -> "Steps":
        """The others than these, where `edges` are those of the steps."""
        own = _key(self.tag, step_of(self.start_us, edges), len(edges))
        keep = ~np.isin(own, _key(tag, step, len(edges)))
        return Steps(*(getattr(self, name)[keep] for name in Steps.__slots__))


@dataclass(frozen=True, slots=True)
class _Parts:
    """What makes up steps: summaries, and pieces of what is drawn between them."""

    tag: np.ndarray
    step: np.ndarray
    first: np.ndarray
    last: np.ndarray
    low: np.ndarray
    high: np.ndarray
    known_us: np.ndarray
    integral: np.ndarray  # [value·s]


def aggregate(summaries: Summaries, edges: np.ndarray, how: Measure, policy: GapPolicy) -> Steps:
    """One value for each tag and step about which something is known.

    Parameters
    ----------
    summaries
        Of all samples within the edges, in runs that reach over none. What lies outside only lends what the policy
        draws over the first and last edge: give each tag's last sample before and first sample after, whatever their
        quality (`summaries.each`), or whole summaries there.
    edges
        Ascending boundaries of the steps. Values hold up to the last one: let it be no later than now. [us] [K + 1]
    how
        What a step comes to. An integral, and a mean, is of the known part alone; `covered` says how large that is.
    policy
        What is known between samples.

    Returns
    -------
    Steps
        Exact, but for the order of additions, whatever runs the summaries are of. Where they cannot be,
        `needs_samples` is True and the value NaN; `summaries.doubtful` tells which summaries to replace.

    Raises
    ------
    GapPolicyNeededError
        For an integral of samples that stand for themselves.
    ValueError
        If the edges do not ascend, a summary reaches over one, or another policy's limit has gone into it.
    """
    how = Measure(how)
    if policy.between is Between.NONE and how is Measure.INTEGRAL:
        raise GapPolicyNeededError(how.value)
    doubtful(summaries, policy)  # refuses what is limited otherwise
    if policy.between is not Between.NONE:
        summaries = replace(summaries, limit_us=policy.limit_us)  # for what lies between them; their own gaps are done
    runs = merge(summaries, edges)
    step = step_of(runs.begin_us, edges)
    is_within = (step >= 0) & (step < len(edges) - 1)
    pieces, is_tail = _drawn_between(runs, step, edges, policy)
    inner, inner_step = runs.take(is_within), step[is_within]
    parts = _joined([_selected(pieces, ~is_tail), _of_runs(inner, inner_step, policy), _selected(pieces, is_tail)])
    order, start = _by_step(parts.tag, parts.step, len(edges))
    parts = _selected(parts, order)
    place = np.searchsorted(_key(parts.tag, parts.step, len(edges))[start], _key(inner.tag, inner_step, len(edges)))
    return _answered(parts, start, inner, place, edges, how, policy)


def aggregate_samples(
    tag: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray,
    edges: np.ndarray,
    how: Measure,
    policy: GapPolicy,
) -> Steps:
    """The same straight from samples by tag, then time, neighbours of the span included: nothing needs asking again."""
    limit_us = None if policy.between is Between.NONE else policy.limit_us
    return aggregate(summarise(tag, time_us, value, quality, edges, limit_us=limit_us), edges, how, policy)


def _answered(
    parts: _Parts,
    start: np.ndarray,
    runs: Summaries,
    place: np.ndarray,
    edges: np.ndarray,
    how: Measure,
    policy: GapPolicy,
) -> Steps:
    """Steps of the parts that begin at `start`, where `place` tells which of them each run belongs to."""
    tag, step = parts.tag[start], parts.step[start]
    stands_alone = policy.between is Between.NONE
    known_us = _added(parts.known_us, start)
    is_doubtful = np.zeros(len(start), bool)
    is_doubtful[place] = (runs.longest_gap_us > policy.limit_us) & (not stands_alone)
    covered = np.full(len(start), np.nan) if stands_alone else known_us / (edges[step + 1] - edges[step])
    covered[is_doubtful] = np.nan
    if how in {Measure.SUM, Measure.COUNT, Measure.STD} or (stands_alone and how in _NEEDS_GAPS):
        value = np.full(len(start), np.nan)
        value[place] = _of_samples(runs, how)
    elif how is Measure.SHARE_GOOD:
        value = covered.copy()
    else:
        value = _of_signal(parts, start, known_us, how)
    needs_samples = is_doubtful & (how in _NEEDS_GAPS)
    value[needs_samples] = np.nan
    is_told = ~np.isnan(value) | needs_samples
    return Steps(tag[is_told], edges[step[is_told]], value[is_told], covered[is_told], needs_samples[is_told])


def _of_samples(runs: Summaries, how: Measure) -> np.ndarray:
    """What the samples of each run come to; NaN where none is good, which still is a share of 0."""
    count = np.where(runs.count > 0, runs.count, np.nan)
    value: np.ndarray
    if how is Measure.SUM:
        value = np.where(runs.count > 0, runs.total, np.nan)
    elif how is Measure.STD:
        value = np.sqrt(runs.squares / count)
    elif how is Measure.MEAN:
        value = runs.total / count
    elif how is Measure.SHARE_GOOD:
        value = runs.count / (runs.count + runs.bad)
    else:
        value = count
    return value


def _of_signal(parts: _Parts, start: np.ndarray, known_us: np.ndarray, how: Measure) -> np.ndarray:
    """What the parts of each step come to; NaN where they know nothing of it."""
    if len(start) == 0:
        return np.zeros(0)
    value: np.ndarray
    if how is Measure.MIN:
        value = np.fmin.reduceat(parts.low, start)
    elif how is Measure.MAX:
        value = np.fmax.reduceat(parts.high, start)
    elif how in {Measure.FIRST, Measure.LAST}:
        end = np.append(start[1:], len(parts.tag)) - 1
        row, has_value = np.arange(len(parts.tag)), ~np.isnan(parts.first)
        if how is Measure.FIRST:
            value = parts.first[np.minimum(np.minimum.reduceat(np.where(has_value, row, len(row)), start), end)]
        else:
            value = parts.last[np.maximum(np.maximum.reduceat(np.where(has_value, row, -1), start), start)]
    else:
        value = np.where(known_us > 0, _added(parts.integral, start), np.nan)
        if how is Measure.MEAN:
            value /= np.maximum(known_us, 1) * _US
    return value


def _added(column: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The sum of each run of rows that begins at `start`."""
    return np.add.reduceat(column, start) if len(start) else column[:0]


def _of_runs(runs: Summaries, step: np.ndarray, policy: GapPolicy) -> _Parts:
    nothing = np.zeros(len(runs))
    known_us, integral = {
        Between.NONE: (nothing.astype(np.int64), nothing),
        Between.HOLD: (runs.known_hold_us, runs.integral_hold),
        Between.LINEAR: (runs.known_linear_us, runs.integral_linear),
    }[policy.between]
    return _Parts(runs.tag, step, runs.first, runs.last, runs.minimum, runs.maximum, known_us, integral)


def _drawn_between(
    runs: Summaries, step: np.ndarray, edges: np.ndarray, policy: GapPolicy
) -> tuple[_Parts, np.ndarray]:
    """What the policy draws from each run's last sample to the next run, cut at the edges.

    Returns the pieces by tag, then time, and True for those that follow a run in its own step.
    """
    has_next = np.zeros(len(runs), bool)
    has_next[:-1] = runs.tag[1:] == runs.tag[:-1]
    follows = np.minimum(np.arange(len(runs)) + 1, len(runs) - 1)  # the next run; the last is its own
    next_us, target = runs.begin_us[follows], runs.last
    is_drawn = runs.ends_good
    if policy.between is Between.HOLD:
        next_us = np.minimum(np.where(has_next, next_us, _EVER_US), runs.last_us + policy.limit_us)
    else:
        target = runs.first[follows]
        is_drawn &= has_next & runs.begins_good[follows] & (next_us - runs.last_us <= policy.limit_us)
    begin_us, end_us = np.maximum(runs.last_us, edges[0]), np.minimum(next_us, edges[-1])
    rows = np.flatnonzero(is_drawn & (begin_us < end_us))
    first_step = step_of(begin_us[rows], edges)
    size = step_of(end_us[rows] - 1, edges) - first_step + 1
    row = np.repeat(rows, size)
    at_step = np.arange(len(row)) - np.repeat(np.cumsum(size) - size - first_step, size)
    begin_us = np.maximum(begin_us[row], edges[at_step])
    end_us = np.minimum(end_us[row], edges[at_step + 1])
    start, stop = (_on_line(runs, row, target, next_us, time_us) for time_us in (begin_us, end_us))
    known_us = end_us - begin_us
    integral = (start + 0.5 * (stop - start)) * (known_us * _US)
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    return _Parts(runs.tag[row], at_step, start, stop, low, high, known_us, integral), at_step == step[row]


def _on_line(
    runs: Summaries, row: np.ndarray, target: np.ndarray, next_us: np.ndarray, time_us: np.ndarray
) -> np.ndarray:
    """The value at a time on the line from a run's last sample to the target."""
    share = (time_us - runs.last_us[row]) / (next_us[row] - runs.last_us[row])
    value: np.ndarray = runs.last[row] + (target[row] - runs.last[row]) * share
    return value


def _key(tag: np.ndarray, step: np.ndarray, edges: int) -> np.ndarray:
    """A number that sorts by tag, then step."""
    key: np.ndarray = tag.astype(np.int64) * edges + step
    return key


def _by_step(tag: np.ndarray, step: np.ndarray, edges: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices that sort by tag, then step, keeping the order of equals, and where each pair then begins."""
    key = _key(tag, step, edges)
    order = np.argsort(key, kind="stable")
    key = key[order]
    differs = np.ones(len(key), bool)
    differs[1:] = key[1:] != key[:-1]
    return order, np.flatnonzero(differs)


def _selected(parts: _Parts, rows: np.ndarray) -> _Parts:
    return _Parts(*(getattr(parts, name)[rows] for name in _Parts.__slots__))


def _joined(parts: list[_Parts]) -> _Parts:
    return _Parts(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Parts.__slots__))
