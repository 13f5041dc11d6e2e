"""How the alarm system does: figures of a period against the standard, and what to do about them."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.alarms.domain.kpis import Figure
from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.pages import performance_tables as tables
from athanor.apps.alarms.pages.performance_charts import RateChart, WeekMap
from athanor.apps.alarms.pages.performance_report import report_card
from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.pages.wording import priorities
from athanor.apps.alarms.services.performance import STEP_US, Figures, Step, figures, learned, rate, steps_for
from athanor.apps.alarms.services.performance_names import Named, named, shown_alarms, told_after
from athanor.apps.alarms.services.performance_period import BadPeriodError, Period, checked, period_of, written
from athanor.apps.alarms.services.performance_record import Wish, position_at, read
from athanor.apps.alarms.services.performance_wording import (
    HOME,
    VERDICT_STATES,
    address_of,
    figure_texts,
    level_texts,
    node_text,
    value_text,
)
from athanor.kernel.database.database import Database
from athanor.kernel.documents.service import Documents
from athanor.kernel.historian.port import moment
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Level as NodeLevel
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Choice, MomentField, Words, empty_state, kpi, kpi_strip, region
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_ALL, _CUSTOM = "", "custom"
_DAY = timedelta(days=1)


async def performance(plant: RunningPlant, db: Database, documents: Documents, viewer: User, request: Request) -> None:
    """The figures of a period, an area, an enterprise or an operator position."""
    tabs(HOME, viewer)
    page = _Page(plant, db, documents, viewer, request.client.host if request.client else "")
    page.build(dict(request.query_params))
    ui.timer(0, page.refresh, once=True)


class _Page:
    """What is asked, and what was found."""

    def __init__(self, plant: RunningPlant, db: Database, documents: Documents, viewer: User, address: str) -> None:
        self._plant, self._db, self._documents = plant, db, documents
        self._viewer, self._address = viewer, address
        self._asked = 0

    def build(self, said: dict[str, str]) -> None:
        """The filters, and room for what is found."""
        now = datetime.now(UTC)
        self._start, self._end = period_of(Period.MONTH, now, self._zone)
        chosen = str(Period.MONTH)
        if "from" in said and "to" in said:
            try:
                self._start, self._end = written(said["from"], said["to"])
                chosen = _CUSTOM
            except BadPeriodError as error:
                ui.notify(str(error), type="warning")
        with region("ath-card ath-toolbar", "section", aria_label=_("Period and place")):
            self._period: Choice[str] = Choice(_("Period"), _periods(), chosen, self._period_chosen, name="period")
            start, end = (one.astimezone(self._zone).replace(tzinfo=None) for one in (self._start, self._end))
            with region("ath-perf-moments") as self._moments:
                self._from = MomentField(_("From"), start, lambda at: self._moment_chosen(at, None))
                self._to = MomentField(_("To"), end, lambda at: self._moment_chosen(None, at))
            self._moments.set_visibility(chosen == _CUSTOM)
            model = self._plant.model
            tenants = {_ALL: _("All")} | {key: text_of(one.name) for key, one in model.tenants.items()}
            areas = {_ALL: _("All")} | self._nodes(NodeLevel.SITE, NodeLevel.AREA, NodeLevel.UNIT)
            positions = {position_at(model, path): "" for path in model.nodes}
            places = {_ALL: _("All")} | {path: node_text(model, path) for path in positions}
            self._tenant: Choice[str] = Choice(
                _("Enterprise"), tenants, _known(said, "tenant", tenants), self._look, name="tenant"
            )
            self._tenant.show(is_shown=len(tenants) > 2)
            self._area: Choice[str] = Choice(_("Area"), areas, _known(said, "area", areas), self._look, name="area")
            self._position: Choice[str] = Choice(
                _("Operator position"), places, _known(said, "position", places), self._look, name="position"
            )
        with region("ath-perf") as self._root:
            Words(_("The record is being read …"), "p", "ath-note")

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._plant.model.timezone)

    @property
    def _wish(self) -> Wish:
        tenant, area, position = (one.value or None for one in (self._tenant, self._area, self._position))
        return Wish(self._start, self._end, tenant or self._viewer.tenant, area, position)

    async def refresh(self) -> None:
        """Read, compute and draw; what was asked for meanwhile is drawn instead."""
        self._asked += 1
        asked, wish = self._asked, self._wish
        record = await read(self._db, self._plant, wish)
        found = await asyncio.to_thread(figures, record)
        names = await named(self._db, self._plant.model, record, shown_alarms(found))
        told = await told_after(self._db, wish.start, wish.end)
        if asked != self._asked or self._root.is_deleted:
            return
        self._root.clear()
        with self._root:
            if not len(record.log):
                self._nothing()
                return
            self._draw(found, names, told)
        ui.timer(0, lambda: self._draw_learned(asked, found), once=True)

    def _nothing(self) -> None:
        with region("ath-card"):
            empty_state(
                _("No alarm in this period"),
                _("Figures appear as soon as alarms have been raised. Averages after the standard need 30 days."),
                glyph="query_stats",
                action=(_("Alarm desk"), "/alarms"),
            )

    def _draw(self, found: Figures, names: dict[int, Named], told: Spread) -> None:
        self._strip(found)
        if not found.is_enough:
            with region("ath-card ath-notice"):
                Words(_("Fewer than 30 days: averages are shown, but the standard judges by 30 days at least."), "p")
        tables.kpi_table(found)
        self._rate_card(found)
        tables.floods(found, names)
        tables.top_ten(found, names)
        with region("ath-cards"):
            tables.priorities(found, priorities())
            self._week_card(found)
            tables.chattering(found, names)
            tables.fleeting(found, names)
            tables.stale(found, names)
            tables.response_times(found, told)
        tables.positions(found, self._plant.model)
        self._learned = region("ath-perf")
        report_card(self._documents, self._plant, self._db, self._viewer, found.record.wish, self._address)

    def _strip(self, found: Figures) -> None:
        values = {one.figure: one for one in found.kpis}
        texts = figure_texts()
        with kpi_strip():
            kpi(_("Level after EEMUA 191")).set(level_texts()[found.level], note=_("by mean and peak in 10 min"))
            kpi(_("Announced alarms")).set(number(found.raised), note=_("{n} positions").format(n=len(found.positions)))
            for figure in (Figure.PER_TEN_MINUTES, Figure.PEAK, Figure.IN_FLOOD):
                one = values[figure]
                kpi(texts[figure]).set(value_text(one), state=VERDICT_STATES.get(one.verdict, ""))

    def _rate_card(self, found: Figures) -> None:
        names = {Step.TEN_MINUTES: _("10 min"), Step.HOUR: _("Hour"), Step.DAY: _("Day")}
        possible = {step: names[step] for step in steps_for(found.record)}
        first = Step.HOUR if found.record.wish.end - found.record.wish.start <= 10 * _DAY else Step.DAY
        how = _("Announced alarms by step; floods stand behind them. Press a bar to see its occurrences.")

        def draw() -> None:
            room.clear()
            with room:
                self._rate_chart(found, step.value)

        with tables.card(_("Alarms over time"), how):
            with region("ath-card-head"):
                Words(_("Alarms over time"), "h2")
                region("ath-space")
                step: Choice[Step] = Choice(_("Count by"), possible, first, draw, name="step")
            room = region("ath-rate-room")
            draw()

    def _rate_chart(self, found: Figures, step: Step) -> None:
        record, floods = found.record, found.all_floods
        edges, counts = rate(record, step)
        goals = {one.figure: one.goal for one in found.kpis}
        of = {Step.TEN_MINUTES: Figure.PER_TEN_MINUTES, Step.HOUR: Figure.PER_HOUR, Step.DAY: Figure.PER_DAY}[step]
        shared = max(1, len(found.positions))
        lines = [(_("Target"), goals[of].target * shared), (_("Maximum"), goals[of].most * shared)]

        def pick(place: int) -> None:
            span = (moment(int(edges[place])), moment(int(edges[place + 1])))
            ui.navigate.to(address_of(record.wish, span=span))

        RateChart(
            edges,
            counts,
            bands_us=list(zip(floods.begin_us.tolist(), floods.end_us.tolist(), strict=True)),
            lines=lines,
            zone=self._plant.model.timezone,
            with_time=STEP_US[step] < STEP_US[Step.DAY],
            summary=_("{n} alarms, at most {most} in one step").format(n=found.raised, most=int(counts.max(initial=0))),
            on_pick=pick,
        )

    def _week_card(self, found: Figures) -> None:
        with tables.card(_("Hours of the week"), _("Announced alarms by weekday and hour on the plant's clock.")):
            with region("ath-card-head"):
                Words(_("Hours of the week"), "h2")
            WeekMap(found.week)

    async def _draw_learned(self, asked: int, found: Figures) -> None:
        known = await asyncio.to_thread(learned, found.record)
        names = await named(self._db, self._plant.model, found.record, shown_alarms(found, known))
        if asked != self._asked or self._learned.is_deleted:
            return
        with self._learned:
            tables.sequences(known, names)
            tables.proposals(known, names)

    def _period_chosen(self) -> None:
        is_custom = self._period.value == _CUSTOM
        self._moments.set_visibility(is_custom)
        if not is_custom:
            self._start, self._end = period_of(Period(self._period.value), datetime.now(UTC), self._zone)
            self._look()

    def _moment_chosen(self, start: datetime | None, end: datetime | None) -> None:
        start, end = (None if one is None else one.replace(tzinfo=self._zone) for one in (start, end))
        try:
            self._start, self._end = checked(start or self._start, end or self._end)
        except BadPeriodError as error:
            ui.notify(str(error), type="warning")
            return
        self._look()

    def _look(self) -> None:
        ui.timer(0, self.refresh, once=True)

    def _nodes(self, *levels: NodeLevel) -> dict[str, str]:
        model = self._plant.model
        return {path: node_text(model, path) for path, node in model.nodes.items() if node.level in levels}


def _periods() -> dict[str, str]:
    return {
        Period.DAY: _("Last day"),
        Period.WEEK: _("Last 7 days"),
        Period.MONTH: _("Last 30 days"),
        Period.LAST_MONTH: _("Last month"),
        Period.QUARTER: _("Last 90 days"),
        Period.YEAR: _("Last 365 days"),
        _CUSTOM: _("From … to …"),
    }


def _known(said: dict[str, str], name: str, options: dict[str, str]) -> str:
    return said[name] if said.get(name) in options else _ALL
