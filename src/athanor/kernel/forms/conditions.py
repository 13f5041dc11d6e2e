"""Whether what was filled in meets a condition, and which fields are shown by that. Pure."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from athanor.kernel.forms.definition import Condition, Definition, FormField, Kind, Op
from athanor.kernel.forms.formula import Formula

Values = Mapping[str, Any]  # by field: what JSON holds

_COMPARE: Mapping[Op, Callable[[float, float], bool]] = {
    Op.ABOVE: operator.gt,
    Op.AT_LEAST: operator.ge,
    Op.BELOW: operator.lt,
    Op.AT_MOST: operator.le,
}


def is_filled(value: object) -> bool:
    """Whether there is anything."""
    return value is not None and value not in ("", [], {})


def holds(condition: Condition | None, values: Values) -> bool:
    """Whether the condition is met; None always is. A value that cannot be compared meets no comparison."""
    if condition is None:
        return True
    value, wanted = values.get(condition.field), condition.value
    if condition.op in (Op.FILLED, Op.EMPTY):
        return is_filled(value) is (condition.op is Op.FILLED)
    if condition.op in (Op.EQUAL, Op.OTHER):
        return _is_same(value, wanted) is (condition.op is Op.EQUAL)
    left, right = _number(value), _number(wanted)
    return left is not None and right is not None and _COMPARE[condition.op](left, right)


def shown_fields(definition: Definition, values: Values) -> tuple[FormField, ...]:
    """The fields that are asked, in order. What depends on a field that is not shown is not shown either."""
    shown: list[FormField] = []
    seen: dict[str, Any] = {}
    for one in definition.fields:
        if holds(one.shown_if, seen):
            shown.append(one)
            if one.id in values:
                seen[one.id] = values[one.id]
    return tuple(shown)


def with_computed(definition: Definition, values: Values) -> dict[str, Any]:
    """The values with every computed field's; None where it cannot be computed."""
    result = dict(values)
    for one in definition.fields:
        if one.kind is Kind.COMPUTED:
            numbers = {name: _number(result.get(name)) for name in definition_numbers(definition)}
            result[one.id] = Formula(one.formula).value(numbers, _columns(definition, result))
    return result


def definition_numbers(definition: Definition) -> list[str]:
    """Ids of the fields that hold a number."""
    return [one.id for one in definition.fields if one.kind in (Kind.NUMBER, Kind.COMPUTED)]


def _columns(definition: Definition, values: Values) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for one in definition.fields:
        rows = values.get(one.id)
        for column in one.columns:
            cells = [row.get(column.id) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            found[f"{one.id}.{column.id}"] = [_number(cell) for cell in cells if is_filled(cell)]
    return found


def _is_same(value: object, wanted: object) -> bool:
    if isinstance(value, list):
        return wanted in value
    if isinstance(value, bool) or isinstance(wanted, bool):
        return _truth(value) is _truth(wanted) and _truth(value) is not None
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return left == right
    return str(value if value is not None else "") == str(wanted if wanted is not None else "")


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).casefold())


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return None
