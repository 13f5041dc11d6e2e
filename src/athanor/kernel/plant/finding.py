"""Which tags there are for a person: by words, and by the way down the plant."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from athanor.kernel.plant.model import Node, Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.search import Entry, entry, search

MOST_FOUND = 50

Offered = Callable[[Tag], bool]  # whether a tag is for choosing here


@dataclass(frozen=True, slots=True)
class Found:
    """Tags that match what was typed, at most MOST_FOUND, and how many match in all."""

    tags: Sequence[Tag]
    total: int


_indexes: dict[int, tuple[RunningPlant, list[Entry]]] = {}  # by the identity of the plant, which the entry keeps alive
_MOST_INDEXES = 8


def every_tag(_tag: Tag) -> bool:
    """Offers all."""
    return True


def find_tags(plant: RunningPlant, wish: str, is_offered: Offered = every_tag) -> Found:
    """Tags by words in their path, their names and those of their assets, in any language."""
    offered = [one for one in _index_of(plant) if is_offered(plant.model.tags[one.key])] if wish.strip() else []
    keys, total = search(offered, wish, MOST_FOUND)
    return Found([plant.model.tag(key) for key in keys], total)


def way_to(plant: RunningPlant, path: str | None) -> list[Node]:
    """The nodes from the top down to this one, as far as the viewer sees them."""
    parts = path.split(".") if path else []
    paths = (".".join(parts[: depth + 1]) for depth in range(len(parts)))
    return [plant.model.nodes[one] for one in paths if one in plant.model.nodes]


def right_below(plant: RunningPlant, path: str | None, is_offered: Offered = every_tag) -> tuple[list[Node], list[Tag]]:
    """What one sees standing at this node: nodes below that lead to tags, and its own tags; the sites for None.

    A node whose parent the viewer may not see stands at the top.
    """
    if path is None:
        nodes = [node for node in plant.model.nodes.values() if node.parent not in plant.model.nodes]
        return nodes, []
    tags = plant.model.nodes[path].tags if path in plant.model.nodes else ()
    return list(plant.model.children(path)), [tag for tag in tags if is_offered(tag)]


def all_below(plant: RunningPlant, path: str | None, is_offered: Offered = every_tag) -> Iterator[Tag]:
    """The tags of this node and of all below it, in tree order; the whole plant's for None."""
    if path is None:
        yield from (tag for tag in plant.model.tags.values() if is_offered(tag))
    elif path in plant.model.nodes:
        yield from (tag for node in plant.model.under(path) for tag in node.tags if is_offered(tag))


def _index_of(plant: RunningPlant) -> list[Entry]:
    if id(plant) not in _indexes:
        if len(_indexes) >= _MOST_INDEXES:
            _indexes.clear()
        entries = [
            entry(tag.path, tag.name.values(), node.name.values())
            for node in plant.model.nodes.values()
            for tag in node.tags
        ]
        _indexes[id(plant)] = (plant, entries)
    return _indexes[id(plant)][1]
