"""Fields of a form on a page: each tells what was entered as soon as it is, and shows what is wrong with it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.forms.pages import wording
from athanor.apps.forms.pages.capture import PhotoField, PositionField, SignatureField
from athanor.apps.forms.pages.picker import Picker, Thing
from athanor.apps.forms.pages.rows import TableRows, finite
from athanor.kernel.forms.conditions import shown_fields, with_computed
from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.definition import Definition, FormField, Kind
from athanor.kernel.forms.records import Pointed
from athanor.kernel.forms.validation import SHORT_TEXT, Fault, fault_of, faults_of
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, icon, region
from athanor.web.formatting import NOTHING, number
from athanor.web.language import _, text_of

_VALUE = "(event) => emit(event.target.value)"
_TYPING_S = 0.7  # so often what is being typed is told
Saved = Callable[[str, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What fields may point at, and where photos go."""

    plant: RunningPlant
    people: People
    tenant: str | None
    zone: ZoneInfo
    entry_id: int | None = None
    begin: Callable[[], Awaitable[int]] | None = None  # makes the entry that photos need; None: there is to be none
    remove_photo: Callable[[str, str], Awaitable[None]] | None = None  # by field and photo

    def assets(self) -> Iterable[Thing]:
        """Assets to choose among."""
        for node in self.plant.model.nodes.values():
            if self.tenant in (None, node.tenant):
                yield Thing(node.path, text_of(node.name), node.path)

    def tags(self) -> Iterable[Thing]:
        """Tags to choose among."""
        for tag in self.plant.model.tags.values():
            if self.tenant in (None, self.plant.model.nodes[tag.node_path].tenant):
                yield Thing(tag.path, text_of(tag.name), tag.path)

    def persons(self) -> Iterable[Thing]:
        """People to choose among."""
        for login, person in sorted(self.people.by_login.items()):
            if self.tenant is None or person.user.tenant in (None, self.tenant):
                yield Thing(login, person.user.name or login, login)

    @property
    def known(self) -> Pointed:
        """For judging values."""
        return Pointed(self.plant, self.people, self.tenant)


