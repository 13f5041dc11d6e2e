"""The tags of a plant file: drafts, which types and assets lay over one another, and the checks of every field."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from athanor.kernel.plant.model import AlarmLimits, TagKind, Text
from athanor.kernel.plant.roles import ROLE_SHAPE, ROLES
from athanor.kernel.plant.yaml_fields import Faults
from athanor.kernel.plant.yaml_meters import has_meter, meter_fault, meter_fields
from athanor.kernel.plant.yaml_tree import Node, Scalar
from athanor.kernel.units import IncompatibleUnitsError, UnknownUnitError, check_unit, conversion


@dataclass(slots=True)
class TagDraft:
    """Fields of `Tag` that the file gives; a type's and an asset's are laid over one another."""

    source: Node
    fields: dict[str, Any]


TagDrafts = dict[str, TagDraft]  # by the tag's id


def overlaid(below: TagDrafts, above: TagDrafts) -> TagDrafts:
    """Tags of both; where both have one, the fields above win."""
    return below | {
        tag_id: TagDraft(draft.source, below[tag_id].fields | draft.fields) if tag_id in below else draft
        for tag_id, draft in above.items()
    }


class TagReader:
    """Reads tags; what is wrong with them goes to `faults`."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def drafts(self, node: Node, owner: str) -> TagDrafts:
        """The tags in a list, as far as it describes them; `owner` is the type or the node's path."""
        drafts: TagDrafts = {}
        for item in self.faults.items(node, f"tags of {owner}"):
            given = self.faults.mapping(item, "a tag", _TAG_KEYS, required=("id",))
            if "id" not in given:
                continue
            tag_id = self.faults.id(given.pop("id"), "the tag's id")
            if tag_id is None:
                continue
            fields: dict[str, Any] = {}
            for key, value in given.items():
                fields |= _TAG_FIELDS[key](self, value)
            if tag_id in drafts:
                first = drafts[tag_id].source.line
                self.faults.add(item, f"Tag {tag_id!r} of {owner} stands on line {first} already. Rename one of them.")
            drafts.setdefault(tag_id, TagDraft(item, fields))
        return drafts

    def check_complete(self, tag_id: str, draft: TagDraft) -> None:
        """A tag is whole only when its types' fields are laid under its own."""
        fields = draft.fields
        kind = fields.get("kind", TagKind.ANALOG)
        if "name" not in fields:
            self.faults.add(draft.source, f"Tag {tag_id!r} has no 'name'. Add it.")
        if "unit" not in fields and kind not in (TagKind.STATE, TagKind.TEXT):
            self.faults.add(draft.source, f"Tag {tag_id!r} has no 'unit'. Add it; a pure number has the unit 1.")
        if fields.get("states") and kind is not TagKind.STATE:
            self.faults.add(draft.source, f"Tag {tag_id!r} has 'states', so its kind must be state; it is {kind}.")
        if has_meter(fields) and kind is not TagKind.COUNTER:
            self.faults.add(draft.source, f"Tag {tag_id!r} has a 'meter', so its kind must be counter; it is {kind}.")
        fault = meter_fault(fields)
        if fault is not None:
            self.faults.add(draft.source, f"Tag {tag_id!r} {fault}. Correct the width or the replacement.")
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

    def _field_name(self, node: Node) -> dict[str, Any]:
        return {"name": self.faults.name(node, "the tag's name") or {}}

    def _field_unit(self, node: Node) -> dict[str, Any]:
        unit = self.faults.text(node, "'unit'")
        if unit is None:
            return {"unit": None}
        try:
            check_unit(unit)
        except UnknownUnitError as error:
            self.faults.add(node, str(error))
            return {"unit": None}
        return {"unit": unit}

    def _field_kind(self, node: Node) -> dict[str, Any]:
        return {"kind": self.faults.choice(node, "'kind'", TagKind) or TagKind.ANALOG}

    def _field_range(self, node: Node) -> dict[str, Any]:
        numbers = None if _is_null(node) else self.faults.pair(node, "'range'", "[low, high]")
        if numbers is not None and numbers[0] >= numbers[1]:
            self.faults.add(
                node, f"The range's low end {numbers[0]:g} is not below its high end {numbers[1]:g}. Swap or correct."
            )
        low, high = numbers or (None, None)
        return {"low": low, "high": high}

    def _field_decimals(self, node: Node) -> dict[str, Any]:
        return {"decimals": self.faults.whole(node, "'decimals'", 0, 12)}

    def _field_period(self, node: Node) -> dict[str, Any]:
        period_s = None if _is_null(node) else self.faults.number(node, "'period_s'")
        if period_s is not None and period_s <= 0:
            self.faults.add(node, f"'period_s' must be more than 0 seconds, not {period_s:g}.")
        return {"period_s": period_s}

    def _field_role(self, node: Node) -> dict[str, Any]:
        role = None if _is_null(node) else self.faults.text(node, "'role'")
        if role is not None and not ROLE_SHAPE.fullmatch(role):
            self.faults.add(node, f"{role!r} is no role. Write words joined by dots, such as tenant.power.")
        return {"role": role}

    def _field_retention(self, node: Node) -> dict[str, Any]:
        return {"retention": None if _is_null(node) else self.retention(node)}

    def retention(self, node: Node) -> str | None:
        """A class of retention, by its name."""
        return self.faults.id(node, "the class of 'retention'")

    def _field_meter(self, node: Node) -> dict[str, Any]:
        return meter_fields(self.faults, node)

    def _field_alarm_limits(self, node: Node) -> dict[str, Any]:
        if _is_null(node):
            return {"alarm_limits": AlarmLimits()}
        given = self.faults.mapping(node, "'alarm_limits'", _LIMIT_KEYS)
        limits = {key: self.faults.number(value, repr(key)) for key, value in given.items() if not _is_null(value)}
        ordered = [(key, limits[key]) for key in _LIMIT_KEYS if limits.get(key) is not None]
        for (lower, low), (upper, high) in pairwise(ordered):
            if low is not None and high is not None and low >= high:
                self.faults.add(
                    node,
                    f"Alarm limit {lower} ({low:g}) is not below {upper} ({high:g}). The order is low_low < low < "
                    "high < high_high.",
                )
        return {"alarm_limits": AlarmLimits(**limits)}

    def _field_states(self, node: Node) -> dict[str, Any]:
        if _is_null(node):
            return {"states": {}}
        states: dict[int, Text] = {}
        for number, name in self.faults.entries(node, "'states'").items():
            state = self.faults.whole(Scalar(number, name.line, plain=True), "a state's number", -(2**31), 2**31 - 1)
            text = self.faults.name(name, f"state {number}")
            if state is not None:
                states[state] = text or {}
        return {"states": states}


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


_LIMIT_KEYS = ("low_low", "low", "high", "high_high")
_TAG_FIELDS = {
    "name": TagReader._field_name,
    "unit": TagReader._field_unit,
    "kind": TagReader._field_kind,
    "range": TagReader._field_range,
    "decimals": TagReader._field_decimals,
    "period_s": TagReader._field_period,
    "role": TagReader._field_role,
    "alarm_limits": TagReader._field_alarm_limits,
    "states": TagReader._field_states,
    "meter": TagReader._field_meter,
    "retention": TagReader._field_retention,
}
_TAG_KEYS = ("id", *_TAG_FIELDS)
