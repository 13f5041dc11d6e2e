"""A form that keeps what was typed and says what is wrong with it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.errors import AthanorError
from athanor.web.components import Words, link, region
from athanor.web.language import _

Said = Mapping[str, str]

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"


@contextmanager
def form(send: Callable[[Said], Awaitable[None]], label: str, *, back: str) -> Iterator[None]:
    """Fields that are built within the block, and the button that sends them; `back` is where leaving leads."""
    with region("ath-correct", "form", novalidate="") as element:
        with region("ath-fields"):
            yield
        trouble = Words("", "p", "ath-correct-trouble")
        trouble.props["role"] = "alert"
        with region("ath-dialog-foot"):
            link(_("Back"), back, "ath-button")
            with region("ath-button is-main", "button", type="submit"):
                Words(label)

    async def sent(event: GenericEventArguments) -> None:
        trouble.text = ""
        try:
            await send({name: str(value) for name, value in event.args.items()})
        except AthanorError as error:
            trouble.text = str(error)

    element.on("submit.prevent", sent, js_handler=_WHOLE_FORM)


def field(label: str, name: str, value: str = "", *, note: str = "", **attributes: str) -> ui.element:
    """One line."""
    with region(tag="label"):
        Words(label)
        element = region(
            "", "input", name=name, autocomplete="off", spellcheck="false", **{"type": "text"} | attributes
        )
        element.props["defaultValue"] = value
        if note:
            Words(note, "small")
    return element


def long_field(label: str, name: str, value: str = "", *, note: str = "") -> None:
    """Some lines."""
    with region(tag="label"):
        Words(label)
        element = region("", "textarea", name=name, rows="2", maxlength="4000", spellcheck="false")
        element.props["defaultValue"] = value
        if note:
            Words(note, "small")


def choice(label: str, name: str, options: Mapping[str, str], chosen: str) -> ui.element:
    """One of some."""
    with region(tag="label"):
        Words(label)
        with region("", "select", name=name) as element:
            for value, text in options.items():
                option = Words(text, "option")
                option.props["value"] = value
                if value == chosen:
                    option.props["selected"] = True
    return element
