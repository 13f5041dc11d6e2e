"""The bell in the frame of every page: what waits for the viewer, the worst of it in a pop-up, and its sound."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.context import context
from nicegui.events import GenericEventArguments

from athanor.apps.alarms.pages.desk_rows import Rows
from athanor.apps.alarms.pages.wording import span
from athanor.apps.alarms.services.desk_board import board_of
from athanor.apps.alarms.services.desk_list import Board, Group
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.desk_seen import screen_times
from athanor.apps.alarms.services.desk_silence import LENGTHS, silences
from athanor.apps.alarms.services.desk_watch import Watch, Watcher, watch_of
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Bus
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.formatting import clock_time
from athanor.web.language import _, text_of

POPS_UP = frozenset({Priority.CRITICAL, Priority.HIGH})  # the others ring, and wait in the list


def bell(viewer: User, alarms: Alarms, plant: RunningPlant, bus: Bus) -> None:
    """Draw it. It is kept up to date for as long as its page is open, seen or not: its sound must be heard."""
    watch = watch_of(bus)
    drawn = Bell(viewer, alarms, plant, watch)
    client = context.client
    watcher = Watcher(drawn.refresh, lambda: client.is_deleted)
    watch.add(watcher)
    client.on_connect(watcher.wake)


class Bell(ui.element, component="desk_bell.js"):
    """The bell of one page."""

    def __init__(self, viewer: User, alarms: Alarms, plant: RunningPlant, watch: Watch) -> None:
        super().__init__()
        self._viewer, self._alarms, self._watch = viewer, alarms, watch
        self._zone = ZoneInfo(plant.model.timezone)
        self._rows = Rows(places_of(plant), self._zone, shows_tenants=viewer.tenants is None)
        self._opened_at = datetime.now(UTC)
        self._said: dict[str, Any] = {}
        self.props["texts"] = _texts()
        self.props["may-act"] = viewer.may("alarms.operate")
        self.on("silence", self._silence)
        self.on("acknowledge", self._acknowledge)
        self.on("shown", self._seen)

    async def refresh(self) -> None:
        """Say what waits now, where that is something else than before."""
        with self:
            said = self._waiting(board_of(self._alarms, self._viewer))
        if {**said, "silentMs": 0} != {**self._said, "silentMs": 0}:
            self.run_method("take", said)
        self._said = said

    def _waiting(self, board: Board) -> dict[str, Any]:
        now = datetime.now(UTC)
        newest: dict[int, int] = {}
        for alarm in board.calling:
            newest[alarm.priority] = max(newest.get(alarm.priority, 0), alarm.occurrence or 0)
        worst = next((alarm for alarm in board.calling if alarm.priority in POPS_UP), None)
        silent = silences.until(self._viewer.login, now)
        return {
            "counts": [[priority, count] for priority, count in board.tally.unacknowledged.items()],
            "top": None if worst is None else self._top(worst, now),
            "newest": newest,
            "silentMs": 0 if silent is None else int((silent - now).total_seconds() * 1000),
            "silentText": "" if silent is None else clock_time(silent, self._zone)[:5],
        }

    def _top(self, alarm: StandingAlarm, now: datetime) -> dict[str, Any]:
        return {**self._rows.of(alarm, Group.NONE, now), "act": text_of(alarm.action) if alarm.action else ""}

    def _silence(self, event: GenericEventArguments) -> None:
        silences.silence(self._viewer.login, float(event.args), datetime.now(UTC))
        self._watch.wake()  # their other pages too

    async def _acknowledge(self, event: GenericEventArguments) -> None:
        await self._alarms.acknowledge(self._viewer, [int(event.args)])
        await self.refresh()

    def _seen(self, event: GenericEventArguments) -> None:
        for alarm in board_of(self._alarms, self._viewer).calling:
            if alarm.occurrence == event.args and alarm.raised_at and alarm.raised_at > self._opened_at:
                screen_times.note(alarm, datetime.now(UTC))
                return


def _texts() -> dict[str, Any]:
    return {
        "mute": _("Sound is off: click"),
        "waiting": _("{n} alarms wait to be acknowledged"),
        "quiet": _("No alarm waits"),
        "desk": _("To the desk"),
        "sound": _("Silence the sound"),
        "silentUntil": _("Silent until {time}"),
        "silences": [[int(length.total_seconds() // 60), span(length)] for length in LENGTHS],
        "unsilence": _("Let it sound again"),
        "tryIt": _("Try the sound"),
        "later": _("Put off until the next alarm"),
        "acknowledge": _("Acknowledge"),
        "go": _("Go there"),
        "more": _("{n} more"),
    }
