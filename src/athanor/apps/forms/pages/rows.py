"""A table field: rows that are added, filled in and taken out."""

import math
from collections.abc import Awaitable, Callable
from typing import Any
from unicodedata import normalize

from nicegui.events import GenericEventArguments

from athanor.apps.forms.pages import wording
from athanor.kernel.forms.definition import Column, FormField, Kind
from athanor.web.components import Words, button, region
from athanor.web.language import _

_VALUE = "(event) => emit(event.target.value)"


class TableRows:
    """The rows; begins with an empty one."""

    def __init__(self, one: FormField, value: Any, changed: Callable[[list[dict[str, Any]]], Awaitable[None]]) -> None:
        self._field, self._changed = one, changed
        self._rows: list[dict[str, Any]] = [dict(row) for row in value if isinstance(row, dict)] if value else [{}]
        self._body = region("ath-rows")
        self._show()

    def _show(self) -> None:
        self._body.clear()
        with self._body:
            for number, row in enumerate(self._rows):
                with region("ath-row", role="group", aria_label=_("Row {n}").format(n=number + 1)):
                    for column in self._field.columns:
                        self._cell(column, row)
                    button(
                        _("Take row {n} out").format(n=number + 1),
                        lambda gone=number: self._remove(gone),
                        glyph="close",
                        classes="is-icon is-plain",
                    )
            if len(self._rows) < self._field.most:
                button(_("Add a row"), self._add, glyph="add")

    def _cell(self, column: Column, row: dict[str, Any]) -> None:
        label = wording.label_of(column)
        with region("ath-cell", "label"):
            Words(label, "small")
            if column.kind in (Kind.CHOICE, Kind.YES_NO):
                self._select(column, row)
                return
            kind = "date" if column.kind is Kind.DATE else "text"
            field = region("", "input", type=kind, autocomplete="off", maxlength="500")
            if column.kind is Kind.NUMBER:
                field.props["inputmode"] = "decimal"
            value = row.get(column.id)
            field.props["defaultValue"] = (
                "" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
            )

        async def heard(event: GenericEventArguments) -> None:
            await self._put(column, row, str(event.args))

        field.on("input", heard, js_handler=_VALUE, throttle=0.7, leading_events=False)
        field.on("change", heard, js_handler=_VALUE)

    def _select(self, column: Column, row: dict[str, Any]) -> None:
        options = {option.value: wording.option_text(option) for option in column.options}
        if column.kind is Kind.YES_NO:
            options = {"true": _("Yes"), "false": _("No")}
        value = row.get(column.id)
        chosen = str(value).lower() if isinstance(value, bool) else value
        with region("", "select") as field:
            for option, text in {"": "", **options}.items():
                words = Words(text, "option")
                words.props["value"] = option
                if option == (chosen or ""):
                    words.props["selected"] = True

        async def heard(event: GenericEventArguments) -> None:
            await self._put(column, row, str(event.args))

        field.on("change", heard, js_handler=_VALUE)

    async def _put(self, column: Column, row: dict[str, Any], text: str) -> None:
        row[column.id] = _read(column, text)
        await self._tell()

    async def _add(self) -> None:
        self._rows.append({})
        self._show()

    async def _remove(self, number: int) -> None:
        del self._rows[number]
        self._show()
        await self._tell()

    async def _tell(self) -> None:
        filled = [dict(row) for row in self._rows if any(value not in (None, "") for value in row.values())]
        await self._changed(filled)


def _read(column: Column, text: str) -> Any:
    """What was typed as JSON holds it; as it is where it cannot be read."""
    if not text.strip():
        return None
    if column.kind is Kind.YES_NO:
        return text == "true"
    if column.kind is Kind.NUMBER:
        try:
            return finite(text)
        except ValueError:
            return text
    return text


def finite(text: str) -> float:
    """A number as it is typed, full-width digits too. Raises ValueError, also for what JSON cannot hold."""
    value = float(normalize("NFKC", text))
    if not math.isfinite(value):
        raise ValueError(text)
    return value
