"""What a plant file says of the register behind a counter. A type's and an asset's are laid over one another by key."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from athanor.kernel.plant.meter import MOST_DECIMALS, Meter, Replacement
from athanor.kernel.plant.yaml_fields import Faults
from athanor.kernel.plant.yaml_tree import Node, Scalar

_PREFIX = "meter_"  # of the draft's fields that become the tag's meter
_REPLACEMENT_KEYS = ("at", "old_final", "new_initial")


def meter_fields(faults: Faults, node: Node) -> dict[str, Any]:
    """The fields of a tag's draft that `meter: {…}` gives; `meter: null` takes away what a type gave."""
    if isinstance(node, Scalar) and node.is_null:
        return {f"{_PREFIX}{key}": None for key in _READERS}
    given = faults.mapping(node, "'meter'", tuple(_READERS))
    return {f"{_PREFIX}{key}": _READERS[key](faults, value) for key, value in given.items()}


def has_meter(fields: Mapping[str, Any]) -> bool:
    """Whether a draft says anything of a register."""
    return any(name.startswith(_PREFIX) and value is not None for name, value in fields.items())


def meter_fault(fields: Mapping[str, Any]) -> str | None:
    """What is wrong with a whole draft's register; None for nothing."""
    width = fields.get("meter_width")
    for replacement in fields.get("meter_replacements") or ():
        for shown in (replacement.old_final, replacement.new_initial):
            if shown < 0 or (width is not None and shown >= width):
                return f"has a meter that shows {shown:g} at a replacement, which its register cannot"
    return None


def with_meter(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A whole draft's fields with `meter` in place of its parts; its decimals are the tag's where it names none."""
    rest = {name: value for name, value in fields.items() if not name.startswith(_PREFIX)}
    if not has_meter(fields):
        return rest
    decimals = fields.get("meter_decimals")
    if decimals is None:
        decimals = min(fields.get("decimals") or 0, MOST_DECIMALS) if "decimals" in fields else Meter().decimals
    replacements = tuple(fields.get("meter_replacements") or ())
    meter = Meter(decimals, fields.get("meter_width"), fields.get("meter_max_rate_per_s"), replacements)
    return rest | {"meter": meter}


def _positive(what: str) -> Callable[[Faults, Node], float | None]:
    def read(faults: Faults, node: Node) -> float | None:
        if isinstance(node, Scalar) and node.is_null:
            return None
        number = faults.number(node, what)
        if number is not None and number <= 0:
            faults.add(node, f"{what} must be more than 0, not {number:g}.")
            return None
        return number

    return read


def _decimals(faults: Faults, node: Node) -> int | None:
    return faults.whole(node, "'decimals' of the meter", 0, MOST_DECIMALS)


def _replacements(faults: Faults, node: Node) -> tuple[Replacement, ...]:
    items = [] if isinstance(node, Scalar) and node.is_null else faults.items(node, "'replacements'")
    known = [replacement for item in items if (replacement := _replacement(faults, item)) is not None]
    if any(later.at <= earlier.at for earlier, later in pairwise(known)):
        faults.add(node, "Replacements of a meter ascend in time. Put the earliest first.")
        return ()
    return tuple(known)


def _replacement(faults: Faults, item: Node) -> Replacement | None:
    given = faults.mapping(item, "a replacement", _REPLACEMENT_KEYS, required=_REPLACEMENT_KEYS)
    at = _moment(faults, given["at"]) if "at" in given else None
    old, new = (faults.number(given[key], repr(key)) if key in given else None for key in ("old_final", "new_initial"))
    return None if at is None or old is None or new is None else Replacement(at, old, new)


def _moment(faults: Faults, node: Node) -> datetime | None:
    text = faults.text(node, "'at'")
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        faults.add(node, f"{text!r} is no time with a zone. Write it like 2026-03-01T06:00+08:00.")
        return None
    return at


_READERS: Mapping[str, Callable[[Faults, Node], Any]] = {
    "width": _positive("'width'"),
    "decimals": _decimals,
    "max_rate_per_s": _positive("'max_rate_per_s'"),
    "replacements": _replacements,
}
