"""Value types of the plant model. A plant is read whole, checked whole and never changed in place.

The tree is park › site › area › unit › asset (IEC 62264); each of the lower four is a `Node`. A path joins the ids
from the site down with dots: `copper.smelting.bath.furnace`; a tag's path is its node's path and its own id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NewType

from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.meter import Meter

TagId = NewType("TagId", int)  # small, dense, given once by the database and never reused

Text = Mapping[str, str]  # language tag to text, such as {"en": "Pump", "zh_CN": "泵"}

STANDARD_RETENTION = "standard"  # the class of tags for which the plant names none


class Level(StrEnum):
    """Rungs of the equipment hierarchy. An asset may hold assets (a motor in a pump set)."""

    SITE = "site"
    AREA = "area"
    UNIT = "unit"
    ASSET = "asset"


class TagKind(StrEnum):
    """What a tag's values are, hence how they may be averaged, joined and drawn."""

    ANALOG = "analog"  # varies smoothly; drawn as a line
    SETPOINT = "setpoint"  # holds until changed; drawn as steps
    STATE = "state"  # a whole number or text that names a state; steps
    COUNTER = "counter"  # only grows until it rolls over: a meter's register
    TEXT = "text"  # batch ids, grades, messages


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """Where an operator must act; None where there is no such limit. In the tag's unit."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """One series of one node."""

    path: str
    name: Text
    unit: str
    kind: TagKind = TagKind.ANALOG
    low: float | None = None  # instrument range; outside it a value is impossible
    high: float | None = None
    decimals: int = 2  # digits after the point that mean something
    alarm_limits: AlarmLimits = field(default_factory=AlarmLimits)
    period_s: float | None = None  # how often a sample is due; None when it comes as it comes
    states: Mapping[int, Text] = field(default_factory=dict)  # of a STATE: what each number means
    role: str | None = None  # what apps may use it for, such as "site.power"; docs/plant-model.md lists them
    meter: Meter | None = None  # of a COUNTER: what is known of its register
    retention: str = STANDARD_RETENTION  # class; settings say how long each keeps what

    @property
    def node_path(self) -> str:
        """The path of the node that it is on."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Node:
    """A site, area, unit or asset."""

    path: str
    level: Level
    name: Text
    tenant: str  # every node belongs to one
    type: str | None = None  # equipment type, such as "centrifugal_pump"
    position: tuple[float, float] | None = None  # latitude, longitude [deg] WGS 84
    tags: tuple[Tag, ...] = ()
    retention: str = STANDARD_RETENTION  # class, of its waveforms and of tags that name none

    @property
    def parent(self) -> str | None:
        """The path of the node above; None for a site."""
        return self.path.rpartition(".")[0] or None


@dataclass(frozen=True, slots=True)
class Tenant:
    """An enterprise in the park, or the park's own administration."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class EquipmentType:
    """A kind of asset, such as a centrifugal pump. It has what the type that it extends has, too."""

    id: str
    name: Text
    extends: str | None = None


@dataclass(frozen=True)
class Plant:
    """One park with all that is in it. Nodes are in tree order: a parent before its children."""

    id: str
    name: Text
    timezone: str  # IANA name
    tenants: Mapping[str, Tenant]
    nodes: Mapping[str, Node]
    types: Mapping[str, EquipmentType] = field(default_factory=dict)

    @cached_property
    def tags(self) -> Mapping[str, Tag]:
        """Every tag of every node, by path, in tree order."""
        return {tag.path: tag for node in self.nodes.values() for tag in node.tags}

    @cached_property
    def _children(self) -> Mapping[str | None, tuple[Node, ...]]:
        children: dict[str | None, list[Node]] = {}
        for node in self.nodes.values():
            children.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in children.items()}

    def node(self, path: str) -> Node:
        """Raises NotFoundError."""
        try:
            return self.nodes[path]
        except KeyError:
            raise NotFoundError("asset", path) from None

    def tag(self, path: str) -> Tag:
        """Raises NotFoundError."""
        try:
            return self.tags[path]
        except KeyError:
            raise NotFoundError("tag", path) from None

    def kinds_of(self, type_id: str) -> Iterator[str]:
        """This equipment type and those that it extends, the nearest first."""
        step: str | None = type_id
        while step is not None:
            yield step
            step = self.types[step].extends if step in self.types else None

    def children(self, path: str | None) -> tuple[Node, ...]:
        """Nodes right below this one; the sites for None."""
        return self._children.get(path, ())

    def under(self, path: str) -> Iterator[Node]:
        """This node and all below it, in tree order. Raises NotFoundError."""
        yield self.node(path)
        for child in self.children(path):
            yield from self.under(child.path)

    def tenant_of(self, tag_path: str) -> Tenant:
        """Whose tag this is. Raises NotFoundError."""
        return self.tenants[self.nodes[self.tag(tag_path).node_path].tenant]
