"""Which tags there are: by words, by the way down the plant, by their paths."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from athanor.apps.trends.domain.search import Entry, entry, search
from athanor.kernel.plant.model import Node, Tag, TagKind
from athanor.kernel.plant.running import RunningPlant

MOST_FOUND = 50
MOST_TAGS = 12  # on one chart; more nobody can tell apart


@dataclass(frozen=True, slots=True)
class Found:
    """Tags that match what was typed, at most MOST_FOUND, and how many match in all."""

    tags: Sequence[Tag]
    total: int


_indexes: dict[int, tuple[RunningPlant, list[Entry]]] = {}  # by the identity of the plant, which the entry keeps alive
_MOST_INDEXES = 8


def find_tags(plant: RunningPlant, wish: str) -> Found:
    """Tags by words in their path, their names and those of their assets, in any language."""
    keys, total = search(_index_of(plant), wish, MOST_FOUND)
    return Found([plant.model.tag(key) for key in keys], total)


def _index_of(plant: RunningPlant) -> list[Entry]:
    if id(plant) not in _indexes:
        if len(_indexes) >= _MOST_INDEXES:
            _indexes.clear()
        entries = [
            entry(tag.path, tag.name.values(), node.name.values())
            for node in plant.model.nodes.values()
            for tag in node.tags
            if is_drawn(tag)
        ]
        _indexes[id(plant)] = (plant, entries)
    return _indexes[id(plant)][1]


def is_drawn(tag: Tag) -> bool:
    """Whether a line can be drawn of it; texts have none."""
    return tag.kind is not TagKind.TEXT


def way_to(plant: RunningPlant, path: str | None) -> list[Node]:
    """The nodes from the top down to this one, as far as the viewer sees them."""
    parts = path.split(".") if path else []
    paths = (".".join(parts[: depth + 1]) for depth in range(len(parts)))
    return [plant.model.nodes[one] for one in paths if one in plant.model.nodes]


def known(plant: RunningPlant, paths: Iterable[str]) -> list[Tag]:
    """The tags of these paths that exist and can be drawn, each once, at most MOST_TAGS."""
    tags = (plant.model.tags.get(path) for path in dict.fromkeys(paths))
    return [tag for tag in tags if tag is not None and is_drawn(tag)][:MOST_TAGS]


def below(plant: RunningPlant, path: str | None) -> tuple[list[Node], list[Tag]]:
    """What one sees standing at this node: nodes below that lead to tags, and its own tags; the sites for None.

    A node whose parent the viewer may not see stands at the top.
    """
    if path is None:
        nodes = [node for node in plant.model.nodes.values() if node.parent not in plant.model.nodes]
        return nodes, []
    tags = plant.model.nodes[path].tags if path in plant.model.nodes else ()
    return list(plant.model.children(path)), [tag for tag in tags if is_drawn(tag)]


def power_tags(plant: RunningPlant) -> list[Tag]:
    """Each enterprise's total power: a first chart for somebody who has chosen nothing yet."""
    return [tag for tag in plant.model.tags.values() if tag.role == "tenant.power"][:MOST_TAGS]
