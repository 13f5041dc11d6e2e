"""A job as a person sees it: how far it is, what went wrong, the file that it made; and the list of somebody's jobs."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from nicegui import ui

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs, JobState
from athanor.web.components.data_table import Cell, Column, DataTable, Row, TablePage, TableQuery, data_table, page_of
from athanor.web.components.status import Status, status
from athanor.web.components.words import Words, button, icon, link, region
from athanor.web.formatting import NOTHING, duration, number, percent
from athanor.web.language import _
from athanor.web.live import every_second

Texts = Mapping[str, str]  # what the words in which a job names its stages are in the reader's language

_LOOK_EVERY_S = 0.25  # a bar that moves once a second seems to stand; only while the job runs

_DRESS = {JobState.FAILED: Status.URGENT, JobState.INTERRUPTED: Status.URGENT, JobState.CANCELLED: Status.WARN}
_ROW_CLASSES = {JobState.FAILED: "is-urgent", JobState.INTERRUPTED: "is-urgent", JobState.CANCELLED: "is-warn"}


class JobCard:
    """One job, kept up to date until it is over.

    Parameters
    ----------
    stages
        Texts for the job's stages; a stage without one shows as it is.
    on_over
        Called once with the job when it is over, also when that was so from the beginning.
    """

    def __init__(
        self,
        jobs: Jobs,
        job_id: str,
        viewer: User,
        *,
        stages: Texts,
        on_over: Callable[[Job], Awaitable[None] | None] | None = None,
    ) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._viewer = viewer
        self._stages = stages
        self._on_over = on_over
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
                self._cancel = button(_("Cancel"), self._cancel_it, glyph="close")
                with link("", "", "ath-button") as self._file:
                    icon("download")
                    self._file_name = Words()
                self._file.props["download"] = True
            self._trouble = Words("", "p", "ath-job-trouble")
            self._code = Words("", "code", "ath-job-code")
        self._show(jobs.get(job_id, viewer))
        self._timer = ui.timer(_LOOK_EVERY_S, self.refresh)

    async def refresh(self) -> None:
        """Show how the job is now."""
        try:
            job = self._jobs.get(self._job_id, self._viewer)
        except NotFoundError:  # forgotten since
            self._timer.deactivate()
            return
        self._show(job)
        if job.state.is_over:
            self._timer.deactivate()
            answer = self._on_over(job) if self._on_over else None
            if inspect.isawaitable(answer):
                await answer

    def _cancel_it(self) -> None:
        self._jobs.cancel(self._job_id, self._viewer)

    def _show(self, job: Job) -> None:
        self._title.text = job.title
        self._state.set(state_text(job.state), _DRESS.get(job.state, Status.NORMAL))
        self._where.text = _where(job, self._stages)
        self._show_fraction(job)
        self._cancel.set_visibility(not job.state.is_over)
        self._file.set_visibility(job.file_name is not None)
        if job.file_name is not None and self._file_name.text != job.file_name:
            self._file_name.text = job.file_name
            self._file.props["href"] = file_address(job)
            self._file.update()
        self._trouble.text = job.error or ""
        self._code.text = job.error_code or ""
        self._trouble.set_visibility(job.error is not None)
        self._code.set_visibility(job.error is not None)

    def _show_fraction(self, job: Job) -> None:
        is_waiting = job.fraction is None and not job.state.is_over
        classes = "ath-job-bar is-unknown" if is_waiting and job.state is JobState.RUNNING else "ath-job-bar"
        percentage = round(100 * (job.fraction or 0.0), 1)
        self._bar.classes(replace=f"{classes} {_ROW_CLASSES.get(job.state, '')}".strip())
        self._bar.style(replace="" if is_waiting else f"width: {percentage}%")
        value = None if is_waiting else str(percentage)
        if self._track.props.get("aria-valuenow") != value:
            self._track.props["aria-valuenow"] = value
            self._track.update()


def job_card(
    jobs: Jobs,
    job_id: str,
    viewer: User,
    *,
    stages: Texts,
    on_over: Callable[[Job], Awaitable[None] | None] | None = None,
) -> JobCard:
    """A job at this place of the page. Raises NotFoundError."""
    return JobCard(jobs, job_id, viewer, stages=stages, on_over=on_over)


def job_list(
    jobs: Jobs, viewer: User, *, kind: str, caption: str, nothing: str, address: Callable[[Job], str] | None = None
) -> DataTable:
    """The viewer's jobs of one kind, newest first, kept up to date. `address` is where a job's title leads."""

    def rows(query: TableQuery) -> TablePage:
        now = datetime.now(UTC)
        return page_of([_row(job, now, address) for job in jobs.jobs(viewer, kind)], query)

    columns = [
        Column("title", _("What"), is_wide=True),
        Column("state", _("State")),
        Column("rows", _("Rows"), is_number=True),
        Column("when", _("Begun"), is_number=True),
        Column("length", _("Took"), is_number=True),
        Column("owner", _("By")),
        Column("file", _("File"), is_sortable=False),
    ]
    table = data_table(rows, columns, caption=caption, nothing=nothing, page_size=10, is_searchable=False)
    every_second(table.refresh)
    return table


def state_text(state: JobState) -> str:
    """Where a job stands, in the reader's language."""
    return {
        JobState.QUEUED: _("Waiting"),
        JobState.RUNNING: _("Running"),
        JobState.SUCCEEDED: _("Done"),
        JobState.FAILED: _("Ended by an error"),
        JobState.CANCELLED: _("Cancelled"),
        JobState.INTERRUPTED: _("Interrupted"),
    }[state]


def file_address(job: Job) -> str:
    """Where the job's file is fetched from."""
    return f"/api/v1/jobs/{job.id}/file"


def _where(job: Job, stages: Texts) -> str:
    """Stage, share, rows and time so far, as far as they are known."""
    if job.state is JobState.QUEUED:
        return _("Begins when other jobs are done.")
    parts = [stages.get(job.stage, job.stage)] if job.stage and not job.state.is_over else []
    if job.fraction is not None and not job.state.is_over:
        parts.append(percent(job.fraction, 0))
    if job.rows is not None:
        parts.append(_("{n} rows").format(n=number(job.rows)))
    if job.started_at is not None:
        parts.append(duration(((job.ended_at or datetime.now(UTC)) - job.started_at).total_seconds()))
    return " · ".join(parts)


def _row(job: Job, now: datetime, address: Callable[[Job], str] | None) -> Row:
    age_s = (now - job.created_at).total_seconds()
    took_s = None if job.started_at is None else ((job.ended_at or now) - job.started_at).total_seconds()
    has_share = job.state is JobState.RUNNING and job.fraction is not None
    return {
        "title": Cell(job.title, address=address(job) if address else "", note=job.error or ""),
        "state": Cell(
            state_text(job.state),
            note=percent(job.fraction, 0) if has_share else "",
            state=_ROW_CLASSES.get(job.state, ""),
        ),
        "rows": Cell(number(job.rows), sort=float(job.rows or 0)),
        "when": Cell(_("{age} ago").format(age=duration(age_s)), sort=age_s),
        "length": Cell(NOTHING if took_s is None else duration(took_s), sort=took_s or 0.0),
        "owner": job.owner,
        "file": "" if job.file_name is None else Cell(job.file_name, address=file_address(job)),
    }
