"""Choosing a few tags that stand for many."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def spread(items: Iterable[Item], group: Callable[[Item], object], most: int) -> list[Item]:
    """At most `most` of the items, taken in turn from each group: first every group's first, then every second.

    The order within the answer is that of the items.
    """
    groups: dict[object, list[tuple[int, Item]]] = {}
    for place, item in enumerate(items):
        groups.setdefault(group(item), []).append((place, item))
    taken: list[tuple[int, Item]] = []
    for turn in range(max(map(len, groups.values()), default=0)):
        taken += [members[turn] for members in groups.values() if turn < len(members)]
        if len(taken) >= most:
            break
    return [item for _place, item in sorted(taken[:most], key=lambda one: one[0])]
