"""Forms: fields that keep what was typed, and what happens when one is sent."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.people.pages.wording import refusal
from athanor.kernel.errors import AthanorError
from athanor.web.components import Dialog, Words, button, region
from athanor.web.language import _

Said = Mapping[str, str]

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"
_TICK = "tick:"


class UnreadableFormError(Exception):
    """What was typed means nothing; the text says why, to the person."""


@contextmanager
def form(send: Callable[[Said], Awaitable[None]], label: str, dialog: Dialog) -> Iterator[None]:
    """Fields that are built within the block, and the button that sends them; what is refused is said above it."""
    with region("ath-correct", "form", novalidate="") as element:
        with region("ath-fields"):
            yield
        trouble = Words("", "p", "ath-correct-trouble")
        trouble.props["role"] = "alert"
        with region("ath-dialog-foot"):
            with region("ath-button is-main", "button", type="submit"):
                Words(label)
            button(_("Cancel"), dialog.close)

    async def sent(event: GenericEventArguments) -> None:
        trouble.text = ""
        try:
            await send({str(name): str(value) for name, value in dict(event.args).items()})
        except AthanorError as error:
            trouble.text = refusal(error)
        except UnreadableFormError as error:
            trouble.text = str(error)

    element.on("submit.prevent", sent, js_handler=_WHOLE_FORM)


def field(label: str, name: str, value: str = "", *, kind: str = "text", **attributes: str) -> ui.element:
    """One line."""
    with region(tag="label"):
        Words(label)
        element = region("", "input", type=kind, name=name, **({"autocomplete": "off"} | attributes))
        element.props["defaultValue"] = value
    return element


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


def ticks(legend: str, options: Mapping[str, str], chosen: frozenset[str]) -> None:
    """Any number of some."""
    with region("ath-ticks", "fieldset"):
        Words(legend, "legend")
        for value, text in options.items():
            with region(tag="label"):
                box = region("", "input", type="checkbox", name=f"{_TICK}{value}")
                if value in chosen:
                    box.props["checked"] = True
                Words(text)


def ticked(said: Said) -> tuple[str, ...]:
    """All that was ticked in a form."""
    return tuple(name.removeprefix(_TICK) for name in said if name.startswith(_TICK))


def ask(dialog: Dialog, title: str, text: str, label: str, act: Callable[[], Awaitable[None]]) -> None:
    """Ask once more before something is done; then show the page anew."""

    async def sent(_said: Said) -> None:
        await act()
        ui.navigate.reload()

    with dialog.filling(title), form(sent, label, dialog):
        Words(text, "p")
