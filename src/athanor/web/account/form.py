"""The forms of the account page: what is refused is said above the button, and nothing that was typed is lost."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.errors import AthanorError
from athanor.web.components.words import Words, button, region
from athanor.web.language import _

Said = Mapping[str, str]

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"


class RefusedFormError(Exception):
    """What was typed will not do; the text says why, to the person."""


@contextmanager
def form(send: Callable[[Said], Awaitable[None]], label: str, *, on_cancel: Callable[[], None]) -> Iterator[None]:
    """Fields that are built within the block, and the button that sends them."""
    with region("ath-correct", "form") as element:
        with region("ath-fields"):
            yield
        trouble = Words("", "p", "ath-correct-trouble")
        trouble.props["role"] = "alert"
        with region("ath-dialog-foot"):
            button(_("Cancel"), on_cancel)
            with region("ath-button is-main", "button", type="submit"):
                Words(label)

    async def sent(event: GenericEventArguments) -> None:
        trouble.text = ""
        try:
            await send({str(name): str(value) for name, value in event.args.items()})
        except (AthanorError, RefusedFormError) as error:
            trouble.text = str(error)

    element.on("submit.prevent", sent, js_handler=_WHOLE_FORM)


def field(label: str, name: str, value: str = "", **attributes: str) -> ui.element:
    """One line that must be filled in; `attributes` are HTML's."""
    with region(tag="label"):
        Words(label)
        element = region("", "input", name=name, required="", **attributes)
        element.props["defaultValue"] = value
    return element


def password_field(label: str, name: str, *, is_new: bool = False) -> None:
    """A password; the browser's store of passwords learns which it is."""
    field(label, name, type="password", autocomplete="new-password" if is_new else "current-password")


def tick_box(label: str, name: str) -> None:
    """Something to be chosen or not; what is chosen is said under its name."""
    with region("ath-tick", "label"):
        region("", "input", type="checkbox", name=name)
        Words(label)
