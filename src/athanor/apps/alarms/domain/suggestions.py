"""Which deadband and delays would have kept a chattering alarm quiet, without hiding or delaying one that was true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import floor, log10

import numpy as np

DELAYS_S = (0.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
MOST_DEADBANDS = 8
GOAL = 0.9  # of activations to be removed
TRUE_AFTER_S = 300.0
PART_OF_RESPONSE = 0.25  # of the time to respond that a delay may use up
WITHOUT_RESPONSE_S = 60.0  # a delay's most where no time to respond is known
_STALE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How an alarm on a limit is damped. The deadband is in the tag's unit."""

    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """An alarm on a limit, and which of its activations count as true.

    Parameters
    ----------
    at
        The limit, in the tag's unit.
    is_high
        On which side of it is abnormal.
    setting
        How it is damped now.
    next_at
        The next limit on the same side: what went on to it was true. None where there is none.
    true_after_s
        What stood for longer was true. [s]
    acted_us
        When an operator did something about it: an activation that stood then was true. [µs]
    respond_within_s
        The time there is to act; None where nobody has said.
    """

    at: float
    is_high: bool
    setting: Setting
    next_at: float | None = None
    true_after_s: float = TRUE_AFTER_S
    acted_us: Sequence[int] = ()
    respond_within_s: float | None = None

    @property
    def most_delay_s(self) -> float:
        """How much later a true alarm may come."""
        known = self.respond_within_s
        return WITHOUT_RESPONSE_S if known is None else PART_OF_RESPONSE * known


@dataclass(frozen=True, slots=True)
class Activations:
    """When an alarm was raised and cleared, int64; the last may end with the samples. [µs]"""

    raised_us: np.ndarray
    cleared_us: np.ndarray

    def __len__(self) -> int:
        return len(self.raised_us)

    @property
    def standing_s(self) -> float:
        """How long it stood in all."""
        return float((self.cleared_us - self.raised_us).sum() / 1e6)

    @property
    def longest_s(self) -> float:
        return float((self.cleared_us - self.raised_us).max() / 1e6) if len(self) else 0.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a setting would have done with the samples of the past.

    Parameters
    ----------
    before, after
        Activations as damped now, and as suggested.
    removed
        The share of activations that would not have been, 0 to 1.
    true, kept
        How many of those before were true; how many of these would have been announced, or standing, in time.
    most_delay_s
        The longest that a true one would have come later.
    standing_before_s, standing_after_s
        How long it stood, or would have stood, in all.
    """

    setting: Setting
    before: int
    after: int
    removed: float
    true: int
    kept: int
    most_delay_s: float
    standing_before_s: float
    standing_after_s: float

    @property
    def is_safe(self) -> bool:
        """Nothing true hidden."""
        return self.kept == self.true


def activations(time_us: np.ndarray, value: np.ndarray, case: Case, setting: Setting) -> Activations:
    """When an alarm on a limit would have been raised and cleared; it stands to the end where it does not clear.

    Raised when the value is at the limit or beyond for the whole on-delay, cleared when it is back by more than the
    deadband for the whole off-delay (IEC 62682; a low alarm mirrored). A value holds until the next sample; one that is
    NaN, as of bad quality, leaves things as they were. `time_us` is ascending.
    """
    time, above = _known(time_us, value, case)
    if not len(time):
        return Activations(np.zeros(0, np.int64), np.zeros(0, np.int64))
    raising = _held(time, above >= 0, setting.on_delay_s)
    clearing = _held(time, above < -setting.deadband, setting.off_delay_s)
    return _alternating(raising, clearing, int(time[-1]))


def true_ones(time_us: np.ndarray, value: np.ndarray, case: Case, found: Activations) -> np.ndarray:
    """Which activations were true: stood for long, were acted upon, or went on to the next limit. bool [N]"""
    is_long = found.cleared_us - found.raised_us > case.true_after_s * 1e6
    acted = np.sort(np.asarray(case.acted_us, np.int64))
    is_acted = _any_within(acted, found)
    time, above = _known(time_us, value, case)
    if case.next_at is None or not len(time):
        return np.asarray(is_long | is_acted)
    beyond = time[above >= abs(case.next_at - case.at)]
    return np.asarray(is_long | is_acted | _any_within(beyond, found))


def assess(time_us: np.ndarray, value: np.ndarray, case: Case, settings: Iterable[Setting]) -> list[Suggestion]:
    """What each of these settings would have done, in their order."""
    now = activations(time_us, value, case, case.setting)
    is_true = true_ones(time_us, value, case, now)
    time, above = _known(time_us, value, case)
    result, raising, clearing = [], {}, {}
    for setting in settings:
        on, off = setting.on_delay_s, (setting.deadband, setting.off_delay_s)
        if on not in raising:
            raising[on] = _held(time, above >= 0, on)
        if off not in clearing:
            clearing[off] = _held(time, above < -setting.deadband, setting.off_delay_s)
        then = _alternating(raising[on], clearing[off], int(time[-1]) if len(time) else 0)
        result.append(_compared(case, setting, now, then, is_true))
    return result


def suggest(time_us: np.ndarray, value: np.ndarray, case: Case, *, goal: float = GOAL) -> list[Suggestion]:
    """Settings that would have removed activations and hidden nothing true, the mildest first; none where none would.

    One each for the deadband alone, each delay alone, and all together: the mildest that removes the share `goal` of
    the activations, else the one that removes most. Left out is what delays a true alarm by more than the case allows,
    and what lets the alarm stand for more than a day where it did not.
    """
    now = activations(time_us, value, case, case.setting)
    if len(now) < 2:  # one is no chattering
        return []
    bands = candidate_deadbands(time_us, value, case, now)
    delays = [one for one in DELAYS_S if one <= case.most_delay_s]
    own = case.setting
    ways = (
        [replace(own, deadband=band) for band in bands],
        [replace(own, on_delay_s=one) for one in delays if one > own.on_delay_s],
        [replace(own, off_delay_s=one) for one in DELAYS_S if one > own.off_delay_s],
        [
            Setting(band, on, off)
            for band, on, off in product([own.deadband, *bands], delays, DELAYS_S)
            if on >= own.on_delay_s and off >= own.off_delay_s
        ],
    )
    found: list[Suggestion] = []
    for settings in ways:
        good = [one for one in assess(time_us, value, case, settings) if _is_good(one, case, now)]
        enough = [one for one in good if one.removed >= goal]
        best = min(enough, key=_harm) if enough else max(good, key=lambda one: (one.removed, -_harm(one)), default=None)
        if best is not None and best.setting not in [one.setting for one in found]:
            found.append(best)
    return sorted(found, key=lambda one: (one.removed < goal, _harm(one) if one.removed >= goal else -one.removed))


def candidate_deadbands(time_us: np.ndarray, value: np.ndarray, case: Case, now: Activations) -> list[float]:
    """Deadbands worth trying: as deep as the value fell back between two activations, and no deeper than is normal."""
    time, above = _known(time_us, value, case)
    if len(now) < 2:
        return []
    starts = np.searchsorted(time, now.cleared_us[:-1])
    stops = np.maximum(np.searchsorted(time, now.raised_us[1:]), starts + 1)
    depths = np.array([-above[i:j].min() for i, j in zip(starts, stops, strict=True) if i < len(above)])
    normal = -float(np.median(above))
    most = normal if normal > 0 else float(depths.max(initial=0.0))
    deep = depths[(depths > case.setting.deadband) & (depths < most)]
    if not len(deep):
        return []
    levels = np.unique(np.quantile(deep, np.linspace(0.3, 1, MOST_DEADBANDS)))
    bands = sorted({_rounded_up(float(one)) for one in levels})
    return [one for one in bands if case.setting.deadband < one <= most]


def _known(time_us: np.ndarray, value: np.ndarray, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Times of good numbers, and how far they are beyond the limit: negative where all is well."""
    is_known = ~np.isnan(value)
    above = (value - case.at) if case.is_high else (case.at - value)
    return time_us[is_known], above[is_known]


