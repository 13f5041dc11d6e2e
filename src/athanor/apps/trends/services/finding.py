"""Which tags can be drawn, and which a first chart shows."""

from collections.abc import Iterable

from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant

MOST_TAGS = 12  # on one chart; more nobody can tell apart


def is_drawn(tag: Tag) -> bool:
    """Whether a line can be drawn of it; texts have none."""
    return tag.kind is not TagKind.TEXT


def known(plant: RunningPlant, paths: Iterable[str]) -> list[Tag]:
    """The tags of these paths that exist and can be drawn, each once, at most MOST_TAGS."""
    tags = (plant.model.tags.get(path) for path in dict.fromkeys(paths))
    return [tag for tag in tags if tag is not None and is_drawn(tag)][:MOST_TAGS]


def power_tags(plant: RunningPlant) -> list[Tag]:
    """Each enterprise's total power: a first chart for somebody who has chosen nothing yet."""
    return [tag for tag in plant.model.tags.values() if tag.role == "tenant.power"][:MOST_TAGS]
