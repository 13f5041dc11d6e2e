"""Whether what was filled in will do. Pure: what exists in the plant is asked of `Known`.

Values are what JSON holds, by the kind of field: a text; a number; a date `2026-11-21`; a moment in ISO 8601 with its
zone; the value of a choice, or a list of them; true or false; a path, or a login; for a table a list of objects by
column; for photos a list of `{"id", "name", "type", "size"}`; a signature as the path of its strokes; a position as
`{"lat", "lon", "accuracy_m", "at"}`. While typing anything else may stand there: it is kept, and refused when sent.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from athanor.kernel.forms.conditions import Values, is_filled, shown_fields, with_computed
from athanor.kernel.forms.definition import Column, Definition, FormField, Kind, Option, Text

MOST_BYTES_OF_VALUES = 1_000_000
SHORT_TEXT: Final = 500  # characters of a text of one line
_SIGNATURE = re.compile(r"(?:M-?\d{1,4} -?\d{1,4}(?: L-?\d{1,4} -?\d{1,4})*(?: |$))+")
_LONGEST_SIGNATURE: Final = 50_000
_MOST_LATITUDE, _MOST_LONGITUDE = 90.0, 180.0

TEXTS: Final[Mapping[str, str]] = {
    "required": "it is needed",
    "no-number": "this is no number",
    "too-low": "at least {least} is allowed",
    "too-high": "at most {most} is allowed",
    "too-long": "at most {most} characters are allowed",
    "too-many": "at most {most} are allowed",
    "no-date": "this is no date",
    "no-moment": "this is no date and time with its zone",
    "not-offered": "this is not one of the values offered",
    "no-asset": "the plant has no such asset",
    "no-tag": "the plant has no such tag",
    "no-person": "there is no such person",
    "unreadable": "this cannot be read",
    "row": "row {row}, {column}: {reason}",
}


class Known(Protocol):
    """What there is to point at, as the author sees it."""

    def has_asset(self, path: str) -> bool: ...

    def has_tag(self, path: str) -> bool: ...

    def has_person(self, login: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value will not do. `code` is a key of TEXTS; `message` is the definition's own text, if it has one."""

    field: str
    code: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    message: Text = dataclasses.field(default_factory=dict)

    @property
    def english(self) -> str:
        """The reason in English."""
        own = self.message.get("en") or next((text for text in self.message.values() if text), "")
        return own or TEXTS[self.code].format(**self.details)


def faults_of(definition: Definition, values: Values, known: Known) -> list[Fault]:
    """All that keeps these values from being sent, in the order of the fields; of hidden fields nothing is asked."""
    values = with_computed(definition, values)
    found = []
    for one in shown_fields(definition, values):
        fault = fault_of(one, values.get(one.id), known)
        if fault is not None:
            found.append(fault)
    return found


def fault_of(one: FormField, value: object, known: Known) -> Fault | None:
    """What is wrong with one field's value; None where it will do."""
    if one.kind is Kind.NOTE:
        return None
    if not is_filled(value):
        return Fault(one.id, "required", message=one.message) if one.required else None
    reason = _CHECKS[one.kind](one, value, known)
    return None if reason is None else Fault(one.id, reason[0], reason[1], one.message)


def sent_values(definition: Definition, values: Values) -> dict[str, Any]:
    """What is kept of values that will do: shown fields only, and computed ones computed."""
    computed = with_computed(definition, values)
    return {
        one.id: computed[one.id]
        for one in shown_fields(definition, computed)
        if one.kind is not Kind.NOTE and is_filled(computed.get(one.id))
    }


Reason = tuple[str, dict[str, Any]] | None


def _text(one: FormField, value: object, _known: Known) -> Reason:
    if not isinstance(value, str):
        return "unreadable", {}
    most = min(one.longest, SHORT_TEXT) if one.kind is Kind.TEXT else one.longest
    return ("too-long", {"most": most}) if len(value) > most else None


def _number(one: FormField | Column, value: object, _known: Known | None = None) -> Reason:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "no-number", {}
    if one.min is not None and value < one.min:
        return "too-low", {"least": f"{one.min:g} {one.unit}".strip()}
    if one.max is not None and value > one.max:
        return "too-high", {"most": f"{one.max:g} {one.unit}".strip()}
    return None


