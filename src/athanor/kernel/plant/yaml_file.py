"""A plant from its YAML file. The file is checked whole: one error names every fault with its line and cure.

docs/plant-model.md describes the format.
"""

import gc
from collections import abc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import STANDARD_RETENTION, EquipmentType, Level, Node, Plant, Tag, Tenant, Text
from athanor.kernel.plant.roles import ROLES
from athanor.kernel.plant.yaml_fields import Faults
from athanor.kernel.plant.yaml_meters import with_meter
from athanor.kernel.plant.yaml_tags import TagDraft, TagDrafts, TagReader, overlaid
from athanor.kernel.plant.yaml_tree import Fault, Mapping, Scalar, UnreadableYamlError, read_text, read_tree
from athanor.kernel.plant.yaml_tree import Node as YamlNode
from athanor.kernel.spelling import suggestion

MAX_PATHS = 1_000_000  # so that a small file of large types cannot fill the memory
MAX_EXTENDS = 32
_SHOWN_FAULTS = 50

_PLANT_KEYS = ("park", "tenants", "types", "sites")
_NODE_KEYS = ("id", "tenant", "name", "type", "position", "retention", "tags")
_LEVEL_KEYS = {"sites": Level.SITE, "areas": Level.AREA, "units": Level.UNIT, "assets": Level.ASSET}
_BELOW = {
    Level.SITE: ("areas", "assets"),
    Level.AREA: ("units", "assets"),
    Level.UNIT: ("assets",),
    Level.ASSET: ("assets",),
}


class BadPlantFileError(AthanorError):
    """A plant file that cannot become the running plant; it stays as it was."""

    code = "plant.bad-file"

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self.path = path
        self.faults = sorted(faults, key=lambda fault: fault.line)
        shown = [f"{path}:{fault.line}: {fault.message}" for fault in self.faults[:_SHOWN_FAULTS]]
        if len(self.faults) > _SHOWN_FAULTS:
            shown.append(f"… and {len(self.faults) - _SHOWN_FAULTS} more.")
        super().__init__(
            f"{path} does not describe a plant; what runs stays as it is. Correct and load it again:\n"
            + "\n".join(shown)
        )


def load_plant(path: Path) -> Plant:
    """Read and check a plant file. Raises BadPlantFileError."""
    try:
        with _no_garbage_collection():
            return plant_of(read_text(path), path)
    except UnreadableYamlError as error:
        raise BadPlantFileError(path, [error.fault]) from error
    except OSError as error:
        fault = Fault(1, f"The file cannot be read: {error.strerror}. Check the path and the rights.")
        raise BadPlantFileError(path, [fault]) from error


