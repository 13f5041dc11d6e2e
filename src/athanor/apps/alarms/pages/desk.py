"""The desk: what an operator looks at. The list, what narrows it, what is done with it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui
from nicegui.context import context

from athanor.apps.alarms.pages.desk_acts import Acts, acts_of
from athanor.apps.alarms.pages.desk_filters import Filters
from athanor.apps.alarms.pages.desk_list import AlarmList, Picked
from athanor.apps.alarms.pages.desk_rows import Rows, address_of
from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.services.desk_board import board_of
from athanor.apps.alarms.services.desk_flood import WINDOW, Flood, flood_watch_of
from athanor.apps.alarms.services.desk_list import DeskList, Head, View, Wish, wish_of
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.desk_seen import screen_times
from athanor.apps.alarms.services.desk_watch import Watcher, watch_of
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, icon, region
from athanor.web.formatting import number
from athanor.web.language import _
from athanor.web.sessions import where_of


async def desk(request: Request, viewer: User, alarms: Alarms, plant: RunningPlant, bus: Bus, db: Database) -> None:
    """What stands now; the address keeps what is filtered and grouped by."""
    tabs("/alarms", viewer)
    page = DeskPage(viewer, alarms, plant, db, wish_of(request.query_params), where_of(request).address)
    page.build()
    client = context.client
    watcher = Watcher(page.refresh, lambda: client.is_deleted)
    watch_of(bus).add(watcher)
    client.on_connect(watcher.wake)


class DeskPage:
    """What one person looks at."""

    def __init__(
        self, viewer: User, alarms: Alarms, plant: RunningPlant, db: Database, wish: Wish, address: str
    ) -> None:
        self._viewer, self._alarms, self._plant, self._db = viewer, alarms, plant, db
        self._places = places_of(plant)
        self._listed = DeskList(wish)
        self._acts = Acts(alarms, viewer, address, self._after_act)
        sees_all = viewer.tenants is None
        self._rows = Rows(self._places, ZoneInfo(plant.model.timezone), shows_tenants=sees_all)
        self._opened_at = datetime.now(UTC)
        self._picked = Picked(())

    def build(self) -> None:
        """Draw what stays; the list comes with what the browser has room for."""
        with region("ath-desk-page") as self._root:
            with region("ath-desk-flood", "p", role="status") as self._banner:
                icon("waves")
                self._flood = Words()
            self._banner.set_visibility(False)
            sees_all = self._viewer.tenants is None
            self._filters = Filters(self._plant, self._listed.wish, self._narrow, shows_tenants=sees_all)
            self._list = AlarmList(
                may_act=self._viewer.may("alarms.operate"),
                on_window=self.refresh,
                on_act=self._act,
                on_toggle=self._toggle,
                on_open=lambda alarm: ui.navigate.to(address_of(alarm)),
                on_shown=self._seen,
            )

    async def refresh(self) -> None:
        """Show what is so now: the counts, and the lines in view."""
        flood = await flood_watch_of(self._alarms).now(self._db, self._viewer.tenants, datetime.now(UTC))
        if self._root.is_deleted:
            return
        with self._root:
            self._show(flood)

    def _show(self, flood: Flood) -> None:
        board = board_of(self._alarms, self._viewer)
        self._listed.arrange(board, self._places)
        wish, now, window = self._listed.wish, datetime.now(UTC), self._list.window
        self._filters.show(board, wish)
        self._list.offer(acts_of(wish.view, self._viewer))
        lines = self._listed.lines[window.first : window.first + window.count]
        rows = [self._rows.of(line, wish.group, now) for line in lines]
        self._list.show(rows, len(self._listed.lines), len(self._listed.alarms), _nothing(wish))
        self._banner.set_visibility(flood.is_on)
        text = _("Alarm flood: {n} alarms in {minutes} minutes. Grouping by area or asset shows where it began.")
        self._flood.text = text.format(n=number(flood.announced), minutes=int(WINDOW.total_seconds() // 60))

    # ---- what the person does

    async def _narrow(self, changes: Mapping[str, Any]) -> None:
        self._listed.narrow(**changes)
        ui.navigate.history.replace(self._listed.wish.address)
        self._list.forget()
        await self.refresh()

    async def _toggle(self, key: str) -> None:
        self._listed.toggle(key)
        await self.refresh()

    async def _act(self, what: str, picked: Picked) -> None:
        self._picked = picked
        with self._root:
            await self._acts.do(what, self._meant(picked))

    def _meant(self, picked: Picked) -> list[StandingAlarm]:
        """The alarms as they stand now; of what a browser names, those that the viewer sees."""
        if picked.is_all:
            return [alarm for alarm in self._listed.alarms if alarm.id not in picked.left]
        wanted, board = set(picked.ids), board_of(self._alarms, self._viewer)
        return [alarm for view in View for alarm in board.of(view) if alarm.id in wanted]

    async def _after_act(self) -> None:
        self._list.done(self._picked)
        await self.refresh()

    def _seen(self, occurrences: Sequence[int]) -> None:
        now, shown = datetime.now(UTC), set(occurrences)
        for line in self._listed.lines:
            if isinstance(line, Head) or line.occurrence not in shown or line.raised_at is None:
                continue
            if line.raised_at > self._opened_at:  # what stood before is no measure of how quick the house is
                screen_times.note(line, now)


def _nothing(wish: Wish) -> str:
    if wish.is_narrow:
        return _("Nothing here matches. Show all, or look into another list.")
    return {
        View.STANDING: _("No alarm stands."),
        View.SHELVED: _("Nothing is shelved."),
        View.SUPPRESSED: _("Nothing is suppressed by design."),
        View.OUT_OF_SERVICE: _("Nothing is out of service."),
    }[wish.view]
