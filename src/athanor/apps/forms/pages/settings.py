"""Small fields of the builder's side panel. Each tells its new value when it is left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui.events import GenericEventArguments

from athanor.apps.forms.pages import wording
from athanor.apps.forms.pages.rows import finite
from athanor.kernel.forms.definition import FormField, Kind, Op
from athanor.web.components import Words, region
from athanor.web.components.fields import choice, text_field
from athanor.web.language import _

Told = Callable[[Any], Awaitable[None]]

_COMPARING = (Op.ABOVE, Op.AT_LEAST, Op.BELOW, Op.AT_MOST)


def line(label: str, value: object, told: Told, *, name: str) -> None:
    """A text."""
    text_field(label, "" if value is None else str(value), told, name=name)


def number_line(label: str, value: float | None, told: Told, *, name: str) -> None:
    """A number, or None where nothing stands; what is no number is told as it is, to be refused by its place."""

    async def read(text: str) -> None:
        try:
            await told(finite(text) if text.strip() else None)
        except ValueError:
            await told(text)

    text_field(label, "" if value is None else f"{value:g}", read, name=name)


def switch(label: str, value: bool, told: Told, *, name: str) -> None:  # noqa: FBT001 (a value like the others')
    """Yes or no."""
    with region("ath-option", "label"):
        box = region("", "input", type="checkbox", name=name)
        if value:
            box.props["checked"] = True
        Words(label)

    async def heard(event: GenericEventArguments) -> None:
        await told(bool(event.args))

    box.on("change", heard, js_handler="(event) => emit(event.target.checked)")


def text_pair(label: str, value: Mapping[str, str], told: Told, *, name: str) -> None:
    """A text in both languages."""
    for language, tongue in (("en", "English"), ("zh_CN", "中文")):

        async def read(text: str, language: str = language) -> None:
            now = {**value, language: text}
            await told({one: words for one, words in now.items() if words.strip()})

        text_field(f"{label} · {tongue}", value.get(language, ""), read, name=f"{name}-{language}")


def condition(
    label: str, value: Mapping[str, Any] | None, fields: Sequence[FormField], told: Told, *, name: str
) -> None:
    """A condition on one of some fields, or none."""
    fields = [one for one in fields if one.kind not in (Kind.NOTE, Kind.PHOTO, Kind.SIGNATURE, Kind.POSITION)]
    if not fields:
        return
    known = {one.id: one for one in fields}
    now = dict(value or {})

    async def chosen(field_id: str) -> None:
        await told({"field": field_id, "op": Op.FILLED.value, "value": None} if field_id else None)

    async def compared(op: str) -> None:
        keeps = Op(op) not in (Op.FILLED, Op.EMPTY)
        await told({**now, "op": op, "value": now.get("value") if keeps else None})

    async def valued(text: str) -> None:
        await told({**now, "value": _read(known.get(now["field"]), Op(now["op"]), text)})

    options = {"": _("always"), **{one.id: wording.label_of(one) for one in fields}}
    choice(label, options, now.get("field", ""), chosen, name=f"{name}-field")
    if now:
        operators = {op.value: text for op, text in wording.operators().items()}
        choice(_("Comparison"), operators, now.get("op", "eq"), compared, name=f"{name}-op")
        if now.get("op") not in (Op.FILLED, Op.EMPTY):
            _value(known.get(now["field"]), now.get("value"), valued, name)


def _value(one: FormField | None, value: Any, valued: Callable[[str], Awaitable[None]], name: str) -> None:
    options: dict[str, str] = {}
    if one is not None and one.kind is Kind.YES_NO:
        options = {"": "", "true": _("Yes"), "false": _("No")}
        value = str(value).lower()
    elif one is not None and one.options:
        options = {"": "", **{option.value: wording.option_text(option) for option in one.options}}
    if options:
        choice(_("Compared with"), options, value if value in options else "", valued, name=f"{name}-value")
    else:
        shown = f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
        text_field(_("Compared with"), shown, valued, name=f"{name}-value")


def _read(one: FormField | None, op: Op, text: str) -> Any:
    if one is not None and one.kind is Kind.YES_NO:
        return {"true": True, "false": False}.get(text)
    if op in _COMPARING or (one is not None and one.kind in (Kind.NUMBER, Kind.COMPUTED)):
        try:
            return finite(text)
        except ValueError:
            return text
    return text
