"""Look up: one search for what a tag is, what it is now, and what it was."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.datahealth.pages.tabs import tabs
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian
from athanor.kernel.looking_up import Hit, age_s, look_up
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import Words, kpi, link, region
from athanor.web.formatting import NOTHING, duration, number, percent, read
from athanor.web.language import _, text_of

_SHOWN = 12
_HOUR_MS = 3_600_000
_LIMITS = {"low_low": "LL", "low": "L", "high": "H", "high_high": "HH"}


async def lookup(request: Request, plant: RunningPlant, current: CurrentValues, historian: Historian) -> None:
    """The search and its hits; the address holds the words, so that it can be shared."""
    tabs("/datahealth/lookup")
    LookupPage(plant, current, historian, request.query_params.get("search", "")[:200])


class LookupPage:
    """What one person searches."""

    def __init__(self, plant: RunningPlant, current: CurrentValues, historian: Historian, wish: str) -> None:
        self._plant, self._current, self._historian = plant, current, historian
        self._wish = wish
        with region("ath-card ath-finder", "section"):
            field = region("", "input", type="search", placeholder=_("Tag, asset or path"), value=wish)
            field.props["aria-label"] = _("Tag, asset or path")
            field.on(
                "input",
                self._typed,
                js_handler="(event) => emit(event.target.value)",
                throttle=0.3,
                leading_events=False,
            )
            self._note = Words("", "p", "ath-finder-note")
        self._list = region("ath-cards")
        ui.timer(0, self._show, once=True)

    async def _typed(self, event: GenericEventArguments) -> None:
        self._wish = str(event.args or "")[:200]
        query = f"?{urlencode({'search': self._wish})}" if self._wish.strip() else ""
        ui.run_javascript(f"history.replaceState(null, '', '/datahealth/lookup{query}')")
        await self._show()

    async def _show(self) -> None:
        wish, now = self._wish, datetime.now(UTC)
        answer = await look_up(self._plant, self._current, self._historian, wish, now, _SHOWN)
        if wish != self._wish:
            return  # more was typed meanwhile
        self._note.show(_note(wish, len(answer.hits), answer.total), "ath-finder-note")
        self._list.clear()
        with self._list:
            for hit in answer.hits:
                _card(hit, now)


def _note(wish: str, shown: int, total: int) -> str:
    if not wish.strip():
        return _("Type words of a tag, its asset or its path, in any language. The same as JSON: {address}").format(
            address="/api/v1/lookup?search=…"
        )
    if total == 0:
        return _("No tag has all these words. Try fewer, or part of a path.")
    return _("{n} of {total} found").format(n=number(shown), total=number(total))


def _card(hit: Hit, now: datetime) -> None:
    tag, day = hit.tag, hit.day
    reading = read(tag, hit.current, now)
    age = age_s(hit.current, now)
    with region("ath-card ath-lookup", "section"):
        with region("ath-card-head"), region(tag="h2"):
            link(text_of(tag.name), f"/trends?tags={quote(tag.path)}&range=24h")
        with region("ath-card-body"):
            Words(" › ".join(text_of(node.name) for node in hit.way), "p", "ath-summary")
            Words(f"{tag.path} · {text_of(hit.tenant.name)}", "p", "ath-summary").style("overflow-wrap: anywhere")
            present = kpi(_("Now"), with_spark=bool(day.times_ms))
            aged = NOTHING if age is None else _("{age} ago").format(age=duration(age))
            present.read(reading, note=aged)
            if present.spark is not None:
                present.spark.load(day.times_ms, day.values, 24 * _HOUR_MS)
            Words(_history(hit), "p")
            Words(_master(tag), "p", "ath-summary")


def _history(hit: Hit) -> str:
    tag, day = hit.tag, hit.day
    if day.mean is None and day.minimum is None:
        return _("Last 24 h: no good number.")
    text = _("Last 24 h: lowest {low}, mean {mean}, highest {high} {unit}; {n} good samples, {known} of the time known")
    return text.format(
        low=number(day.minimum, tag.decimals),
        mean=number(day.mean, tag.decimals),
        high=number(day.maximum, tag.decimals),
        unit=display_unit(tag.unit),
        n=number(day.samples),
        known=percent(day.known),
    )


def _master(tag: Tag) -> str:
    limits = [
        f"{short} {number(value, tag.decimals)}"
        for name, short in _LIMITS.items()
        if (value := getattr(tag.alarm_limits, name)) is not None
    ]
    parts = [
        _("Range {low} to {high}").format(low=number(tag.low, tag.decimals), high=number(tag.high, tag.decimals)),
        _("limits {limits}").format(limits=", ".join(limits)) if limits else _("no alarm limits"),
        "" if tag.period_s is None else _("due every {period}").format(period=duration(tag.period_s)),
    ]
    return " · ".join(filter(None, parts))
