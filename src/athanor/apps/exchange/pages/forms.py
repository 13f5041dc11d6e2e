"""Forms: fields that keep what was typed, and what happens when one is sent."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.errors import AthanorError
from athanor.web.components import Words, button, region
from athanor.web.language import _

Said = Mapping[str, str]

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"


class UnreadableFormError(Exception):
    """What was typed means nothing; the text says why, to the person."""


@contextmanager
def form(
    send: Callable[[Said], Awaitable[None]], label: str, *, on_cancel: Callable[[], None] | None = None
) -> Iterator[None]:
    """Fields that are built within the block, and the button that sends them; what is refused is said above it."""
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


def field(label: str, name: str, value: str = "", *, kind: str = "text", **attributes: str) -> ui.element:
    """One line."""
    with region(tag="label"):
        Words(label)
        element = region("", "input", type=kind, name=name, autocomplete="off", **attributes)
        element.props["defaultValue"] = value
    return element


def long_field(label: str, name: str, value: str = "", *, rows: int = 2) -> None:
    """Some lines."""
    with region(tag="label"):
        Words(label)
        element = region("", "textarea", name=name, rows=str(rows), maxlength="2000")
        element.props["defaultValue"] = value


def choice(label: str, name: str, options: Mapping[str, str], chosen: str) -> None:
    """One of some."""
    with region(tag="label"):
        Words(label)
        with region("", "select", name=name):
            for value, text in options.items():
                option = Words(text, "option")
                option.props["value"] = value
                if value == chosen:
                    option.props["selected"] = True


def number_of(said: Said, name: str, label: str) -> float | None:
    """A number, or None where nothing was typed. Raises UnreadableFormError."""
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UnreadableFormError(
            _("{field}: {text} is no number. Write it as in 1234.5.").format(field=label, text=f"“{text[:40]}”")
        ) from None


def day_start(said: Said, name: str, label: str, zone: ZoneInfo) -> datetime | None:
    """A date's first moment on the site's clock, or None where nothing was typed. Raises UnreadableFormError."""
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), zone)
    except ValueError:
        raise UnreadableFormError(_("{field}: give a date.").format(field=label)) from None


def day_end(said: Said, name: str, label: str, zone: ZoneInfo) -> datetime | None:
    """The first moment after a date. Raises UnreadableFormError."""
    start = day_start(said, name, label, zone)
    return None if start is None else datetime.combine(start.date() + timedelta(days=1), time(), zone)
