"""Finding one thing among many by typing: an asset, a tag, a person."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.components import Words, button, icon, region
from athanor.web.language import _

_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that may be chosen."""

    value: str
    title: str
    note: str = ""


class Picker:
    """Shows what is chosen; typing finds others.

    Parameters
    ----------
    things
        All there are, asked for each time something is typed.
    """

    def __init__(
        self,
        label: str,
        things: Callable[[], Iterable[Thing]],
        value: str | None,
        changed: Callable[[str | None], Awaitable[None]],
    ) -> None:
        self._things, self._changed, self._label = things, changed, label
        with region("ath-picker") as self._element:
            self._chosen = region("ath-picker-chosen")
            self._found = region("ath-picker-found")
        self._show(value)

    def _show(self, value: str | None) -> None:
        self._chosen.clear()
        self._found.clear()
        with self._chosen:
            if value:
                thing = next((one for one in self._things() if one.value == value), Thing(value, value))
                with region("ath-picker-value"):
                    Words(thing.title)
                    if thing.note:
                        Words(thing.note, "small")
                button(_("Choose another one"), lambda: self._choose(None), glyph="close", classes="is-icon is-plain")
                return
            field: ui.element = region(
                "", "input", type="search", autocomplete="off", placeholder=_("Type to find"), aria_label=self._label
            )
            field.on(
                "input",
                self._typed,
                js_handler="(event) => emit(event.target.value)",
                throttle=0.25,
                leading_events=False,
            )

    def _typed(self, event: GenericEventArguments) -> None:
        words = str(event.args).casefold().split()
        found = [one for one in self._things() if all(word in self._text(one) for word in words)] if words else []
        self._found.clear()
        with self._found:
            for one in found[:_MOST_SHOWN]:
                self._offer(one)
            if words and not found:
                Words(_("Nothing is found."), "p", "ath-field-help")
            if len(found) > _MOST_SHOWN:
                Words(_("{n} more: type more words.").format(n=len(found) - _MOST_SHOWN), "p", "ath-field-help")

    def _offer(self, one: Thing) -> None:
        with region("ath-picker-offer", "button", type="button") as offer:
            icon("add")
            with region(tag="span"):
                Words(one.title)
                if one.note:
                    Words(one.note, "small")
        offer.on("click", lambda _event, value=one.value: self._choose(value), args=[])

    async def _choose(self, value: str | None) -> None:
        self._show(value)
        await self._changed(value)

    @staticmethod
    def _text(one: Thing) -> str:
        return f"{one.title} {one.note} {one.value}".casefold()