def _held(time: np.ndarray, is_so: np.ndarray, for_s: float) -> np.ndarray:
    """When it had been so for long enough, once for each time that it began. [µs]"""
    if not len(time):
        return time
    edges = np.flatnonzero(np.diff(is_so, prepend=False))
    begin_us = time[edges[::2]]
    end_us = np.concatenate([time[edges[1::2]], time[-1:] + 1])[: len(begin_us)]  # the last may still be so
    delay_us = int(for_s * 1e6)
    return np.asarray((begin_us + delay_us)[end_us - begin_us > delay_us])  # it is so at the delay's end, too


def _alternating(raising: np.ndarray, clearing: np.ndarray, end_us: int) -> Activations:
    at = np.concatenate([raising, clearing])
    kind = np.concatenate([np.ones(len(raising), np.int8), -np.ones(len(clearing), np.int8)])
    order = np.lexsort([kind, at])
    at, kind = at[order], kind[order]
    is_turn = np.diff(kind, prepend=np.int8(-1)) != 0  # the first that counts is a raising one
    raised, cleared = at[is_turn & (kind > 0)], at[is_turn & (kind < 0)]
    return Activations(raised, np.concatenate([cleared, [end_us]])[: len(raised)].astype(np.int64))


def _any_within(moments: np.ndarray, found: Activations) -> np.ndarray:
    first = np.searchsorted(moments, found.raised_us)
    return np.asarray(np.searchsorted(moments, found.cleared_us, "right") > first)


def _compared(case: Case, setting: Setting, now: Activations, then: Activations, is_true: np.ndarray) -> Suggestion:
    raised, cleared = now.raised_us[is_true], now.cleared_us[is_true]
    place = np.searchsorted(then.cleared_us, raised, "right")  # the first that had not cleared by then
    there = place < len(then)
    start = np.where(there, then.raised_us[np.minimum(place, max(0, len(then) - 1))] if len(then) else 0, 0)
    there &= start <= cleared
    delay_s = np.where(there, np.maximum(start - raised, 0) / 1e6, np.inf)
    in_time = there & (delay_s <= case.most_delay_s)
    return Suggestion(
        setting,
        before=len(now),
        after=len(then),
        removed=1 - len(then) / len(now) if len(now) else 0.0,
        true=int(is_true.sum()),
        kept=int(in_time.sum()),
        most_delay_s=float(delay_s[in_time].max()) if in_time.any() else 0.0,
        standing_before_s=now.standing_s,
        standing_after_s=then.standing_s,
    )


def _is_good(one: Suggestion, case: Case, now: Activations) -> bool:
    grows_stale = one.standing_after_s > max(_STALE_S, 2 * now.standing_s) and now.longest_s < _STALE_S
    return one.is_safe and one.removed > 0 and one.most_delay_s <= case.most_delay_s and not grows_stale


def _harm(one: Suggestion) -> float:
    """How much a setting takes away: what is announced later, and for how much longer it stands."""
    longer = one.standing_after_s / one.standing_before_s if one.standing_before_s > 0 else 1.0
    return one.setting.on_delay_s / WITHOUT_RESPONSE_S + max(0.0, longer - 1) + one.setting.off_delay_s / 3600


def _rounded_up(value: float) -> float:
    """To two digits, upwards: a deadband that people can read."""
    step = 10.0 ** (floor(log10(value)) - 1)
    return round(float(np.floor(value / step + 1e-9) + 1) * step, 12)
