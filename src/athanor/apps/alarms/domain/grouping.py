"""One cause, many alarms: those of a flood grouped by where they are, what follows what, and what came first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from athanor.apps.alarms.domain.log import Log
from athanor.apps.alarms.domain.sequences import Pair

LEAST_SURE = 0.8  # confidence from which an alarm may be suppressed while another stands


@dataclass(frozen=True, slots=True)
class Group:
    """Alarms of one cause. `first` was raised first; `alarms` are all of them in the order in which they came."""

    first: int
    alarms: tuple[int, ...]
    raised: int  # activations of all of them
    why: frozenset[str]  # `place`, `sequence`: what joined them; empty for an alarm that is alone


@dataclass(frozen=True, slots=True)
class Proposal:
    """A group for suppression in floods: while `leader` stands, its followers need not be announced.

    `saved` is how many announcements fewer there would have been.
    """

    leader: int
    followers: tuple[int, ...]
    times: int
    saved: int


def groups(log: Log, node_of: Mapping[int, str], pairs: Iterable[Pair] = ()) -> list[Group]:
    """The alarms of a log, as of one flood, by cause; the largest group first.

    Two belong together where one is on the other's node or below it, or one is known to follow the other. `node_of`
    gives the path of the node that each alarm is about.
    """
    alarms, first_rows, counts = np.unique(log.alarm, return_index=True, return_counts=True)
    order = np.argsort(first_rows, kind="stable")
    came = [int(one) for one in alarms[order]]
    count_of = dict(zip(came, (int(one) for one in counts[order]), strict=True))
    joined = _Joined(came)
    _join_places(joined, came, node_of)
    for pair in pairs:
        if pair.first in count_of and pair.then in count_of:
            joined.join(pair.first, pair.then, "sequence")
    members: dict[int, list[int]] = {}
    for one in came:
        members.setdefault(joined.head(one), []).append(one)
    found = [
        Group(head, tuple(some), sum(count_of[one] for one in some), frozenset(joined.why[head]))
        for head, some in members.items()
    ]
    return sorted(found, key=lambda one: -one.raised)


class _Joined:
    """Sets of alarms that grow together, each headed by the one that came first."""

    def __init__(self, came: Sequence[int]) -> None:
        self.why: dict[int, set[str]] = {one: set() for one in came}
        self._place = {one: place for place, one in enumerate(came)}
        self._up = {one: one for one in came}

    def head(self, one: int) -> int:
        while self._up[one] != one:
            self._up[one] = one = self._up[self._up[one]]
        return one

    def join(self, one: int, other: int, reason: str) -> None:
        first, then = sorted((self.head(one), self.head(other)), key=self._place.__getitem__)
        self.why[first] |= {reason} | self.why[then]
        self._up[then] = first


def _join_places(joined: _Joined, came: Sequence[int], node_of: Mapping[int, str]) -> None:
    """Join what is on the same node, and what is below a node that has an alarm."""
    at_node: dict[str, int] = {}
    for one in came:
        path = node_of.get(one, "")
        if path in at_node:
            joined.join(at_node[path], one, "place")
        elif path:
            at_node[path] = one
    for path, one in at_node.items():
        above = next((up for up in _above(path) if up in at_node), None)
        if above is not None:
            joined.join(at_node[above], one, "place")


def suppression(
    pairs: Sequence[Pair], priority_of: Mapping[int, int], never: frozenset[int] = frozenset()
) -> list[Proposal]:
    """Groups that could be suppressed by design: the leader and what surely follows it; the greatest saving first.

    Never suppressed: an alarm of a higher priority than its leader, and those of `never`, as alarms of safety.
    """
    followers: dict[int, list[Pair]] = {}
    for pair in pairs:
        is_lower = priority_of.get(pair.then, 0) >= priority_of.get(pair.first, 0)
        if pair.confidence >= LEAST_SURE and is_lower and pair.then not in never and pair.lag_s > 0:
            followers.setdefault(pair.first, []).append(pair)
    found = [
        Proposal(leader, tuple(pair.then for pair in some), max(pair.times for pair in some), _saved(some))
        for leader, some in followers.items()
    ]
    return sorted(found, key=lambda one: (-one.saved, one.leader))


def _saved(pairs: Iterable[Pair]) -> int:
    return sum(pair.times for pair in pairs)


def _above(path: str) -> Iterable[str]:
    while path := path.rpartition(".")[0]:
        yield path
