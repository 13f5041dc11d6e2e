"""Jobs that run and ran: the list with filters, and one job with all that is known of it."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.operations.pages.running import run_now
from athanor.apps.operations.pages.tabs import tabs
from athanor.apps.operations.pages.wording import kind_text, owner_text
from athanor.apps.operations.services.rights import looks_after_all
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, JobState
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.store import Wanted
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Choice,
    Column,
    Dialog,
    Status,
    TablePage,
    TableQuery,
    Words,
    button,
    data_table,
    empty_state,
    link,
    page_title,
    region,
    status,
)
from athanor.web.components.data_table import Row
from athanor.web.components.job import file_address, state_text
from athanor.web.formatting import NOTHING, date_time, duration, number, percent
from athanor.web.language import _
from athanor.web.live import every_second

_ALL = ""
_DRESS = {JobState.FAILED: Status.URGENT, JobState.INTERRUPTED: Status.URGENT, JobState.CANCELLED: Status.WARN}
_OPEN = (JobState.QUEUED, JobState.RUNNING)


async def jobs(plant: RunningPlant, runs: JobRuns, viewer: User, request: Request) -> None:
    """All jobs that the viewer may see; those who look after the house start some, too."""
    tabs("/operations/jobs", viewer)
    await jobs_card(runs, viewer, plant, address=request.client.host if request.client else "")


async def jobs_card(runs: JobRuns, viewer: User, plant: RunningPlant, *, address: str = "") -> None:
    """The list, kept up to date."""
    zone = ZoneInfo(plant.model.timezone)
    chosen: dict[str, Choice[str]] = {}

    async def rows(query: TableQuery) -> TablePage:
        wanted = Wanted(
            kind=chosen["kind"].value or None,
            state=JobState(chosen["state"].value) if chosen["state"].value else None,
            text=query.text,
            oldest_first=query.sort == "created" and not query.is_descending,
            offset=query.offset,
            limit=query.limit,
        )
        found, total = await runs.find(viewer, wanted)
        now = datetime.now(UTC)
        return TablePage([_row(job, runs, now, zone) for job in found], total)

    def refresh() -> None:
        ui.timer(0, table.refresh, once=True)

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            kinds = {kind.name for kind in runs.kinds} | {"data.import", "data.export", "historian.retention"}
            named = dict(sorted(((name, kind_text(name, runs.kinds)) for name in kinds), key=lambda one: one[1]))
            states = {_ALL: _("All")} | {str(state): state_text(state) for state in JobState}
            chosen["kind"] = Choice(_("Kind"), {_ALL: _("All")} | named, _ALL, refresh, name="kind")
            chosen["state"] = Choice(_("State"), states, _ALL, refresh, name="state")
            if looks_after_all(viewer):
                region("ath-space")
                run_now(runs, viewer, address)
        table = data_table(
            rows,
            [
                Column("title", _("What"), is_wide=True, is_sortable=False),
                Column("state", _("State"), is_sortable=False),
                Column("owner", _("By"), is_sortable=False),
                Column("created", _("Submitted at")),
                Column("took", _("Took"), is_number=True, is_sortable=False),
                Column("server", _("Server"), is_sortable=False),
                Column("file", _("File"), is_sortable=False),
            ],
            caption=_("Jobs"),
            nothing=_("There is no such job."),
            export_name="jobs",
        )

    await table.refresh()
    every_second(table.refresh)


def _row(job: Job, runs: JobRuns, now: datetime, zone: ZoneInfo) -> Row:
    took_s = None if job.started_at is None else ((job.ended_at or now) - job.started_at).total_seconds()
    kind = kind_text(job.kind, runs.kinds)
    title = kind if job.title == job.kind else job.title
    return {
        "title": Cell(title, note=job.error or ("" if title == kind else kind), address=f"/operations/jobs/{job.id}"),
        "state": Cell(state_text(job.state), note=_progress(job, now), state=_DRESS.get(job.state, Status.NORMAL)),
        "owner": owner_text(job.owner),
        "created": date_time(job.created_at, zone),
        "took": NOTHING if took_s is None else duration(took_s),
        "server": job.server,
        "file": "" if job.file_name is None else Cell(job.file_name, address=file_address(job)),
    }


def _progress(job: Job, now: datetime) -> str:
    parts = []
    if job.state is JobState.RUNNING and job.fraction is not None:
        parts.append(percent(job.fraction, 0))
    if job.state is JobState.QUEUED and job.start_after is not None and job.start_after > now:
        parts.append(_("again in {time}").format(time=duration((job.start_after - now).total_seconds())))
    if job.attempts > 1 and job.attempt > 1:
        parts.append(_("attempt {n} of {most}").format(n=job.attempt, most=job.attempts))
    return " · ".join(parts)


async def job(job_id: str, plant: RunningPlant, runs: JobRuns, viewer: User, request: Request) -> None:
    """One job, kept up to date until it is over."""
    try:
        found = await runs.get(job_id, viewer)
    except NotFoundError:
        page_title(_("Operations"))
        empty_state(
            _("There is no such job"), _("It was forgotten by now, or is somebody else's."), glyph="search_off",
            action=(_("To the jobs"), "/operations/jobs"),
            is_missing=True,
        )  # fmt: skip
        return
    page = _OneJob(runs, viewer, ZoneInfo(plant.model.timezone), request.client.host if request.client else "")
    page.show(found)

    async def beat() -> None:
        if page.is_open:
            page.show(await runs.get(job_id, viewer))

    every_second(beat)


class _OneJob:
    """All that is known of a job, and cancelling it."""

    def __init__(self, runs: JobRuns, viewer: User, zone: ZoneInfo, address: str) -> None:
        self._runs, self._viewer, self._zone, self._address = runs, viewer, zone, address
        self._job: Job
        self.is_open = True
        with page_title(_("Job")):
            region("ath-space")
            link(_("All jobs"), "/operations/jobs", "ath-button")
        with region("ath-card ath-job", "section"):
            with region("ath-card-head"):
                self._title = Words("", "h2")
                region("ath-space")
                with region(aria_live="polite"):
                    self._state = status("")
            with region("ath-job-track", role="progressbar", aria_valuemin="0", aria_valuemax="100") as self._track:
                self._bar = region("ath-job-bar")
            with region("ath-job-foot"):
                self._where = Words("", "span")
                region("ath-space")
                self._cancel = button(_("Cancel…"), self._ask, glyph="close")
                self._file = link("", "", "ath-button")
                self._file.props["download"] = True
            self._trouble = Words("", "p", "ath-job-trouble")
            self._code = Words("", "code", "ath-job-code")
        with region("ath-card", "section"):
            self._facts = data_table(
                self._rows,
                [
                    Column("what", _("What"), is_sortable=False),
                    Column("value", _("Value"), is_wide=True, is_sortable=False),
                ],
                caption=_("What is known of it"),
                is_searchable=False,
            )
        self._dialog = Dialog()

    def show(self, job: Job) -> None:
        """The job as it is now."""
        self._job, self.is_open = job, job.state in _OPEN
        kind = kind_text(job.kind, self._runs.kinds)
        self._title.text = kind if job.title == job.kind else job.title
        self._state.set(state_text(job.state), _DRESS.get(job.state, Status.NORMAL))
        share = 1.0 if job.state is JobState.SUCCEEDED else job.fraction
        self._bar.style(replace=f"width: {100 * (share or 0):.1f}%")
        self._track.props["aria-valuenow"] = f"{100 * (share or 0):.0f}"
        self._track.update()
        parts = [job.stage]
        if job.rows is not None:
            parts.append(_("{n} rows").format(n=number(job.rows)))
        self._where.text = " · ".join(filter(None, [*parts, _progress(job, datetime.now(UTC))]))
        self._cancel.set_visibility(self.is_open)
        self._file.set_visibility(job.file_name is not None)
        if job.file_name is not None:
            self._file.text = job.file_name
            self._file.props["href"] = file_address(job)
            self._file.update()
        self._trouble.text, self._code.text = job.error or "", job.error_code or ""
        self._trouble.set_visibility(job.error is not None)
        self._code.set_visibility(job.error is not None)
        ui.timer(0, self._facts.refresh, once=True)

    def _rows(self, _query: TableQuery) -> TablePage:
        job = self._job
        times = (
            (_("Was due at"), job.due_at),
            (_("Submitted at"), job.created_at),
            (_("Began at"), job.started_at),
            (_("Ended at"), job.ended_at),
        )
        facts = [
            (_("Kind"), job.kind),
            (_("By"), owner_text(job.owner)),
            *((name, date_time(at, self._zone)) for name, at in times if at is not None),
            (_("Attempt"), _("{n} of {most}").format(n=job.attempt, most=job.attempts)),
            (_("Server"), job.server or NOTHING),
            (_("Arguments"), json.dumps(dict(job.arguments), ensure_ascii=False) if job.arguments else NOTHING),
            (_("Result"), json.dumps(dict(job.summary), ensure_ascii=False, default=str) if job.summary else NOTHING),
            (_("Reference in the log"), job.id),
        ]
        return TablePage([{"what": what, "value": value} for what, value in facts], len(facts))

    def _ask(self) -> None:
        with self._dialog.filling(_("Cancel this job?")):
            Words(_("What it had finished until then stays."), "p")
            with region("ath-dialog-foot"):
                button(_("Let it go on"), self._dialog.close)
                button(_("Cancel the job"), self._cancel_it, classes="is-danger")

    async def _cancel_it(self) -> None:
        self._dialog.close()
        self.show(await self._runs.cancel(self._job.id, self._viewer, address=self._address))
