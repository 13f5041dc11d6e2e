"""The trend around an alarm, with its limit as a line; it grows while the alarm stands."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from athanor.apps.alarms.services.detail import Detail
from athanor.apps.alarms.services.detail_trend import STEPS, line, span_of
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import display_unit
from athanor.web.components import Stretch, TrendChart, TrendSeries, ViewChange, Words, link, region
from athanor.web.components.trend_chart import Limit
from athanor.web.language import _, text_of
from athanor.web.live import every_second

_SHORTEST = timedelta(seconds=2)


class TrendCard:
    """The chart and where it leads."""

    def __init__(
        self, historian: Historian, current: CurrentValues, plant: RunningPlant, tag: Tag, detail: Detail
    ) -> None:
        self._historian, self._current, self._plant, self._tag, self._detail = historian, current, plant, tag, detail
        self._span = span_of(detail, datetime.now(UTC))
        self._is_live = self._span.end >= datetime.now(UTC) - _SHORTEST
        self._width = 0
        self._turn = 0
        self._newest_ms = 0
        if tag.kind is TagKind.TEXT:
            return  # words have no line
        with region("ath-card", "section", aria_label=_("Trend")):
            with region("ath-card-head"):
                Words(_("Around the event"), "h2")
                region("ath-space")
                link(_("Open in Trends"), self._address(), "ath-button is-plain")
            with region("ath-alarm-chart"):
                self._chart = TrendChart(plant.model.timezone, on_view=self._moved, on_sized=self._sized)
        every_second(self._grow)

    def _address(self) -> str:
        moments = {"from": self._span.start, "to": self._span.end}
        plain = {name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, at in moments.items()}
        return "/trends?" + urlencode({"tags": self._tag.path, **plain}, safe=":,")

    def _series(self) -> TrendSeries:
        limit = self._detail.limit
        limits = [] if limit is None else [Limit(_("Limit"), limit, is_urgent=self._detail.priority == 1)]
        return TrendSeries(
            key=self._tag.path,
            name=text_of(self._tag.name),
            unit=display_unit(self._tag.unit),
            decimals=self._tag.decimals,
            is_step=self._tag.kind in STEPS,
            states={number: text_of(name) for number, name in self._tag.states.items()},
            limits=limits,
        )

    async def _sized(self, width_px: int) -> None:
        self._width = width_px
        self._chart.define([self._series()])
        await self._load()

    async def _moved(self, change: ViewChange) -> None:
        start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (change.from_ms, change.to_ms))
        if end - start < _SHORTEST:
            return
        if change.is_live:
            start, end = datetime.now(UTC) - (end - start), datetime.now(UTC)
        self._span, self._is_live = Span(start, end), change.is_live
        await self._load()

    async def _load(self) -> None:
        if not self._width:
            return
        self._turn += 1
        turn, span = self._turn, self._span
        self._chart.busy()
        points = await line(self._historian, self._plant, self._tag, span, self._width)
        if turn != self._turn:
            return  # they are elsewhere by now
        view = ViewChange(span.start_us // 1000, span.end_us // 1000, self._is_live)
        self._chart.load(view, {self._tag.path: points})
        self._newest_ms = int(points[0][-1]) if len(points[0]) else 0
        self._chart.mark_stretches(self._stretches())

    def _stretches(self) -> list[Stretch]:
        """From raised to normal again."""
        one = self._detail.occurrence
        if one is None:
            return []
        until = one.cleared_at or datetime.now(UTC)
        times: list[Any] = [int(at.timestamp() * 1000) for at in (one.raised_at, until)]
        return [Stretch(self._tag.path, times[0], times[1], text_of(self._detail.rule.name))]

    def _grow(self) -> None:
        newest = self._current.get(self._plant.id_of(self._tag.path))
        if not self._is_live or not self._width or newest is None or not isinstance(newest.value, float):
            return
        at_ms = int(newest.time.timestamp() * 1000)
        if at_ms <= self._newest_ms:
            return
        self._newest_ms = at_ms
        value = None if newest.quality is Quality.BAD else newest.value
        self._chart.append(int(datetime.now(UTC).timestamp() * 1000), {self._tag.path: [(at_ms, value)]})
