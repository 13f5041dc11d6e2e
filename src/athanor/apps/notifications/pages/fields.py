"""Small fields that tell what was entered as soon as it is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui.events import GenericEventArguments

from athanor.apps.notifications.pages.wording import minute_of, minute_text, weekdays
from athanor.web.components import Words, button, number_field, region, text_field
from athanor.web.language import _

Told = Callable[[Any], Awaitable[None] | None]

_CHECKED = "(event) => emit(event.target.checked)"
_VALUE = "(event) => emit(event.target.value)"
_DAY = (0, 1, 2, 3, 4, 5, 6)


def tick(label: str, told: Told, *, is_on: bool, name: str) -> None:
    """Yes or no."""
    with region("ath-tick", "label"):
        box = region("", "input", type="checkbox", name=name)
        if is_on:
            box.props["checked"] = True
        Words(label)

    async def heard(event: GenericEventArguments) -> None:
        answer = told(bool(event.args))
        if answer is not None:
            await answer

    box.on("change", heard, js_handler=_CHECKED)


def ticks(label: str, options: Mapping[Any, str], chosen: Sequence[Any], told: Told, *, name: str) -> None:
    """Some of some."""
    now = list(chosen)

    def turned(value: Any) -> Told:
        def turn(is_on: bool) -> Awaitable[None] | None:  # noqa: FBT001 (a value that is told)
            if is_on != (value in now):
                now.append(value) if is_on else now.remove(value)
            return told([one for one in options if one in now])

        return turn

    with region("ath-ticks", "fieldset"):
        Words(label, "legend")
        for value, text in options.items():
            tick(text, turned(value), is_on=value in now, name=f"{name}-{value}")


def pair(label: str, value: Mapping[str, str], told: Told, *, name: str) -> None:
    """A text in both languages."""
    now = dict(value)
    with region("ath-fields-row"):
        for language, tongue in (("en", "English"), ("zh_CN", "中文")):

            def heard(text: str, language: str = language) -> Awaitable[None] | None:
                now[language] = text.strip()
                return told({one: words for one, words in now.items() if words})

            text_field(f"{label} · {tongue}", now.get(language, ""), heard, name=f"{name}-{language}")


def count(label: str, value: int, told: Told, *, name: str, least: int = 0) -> None:
    """A whole number; what is none is not told."""

    def heard(text: str) -> Awaitable[None] | None:
        return told(int(text)) if text.strip().isdigit() else None

    number_field(label, value, heard, name=name, least=least)


def clock(label: str, minute: int, told: Told, *, name: str, is_end: bool = False) -> None:
    """A time of day."""
    with region(tag="label"):
        Words(label)
        box = region("", "input", type="time", name=name)
        box.props["defaultValue"] = minute_text(minute % 1440)

    async def heard(event: GenericEventArguments) -> None:
        found = minute_of(str(event.args), is_end=is_end)
        if found is not None:
            answer = told(found)
            if answer is not None:
                await answer

    box.on("change", heard, js_handler=_VALUE)


class HoursEditor:
    """Parts of the week: days, from, to; past midnight where the end lies before the beginning."""

    def __init__(self, label: str, hours: list[dict[str, Any]], told: Told, *, name: str) -> None:
        self._hours, self._told, self._name, self._label = hours, told, name, label
        with region("ath-parts", role="group", aria_label=label):
            Words(label, "strong")
            self._rows = region("ath-parts-rows")
            button(_("Add hours"), self._add, glyph="add")
        self._draw()

    def _draw(self) -> None:
        self._rows.clear()
        with self._rows:
            for number, one in enumerate(self._hours):
                with region("ath-part"):
                    days = dict(weekdays())
                    ticks(_("Days of the week"), days, one["days"], self._setter(one, "days"), name=f"{self._name}-day")
                    clock(_("From"), one["from_minute"], self._setter(one, "from_minute"), name=f"{self._name}-from")
                    clock(_("To"), one["to_minute"], self._setter(one, "to_minute"), name=f"{self._name}-to",
                          is_end=True)  # fmt: skip
                    button(_("Take out"), self._taker(number), glyph="delete", classes="is-icon is-plain")

    def _setter(self, one: dict[str, Any], key: str) -> Told:
        def put(value: Any) -> Awaitable[None] | None:
            one[key] = value
            return self._told(self._hours)

        return put

    def _taker(self, number: int) -> Callable[[], Awaitable[None]]:
        async def take_out() -> None:
            del self._hours[number]
            self._draw()
            await self._tell()

        return take_out

    async def _add(self) -> None:
        self._hours.append({"days": list(_DAY), "from_minute": 22 * 60, "to_minute": 6 * 60})
        self._draw()
        await self._tell()

    async def _tell(self) -> None:
        answer = self._told(self._hours)
        if answer is not None:
            await answer
