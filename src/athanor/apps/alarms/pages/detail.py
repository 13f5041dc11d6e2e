"""One alarm: what, where, what to do, the trend around it, its life line, what was said, when it was raised before."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui
from nicegui.context import context

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.pages.desk_acts import Acts, acts_of, concerns
from athanor.apps.alarms.pages.detail_ahead import AheadCard
from athanor.apps.alarms.pages.detail_cards import comments_card, earlier_card, facts_card, life_line_card
from athanor.apps.alarms.pages.detail_documents import documents_card
from athanor.apps.alarms.pages.detail_trend import TrendCard
from athanor.apps.alarms.services.desk_list import view_of
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.desk_watch import Watcher, watch_of
from athanor.apps.alarms.services.detail import Detail, alarm_of_occurrence, detail_of
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Bus
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.service import Cases
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web import severity
from athanor.web.components import Status, Words, button, link, page_title, region, status
from athanor.web.language import _, text_of
from athanor.web.sessions import where_of

_CALLING = frozenset({State.UNACK, State.RTNUN, State.LTUNK})


async def alarm(
    alarm_id: int,
    request: Request,
    viewer: User,
    alarms: Alarms,
    plant: RunningPlant,
    db: Database,
    bus: Bus,
    historian: Historian,
    current: CurrentValues,
    documents: Documents,
    cases: Cases,
) -> None:
    """An alarm as it stands, with its newest occurrence."""
    page = DetailPage(viewer, alarms, plant, db, cases, where_of(request).address, alarm_id, None)
    await page.build(historian, current, documents, bus)


async def occurrence(
    occurrence_id: int,
    request: Request,
    viewer: User,
    alarms: Alarms,
    plant: RunningPlant,
    db: Database,
    bus: Bus,
    historian: Historian,
    current: CurrentValues,
    documents: Documents,
    cases: Cases,
) -> None:
    """One time that an alarm was raised: where messages lead."""
    alarm_id = await alarm_of_occurrence(alarms, viewer, occurrence_id)
    page = DetailPage(viewer, alarms, plant, db, cases, where_of(request).address, alarm_id, occurrence_id)
    await page.build(historian, current, documents, bus)


class DetailPage:
    """The page; it follows what happens to its alarm."""

    def __init__(
        self,
        viewer: User,
        alarms: Alarms,
        plant: RunningPlant,
        db: Database,
        cases: Cases,
        address: str,
        alarm_id: int,
        occurrence_id: int | None,
    ) -> None:
        self._viewer, self._alarms, self._plant, self._db, self._cases = viewer, alarms, plant, db, cases
        self._address, self._alarm_id, self._occurrence_id = address, alarm_id, occurrence_id
        self._zone = ZoneInfo(plant.model.timezone)
        self._may_act = viewer.may("alarms.operate")

    async def build(self, historian: Historian, current: CurrentValues, documents: Documents, bus: Bus) -> None:
        """Draw it. Raises NotFoundError."""
        detail = await self._read()
        self._revision = _revision(detail)
        self._acts = Acts(self._alarms, self._viewer, self._address, self.refresh)
        self._head = region("ath-alarm-page-head")
        with region("ath-alarm-page") as self._root:
            with region("ath-alarm-main"):
                self._facts = region("ath-card", "section", aria_label=_("What it is"))
                tag = self._plant.model.tags.get(detail.path)
                if tag is not None:
                    AheadCard(historian, self._plant.id_of(tag.path), places_of(self._plant).of(tag.path), detail)
                    TrendCard(historian, current, self._plant, tag, detail)
                self._earlier = region()
            with region("ath-alarm-side"):
                self._line = region("ath-card", "section", aria_label=_("Life line"))
                self._said = region("ath-card", "section", aria_label=_("Comments"))
                await documents_card(documents, self._viewer, detail)
        self._show(detail)
        client = context.client
        watcher = Watcher(self._look, lambda: client.is_deleted)
        watch_of(bus).add(watcher)

    async def refresh(self) -> None:
        """Read it anew and show it."""
        detail = await self._read()
        self._revision = _revision(detail)
        if not self._root.is_deleted:
            with self._root:
                self._show(detail)

    async def _look(self) -> None:
        """Only where something happened to this one."""
        standing = self._alarms.standing.get(self._viewer, self._alarm_id)
        if (None if standing is None else standing.revision) != self._revision:
            await self.refresh()

    async def _read(self) -> Detail:
        return await detail_of(self._db, self._alarms, self._viewer, self._alarm_id, self._occurrence_id)

    def _show(self, detail: Detail) -> None:
        now = datetime.now(UTC)
        place = places_of(self._plant).of(detail.path)
        for part in (self._head, self._facts, self._line, self._said, self._earlier):
            part.clear()
        with self._head:
            self._draw_head(detail)
        with self._facts:
            facts_card(detail, place, self._zone, now)
        with self._line:
            life_line_card(detail, place, self._zone, now)
        with self._said:
            comments_card(detail, self._zone, now, self._comment if self._may_act and detail.occurrence else None)
        with self._earlier:
            earlier_card(detail, place, self._zone, now)

    def _draw_head(self, detail: Detail) -> None:
        place = places_of(self._plant).of(detail.path)
        standing = detail.standing
        state = State.NORM if standing is None else standing.state
        with page_title(f"{wording.what(place)}: {text_of(detail.rule.name)}"):
            with region("ath-alarm-head"):
                name = severity.priorities()[detail.priority]
                with region("ath-alarm-head", "span", title=name):
                    Words(str(detail.priority), "span", f"ath-prio is-p{detail.priority}")
                    Words(name)
                status(wording.states()[state], Status.WARN if state in _CALLING else Status.NORMAL)
            region("ath-space")
            with region("ath-entry-actions"):
                if standing is not None:
                    for act in acts_of(view_of(standing), self._viewer):
                        if concerns(act.id, standing):
                            main = "is-main" if act.id == "acknowledge" else ""
                            button(act.text, lambda one=act.id: self._do(one), glyph=act.icon, classes=main)
                if detail.occurrence is not None and self._viewer.may("incidents.operate"):
                    button(_("Open an incident"), lambda: self._open_case(detail), glyph="assignment_add")
                link(_("To the desk"), "/alarms", "ath-button")

    async def _do(self, what: str) -> None:
        standing = self._alarms.standing.get(self._viewer, self._alarm_id)
        if standing is not None:
            with self._root:
                await self._acts.do(what, [standing])

    async def _comment(self, text: str) -> bool:
        """Whether it was kept."""
        detail = await self._read()
        if detail.occurrence is None:
            return False
        try:
            await self._alarms.comment(self._viewer, detail.occurrence.id, text, self._address)
        except AthanorError as error:
            with self._root:
                ui.notify(str(error), type="negative")
            return False
        await self.refresh()
        return True

    async def _open_case(self, detail: Detail) -> None:
        one = detail.occurrence
        if one is None:
            return
        opening = Opening(
            title=detail.rule.name,
            tenant=one.tenant,
            occurred_at=one.raised_at,
            subject=f"alarms.occurrence:{one.id}",
            path=one.path,
            priority=one.priority,
            category=one.category,
            by=self._viewer.login,
        )
        case = await self._cases.open(opening, address=self._address)
        with self._root:
            ui.navigate.to(f"/incidents/{case.id}")


def _revision(detail: Detail) -> int | None:
    return None if detail.standing is None else detail.standing.revision
