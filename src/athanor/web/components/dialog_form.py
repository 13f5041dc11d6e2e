"""Forms that are sent whole: fields that keep what was typed, and what is said where it is refused."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.errors import AthanorError
from athanor.web.components.words import Words, button, region
from athanor.web.language import _

Said = Mapping[str, str]


class UnreadableFormError(Exception):
    """What was typed means nothing; the text says why, to the person."""


_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"


@contextmanager
def dialog_form(
    send: Callable[[Said], Awaitable[None]], label: str, *, on_cancel: Callable[[], None] | None = None
) -> Iterator[None]:
    """Fields that are built within the block, and the button that sends them; on a page there is nothing to cancel."""
    with region("ath-correct", "form", novalidate="") as element:
        with region("ath-fields"):
            yield
        trouble = Words("", "p", "ath-correct-trouble")
        trouble.props["role"] = "alert"
        with region("ath-dialog-foot"):
            if on_cancel is not None:
                button(_("Cancel"), on_cancel)
            with region("ath-button is-main", "button", type="submit"):
                Words(label)

    async def sent(event: GenericEventArguments) -> None:
        trouble.text = ""
        try:
            await send({name: str(value) for name, value in event.args.items()})
        except (AthanorError, UnreadableFormError) as error:
            trouble.text = str(error)

    element.on("submit.prevent", sent, js_handler=_WHOLE_FORM)


def form_line(label: str, name: str, value: str = "", *, kind: str = "text", **attributes: str) -> ui.element:
    """One line; `attributes` are HTML's."""
    with region(tag="label"):
        Words(label)
        element = region("", "input", type=kind, name=name, autocomplete="off", **attributes)
        element.props["defaultValue"] = value
    return element


def form_lines(label: str, name: str, value: str = "", *, rows: int = 2) -> None:
    """Some lines."""
    with region(tag="label"):
        Words(label)
        element = region("", "textarea", name=name, rows=str(rows), maxlength="2000")
        element.props["defaultValue"] = value


def form_choice(label: str, name: str, options: Mapping[str, str], chosen: str) -> None:
    """One of some."""
    with region(tag="label"):
        Words(label)
        with region("", "select", name=name):
            for value, text in options.items():
                option = Words(text, "option")
                option.props["value"] = value
                if value == chosen:
                    option.props["selected"] = True