class Fields:
    """A form's fields, one below the other.

    Parameters
    ----------
    saved
        Called with a field's id and new value, as JSON holds it.
    """

    def __init__(self, definition: Definition, values: Mapping[str, Any], around: Surroundings, saved: Saved) -> None:
        self.definition, self.values, self.around = definition, dict(values), around
        self._saved = saved
        self._regions: dict[str, ui.element] = {}
        self._faults: dict[str, Words] = {}
        self._computed: dict[str, Words] = {}
        self._photos: dict[str, PhotoField] = {}
        with region("ath-entry-fields"):
            for one in definition.fields:
                self._build(one)
        self._refresh()

    def show_faults(self) -> list[Fault]:
        """Say at each field what is wrong with it: all of it."""
        faults = faults_of(self.definition, self.values, self.around.known)
        for field_id in self._faults:
            self._say(field_id, next((fault for fault in faults if fault.field == field_id), None))
        return faults

    def focus(self, field_id: str) -> None:
        """Bring a field into view."""
        target = self._regions[field_id]
        ui.run_javascript(
            f"const e = getHtmlElement({target.id}); e.scrollIntoView({{block: 'center'}}); "
            "e.querySelector('input, select, textarea, button, svg')?.focus({preventScroll: true})"
        )

    async def _put(self, one: FormField, value: Any, *, is_final: bool = True) -> None:
        self.values[one.id] = value
        self._refresh()
        if is_final or self._faults[one.id].text:
            fault = fault_of(one, value, self.around.known)
            self._say(one.id, None if fault is not None and fault.code == "required" else fault)
        await self._saved(one.id, value)

    def _refresh(self) -> None:
        """Show what follows from the values: computed ones, and which fields are asked at all."""
        values = with_computed(self.definition, self.values)
        shown = {one.id for one in shown_fields(self.definition, values)}
        for field_id, element in self._regions.items():
            if element.visible is not (field_id in shown):
                element.set_visibility(field_id in shown)
        for field_id, words in self._computed.items():
            one, value = self.definition.field(field_id), values[field_id]
            text = NOTHING if value is None else f"{number(value, one.decimals)} {one.unit}".strip()
            words.text = text

    def _say(self, field_id: str, fault: Fault | None) -> None:
        self._faults[field_id].text = "" if fault is None else wording.fault_text(fault)
        self._regions[field_id].classes(**({"add": "is-wrong"} if fault else {"remove": "is-wrong"}))

    # ---- building

    def _build(self, one: FormField) -> None:
        if one.kind is Kind.NOTE:
            with region("ath-field is-note") as element:
                icon("info")
                Words(text_of(one.label) or one.id, "p")
        else:
            is_single = one.kind in _SINGLE
            with region("ath-field", "label" if is_single else "div", data_field=one.id) as element:
                if not is_single:
                    element.props["role"], element.props["aria-label"] = "group", wording.label_of(one)
                with region("ath-field-label", "span"):
                    Words(wording.label_of(one))
                    if one.required:
                        Words("*", "span", "is-urgent").describe(_("Needed"))
                if text_of(one.help):
                    Words(text_of(one.help), "small", "ath-field-help")
                _BUILDERS[one.kind](self, one)
                fault = Words("", "p", "ath-field-fault")
                fault.props["role"] = "alert"
                self._faults[one.id] = fault
        self._regions[one.id] = element

    def _typed_field(self, one: FormField) -> None:
        attributes = {}
        if one.kind in (Kind.TEXT, Kind.LONG_TEXT):
            attributes["maxlength"] = str(min(one.longest, SHORT_TEXT) if one.kind is Kind.TEXT else one.longest)
        if one.kind is Kind.LONG_TEXT:
            element = region("", "textarea", rows="3", name=one.id, **attributes)
        else:
            kind = {Kind.DATE: "date", Kind.MOMENT: "datetime-local"}.get(one.kind, "text")
            if one.kind is Kind.NUMBER:
                attributes["inputmode"] = "decimal"
            element = region("", "input", type=kind, name=one.id, autocomplete="off", **attributes)
        element.props["defaultValue"] = self._as_typed(one)

        async def typing(event: GenericEventArguments) -> None:
            await self._put(one, self._read(one, str(event.args)), is_final=False)

        async def typed(event: GenericEventArguments) -> None:
            await self._put(one, self._read(one, str(event.args)))

        element.on("input", typing, js_handler=_VALUE, throttle=_TYPING_S, leading_events=False)
        element.on("change", typed, js_handler=_VALUE)

    def _as_typed(self, one: FormField) -> str:
        value = self.values.get(one.id)
        if one.kind is Kind.MOMENT and isinstance(value, str):
            try:
                return datetime.fromisoformat(value).astimezone(self.around.zone).strftime("%Y-%m-%dT%H:%M")
            except ValueError:
                return ""
        if isinstance(value, float):
            return f"{value:.12g}"
        return "" if value is None else str(value)

    def _read(self, one: FormField, text: str) -> Any:
        """What was typed as JSON holds it; as it is where it cannot be read."""
        if not text.strip():
            return None
        try:
            if one.kind is Kind.NUMBER:
                return finite(text)
            if one.kind is Kind.MOMENT:
                return datetime.fromisoformat(text).replace(tzinfo=self.around.zone).isoformat()
        except ValueError:
            return text
        return text

    def _options(self, one: FormField) -> None:
        is_many = one.kind is Kind.CHOICES
        if one.kind is Kind.YES_NO:
            options = {"true": _("Yes"), "false": _("No")}
            chosen = {str(self.values.get(one.id)).lower()}
        else:
            options = {option.value: wording.option_text(option) for option in one.options}
            value = self.values.get(one.id)
            chosen = set(value) if isinstance(value, list) else {str(value)}
        with region("ath-options"):
            for value, text in options.items():
                with region("ath-option", "label"):
                    box = region("", "input", type="checkbox" if is_many else "radio", name=f"field-{one.id}")
                    box.props["value"] = value
                    if value in chosen:
                        box.props["checked"] = True
                    Words(text)
                box.on("change", self._chosen(one, value), js_handler="(event) => emit(event.target.checked)")

    def _chosen(self, one: FormField, option: str) -> Callable[[GenericEventArguments], Awaitable[None]]:
        async def heard(event: GenericEventArguments) -> None:
            if one.kind is Kind.YES_NO:
                await self._put(one, option == "true")
            elif one.kind is Kind.CHOICE:
                await self._put(one, option)
            else:
                before = self.values.get(one.id) or []
                now = {*before, option} if event.args else set(before) - {option}
                await self._put(one, [each.value for each in one.options if each.value in now])

        return heard

    def _picker(self, one: FormField) -> None:
        around = self.around
        things = {Kind.ASSET: around.assets, Kind.TAG: around.tags, Kind.PERSON: around.persons}[one.kind]
        Picker(wording.label_of(one), things, self.values.get(one.id), lambda value: self._put(one, value))

    def _table(self, one: FormField) -> None:
        TableRows(one, self.values.get(one.id), lambda rows: self._put(one, rows))

    def _photo(self, one: FormField) -> None:
        if self.around.entry_id is None and self.around.begin is None:
            Words(_("Photos are taken here when it is filled in."), "p", "ath-field-help")
            return

        async def begin() -> int:
            return await self.around.begin() if self.around.begin else 0

        async def changed(photos: list[dict[str, Any]]) -> None:
            self.values[one.id] = photos
            self._say(one.id, None)
            self._refresh()

        async def removed(photo: str) -> None:
            if self.around.remove_photo is not None:
                await self.around.remove_photo(one.id, photo)

        self._photos[one.id] = PhotoField(
            one, self.values.get(one.id) or [], self.around.entry_id, begin=begin, changed=changed, removed=removed
        )

    def _signature(self, one: FormField) -> None:
        SignatureField(wording.label_of(one), self.values.get(one.id), lambda path: self._put(one, path or None))

    def _position(self, one: FormField) -> None:
        PositionField(self.values.get(one.id), lambda place: self._put(one, place))

    def _computed_field(self, one: FormField) -> None:
        self._computed[one.id] = Words("", "output", "ath-computed")


_SINGLE = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.NUMBER, Kind.DATE, Kind.MOMENT})
_BUILDERS: Mapping[Kind, Callable[[Fields, FormField], None]] = {
    **dict.fromkeys(_SINGLE, Fields._typed_field),
    **dict.fromkeys((Kind.CHOICE, Kind.CHOICES, Kind.YES_NO), Fields._options),
    **dict.fromkeys((Kind.ASSET, Kind.TAG, Kind.PERSON), Fields._picker),
    Kind.TABLE: Fields._table,
    Kind.PHOTO: Fields._photo,
    Kind.SIGNATURE: Fields._signature,
    Kind.POSITION: Fields._position,
    Kind.COMPUTED: Fields._computed_field,
}
