"""Alarms that come together: which follows which, which always come as two, chains of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from athanor.apps.alarms.domain.log import MINUTE_US, Log

WITHIN_US = 5 * MINUTE_US
MOST_ALARMS = 60  # the most frequent ones that are compared with each other
LEAST_TIMES, LEAST_CONFIDENCE, LEAST_LIFT = 5, 0.5, 3.0
REDUNDANT = 0.9


@dataclass(frozen=True, slots=True)
class Pair:
    """One alarm that follows another.

    Parameters
    ----------
    times
        How often `then` was raised within the time after `first`.
    confidence
        Of how many episodes of `first` that is so, 0 to 1.
    lift
        How many times as often as after any moment.
    lag_s
        The median time between the two. [s]
    is_redundant
        Each of them comes with the other: one of the two tells nothing.
    """

    first: int
    then: int
    times: int
    confidence: float
    lift: float
    lag_s: float
    is_redundant: bool = False


def find_pairs(
    log: Log,
    *,
    within_us: int = WITHIN_US,
    most_alarms: int = MOST_ALARMS,
    least_times: int = LEAST_TIMES,
    least_confidence: float = LEAST_CONFIDENCE,
    least_lift: float = LEAST_LIFT,
) -> list[Pair]:
    """Alarms that follow others, the surest first: association rules over time [1]_.

    An alarm that chatters counts as one episode while its activations are within the time of each other: otherwise it
    would be followed by everything. Simultaneous alarms follow each other both ways.

    References
    ----------
    .. [1] R. Agrawal, T. Imielinski and A. Swami, Mining association rules, SIGMOD 1993 (support, confidence); lift
       after S. Brin et al., Dynamic itemset counting, SIGMOD 1997.
    """
    alarms, counts = np.unique(log.alarm, return_counts=True)
    chosen = np.sort(alarms[np.argsort(-counts, kind="stable")[:most_alarms]])
    raised = {int(one): log.raised_us[log.alarm == one] for one in chosen}
    begins = {one: times[np.diff(times, prepend=times[0] - within_us - 1) > within_us] for one, times in raised.items()}
    length = float(log.raised_us[-1] - log.raised_us[0] + within_us) if len(log) else 0.0
    expected = {one: _covered(times, within_us) / length for one, times in raised.items()}
    confidence, found = {}, []
    for first, starts in begins.items():
        for then, times in raised.items():
            if first == then:
                continue
            lag = _lags(starts, times, within_us)
            confidence[first, then] = len(lag) / len(starts)
            lift = confidence[first, then] / expected[then]
            if len(lag) >= least_times and confidence[first, then] >= least_confidence and lift >= least_lift:
                found.append((first, then, lag, lift))
    pairs = [
        Pair(
            first,
            then,
            len(lag),
            confidence[first, then],
            lift,
            float(np.median(lag) / 1e6),
            _is_redundant(begins[first], begins[then], within_us),
        )
        for first, then, lag, lift in found
    ]
    return sorted(pairs, key=lambda one: (-one.confidence, -one.times, one.first, one.then))


def chains(pairs: Sequence[Pair], *, longest: int = 6) -> list[tuple[int, ...]]:
    """Pairs joined to sequences, each alarm followed by its surest successor; a chain within another is left out."""
    best: dict[int, Pair] = {}
    for pair in pairs:
        if pair.lag_s > 0 and pair.first not in best:
            best[pair.first] = pair
    followers = {pair.then for pair in best.values()}
    result: list[tuple[int, ...]] = []
    for start in sorted(best, key=lambda one: one in followers):
        chain = [start]
        while chain[-1] in best and best[chain[-1]].then not in chain and len(chain) < longest:
            chain.append(best[chain[-1]].then)
        if not any(_holds(known, chain) for known in result):
            result.append(tuple(chain))
    return [chain for chain in result if len(chain) > 2]


def _lags(starts: np.ndarray, times: np.ndarray, within_us: int) -> np.ndarray:
    """How long after each start the other came, where it came in time. [µs]"""
    place = np.searchsorted(times, starts)
    is_there = place < len(times)
    lag = times[place[is_there]] - starts[is_there]
    return np.asarray(lag[lag <= within_us])


def _covered(times: np.ndarray, within_us: int) -> float:
    """For how much time one of these was to come within so long. [µs]"""
    return float(np.minimum(np.diff(times), within_us).sum() + within_us)


def _is_redundant(first: np.ndarray, then: np.ndarray, within_us: int) -> bool:
    """Whether nine of ten episodes of each have one of the other within the time, before or after."""

    def near(one: np.ndarray, other: np.ndarray) -> float:
        after = np.searchsorted(other, one - within_us)
        is_near = np.searchsorted(other, one + within_us, "right") > after
        return float(is_near.mean())

    return near(first, then) >= REDUNDANT and near(then, first) >= REDUNDANT


def _holds(chain: Sequence[int], part: Sequence[int]) -> bool:
    return any(tuple(chain[i : i + len(part)]) == tuple(part) for i in range(len(chain)))
