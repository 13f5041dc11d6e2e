"""A plant from its YAML file. The file is checked whole: one error names every fault with its line and cure.

docs/plant-model.md describes the format.
"""

import gc
from collections import abc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import AlarmLimits, Level, Node, Plant, Tag, TagKind, Tenant, Text
from athanor.kernel.plant.roles import ROLE_SHAPE, ROLES
from athanor.kernel.plant.yaml_fields import Faults
from athanor.kernel.plant.yaml_tree import Fault, Mapping, Scalar, UnreadableYamlError, read_text, read_tree
from athanor.kernel.plant.yaml_tree import Node as YamlNode
from athanor.kernel.spelling import suggestion
from athanor.kernel.units import IncompatibleUnitsError, UnknownUnitError, check_unit, conversion

_SHOWN_FAULTS = 50

_PLANT_KEYS = ("park", "tenants", "types", "sites")
_NODE_KEYS = ("id", "tenant", "name", "type", "position", "tags")
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
    try:
        tree = read_tree(text)
    except UnreadableYamlError as error:
        raise BadPlantFileError(path, [error.fault]) from error
    reader = _Reader()
    plant = reader.plant(tree)
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
class _TagDraft:
    """Fields of `Tag` that the file gives; a type's and an asset's are laid over one another."""

    source: YamlNode
    fields: dict[str, Any]


_TagDrafts = dict[str, _TagDraft]  # by the tag's id


@dataclass(slots=True)
class _Type:
    extends: str | None
    source: YamlNode
    own: _TagDrafts
    resolved: _TagDrafts | None = None


