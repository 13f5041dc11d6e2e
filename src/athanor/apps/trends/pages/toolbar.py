"""The controls above the chart: how long, from when to when, back, nearer, farther, now, export."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.trends.domain.view import LONGEST, RANGES, SHORTEST, View, is_possible
from athanor.web.components import Words, button, icon, link, region
from athanor.web.language import _

Go = Callable[[View], Awaitable[None]]

_EXPORT_STEPS = ("1s", "10s", "1m", "10m", "1h", "day")
_EXPORT_POINTS = 2000  # a step is proposed that gives about so many rows


class Toolbar:
    """Shows which range is on and lets a person choose another."""

    def __init__(
        self,
        zone: ZoneInfo,
        *,
        go: Go,
        back: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
        may_export: bool,
    ) -> None:
        self._zone = zone
        self._go = go
        self._now = now
        self._view: View | None = None
        self._exports: dict[tuple[str, bool], Words] = {}
        self._more: Words | None = None  # the way to larger exports, in other formats and steps
        with region("ath-toolbar", "div", role="toolbar", aria_label=_("Range")):
            with region("ath-segments"):
                self._ranges = {
                    name: button(_range_name(length), lambda length=length: self._go_live(length))
                    for name, length in RANGES.items()
                }
            self._custom_menu()
            self._live = button(_("Live"), self._resume, glyph="play_arrow")
            with region("ath-segments"):
                button(_("Back to the range before"), back, glyph="undo", classes="is-icon")
                button(_("Earlier"), lambda: self._shift(-0.5), glyph="chevron_left", classes="is-icon")
                button(_("Later"), lambda: self._shift(0.5), glyph="chevron_right", classes="is-icon")
                button(_("Zoom in"), lambda: self._zoom(0.5), glyph="zoom_in", classes="is-icon")
                button(_("Zoom out"), lambda: self._zoom(2.0), glyph="zoom_out", classes="is-icon")
            region("ath-space")
            if may_export:
                self._export_menu()

    def show(self, view: View, paths: list[str]) -> None:
        """Mark what is on; lead the exports to it."""
        self._view = view
        for name, one in self._ranges.items():
            _press(one, is_pressed=view.is_live and RANGES[name] == view.length)
        _press(self._live, is_pressed=view.is_live)
        step = _proposed_step(view.length)
        for (form, is_whole), entry in self._exports.items():
            query = {"tags": ",".join(paths), **view.query(), "format": form}
            if not is_whole:
                query["step"] = step
            entry.props["href"] = f"/api/v1/trends/export?{urlencode(query)}" if paths else None
            entry.update()
        if self._more is not None:
            asked = {"tags": ",".join(paths), "from": view.start.isoformat(), "to": view.end.isoformat()}
            self._more.props["href"] = f"/data/export?{urlencode(asked)}"
            self._more.update()

    async def _go_live(self, length: timedelta) -> None:
        now = self._now()
        await self._go(View(now - length, now, is_live=True))

    async def _resume(self) -> None:
        if self._view is not None:
            await self._go_live(self._view.length)

    async def _shift(self, lengths: float) -> None:
        if self._view is not None:
            by = self._view.length * lengths
            end = min(self._view.end + by, self._now())
            await self._go(View(end - self._view.length, end, is_live=False))

    async def _zoom(self, factor: float) -> None:
        if self._view is None:
            return
        length = min(max(self._view.length * factor, SHORTEST), LONGEST)
        if self._view.is_live:
            await self._go_live(length)
            return
        middle = self._view.start + self._view.length / 2
        await self._go(View(middle - length / 2, middle + length / 2, is_live=False))

    def _custom_menu(self) -> None:
        with region("ath-menu", "details"):
            with region("ath-button", "summary"):
                icon("date_range")
                Words(_("From – to"))
            with region("ath-custom"):
                fields = [self._moment_field(_("From")), self._moment_field(_("To"))]
                apply = button(_("Show"), classes="is-main")
                apply.on(
                    "click",
                    self._custom_chosen,
                    js_handler=f"() => emit([{', '.join(f'getHtmlElement({one.id}).value' for one in fields)}])",
                )

    def _moment_field(self, label: str) -> ui.element:
        with region(tag="label"):
            Words(label)
            return region("", "input", type="datetime-local", step="1")

    async def _custom_chosen(self, event: GenericEventArguments) -> None:
        try:
            start, end = (datetime.fromisoformat(str(text)).replace(tzinfo=self._zone) for text in event.args)
        except (ValueError, TypeError):
            ui.notify(_("Give both times."))
            return
        if end <= start:
            ui.notify(_("The end must be after the start."))
            return
        if not is_possible(start, end):
            ui.notify(_("A range is at most ten years long, after 1970 and before 2200."))
            return
        await self._go(View(start, end, is_live=False))

    def _export_menu(self) -> None:
        with region("ath-menu", "details"):
            with region("ath-button", "summary"):
                icon("download")
                Words(_("Export"), "span", "ath-only-wide")
            with region():
                for form, name in (("csv", "CSV"), ("xlsx", "Excel")):
                    for is_whole, what in ((False, _("equal steps")), (True, _("all samples"))):
                        entry = link(f"{name}: {what}", "", "ath-button is-plain")
                        entry.props["download"] = True
                        self._exports[form, is_whole] = entry
                self._more = link(_("More formats and steps"), "/data/export", "ath-button is-plain")


def _press(element: ui.element, *, is_pressed: bool) -> None:
    text = str(is_pressed).lower()
    if element.props.get("aria-pressed") != text:
        element.props["aria-pressed"] = text
        element.update()


def _range_name(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    if minutes < 60:
        return _("{n} min").format(n=minutes)
    return _("{n} h").format(n=minutes // 60) if minutes <= 1440 else _("{n} d").format(n=minutes // 1440)


def _proposed_step(length: timedelta) -> str:
    least_s = length.total_seconds() / _EXPORT_POINTS
    seconds = {"1s": 1, "10s": 10, "1m": 60, "10m": 600, "1h": 3600, "day": 86400}
    return next((step for step in _EXPORT_STEPS if seconds[step] >= least_s), "day")
