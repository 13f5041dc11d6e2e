"""What was: every occurrence, and the journal of all that happened; filtered, paged, taken out as a file."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.alarms.pages.history_rows import EventTexts, OccurrenceTexts
from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.history import pages_of_events, pages_of_occurrences, pieces
from athanor.apps.alarms.services.history_export import CSV, EXCEL, KIND, note_export, start_export
from athanor.kernel.alarms.history import Wanted
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Level
from athanor.kernel.plant.running import RunningPlant
from athanor.web import severity
from athanor.web.components import Choice, MomentField, TablePage, TableQuery, button, data_table, job_list, region
from athanor.web.language import _, text_of
from athanor.web.sessions import where_of

_OCCURRENCES, _EVENTS = "occurrences", "events"
_ALL = ""
_PAGE = 50
_SHOWN_DAYS = 7
_MOST_AREAS = 400


async def history(
    request: Request, viewer: User, plant: RunningPlant, alarms: Alarms, db: Database, jobs: Jobs
) -> None:
    """Occurrences, or the journal with `?what=events`; `?alarm=` for one alarm's."""
    tabs("/alarms/history", viewer)
    query = request.query_params
    HistoryPage(viewer, plant, alarms, db, jobs, where_of(request).address, query).build()


class HistoryPage:
    """What one person looks at."""

    def __init__(
        self,
        viewer: User,
        plant: RunningPlant,
        alarms: Alarms,
        db: Database,
        jobs: Jobs,
        address: str,
        query: Mapping[str, str],
    ) -> None:
        self._viewer, self._plant, self._alarms, self._db = viewer, plant, alarms, db
        self._jobs, self._address = jobs, address
        self._raised, self._happened = pages_of_occurrences(alarms, viewer), pages_of_events(alarms, viewer)
        self._what = _EVENTS if query.get("what") == _EVENTS else _OCCURRENCES
        alarm = query.get("alarm", "")
        self._alarm = int(alarm) if alarm.isdigit() and len(alarm) < len(str(2**31)) else None
        self._zone = ZoneInfo(plant.model.timezone)
        now = datetime.now(self._zone)
        self._start = (now - timedelta(days=_SHOWN_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._end = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._text = ""
        texts = OccurrenceTexts if self._what == _OCCURRENCES else EventTexts
        self._texts = texts(places_of(plant), self._zone, shows_tenants=viewer.tenants is None)

    def build(self) -> None:
        """Draw it."""
        with region("ath-card", "section"):
            with region("ath-actions"):
                self._filters()
            is_past = self._what == _OCCURRENCES
            self._table = data_table(
                self._page,
                self._texts.columns(),
                caption=_("Occurrences") if is_past else _("Journal"),
                nothing=_("Nothing in this range. Choose a longer one, or fewer filters."),
                page_size=_PAGE,
            )
        if self._viewer.may("alarms.export"):
            self._exports = region("ath-card", "section")
            with self._exports:
                self._files = job_list(
                    self._jobs, self._viewer, kind=KIND, caption=_("Files made"), nothing=_("No file was made yet.")
                )

    def _filters(self) -> None:
        changed = self._changed
        lists = {_OCCURRENCES: _("Occurrences"), _EVENTS: _("Journal")}
        self._list: Choice[str] = Choice(_("List"), lists, self._what, self._go, name="what")
        MomentField(_("From"), self._start, self._start_changed)
        MomentField(_("To"), self._end, self._end_changed)
        priorities = {_ALL: _("All priorities"), **{str(one): name for one, name in severity.priorities().items()}}
        self._priority: Choice[str] = Choice(_("Priority"), priorities, _ALL, changed, name="priority")
        categories = {_ALL: _("All categories"), **severity.categories()}
        self._category: Choice[str] = Choice(_("Category"), categories, _ALL, changed, name="category")
        self._area: Choice[str] = Choice(_("Area"), {_ALL: _("All areas"), **self._areas()}, _ALL, changed, name="area")
        if self._viewer.may("alarms.export"):
            region("ath-space")
            button(_("As CSV"), lambda: self._export(CSV), glyph="download")
            button(_("As Excel"), lambda: self._export(EXCEL), glyph="download")

    def _areas(self) -> dict[str, str]:
        nodes = [one for one in self._plant.model.nodes.values() if one.level is not Level.ASSET][:_MOST_AREAS]
        return {node.path: " › ".join(text_of(one.name) for one in way_to(self._plant, node.path)) for node in nodes}

    def _go(self) -> None:
        ui.navigate.to("/alarms/history" + ("?what=events" if self._list.value == _EVENTS else ""))

    def _start_changed(self, moment: datetime) -> None:
        self._start = moment.replace(tzinfo=self._zone)
        self._changed()

    def _end_changed(self, moment: datetime) -> None:
        self._end = moment.replace(tzinfo=self._zone)
        self._changed()

    def _changed(self) -> None:
        self._table.look_again()

    def _wanted(self) -> Wanted:
        priority, category = self._priority.value, self._category.value
        return Wanted(
            under=self._area.value or None,
            alarm=self._alarm,
            priorities=(int(priority),) if priority else (),
            categories=(category,) if category else (),
            since=self._start.astimezone(UTC),
            until=self._end.astimezone(UTC),
            text=self._text,
        )

    async def _page(self, query: TableQuery) -> TablePage:
        self._text = query.text
        pages = self._raised if self._what == _OCCURRENCES else self._happened
        now = datetime.now(UTC)
        found = await pages.at(replace(self._wanted(), limit=query.limit), query.offset)
        rows = [self._texts.row(one, now) for one in found.rows]
        return TablePage(rows, query.offset + len(rows), is_more=found.next is not None)

    async def _export(self, form: str) -> None:
        wanted, past = self._wanted(), self._alarms.history
        await note_export(self._db, self._viewer, self._what, wanted, self._address)
        is_past = self._what == _OCCURRENCES
        found = pieces(past.occurrences, self._viewer, wanted) if is_past else pieces(past.events, self._viewer, wanted)
        start_export(
            self._jobs,
            self._viewer,
            found,
            self._texts.headings(),
            self._texts.cells,
            name=f"alarms-{self._what}-{self._start:%Y%m%d}-{self._end:%Y%m%d}",
            form=form,
        )
        await self._files.refresh()
        with self._exports:
            ui.notify(_("The file is being made; it appears below."))
