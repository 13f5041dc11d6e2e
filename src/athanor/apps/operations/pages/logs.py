"""The last records of this server's log."""

from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.operations.pages.tabs import is_turned_away, tabs
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.whose import shown
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.recent_logs import RECENT, LogRecord
from athanor.web.components import Cell, Choice, Column, TablePage, TableQuery, data_table, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import date_time
from athanor.web.language import _
from athanor.web.live import every_second

_STATES = {"warning": "is-warn", "error": "is-urgent", "critical": "is-urgent"}


async def logs(plant: RunningPlant, runs: JobRuns, viewer: User) -> None:
    """The newest first, by level and text."""
    tabs("/operations/logs", viewer)
    if is_turned_away(viewer):
        return
    zone = ZoneInfo(plant.model.timezone)
    names = {"debug": _("all"), "info": _("information"), "warning": _("warnings"), "error": _("errors")}

    def rows(query: TableQuery) -> TablePage:
        found = RECENT.latest(level.value, query.text)
        return TablePage([_row(one, zone) for one in found[query.offset : query.offset + query.limit]], len(found))

    def refresh() -> None:
        ui.timer(0, table.refresh, once=True)

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            level: Choice[str] = Choice(_("At least"), names, "info", refresh, name="level")
        table = data_table(
            rows,
            [
                Column("at", _("Time"), is_sortable=False),
                Column("level", _("Level"), is_sortable=False),
                Column("event", _("Record"), is_wide=True, is_sortable=False),
            ],
            caption=_("Log of {server}").format(server=shown(runs.server)),
            nothing=_("No such record since the server's start."),
            export_name="log",
        )

    await table.refresh()
    every_second(table.refresh)


def _row(one: LogRecord, zone: ZoneInfo) -> Row:
    names = {"debug": _("Detail"), "info": _("Information"), "warning": _("Warning"), "error": _("Error")}
    fields = " ".join(f"{key}={value}" for key, value in one.fields.items())
    last_line = one.trace.strip().rpartition("\n")[2]
    return {
        "at": date_time(one.at, zone),
        "level": Cell(names.get(one.level, one.level), state=_STATES.get(one.level, "")),
        "event": Cell(one.event, note=" · ".join(filter(None, (fields, last_line)))),
    }
