"""What was called of a product: a chart of calls by day, and tables that are exported."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from athanor.apps.exchange.models import CallRow, GrantRow
from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.services.catalogue import Told
from athanor.apps.exchange.services.counting import DayOfUse
from athanor.kernel.historian.port import microseconds
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, TrendChart, TrendSeries, ViewChange, Words, data_table, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, number
from athanor.web.language import _

_SHOWN = timedelta(days=30)


def use_card(
    told: Told, use: Sequence[DayOfUse], calls: Sequence[tuple[CallRow, GrantRow]], park: RunningPlant, zone: ZoneInfo
) -> None:
    """Nothing but a sentence while there were no calls."""
    if not use:
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("Use"), "h2")
            with region("ath-card-body"):
                Words(_("Nobody has called it in the last 90 days."), "p")
        return
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("Calls by day"), "h2")
        with region("ath-correct-chart"):
            _Chart(use, park, zone)
    with region("ath-cards"):
        with region("ath-card", "section"):
            _by_day(told, use, park)
        with region("ath-card", "section"):
            _newest(told, calls, park, zone)


class _Chart:
    """A line for each consumer, a step for each day; a day without calls is 0."""

    def __init__(self, use: Sequence[DayOfUse], park: RunningPlant, zone: ZoneInfo) -> None:
        counts: dict[str, dict[date, int]] = defaultdict(dict)
        for one in use:
            counts[wording.tenant_name(park, one.consumer)][one.day] = one.calls
        today = datetime.now(zone).date()
        first = min(one.day for one in use) - timedelta(days=1)
        days = [first + timedelta(days=n) for n in range((today - first).days + 2)]
        starts_ms = np.array([microseconds(datetime.combine(day, time(), zone)) // 1000 for day in days], np.int64)
        self._points = {
            name: (starts_ms, np.array([float(by_day.get(day, 0)) for day in days])) for name, by_day in counts.items()
        }
        end_ms = int(starts_ms[-1])
        self._view = ViewChange(end_ms - int(_SHOWN.total_seconds() * 1000), end_ms, is_live=False)
        self._chart = TrendChart(str(zone), on_view=self._moved, on_sized=self._sized)

    async def _sized(self, _width_px: int) -> None:
        names = self._points
        self._chart.define([TrendSeries(name, name, _("calls"), 0, is_step=True) for name in names])
        self._chart.load(self._view, self._points)

    async def _moved(self, view: ViewChange) -> None:
        self._view = ViewChange(view.from_ms, view.to_ms, is_live=False)
        self._chart.load(self._view, self._points)


def _by_day(told: Told, use: Sequence[DayOfUse], park: RunningPlant) -> None:
    rows: list[Row] = [
        {
            "day": one.day.isoformat(),
            "who": wording.tenant_name(park, one.consumer),
            "calls": Cell(number(one.calls), sort=float(one.calls)),
            "rows": Cell(number(one.rows), sort=float(one.rows)),
            "bytes": Cell(number(one.sent_bytes / 1000, 1), sort=float(one.sent_bytes)),
            "length": Cell(number(one.duration_ms / 1000, 2), sort=float(one.duration_ms)),
        }
        for one in use
    ]
    data_table(
        rows,
        [
            Column("day", _("Day")),
            Column("who", _("Consumer")),
            Column("calls", _("Calls"), is_number=True),
            Column("rows", _("Rows"), is_number=True),
            Column("bytes", _("Sent [kB]"), is_number=True),
            Column("length", _("Took [s]"), is_number=True),
        ],
        caption=_("Use by day and consumer"),
        export_name=f"data-product-{told.product.id}-use",
        is_searchable=False,
    )


def _newest(told: Told, calls: Sequence[tuple[CallRow, GrantRow]], park: RunningPlant, zone: ZoneInfo) -> None:
    rows: list[Row] = [
        {
            "when": Cell(date_time(call.began_at, zone), sort=call.began_at.astimezone(UTC).timestamp()),
            "who": Cell(wording.tenant_name(park, grant.consumer), note=call.caller),
            "rows": Cell(number(call.rows), sort=float(call.rows), note="" if call.is_whole else _("broke off")),
            "took": Cell(
                NOTHING if call.duration_ms is None else number(call.duration_ms), sort=float(call.duration_ms or 0)
            ),
        }
        for call, grant in calls
    ]
    data_table(
        rows,
        [
            Column("when", _("When")),
            Column("who", _("Consumer")),
            Column("rows", _("Rows"), is_number=True),
            Column("took", _("Took [ms]"), is_number=True),
        ],
        caption=_("Newest calls"),
        page_size=25,
        export_name=f"data-product-{told.product.id}-calls",
        is_searchable=False,
    )