def _date(_one: FormField | Column, value: object, _known: Known | None = None) -> Reason:
    try:
        date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return "no-date", {}
    return None


def _moment(_one: FormField, value: object, _known: Known) -> Reason:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return "no-moment", {}
    return None if moment.tzinfo is not None else ("no-moment", {})


def _offered(options: tuple[Option, ...], value: object) -> Reason:
    return None if any(option.value == value for option in options) else ("not-offered", {})


def _choice(one: FormField, value: object, _known: Known) -> Reason:
    return _offered(one.options, value)


def _choices(one: FormField, value: object, _known: Known) -> Reason:
    if not isinstance(value, list):
        return "unreadable", {}
    return next((reason for each in value if (reason := _offered(one.options, each)) is not None), None)


def _yes_no(_one: FormField | Column, value: object, _known: Known | None = None) -> Reason:
    return None if isinstance(value, bool) else ("unreadable", {})


def _pointed(code: str, has: Callable[[Known], Callable[[str], bool]]) -> Callable[[FormField, object, Known], Reason]:
    def check(_one: FormField, value: object, known: Known) -> Reason:
        return None if isinstance(value, str) and has(known)(value) else (code, {})

    return check


def _table(one: FormField, value: object, _known: Known) -> Reason:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return "unreadable", {}
    if len(value) > one.most:
        return "too-many", {"most": one.most}
    return next(_row_faults(one, value), None)


def _row_faults(one: FormField, rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(rows, start=1):
        for column in one.columns:
            reason = _cell(column, row.get(column.id))
            if reason is not None:
                text = TEXTS[reason[0]].format(**reason[1])
                yield "row", {"row": number, "column": column.label.get("en") or column.id, "reason": text}


def _cell(column: Column, value: object) -> Reason:
    if not is_filled(value):
        return ("required", {}) if column.required else None
    check = _CELLS.get(column.kind)
    if check is not None:
        return check(column, value)
    if not isinstance(value, str):
        return "unreadable", {}
    return ("too-long", {"most": SHORT_TEXT}) if len(value) > SHORT_TEXT else None


def _photo(one: FormField, value: object, _known: Known) -> Reason:
    if not isinstance(value, list) or not all(isinstance(photo, dict) and "id" in photo for photo in value):
        return "unreadable", {}
    return ("too-many", {"most": one.most}) if len(value) > one.most else None


def is_signature(value: object) -> bool:
    """Whether this is the path of strokes, in a box of 600 by 200: `M10 20 L11 22 …`, and nothing else."""
    return isinstance(value, str) and len(value) <= _LONGEST_SIGNATURE and _SIGNATURE.fullmatch(value) is not None


def _signature(_one: FormField, value: object, _known: Known) -> Reason:
    return None if is_signature(value) else ("unreadable", {})


def _position(_one: FormField, value: object, _known: Known) -> Reason:
    if not isinstance(value, dict):
        return "unreadable", {}
    numbers = [value.get(name) for name in ("lat", "lon", "accuracy_m")]
    if any(isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) for one in numbers):
        return "unreadable", {}
    lat, lon, accuracy = (float(one) for one in numbers if one is not None)
    is_on_earth = abs(lat) <= _MOST_LATITUDE and abs(lon) <= _MOST_LONGITUDE and accuracy >= 0
    return None if is_on_earth else ("unreadable", {})


_CELLS: Mapping[Kind, Callable[[Column, object], Reason]] = {
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: lambda column, value: _offered(column.options, value),
}
_CHECKS: Mapping[Kind, Callable[[FormField, object, Known], Reason]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.YES_NO: _yes_no,
    Kind.ASSET: _pointed("no-asset", lambda known: known.has_asset),
    Kind.TAG: _pointed("no-tag", lambda known: known.has_tag),
    Kind.PERSON: _pointed("no-person", lambda known: known.has_person),
    Kind.TABLE: _table,
    Kind.PHOTO: _photo,
    Kind.SIGNATURE: _signature,
    Kind.POSITION: _position,
    Kind.COMPUTED: _number,
}
