"""What was filled in, to be read: on the page and on paper."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.forms.pages import wording
from athanor.kernel.forms.conditions import is_filled, shown_fields
from athanor.kernel.forms.definition import Column, FormField, Kind
from athanor.kernel.forms.records import Entry
from athanor.kernel.forms.validation import is_signature
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, region
from athanor.web.formatting import NOTHING, date_time, number
from athanor.web.language import _, text_of


def show_values(entry: Entry, plant: RunningPlant, names: Mapping[str, str], zone: ZoneInfo) -> None:
    """Every field that was asked, with its value."""
    with region("ath-entry-values", "dl"):
        for one in shown_fields(entry.definition, entry.values):
            if one.kind is Kind.NOTE:
                continue
            Words(text_of(one.label) or one.id, "dt")
            with region(tag="dd"):
                _show_value(one, entry.values.get(one.id), entry, plant, names, zone)


def value_text(one: FormField, value: Any, plant: RunningPlant, names: Mapping[str, str], zone: ZoneInfo) -> str:
    """A value in a line, as for a history."""
    if not is_filled(value):
        return NOTHING
    if one.kind in _COUNTED and isinstance(value, list):
        return _counted(one, value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        return _number(one, float(value))
    return _of_text(one, value, plant, names, zone)


def _counted(one: FormField, value: list[Any]) -> str:
    text = _("{n} rows") if one.kind is Kind.TABLE else _("{n} photos")
    return text.format(n=len(value))


def _number(one: FormField, value: float) -> str:
    decimals = one.decimals if one.kind is Kind.COMPUTED else _decimals(value)
    return f"{number(value, decimals)} {one.unit}".strip()


def _of_text(one: FormField, value: Any, plant: RunningPlant, names: Mapping[str, str], zone: ZoneInfo) -> str:
    match one.kind:
        case Kind.CHOICE | Kind.CHOICES:
            labels = {option.value: wording.option_text(option) for option in one.options}
            return ", ".join(labels.get(each, str(each)) for each in (value if isinstance(value, list) else [value]))
        case Kind.ASSET | Kind.TAG:
            return _place(str(value), plant)
        case Kind.MOMENT:
            return _moment(value, zone)
        case Kind.SIGNATURE:
            return _("signed")
        case Kind.POSITION if isinstance(value, dict):
            return _position(value)
    return names.get(str(value), str(value)) if one.kind is Kind.PERSON else str(value)


_COUNTED = frozenset({Kind.TABLE, Kind.PHOTO})


def signature_picture(path: str) -> None:
    """The strokes of a signature; what is none is not drawn."""
    if is_signature(path):
        picture = ui.element("svg")
        picture.classes("ath-signed")
        picture.props["viewBox"] = "0 0 600 200"
        picture.props["role"], picture.props["aria-label"] = "img", _("Signature")
        with picture:
            ui.element("path").props["d"] = path


def _show_value(
    one: FormField, value: Any, entry: Entry, plant: RunningPlant, names: Mapping[str, str], zone: ZoneInfo
) -> None:
    if one.kind is Kind.TABLE and isinstance(value, list) and value:
        _table(one, value)
    elif one.kind is Kind.PHOTO and isinstance(value, list) and value:
        with region("ath-photos-shown"):
            for photo in value:
                address = f"/api/v1/forms/entries/{entry.id}/photos/{photo.get('id', '')}"
                with region("", "a", href=address, target="_blank", rel="noopener"):
                    region("", "img", src=address, alt=str(photo.get("name", "")))
    elif one.kind is Kind.SIGNATURE and is_signature(value):
        signature_picture(value)
    else:
        Words(value_text(one, value, plant, names, zone), "span", "ath-entry-text")


def _table(one: FormField, rows: list[dict[str, Any]]) -> None:
    with (
        region("ath-table-scroll"),
        region("ath-table", "table", aria_label=text_of(one.label) or one.id),
    ):
        with region(tag="thead"), region(tag="tr"):
            for column in one.columns:
                Words(wording.label_of(column), "th", "is-number" if column.kind is Kind.NUMBER else "")
        with region(tag="tbody"):
            for row in rows:
                with region(tag="tr"):
                    for column in one.columns:
                        classes = "is-number" if column.kind is Kind.NUMBER else "is-wide"
                        Words(_cell(column, row.get(column.id)), "td", classes)


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        return number(float(value), _decimals(float(value)))
    labels = {option.value: wording.option_text(option) for option in column.options}
    return labels.get(str(value), str(value))


def _decimals(value: float) -> int:
    """As many as were typed, at most six."""
    text = f"{value:.6f}".rstrip("0")
    return len(text.partition(".")[2])


def _moment(value: object, zone: ZoneInfo) -> str:
    try:
        return date_time(datetime.fromisoformat(str(value)), zone)
    except ValueError:
        return str(value)


def _place(path: str, plant: RunningPlant) -> str:
    node, tag = plant.model.nodes.get(path), plant.model.tags.get(path)
    name = "" if node is None and tag is None else text_of(node.name if node is not None else tag.name)  # type: ignore[union-attr]
    return f"{name} ({path})" if name else path


def _position(value: Mapping[str, Any]) -> str:
    try:
        lat, lon, accuracy = (float(value[name]) for name in ("lat", "lon", "accuracy_m"))
    except (KeyError, TypeError, ValueError):
        return str(dict(value))
    return f"{lat:.6f}, {lon:.6f} ± {accuracy:.0f} m"
