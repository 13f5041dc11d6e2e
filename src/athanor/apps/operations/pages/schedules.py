"""When jobs are due by themselves: each schedule with its next and its last run."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from athanor.apps.operations.pages.tabs import is_turned_away, tabs
from athanor.apps.operations.pages.wording import kind_text, when
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobState
from athanor.kernel.jobs.schedules import Schedule
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, TablePage, TableQuery, data_table, link, region
from athanor.web.components.data_table import Row, page_of
from athanor.web.components.job import state_text
from athanor.web.formatting import NOTHING, date_time, duration
from athanor.web.language import _
from athanor.web.live import every_second

_LOOK_EVERY = 3  # beats of a second


async def schedules(plant: RunningPlant, runs: JobRuns, viewer: User) -> None:
    """The table, and the way to add one."""
    tabs("/operations/schedules", viewer)
    if is_turned_away(viewer):
        return
    zone = ZoneInfo(plant.model.timezone)

    async def rows(query: TableQuery) -> TablePage:
        now = datetime.now(UTC)
        return page_of([_row(one, runs, now, zone) for one in await runs.schedules.all()], query)

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            region("ath-space")
            link(_("Add a schedule"), "/operations/schedules/new", "ath-button is-main")
        table = data_table(
            rows,
            [
                Column("name", _("Schedule"), is_wide=True),
                Column("when", _("Runs when")),
                Column("next", _("Next run")),
                Column("last", _("Last run")),
                Column("state", _("State")),
            ],
            caption=_("Schedules"),
            nothing=_("No job is due by itself yet."),
            export_name="schedules",
        )
    await table.refresh()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1
        if beats % _LOOK_EVERY == 0:
            await table.refresh()

    every_second(beat)


def _row(one: Schedule, runs: JobRuns, now: datetime, zone: ZoneInfo) -> Row:
    kind = kind_text(one.plan.kind, runs.kinds)
    name = kind if one.plan.name == one.plan.kind else one.plan.name
    in_s = (one.next_at - now).total_seconds()
    next_run = Cell(date_time(one.next_at, zone), note=_("in {time}").format(time=duration(in_s)))
    last = one.last
    at = None if last is None else last.started_at or last.created_at
    is_bad = last is not None and last.state in (JobState.FAILED, JobState.INTERRUPTED)
    return {
        "name": Cell(name, note="" if name == kind else kind, address=f"/operations/schedules/{one.id}"),
        "when": Cell(when(one.plan), note=f"{one.plan.cron or ''} {one.plan.timezone or ''}".strip()),
        "next": next_run if one.plan.is_on else NOTHING,
        "last": NOTHING
        if last is None or at is None
        else Cell(
            date_time(at, zone),
            note=state_text(last.state),
            address=f"/operations/jobs/{last.id}",
            state="is-urgent" if is_bad else "",
        ),
        "state": _("on") if one.plan.is_on else Cell(_("paused"), state="is-warn"),
    }
