"""The fields of a correction, and the action that they say."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite, nan
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from athanor.apps.trends.services import correcting
from athanor.kernel.corrections.actions import Action
from athanor.kernel.corrections.store import ACTION
from athanor.kernel.historian.port import Historian, Span, microseconds, moment
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import display_unit
from athanor.web.components import Words, region
from athanor.web.formatting import value_text
from athanor.web.language import _, text_of

_VALUE_ONLY = "(event) => emit(event.target.value)"
_NEW = "new"  # stands for a sample that is not there yet
_NEAR_ENOUGH = timedelta(seconds=1)
_ENTERING = frozenset({"set", "constant", "interpolate"})  # kinds whose samples are of a quality that is chosen
_FILLING = frozenset({"constant", "interpolate"})  # kinds that may add samples

Choice = tuple[str, str]  # what is sent, and what is read


class UnreadableFormError(Exception):
    """What was typed is no correction; `text` says why, to the person."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class CorrectionForm:
    """Fields for one tag. To be built within a form; `show_fields` fills them.

    Parameters
    ----------
    changed
        Called when the person changed anything but the reason.
    """

    def __init__(
        self,
        historian: Historian,
        plant: RunningPlant,
        tag: Tag,
        span: Span,
        zone: ZoneInfo,
        *,
        changed: Callable[[], None],
    ) -> None:
        self._historian, self._plant, self._tag, self._zone = historian, plant, tag, zone
        self._changed = changed
        self._kind = correcting.KINDS[tag.kind][0]
        self._at = span.start + (span.end - span.start) / 2
        kinds = [(kind, _kind_name(kind)) for kind in correcting.KINDS[tag.kind]]
        with region("ath-fields") as self._all:
            kind = _select(_("What to do"), "kind", kinds)
            with region("ath-fields-row") as self._range:
                _field(_("From"), "start", "datetime-local", _local(span.start, zone), step="1")
                _field(_("To"), "end", "datetime-local", _local(_whole_second(span.end), zone), step="1")
            self._fields = region("ath-fields")
            with region(tag="label"):
                Words(_("Reason"))
                reason = region("", "textarea", name="reason", rows="2", maxlength="2000")
                reason.props["placeholder"] = _("What was wrong, and how you know")
        kind.on("change", self._kind_chosen, js_handler=_VALUE_ONLY)
        self._all.on(
            "input", lambda _event: changed(), js_handler="(event) => event.target.name !== 'reason' && emit()"
        )

    async def show_fields(self) -> None:
        """The fields of the kind that is chosen."""
        self._range.set_visibility(self._kind != "set")
        self._fields.clear()
        with self._fields:
            if self._kind == "set":
                at = _field(_("At"), "at", "datetime-local", _local(self._at, self._zone), step="0.001")
                at.on("change", self._at_chosen, js_handler=_VALUE_ONLY)
                self._near = region()
                await self._show_near()
            if self._kind in ("set", "constant"):
                self._value_field()
            if self._kind == "adjust":
                with region("ath-fields-row"):
                    _field(_("Factor"), "factor", "text", "1", inputmode="decimal")
                    _field(_with_unit(_("Offset"), self._tag), "offset", "text", "0", inputmode="decimal")
            if self._kind in _ENTERING:
                with region("ath-fields-row"):
                    self._quality_field()
                    if self._kind in _FILLING:
                        period = "" if self._tag.period_s is None else f"{self._tag.period_s:g}"
                        _field(_("Add samples where none came, every [s]"), "step", "text", period, inputmode="decimal")

    def action(self, said: Mapping[str, Any]) -> Action:
        """What the fields say, as the browser sent them. Raises UnreadableFormError."""
        kind = self._kind
        wish: dict[str, Any] = {"kind": kind}
        if kind == "set":
            wish["values"] = [{"time": self._time(said), "value": self._value(said)}]
        else:
            wish["start"], wish["end"] = (self._moment(said.get(name)) for name in ("start", "end"))
        if kind == "constant":
            wish["value"] = self._value(said)
        if kind == "adjust":
            wish["factor"], wish["offset"] = (_number(said.get(name)) for name in ("factor", "offset"))
        if kind in _ENTERING:
            wish["quality"] = said.get("quality")
        if kind in _FILLING and str(said.get("step") or "").strip():
            wish["step"] = _number(said.get("step"))
        return _action(wish)

    # ---- fields ----

    def _value_field(self) -> None:
        label = _with_unit(_("Value"), self._tag)
        if self._tag.states:
            states = [(str(number), f"{text_of(name)} ({number})") for number, name in self._tag.states.items()]
            _select(label, "value", states)
        else:
            mode = "text" if self._tag.kind in (TagKind.TEXT, TagKind.STATE) else "decimal"
            _field(label, "value", "text", "", inputmode=mode, autocomplete="off")

    def _quality_field(self) -> None:
        names = {"good": _("Good: counts in all figures"), "uncertain": _("Uncertain: shown, but not counted")}
        usual = sorted(names, reverse=self._kind == "interpolate")
        _select(_("Quality"), "quality", [(one, names[one]) for one in usual])

    async def _show_near(self) -> None:
        """The samples near the time, so that one of them can be replaced to the microsecond."""
        near = await correcting.samples_near(self._historian, self._plant, self._tag, microseconds(self._at))
        choices = []
        for time_us, value, text, quality in zip(near.time_us, near.value, near.text, near.quality, strict=True):
            shown = value_text(self._tag, text if text is not None else float(value))
            words = f"{_precise(moment(int(time_us)), self._zone)} · {shown} {display_unit(self._tag.unit)}".rstrip()
            choices.append((str(time_us), words if quality == Quality.GOOD else f"{words} ({_quality(quality)})"))
        choices.sort(key=lambda choice: abs(int(choice[0]) - microseconds(self._at)))
        new = (_NEW, _("A new sample at the time above"))
        enough_us = max(_NEAR_ENOUGH, timedelta(seconds=self._tag.period_s or 0)) // timedelta(microseconds=1)
        is_near = bool(choices) and abs(int(choices[0][0]) - microseconds(self._at)) <= enough_us
        with self._near:
            _select(_("Replaces"), "sample", [*choices, new] if is_near else [new, *choices])

    async def _kind_chosen(self, event: GenericEventArguments) -> None:
        if event.args in correcting.KINDS[self._tag.kind]:
            self._kind = str(event.args)
            self._changed()
            await self.show_fields()

    async def _at_chosen(self, event: GenericEventArguments) -> None:
        try:
            self._at = self._moment(event.args)
        except UnreadableFormError:
            return  # said when it is previewed
        self._near.clear()
        await self._show_near()

    # ---- what they say ----

    def _time(self, said: Mapping[str, Any]) -> datetime:
        """To the microsecond that of the chosen sample, or the time typed."""
        sample = str(said.get("sample") or _NEW)
        return moment(int(sample)) if sample.lstrip("-").isdecimal() else self._moment(said.get("at"))

    def _moment(self, text: object) -> datetime:
        try:
            return datetime.fromisoformat(str(text)).replace(tzinfo=self._zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise UnreadableFormError(_("Give the time.")) from None

    def _value(self, said: Mapping[str, Any]) -> float | str:
        text = str(said.get("value") or "").strip()
        if self._tag.kind is TagKind.TEXT:
            return text
        try:
            return _number(text)
        except UnreadableFormError:
            if self._tag.kind is TagKind.STATE and text:
                return text
            raise


def _action(wish: Mapping[str, Any]) -> Action:
    try:
        return ACTION.validate_python(wish)
    except ValidationError as error:
        places = {str(fault["loc"][-1]) if fault["loc"] else "" for fault in error.errors()}
        if places & {"start", "end", "time"}:
            raise UnreadableFormError(_("A range lies after 1970 and before 2200.")) from error
        if "step" in places:
            raise UnreadableFormError(_("The distance of added samples is at least 0.001 s.")) from error
        if "value" in places or "values" in places:
            raise UnreadableFormError(_("Give the value.")) from error
        raise UnreadableFormError(_("The end must be after the start.")) from error


def _number(text: object) -> float:
    typed = str(text or "").strip()
    if not typed:
        raise UnreadableFormError(_("Give the value."))
    try:
        number = float(typed.replace("\u2212", "-"))
    except ValueError:
        number = nan
    if not isfinite(number):  # a comma too, which means thousands to one and a decimal point to another
        raise UnreadableFormError(_("{text} is no number. Write it as in 1234.5.").format(text=f"“{typed[:40]}”"))
    return number


def _kind_name(kind: str) -> str:
    return {
        "set": _("Set or add one value"),
        "bad": _("Mark a range as bad"),
        "constant": _("Set a range to one value"),
        "adjust": _("Shift and scale a range"),
        "interpolate": _("Draw a straight line over a range"),
    }[kind]


def _quality(quality: int) -> str:
    return {Quality.UNCERTAIN: _("uncertain"), Quality.BAD: _("bad")}.get(Quality(quality), "")


def _field(label: str, name: str, kind: str, value: str, **attributes: str) -> ui.element:
    """A field that shows `value` until somebody types; what is typed stays when the page changes around it."""
    with region(tag="label"):
        Words(label)
        field = region("", "input", type=kind, name=name, **attributes)
        field.props["defaultValue"] = value
    return field


def _select(label: str, name: str, choices: Iterable[Choice]) -> ui.element:
    with region(tag="label"):
        Words(label)
        with region("", "select", name=name) as select:
            for value, text in choices:
                Words(text, "option").props["value"] = value
    return select


def _with_unit(label: str, tag: Tag) -> str:
    unit = display_unit(tag.unit)
    return f"{label} [{unit}]" if unit else label


def _whole_second(time: datetime) -> datetime:
    """The next whole second, so that a range that ends in one holds it."""
    return time if time.microsecond == 0 else time.replace(microsecond=0) + timedelta(seconds=1)


def _local(time: datetime, zone: ZoneInfo) -> str:
    """As a field of date and time wants it, in the plant's zone."""
    return time.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _precise(time: datetime, zone: ZoneInfo) -> str:
    """Date and time to the millisecond where there are any."""
    local = time.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(" ", timespec="milliseconds" if local.microsecond else "seconds")
