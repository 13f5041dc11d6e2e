"""A list of things, each with a cross, and a choice by which more are added."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from athanor.web.components import Words, bare_choice, button, region
from athanor.web.language import _

Told = Callable[[], Awaitable[None] | None]


class Chips:
    """Values of a list, shown by their texts.

    Parameters
    ----------
    values
        The list itself: it is changed in place.
    options
        Texts by value; a value that is in the list and not among them shows as it is.
    told
        Called after each change.
    """

    def __init__(
        self, label: str, values: list[Any], options: Mapping[Any, str], told: Told, *, name: str, add: str
    ) -> None:
        self._label, self._values, self._options, self._told = label, values, options, told
        self._name, self._add_text = name, add
        with region("ath-parts", role="group", aria_label=label):
            Words(label, "strong")
            self._body = region("ath-chips")
        self._draw()

    def _draw(self) -> None:
        self._body.clear()
        with self._body:
            for number, value in enumerate(self._values):
                text = self._options.get(value, str(value))
                with region("ath-chip", "span"):
                    Words(text)
                    button(_("Take out: {what}").format(what=text), self._taker(number), glyph="close",
                           classes="is-icon is-plain")  # fmt: skip
            left = {str(value): text for value, text in self._options.items() if value not in self._values}
            if left:
                bare_choice(self._add_text, {"": self._add_text} | left, "", self._add, name=self._name)

    def _taker(self, number: int) -> Callable[[], Awaitable[None]]:
        async def take_out() -> None:
            del self._values[number]
            await self._changed()

        return take_out

    async def _add(self, text: str) -> None:
        value = next((one for one in self._options if str(one) == text), None)
        if value is not None and value not in self._values:
            self._values.append(value)
            await self._changed()

    async def _changed(self) -> None:
        self._draw()
        answer = self._told()
        if answer is not None:
            await answer