def plant_of(text: str, path: Path = Path("plant.yaml")) -> Plant:
    """The plant that a text describes; `path` is what errors call it. Raises BadPlantFileError."""
    reader = _Reader()
    try:
        plant = reader.plant(read_tree(text))
    except UnreadableYamlError as error:
        raise BadPlantFileError(path, [*reader.faults.found, error.fault]) from error
    if reader.faults.found:
        raise BadPlantFileError(path, reader.faults.found)
    return plant


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """The tree of a large file holds millions of objects and no cycles; collecting amid it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(slots=True)
class _Type:
    name: Text
    extends: str | None
    source: YamlNode
    own: TagDrafts
    resolved: TagDrafts | None = None


@dataclass(frozen=True, slots=True)
class _Inherited:
    """What a node hands down to those below it that do not say otherwise."""

    tenant: str | None = None
    retention: str = STANDARD_RETENTION


@dataclass
class _Reader:
    faults: Faults = field(default_factory=Faults)
    tags: TagReader = field(init=False)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    types: dict[str, _Type] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # path to the line that took it
    players: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (role, tenant) to lines

    def __post_init__(self) -> None:
        self.tags = TagReader(self.faults)

    def plant(self, tree: YamlNode) -> Plant:
        given = self.faults.mapping(tree, "the plant file", _PLANT_KEYS, required=("park", "tenants", "sites"))
        park = self._park(given["park"]) if "park" in given else {}
        if "tenants" in given:
            self._read_tenants(given["tenants"])
        if "types" in given:
            self._read_types(given["types"])
        if "sites" in given:
            for site in self.faults.items(given["sites"], "'sites'"):
                self._read_node(site, Level.SITE, None, _Inherited())
        self._check_roles()
        return Plant(
            id=park.get("id") or "",
            name=park.get("name") or {},
            timezone=park.get("timezone") or "UTC",
            tenants=self.tenants,
            nodes=self.nodes,
            types={key: EquipmentType(key, one.name, one.extends) for key, one in self.types.items()},
        )

    def _park(self, node: YamlNode) -> dict[str, Any]:
        given = self.faults.mapping(node, "the park", ("id", "name", "timezone"), required=("id", "name", "timezone"))
        readers = {
            "id": lambda value: self.faults.id(value, "the park's id"),
            "name": lambda value: self.faults.name(value, "the park's name"),
            "timezone": self._timezone,
        }
        return {key: readers[key](value) for key, value in given.items()}

    def _timezone(self, node: YamlNode) -> str | None:
        zone = self.faults.text(node, "the park's timezone")
        if zone is None:
            return None
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError):  # unknown, a folder of the database, or a path out of it
            self.faults.add(node, f"There is no time zone {zone!r}. Write an IANA name such as Asia/Shanghai.")
            return None
        return zone

    def _read_tenants(self, node: YamlNode) -> None:
        lines: dict[str, int] = {}
        for item in self.faults.items(node, "'tenants'"):
            given = self.faults.mapping(item, "the tenant", ("id", "name"), required=("id", "name"))
            tenant = self.faults.id(given["id"], "the tenant's id") if "id" in given else None
            name = self.faults.name(given["name"], "the tenant's name") if "name" in given else None
            if tenant is None:
                continue
            if tenant in lines:
                self.faults.add(item, f"Tenant {tenant!r} stands on line {lines[tenant]} already. Rename one of them.")
            lines.setdefault(tenant, item.line)
            self.tenants[tenant] = Tenant(tenant, name or {})

    # Types

    def _read_types(self, node: YamlNode) -> None:
        for type_id, body in self.faults.entries(node, "'types'").items():
            self.faults.id(Scalar(type_id, body.line, plain=False), "the type's id")
            given = self.faults.mapping(body, f"type {type_id!r}", ("name", "extends", "tags"), required=("name",))
            name = self.faults.name(given["name"], f"the name of type {type_id!r}") if "name" in given else None
            extends = self.faults.text(given["extends"], "'extends'") if "extends" in given else None
            own = self.tags.drafts(given["tags"], f"type {type_id!r}") if "tags" in given else {}
            self.types[type_id] = _Type(name or {}, extends, given.get("extends", body), own)
        for type_id in self.types:
            self._type_tags(type_id, below=())

    def _type_tags(self, type_id: str, below: tuple[str, ...]) -> TagDrafts:
        """A type's tags with those of the types it extends; faults in it are noted once."""
        known = self.types[type_id]
        if known.resolved is not None:
            return known.resolved
        known.resolved = known.own  # what a circle comes back to
        chain = (*below, type_id)
        if known.extends is not None:
            if known.extends in chain:
                circle = " → ".join((*chain[chain.index(known.extends) :], known.extends))
                self.faults.add(
                    known.source, f"These types extend one another in a circle: {circle}. Remove one 'extends'."
                )
                return known.own
            if len(chain) > MAX_EXTENDS:
                self.faults.add(known.source, f"More than {MAX_EXTENDS} types extend one another. Use fewer.")
                return known.own
            if known.extends not in self.types:
                self.faults.add(
                    known.source, f"There is no type {known.extends!r}. {suggestion(known.extends, self.types)}"
                )
                return known.own
            known.resolved = overlaid(self._type_tags(known.extends, chain), known.own)
        for tag_id in known.own:
            self.tags.check_complete(tag_id, known.resolved[tag_id])
        return known.resolved

    # Nodes

    def _read_node(self, node: YamlNode, level: Level, parent: str | None, above: _Inherited) -> None:
        if not isinstance(node, Mapping):
            self.faults.add(node, f"{_one(level)} should be a mapping (key: value) with at least an id and a name.")
            return
        given = self.faults.entries(node, f"the {level}")
        below = {key: given.pop(key) for key in _LEVEL_KEYS if key in given}
        for key in [key for key in given if key not in _NODE_KEYS]:
            hint = suggestion(key, (*_NODE_KEYS, *_BELOW[level]))
            self.faults.add(given.pop(key), f"The {level} has no {key!r}. {hint}")
        for key in ("id", "name"):
            if key not in given:
                self.faults.add(node, f"The {level} has no {key!r}. Add it.")
        node_id = self.faults.id(given["id"], f"the {level}'s id") if "id" in given else None
        # A node without a good id still has a place of its own, so that what is below it is checked too.
        part = node_id or f"?{node.line}"
        path = part if parent is None else f"{parent}.{part}"
        self._take(path, given.get("id", node))
        own = _Inherited(self._tenant(given, node, level, above.tenant), self._retention(given, above.retention))
        node_type, tags = self._tags(given, path, own)
        name = self.faults.name(given["name"], f"the {level}'s name") if "name" in given else None
        position = self._position(given["position"]) if "position" in given else None
        read = Node(path, level, name or {}, own.tenant or "", node_type, position, tags, own.retention)
        self.nodes.setdefault(path, read)
        for key, nodes in below.items():
            self._read_below(key, nodes, level, path, own)

    def _read_below(self, key: str, nodes: YamlNode, level: Level, path: str, above: _Inherited) -> None:
        if key not in _BELOW[level]:
            self.faults.add(
                nodes,
                f"{_one(level)} cannot hold {key}. Sites hold areas, areas hold units, units hold assets; all of them, "
                "and assets too, may hold assets.",
            )
            return
        for below in self.faults.items(nodes, repr(key)):
            self._read_node(below, _LEVEL_KEYS[key], path, above)

    def _tenant(
        self, given: abc.Mapping[str, YamlNode], node: YamlNode, level: Level, inherited: str | None
    ) -> str | None:
        if "tenant" not in given:
            if level is Level.SITE:
                self.faults.add(node, "The site has no 'tenant'. Say whose it is; what is below inherits it.")
            return inherited
        tenant = self.faults.text(given["tenant"], f"the {level}'s tenant")
        if tenant is not None and tenant not in self.tenants:
            self.faults.add(given["tenant"], f"There is no tenant {tenant!r}. {suggestion(tenant, self.tenants)}")
        return tenant

    def _retention(self, given: abc.Mapping[str, YamlNode], inherited: str) -> str:
        return (self.tags.retention(given["retention"]) if "retention" in given else None) or inherited

    def _position(self, node: YamlNode) -> tuple[float, float] | None:
        numbers = self.faults.pair(node, "'position'", "[latitude, longitude]")
        if numbers is None:
            return None
        latitude, longitude = numbers
        if abs(latitude) > 90 or abs(longitude) > 180:
            self.faults.add(
                node, f"There is no place at {latitude:g}, {longitude:g}. Write [latitude, longitude] in degrees."
            )
            return None
        return numbers

    # Tags

    def _tags(
        self, given: abc.Mapping[str, YamlNode], path: str, of_node: _Inherited
    ) -> tuple[str | None, tuple[Tag, ...]]:
        """The node's type, and its tags with those that the type brings."""
        own = self.tags.drafts(given["tags"], path) if "tags" in given else {}
        node_type = self.faults.text(given["type"], "'type'") if "type" in given else None
        drafts = own
        if node_type is not None and node_type in self.types:
            drafts = overlaid(self._type_tags(node_type, ()), own)
        elif node_type is not None:
            self.faults.add(given["type"], f"There is no type {node_type!r}. {suggestion(node_type, self.types)}")
            return node_type, ()  # what the tags lack the type may have brought: no faults that are not there
        for tag_id in own:
            self.tags.check_complete(tag_id, drafts[tag_id])
        return node_type, tuple(
            self._tag(f"{path}.{tag_id}", draft, given["type"] if tag_id not in own else draft.source, of_node)
            for tag_id, draft in drafts.items()
        )

    def _tag(self, path: str, draft: TagDraft, place: YamlNode, of_node: _Inherited) -> Tag:
        self._take(path, place)
        fields = draft.fields
        if fields.get("role") is not None and of_node.tenant is not None:
            self.players.setdefault((fields["role"], of_node.tenant), []).append(place.line)
        given = with_meter(fields) | {"retention": fields.get("retention") or of_node.retention}
        return Tag(path=path, **{"name": {}, "unit": "1", **given})

    # What is checked across nodes

    def _take(self, path: str, node: YamlNode) -> None:
        """Give a path to a node or tag; both share one name space, so that a path means one thing everywhere."""
        if path in self.taken:
            self.faults.add(
                node, f"The path {path} is taken by line {self.taken[path]} already. Give one of them another id."
            )
        elif len(self.taken) == MAX_PATHS:
            raise UnreadableYamlError(
                Fault(node.line, f"The plant has more than {MAX_PATHS:,} assets and tags. Divide it into several.")
            )
        else:
            self.taken[path] = node.line

    def _check_roles(self) -> None:
        for (role, tenant), lines in self.players.items():
            rule = ROLES.get(role)
            if rule is not None and len(lines) > rule.most_for_a_tenant:
                self.faults.found.append(
                    Fault(
                        lines[rule.most_for_a_tenant],
                        f"Tenant {tenant!r} has {len(lines)} tags with the role {role}; at most "
                        f"{rule.most_for_a_tenant} may have it. Remove it here (the first is on line {lines[0]}).",
                    )
                )


def _one(level: Level) -> str:
    return f"An {level}" if level in (Level.AREA, Level.ASSET) else f"A {level}"
