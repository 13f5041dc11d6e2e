"""A small plant with every kind of tag, for ingest to check against."""

from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant

NAME = {"en": "Test", "zh_CN": "测试"}
POWER, TEMPERATURE, STATE, LOT = "works.power", "works.temperature", "works.state", "works.lot"
TAGS = (
    Tag(POWER, NAME, "kW", low=0.0, high=5000.0),
    Tag(TEMPERATURE, NAME, "degC", low=-40.0),
    Tag(STATE, NAME, "1", TagKind.STATE),
    Tag(LOT, NAME, "1", TagKind.TEXT),
)


def plant(*tags: Tag, version: int = 1) -> RunningPlant:
    """A plant of these tags; ids are 10, 11 … in their order, so that none is its own index."""
    works = Node("works", Level.SITE, NAME, "tenant", tags=tags)
    model = Plant("park", NAME, "UTC", {"tenant": Tenant("tenant", NAME)}, {"works": works})
    return RunningPlant(model, version, {tag.path: TagId(10 + place) for place, tag in enumerate(tags)})
