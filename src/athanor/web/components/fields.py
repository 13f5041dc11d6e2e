"""Fields of a form that tell the server as soon as they change. Their label is part of them."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.components.words import Words, region

Changed = Callable[[str], Awaitable[None] | None]

_VALUE = "(event) => emit(event.target.value)"


def choice(label: str, options: Mapping[str, str], chosen: str | None, changed: Changed, *, name: str) -> ui.element:
    """One of some values, each with its text. A value that is not among them is nothing chosen.

    `name` is the field's for the browser, by which it is found again when a page is drawn anew.
    """
    with region(tag="label"):
        Words(label)
        return bare_choice(label, options, chosen, changed, name=name)


def bare_choice(
    label: str, options: Mapping[str, str], chosen: str | None, changed: Changed, *, name: str
) -> ui.element:
    """The same where the label is only for readers, as in the cell of a table."""
    with region("", "select", name=name, aria_label=label) as field:
        if chosen not in options:
            blank = Words("", "option")
            blank.props["value"], blank.props["selected"] = "", True
        for value, text in options.items():
            option = Words(text, "option")
            option.props["value"] = value
            if value == chosen:
                option.props["selected"] = True
    _listen(field, changed)
    return field


def number_field(label: str, value: int, changed: Changed, *, name: str, least: int = 0) -> ui.element:
    """A whole number."""
    with region(tag="label"):
        Words(label)
        field = region("", "input", type="number", name=name, min=str(least), step="1", inputmode="numeric")
        field.props["defaultValue"] = str(value)  # `value` would be put back whenever anything on the page changes
    _listen(field, changed)
    return field


def text_field(label: str, value: str, changed: Changed, *, name: str) -> ui.element:
    """A short text, told when it is left."""
    with region(tag="label"):
        Words(label)
        field = region("", "input", type="text", name=name, autocomplete="off", spellcheck="false")
        field.props["defaultValue"] = value  # as above
    _listen(field, changed)
    return field


def _listen(field: ui.element, changed: Changed) -> None:
    async def heard(event: GenericEventArguments) -> None:
        answer = changed(str(event.args))
        if answer is not None:
            await answer

    field.on("change", heard, js_handler=_VALUE)
