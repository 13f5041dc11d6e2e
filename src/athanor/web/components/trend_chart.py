"""The trend chart: lines over time that grow at the right by their new points only.

The chart tells how many pixels wide it is, and what range a person moved to; the page answers either with `load`.
From then on `append` sends what is new. Nothing is ever sent twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import nicegui.elements.echart  # noqa: F401  (announces the ECharts that NiceGUI carries to the browser)
import numpy as np
from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.language import _


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line at an alarm limit."""

    label: str
    value: float
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """What the chart must know of a tag to draw it."""

    key: str
    name: str
    unit: str
    decimals: int
    is_step: bool = False
    states: Mapping[int, str] = field(default_factory=dict)
    limits: Sequence[Limit] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a tag's line that something is to be said of; marked at the top of the chart."""

    key: str
    from_ms: int
    to_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class ViewChange:
    """What a person looks at now."""

    from_ms: int
    to_ms: int
    is_live: bool


_NARROWEST, _WIDEST = 100, 4000  # [px]; what a browser says is not to be trusted

Points = tuple[
    np.ndarray, np.ndarray
]  # times [ms since 1970, int64, ascending] and values [float64, NaN breaks the line]


class TrendChart(ui.element, component="trend_chart.js", esm={"athanor-trend": "trend"}):
    """The chart. Times are milliseconds since 1970; labels are in the plant's zone."""

    def __init__(
        self,
        zone: str,
        *,
        on_view: Callable[[ViewChange], Awaitable[None]],
        on_sized: Callable[[int], Awaitable[None]],
    ) -> None:
        super().__init__()
        self.props["zone"] = zone
        self.props["texts"] = {
            "legend": _("Shown tags: press one to hide or show its line"),
            "chart": _("Trend. Arrow keys pan, + and − zoom, Home returns to now."),
        }
        self._on_view = on_view
        self._on_sized = on_sized
        self.on("view", self._viewed)
        self.on("sized", self._sized)

    def define(self, series: Sequence[TrendSeries]) -> None:
        """Which tags are drawn, in this order. Points of those that stay are kept."""
        self.run_method("define", [_described(one) for one in series])

    def busy(self) -> None:
        """Show that points are on their way."""
        self.run_method("busy")

    def load(self, view: ViewChange, points: Mapping[str, Points]) -> None:
        """Show this range; replace the points of the tags given."""
        packed = {key: _packed(*columns) for key, columns in points.items()}
        self.run_method("load", view.from_ms, view.to_ms, view.is_live, packed)

    def append(self, now_ms: int, points: Mapping[str, Sequence[tuple[int, float | None]]]) -> None:
        """Add newer points; a live chart moves on to `now_ms`."""
        self.run_method("append", now_ms, points)

    def mark_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Mark these parts of the lines, and no others; their texts show to the pointer."""
        self.run_method("markStretches", [asdict(one) for one in stretches])

    async def _viewed(self, event: GenericEventArguments) -> None:
        view = event.args
        await self._on_view(ViewChange(int(view["from"]), int(view["to"]), bool(view["isLive"])))

    async def _sized(self, event: GenericEventArguments) -> None:
        await self._on_sized(min(_WIDEST, max(_NARROWEST, int(event.args))))


def _described(series: TrendSeries) -> dict[str, Any]:
    return {
        "key": series.key,
        "name": series.name,
        "unit": series.unit,
        "decimals": series.decimals,
        "isStep": series.is_step,
        "states": dict(series.states),
        "limits": [{"label": one.label, "value": one.value, "isUrgent": one.is_urgent} for one in series.limits],
    }


def _packed(time_ms: np.ndarray, value: np.ndarray) -> list[Any]:
    """A line as the browser reads it: first time, distances between times, values of at most seven digits."""
    if len(time_ms) == 0:
        return [0, [], []]
    gaps = np.diff(time_ms, prepend=time_ms[0])
    values = [None if number != number else float(f"{number:.7g}") for number in value.tolist()]  # noqa: PLR0124 (NaN)
    return [int(time_ms[0]), gaps.tolist(), values]