@dataclass
class _Reader:
    faults: Faults = field(default_factory=Faults)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    types: dict[str, _Type] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # path to the line that took it
    players: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (role, tenant) to lines

    def plant(self, tree: YamlNode) -> Plant:
        given = self.faults.mapping(tree, "the plant file", _PLANT_KEYS)
        for key in ("park", "tenants", "sites"):
            if key not in given:
                self.faults.add(tree, f"The plant file has no {key!r}. docs/plant-model.md shows a complete one.")
        park = self._park(given["park"]) if "park" in given else {}
        if "tenants" in given:
            self._read_tenants(given["tenants"])
        if "types" in given:
            self._read_types(given["types"])
        if "sites" in given:
            for site in self.faults.items(given["sites"], "sites"):
                self._read_node(site, Level.SITE, parent=None, tenant=None)
        self._check_roles()
        return Plant(
            id=park.get("id") or "",
            name=park.get("name") or {},
            timezone=park.get("timezone") or "UTC",
            tenants=self.tenants,
            nodes=self.nodes,
        )

    def _park(self, node: YamlNode) -> dict[str, Any]:
        given = self._given(node, "park", ("id", "name", "timezone"), required=("id", "name", "timezone"))
        readers = {
            "id": lambda value: self.faults.id(value, "The park's id"),
            "name": lambda value: self.faults.name(value, "The park's name"),
            "timezone": self._timezone,
        }
        return {key: readers[key](value) for key, value in given.items()}

    def _timezone(self, node: YamlNode) -> str | None:
        zone = self.faults.text(node, "The park's timezone")
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
        for item in self.faults.items(node, "tenants"):
            given = self._given(item, "a tenant", ("id", "name"), required=("id", "name"))
            tenant = self.faults.id(given["id"], "A tenant's id") if "id" in given else None
            name = self.faults.name(given["name"], "A tenant's name") if "name" in given else None
            if tenant is None:
                continue
            if tenant in lines:
                self.faults.add(item, f"Tenant {tenant!r} stands on line {lines[tenant]} already. Rename one of them.")
            lines.setdefault(tenant, item.line)
            self.tenants[tenant] = Tenant(tenant, name or {})

    # Types

    def _read_types(self, node: YamlNode) -> None:
        for type_id, body in self.faults.entries(node, "types").items():
            self.faults.id(Scalar(type_id, body.line, plain=False), "A type's id")
            given = self._given(body, f"type {type_id!r}", ("name", "extends", "tags"), required=("name",))
            if "name" in given:
                self.faults.name(given["name"], f"The name of type {type_id!r}")
            extends = self.faults.text(given["extends"], "extends") if "extends" in given else None
            own = self._tag_drafts(given["tags"], f"type {type_id!r}") if "tags" in given else {}
            self.types[type_id] = _Type(extends, given.get("extends", body), own)
        for type_id in self.types:
            self._type_tags(type_id, below=())

    def _type_tags(self, type_id: str, below: tuple[str, ...]) -> _TagDrafts:
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
            if known.extends not in self.types:
                self.faults.add(
                    known.source, f"There is no type {known.extends!r}. {suggestion(known.extends, self.types)}"
                )
                return known.own
            known.resolved = _overlaid(self._type_tags(known.extends, chain), known.own)
        for tag_id in known.own:
            self._check_complete(tag_id, known.resolved[tag_id])
        return known.resolved

    # Nodes

    def _read_node(self, node: YamlNode, level: Level, parent: str | None, tenant: str | None) -> None:
        if not isinstance(node, Mapping):
            self.faults.add(node, f"A {level} should be a mapping (key: value) with at least an id and a name.")
            return
        given = self.faults.entries(node, f"the {level}")
        below = {key: given.pop(key) for key in _LEVEL_KEYS if key in given}
        for key in [key for key in given if key not in _NODE_KEYS]:
            hint = suggestion(key, (*_NODE_KEYS, *_BELOW[level]))
            self.faults.add(given.pop(key), f"The {level} has no {key!r}. {hint}")
        for key in ("id", "name"):
            if key not in given:
                self.faults.add(node, f"The {level} has no {key!r}. Add it.")
        node_id = self.faults.id(given["id"], f"The {level}'s id") if "id" in given else None
        # A node without a good id still has a place of its own, so that what is below it is checked too.
        part = node_id or f"?{node.line}"
        path = part if parent is None else f"{parent}.{part}"
        self._take(path, given.get("id", node))
        tenant = self._tenant(given, node, level, tenant)
        node_type, tags = self._tags(given, path, tenant)
        name = self.faults.name(given["name"], f"The {level}'s name") if "name" in given else None
        position = self._position(given["position"]) if "position" in given else None
        self.nodes.setdefault(path, Node(path, level, name or {}, tenant or "", node_type, position, tags))
        for key, nodes in below.items():
            self._read_below(key, nodes, level, path, tenant)

    def _read_below(self, key: str, nodes: YamlNode, level: Level, path: str, tenant: str | None) -> None:
        if key not in _BELOW[level]:
            self.faults.add(
                nodes,
                f"A {level} cannot hold {key}. Sites hold areas, areas hold units, units hold assets; each of them, "
                "and an asset too, may hold assets.",
            )
            return
        for below in self.faults.items(nodes, key):
            self._read_node(below, _LEVEL_KEYS[key], path, tenant)

    def _tenant(
        self, given: abc.Mapping[str, YamlNode], node: YamlNode, level: Level, inherited: str | None
    ) -> str | None:
        if "tenant" not in given:
            if level is Level.SITE:
                self.faults.add(node, "The site has no 'tenant'. Say whose it is; what is below inherits it.")
            return inherited
        tenant = self.faults.text(given["tenant"], f"The {level}'s tenant")
        if tenant is not None and tenant not in self.tenants:
            self.faults.add(given["tenant"], f"There is no tenant {tenant!r}. {suggestion(tenant, self.tenants)}")
        return tenant

    def _position(self, node: YamlNode) -> tuple[float, float] | None:
        numbers = self._pair(node, "position", "[latitude, longitude]")
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
        self, given: abc.Mapping[str, YamlNode], path: str, tenant: str | None
    ) -> tuple[str | None, tuple[Tag, ...]]:
        """The node's type, and its tags with those that the type brings."""
        own = self._tag_drafts(given["tags"], path) if "tags" in given else {}
        node_type = self.faults.text(given["type"], "type") if "type" in given else None
        drafts = own
        if node_type is not None and node_type in self.types:
            drafts = _overlaid(self._type_tags(node_type, ()), own)
        elif node_type is not None:
            self.faults.add(given["type"], f"There is no type {node_type!r}. {suggestion(node_type, self.types)}")
            return node_type, ()  # what the tags lack the type may have brought: no faults that are not there
        for tag_id in own:
            self._check_complete(tag_id, drafts[tag_id])
        return node_type, tuple(
            self._tag(f"{path}.{tag_id}", draft, given["type"] if tag_id not in own else draft.source, tenant)
            for tag_id, draft in drafts.items()
        )

    def _tag(self, path: str, draft: _TagDraft, place: YamlNode, tenant: str | None) -> Tag:
        self._take(path, place)
        fields = draft.fields
        if fields.get("role") is not None and tenant is not None:
            self.players.setdefault((fields["role"], tenant), []).append(place.line)
        return Tag(path=path, **{"name": {}, "unit": "1", **fields})

    def _tag_drafts(self, node: YamlNode, owner: str) -> _TagDrafts:
        drafts: _TagDrafts = {}
        for item in self.faults.items(node, f"tags of {owner}"):
            given = self._given(item, "a tag", _TAG_KEYS, required=("id",))
            if "id" not in given:
                continue
            tag_id = self.faults.id(given.pop("id"), "A tag's id")
            if tag_id is None:
                continue
            fields: dict[str, Any] = {}
            for key, value in given.items():
                fields |= _TAG_FIELDS[key](self, value)
            if tag_id in drafts:
                first = drafts[tag_id].source.line
                self.faults.add(item, f"{owner} has a tag {tag_id!r} on line {first} already. Rename one of them.")
            drafts.setdefault(tag_id, _TagDraft(item, fields))
        return drafts

    def _check_complete(self, tag_id: str, draft: _TagDraft) -> None:
        """A tag is whole only when its types' fields are laid under its own."""
        fields = draft.fields
        kind = fields.get("kind", TagKind.ANALOG)
        if "name" not in fields:
            self.faults.add(draft.source, f"Tag {tag_id!r} has no 'name'. Add it.")
        if "unit" not in fields and kind not in (TagKind.STATE, TagKind.TEXT):
            self.faults.add(draft.source, f"Tag {tag_id!r} has no 'unit'. Add it; a pure number has the unit 1.")
        if fields.get("states") and kind is not TagKind.STATE:
            self.faults.add(draft.source, f"Tag {tag_id!r} has 'states', so its kind must be state; it is {kind}.")
        rule = ROLES.get(fields.get("role") or "")
        if rule is not None and rule.unit is not None and fields.get("unit") is not None:
            try:
                conversion(fields["unit"], rule.unit)
            except IncompatibleUnitsError:
                self.faults.add(
                    draft.source,
                    f"Tag {tag_id!r} has the role {fields['role']!r}, which is measured in {rule.unit}, not in "
                    f"{fields['unit']}. Correct the role or the unit.",
                )

    def _field_name(self, node: YamlNode) -> dict[str, Any]:
        return {"name": self.faults.name(node, "The tag's name") or {}}

    def _field_unit(self, node: YamlNode) -> dict[str, Any]:
        unit = self.faults.text(node, "unit")
        if unit is None:
            return {"unit": None}
        try:
            check_unit(unit)
        except UnknownUnitError as error:
            self.faults.add(node, str(error))
            return {"unit": None}
        return {"unit": unit}

    def _field_kind(self, node: YamlNode) -> dict[str, Any]:
        return {"kind": self.faults.choice(node, "kind", TagKind) or TagKind.ANALOG}

    def _field_range(self, node: YamlNode) -> dict[str, Any]:
        numbers = None if _is_null(node) else self._pair(node, "range", "[low, high]")
        if numbers is not None and numbers[0] >= numbers[1]:
            self.faults.add(
                node, f"The range's low end {numbers[0]:g} is not below its high end {numbers[1]:g}. Swap or correct."
            )
        low, high = numbers or (None, None)
        return {"low": low, "high": high}

    def _field_decimals(self, node: YamlNode) -> dict[str, Any]:
        return {"decimals": self.faults.whole(node, "decimals", 0, 12)}

    def _field_period(self, node: YamlNode) -> dict[str, Any]:
        period_s = None if _is_null(node) else self.faults.number(node, "period_s")
        if period_s is not None and period_s <= 0:
            self.faults.add(node, f"period_s must be more than 0 seconds, not {period_s:g}.")
        return {"period_s": period_s}

    def _field_role(self, node: YamlNode) -> dict[str, Any]:
        role = None if _is_null(node) else self.faults.text(node, "role")
        if role is not None and not ROLE_SHAPE.fullmatch(role):
            self.faults.add(node, f"{role!r} is no role. Write words joined by dots, such as tenant.power.")
        return {"role": role}

    def _field_alarm_limits(self, node: YamlNode) -> dict[str, Any]:
        if _is_null(node):
            return {"alarm_limits": AlarmLimits()}
        given = self.faults.mapping(node, "alarm_limits", _LIMIT_KEYS)
        limits = {key: self.faults.number(value, key) for key, value in given.items() if not _is_null(value)}
        ordered = [(key, limits[key]) for key in _LIMIT_KEYS if limits.get(key) is not None]
        for (lower, low), (upper, high) in pairwise(ordered):
            if low is not None and high is not None and low >= high:
                self.faults.add(
                    node,
                    f"Alarm limit {lower} ({low:g}) is not below {upper} ({high:g}). The order is low_low < low < "
                    "high < high_high.",
                )
        return {"alarm_limits": AlarmLimits(**limits)}

    def _field_states(self, node: YamlNode) -> dict[str, Any]:
        if _is_null(node):
            return {"states": {}}
        states: dict[int, Text] = {}
        for number, name in self.faults.entries(node, "states").items():
            state = self.faults.whole(Scalar(number, name.line, plain=True), "A state's number", -(2**31), 2**31)
            text = self.faults.name(name, f"State {number}")
            if state is not None:
                states[state] = text or {}
        return {"states": states}

    # What is checked everywhere

    def _given(
        self, node: YamlNode, what: str, known: tuple[str, ...], required: tuple[str, ...]
    ) -> dict[str, YamlNode]:
        given = self.faults.mapping(node, what, known)
        for key in required:
            if isinstance(node, Mapping) and key not in given:
                self.faults.add(node, f"{what} has no {key!r}. Add it.")
        return given

    def _pair(self, node: YamlNode, what: str, shape: str) -> tuple[float, float] | None:
        items = self.faults.items(node, what)
        if len(items) != 2:
            if items:
                self.faults.add(node, f"{what} should hold two numbers: {shape}.")
            return None
        first, second = (self.faults.number(item, what) for item in items)
        return None if first is None or second is None else (first, second)

    def _take(self, path: str, node: YamlNode) -> None:
        """Give a path to a node or tag; both share one name space, so that a path means one thing everywhere."""
        if path in self.taken:
            self.faults.add(
                node, f"The path {path} is taken by line {self.taken[path]} already. Give one of them another id."
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


def _is_null(node: YamlNode) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _overlaid(below: _TagDrafts, above: _TagDrafts) -> _TagDrafts:
    """Tags of both; where both have one, the fields above win."""
    return below | {
        tag_id: _TagDraft(draft.source, below[tag_id].fields | draft.fields) if tag_id in below else draft
        for tag_id, draft in above.items()
    }


_LIMIT_KEYS = ("low_low", "low", "high", "high_high")
_TAG_FIELDS = {
    "name": _Reader._field_name,
    "unit": _Reader._field_unit,
    "kind": _Reader._field_kind,
    "range": _Reader._field_range,
    "decimals": _Reader._field_decimals,
    "period_s": _Reader._field_period,
    "role": _Reader._field_role,
    "alarm_limits": _Reader._field_alarm_limits,
    "states": _Reader._field_states,
}
_TAG_KEYS = ("id", *_TAG_FIELDS)
