"""The trends page: a finder, a chart, its controls and its statistics."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.trends import services
from athanor.apps.trends.domain.view import View, is_possible, view_of
from athanor.apps.trends.pages.correcting import CorrectDialog
from athanor.apps.trends.pages.corrections_list import CorrectionsList
from athanor.apps.trends.pages.statistics_table import StatisticsTable
from athanor.apps.trends.pages.toolbar import Toolbar
from athanor.kernel.corrections.records import PERMISSION
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import (
    TagFinder,
    TrendChart,
    TrendSeries,
    ViewChange,
    button,
    empty_state,
    page_title,
    region,
)
from athanor.web.components.trend_chart import Limit
from athanor.web.language import _, text_of
from athanor.web.live import every_second

_LIMITS = {"low_low": ("LL", True), "low": ("L", False), "high": ("H", False), "high_high": ("HH", True)}
_MOST_BACK = 50
_SUM_UP_EVERY = timedelta(seconds=30)  # statistics of a live range
_SUM_UP_LIVE_UP_TO = timedelta(days=1)  # a longer range hardly changes in that time, and costs more


async def trends(
    request: Request,
    plant: RunningPlant,
    current: CurrentValues,
    historian: Historian,
    corrections: Corrections,
    viewer: User,
) -> None:
    """Any tags over any range; the address holds both, so that it can be shared."""
    asked = request.query_params
    view = view_of(datetime.now(UTC), asked.get("range", ""), asked.get("from", ""), asked.get("to", ""))
    wanted = [path for path in asked.get("tags", "").split(",") if path]
    tags = services.known(plant, wanted)
    page_title(_("Trends"))
    if not plant.model.tags:
        empty_state(_("The plant has no tags yet"), _("Load a plant model first."), glyph="show_chart")
        return
    TrendsPage(plant, current, historian, corrections, viewer, view, tags)
    left_out = len(set(wanted)) - len(tags)
    if left_out:
        ui.notify(
            _(
                "Tags of this address that are not shown: {n}. They do not exist, are no numbers, or are not yours."
            ).format(n=left_out),
            timeout=10_000,
        )


class TrendsPage:
    """What one person looks at: which tags, which range, and where they were before."""

    def __init__(
        self,
        plant: RunningPlant,
        current: CurrentValues,
        historian: Historian,
        corrections: Corrections,
        viewer: User,
        view: View,
        tags: list[Tag],
    ) -> None:
        self._plant, self._current, self._historian = plant, current, historian
        self._corrections, self._viewer = corrections, viewer
        self._view, self._tags = view, tags
        self._before: list[View] = []
        self._width_px = 0
        self._turn = 0  # grows with every load, so that the answer to an older one is dropped
        self._summed_at = datetime.now(UTC)
        self._newcomers = services.Newcomers(plant, current)
        self._build()
        self._show_tags()
        every_second(self._tick)

    def _build(self) -> None:
        zone, viewer = self._plant.model.timezone, self._viewer
        with region("ath-trends") as self._root:
            with region("ath-trends-side" if self._tags else "ath-trends-side is-open"):
                button(
                    _("Find tags"),
                    glyph="search",
                    classes="ath-only-phone",
                    js_handler="(event) => event.currentTarget.parentElement.classList.toggle('is-open')",
                )
                self._finder = TagFinder(self._plant, self._toggle, is_offered=services.is_drawn)
            with region("ath-trends-main"):
                with region("ath-card ath-trends-card"):
                    self._toolbar = Toolbar(
                        ZoneInfo(zone), go=self._go, back=self._back, now=_now, may_export=viewer.may("trends.export")
                    )
                    with region("ath-trends-chart") as self._chart_place:
                        self._chart = TrendChart(zone, on_view=self._moved, on_sized=self._sized)
                    with region() as self._nothing:
                        empty_state(
                            _("No tags chosen yet"),
                            _("Find tags by name or walk down the plant; press one to draw it."),
                            glyph="show_chart",
                        )
                        with region("ath-empty-action"):
                            button(_("Show the power of every enterprise"), self._show_power, classes="is-main")
                may_correct = viewer.may(PERMISSION)
                self._statistics = StatisticsTable(self._plant, self._toggle, self._correct if may_correct else None)
                self._corrected = CorrectionsList(
                    self._corrections, self._plant, viewer, self._chart, on_undone=self._load
                )
            if may_correct:
                self._correct_dialog = CorrectDialog(
                    self._corrections, self._historian, self._plant, viewer, on_done=self._load
                )

    # ---- what the person does ----

    async def _toggle(self, tag: Tag) -> None:
        with self._root:  # the cross that was pressed is about to go, and what comes after it needs a place
            await self._put_on_or_take_off(tag)

    async def _put_on_or_take_off(self, tag: Tag) -> None:
        if tag in self._tags:
            self._tags.remove(tag)
        elif len(self._tags) >= services.MOST_TAGS:
            ui.notify(_("A chart shows at most {n} tags. Take one off first.").format(n=services.MOST_TAGS))
            return
        else:
            self._tags.append(tag)
        self._show_tags()
        await self._load()

    async def _correct(self, tag: Tag) -> None:
        view = self._view.at(_now())
        await self._correct_dialog.open(tag, Span(view.start, view.end))

    async def _show_power(self) -> None:
        self._tags = services.power_tags(self._plant)
        self._show_tags()
        await self._load()

    async def _go(self, view: View) -> None:
        if not is_possible(view.start, view.end):
            return
        self._before = [*self._before[-_MOST_BACK:], self._view]
        self._view = view
        await self._load()

    async def _back(self) -> None:
        if self._before:
            self._view = self._before.pop().at(_now())
            await self._load()

    async def _moved(self, change: ViewChange) -> None:
        if change.is_live:
            length = timedelta(milliseconds=change.to_ms - change.from_ms)
            await self._go(View(_now() - length, _now(), is_live=True))
        else:
            await self._go(View(_moment(change.from_ms), _moment(change.to_ms), is_live=False))

    async def _sized(self, width_px: int) -> None:
        self._width_px = width_px
        self._chart.define([_series(self._plant, tag) for tag in self._tags])
        await self._load()

    # ---- what is shown ----

    def _show_tags(self) -> None:
        self._finder.mark([tag.path for tag in self._tags])
        self._chart_place.set_visibility(bool(self._tags))
        self._nothing.set_visibility(not self._tags)
        self._statistics.show(self._tags)
        if not self._tags:
            self._corrected.hide()
        self._chart.define([_series(self._plant, tag) for tag in self._tags])

    async def _load(self) -> None:
        self._turn += 1
        turn = self._turn
        self._view = view = self._view.at(_now())
        self._remember_address()
        if not self._width_px or not self._tags:
            return
        self._chart.busy()
        lines = await services.lines(
            self._historian, self._current, self._plant, self._tags, Span(view.start, view.end), self._width_px
        )
        if turn != self._turn:
            return
        self._newcomers.forget()
        self._chart.load(ViewChange(_ms(view.start), _ms(view.end), view.is_live), lines)
        await self._corrected.show(self._tags, Span(view.start, view.end))
        if turn != self._turn:
            return
        self._statistics.wait()
        await self._sum_up(turn)
        if turn == self._turn:
            await self._corrected.check()

    async def _sum_up(self, turn: int) -> None:
        view = self._view.at(_now())
        self._summed_at = _now()
        tags = list(self._tags)
        found = await services.statistics(self._historian, self._plant, tags, Span(view.start, view.end))
        if turn != self._turn:
            return
        for tag in tags:
            self._statistics.fill(tag, found[tag.path])

    async def _tick(self) -> None:
        if not self._view.is_live or not self._tags or not self._width_px:
            return
        now = _now()
        self._chart.append(_ms(now), self._newcomers.since_last(self._tags))
        is_due = now - self._summed_at >= _SUM_UP_EVERY and self._view.length <= _SUM_UP_LIVE_UP_TO
        if is_due:
            await self._sum_up(self._turn)

    def _remember_address(self) -> None:
        paths = [tag.path for tag in self._tags]
        self._toolbar.show(self._view, paths)
        query = {"tags": ",".join(paths), **self._view.query()} if paths else self._view.query()
        ui.navigate.history.replace(f"/trends?{urlencode(query, safe=',:')}")


def _series(plant: RunningPlant, tag: Tag) -> TrendSeries:
    asset = plant.model.node(tag.node_path)
    limits = [
        Limit(label, value, is_urgent)
        for name, (label, is_urgent) in _LIMITS.items()
        if (value := getattr(tag.alarm_limits, name)) is not None
    ]
    return TrendSeries(
        key=tag.path,
        name=f"{text_of(tag.name)} · {text_of(asset.name)}",
        unit=display_unit(tag.unit),
        decimals=tag.decimals,
        is_step=tag.kind in services.STEPS,
        states={number: text_of(name) for number, name in tag.states.items()},
        limits=limits,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _ms(moment: datetime) -> int:
    return microseconds(moment) // 1000


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
