"""Jobs within the server's process. Embedded: for one server, development and tests.

A restart cancels those that ran; whoever is told of changes may remember them. Work that must not be lost makes each
of its pieces durable itself and can be started again.
"""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import structlog

from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import (
    Job,
    JobCancelledError,
    JobFailedError,
    JobState,
    NoJobFileError,
    Progress,
    Work,
)

_log = structlog.get_logger(__name__)

AT_ONCE = 2
REMEMBERED = 200  # jobs that are over
FILES_LAST = timedelta(days=1)
_SWEEP_EVERY_S = 600.0
_STOP_WITHIN_S = 10.0  # for work to reach its next check before it is cut off


class MemoryJobs:
    """Implements `Jobs`; used from the event loop's thread only."""

    def __init__(
        self,
        folder: Path,
        *,
        at_once: int = AT_ONCE,
        remembered: int = REMEMBERED,
        files_last: timedelta = FILES_LAST,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_change: Callable[[Job], None] = lambda _job: None,
    ) -> None:
        """`folder` is the jobs' own: what an earlier run left there is removed. `on_change` hears of each new state."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._slots = asyncio.Semaphore(at_once)  # whoever waits gets it in order
        self._remembered = remembered
        self._files_last = files_last
        self._now = now
        self._on_change = on_change
        self._running: dict[str, _Run] = {}  # every job that is known, the oldest first
        self._sweeper = asyncio.create_task(self._sweep_now_and_then(), name="jobs:sweep")

    def start(self, kind: str, title: str, owner: User, work: Work) -> str:
        """See `Jobs`."""
        job_id = uuid4().hex
        job = Job(job_id, kind, title, owner.login, owner.tenant, JobState.QUEUED, self._now())
        run = _Run(job, Progress(self._folder / job_id))
        self._running[job_id] = run
        self._on_change(job)
        run.task = asyncio.create_task(self._carry_out(run, work), name=f"job:{kind}")
        self.sweep()
        return job_id

    def get(self, job_id: str, viewer: User) -> Job:
        """See `Jobs`."""
        return self._run(job_id, viewer).snapshot()

    def jobs(self, viewer: User, kind: str | None = None) -> Sequence[Job]:
        """See `Jobs`."""
        runs = [run for run in reversed(self._running.values()) if run.job.is_visible_to(viewer)]
        return [run.snapshot() for run in runs if kind is None or run.job.kind == kind]

    def cancel(self, job_id: str, viewer: User) -> None:
        """See `Jobs`."""
        self._cancel(self._run(job_id, viewer))

    def cancel_any(self, job_id: str) -> None:
        """As `cancel`, whoever asks. Raises NotFoundError."""
        if job_id not in self._running:
            raise NotFoundError("job", job_id)
        self._cancel(self._running[job_id])

    def live(self) -> Sequence[Job]:
        """Those that are not over, of everybody, with their latest progress."""
        return [run.snapshot() for run in self._running.values() if not run.job.state.is_over]

    def file(self, job_id: str, viewer: User) -> Path:
        """See `Jobs`."""
        run = self._run(job_id, viewer)
        if run.file is None:
            raise NoJobFileError(job_id)
        return run.file

    async def wait(self, job_id: str, viewer: User) -> Job:
        """See `Jobs`."""
        run = self._run(job_id, viewer)
        await asyncio.wait([run.task])
        return run.snapshot()

    async def close(self) -> None:
        """See `Jobs`."""
        self._sweeper.cancel()
        runs = [run for run in self._running.values() if not run.task.done()]
        for run in runs:
            self._cancel(run)
        tasks = [run.task for run in runs]
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=_STOP_WITHIN_S)
            for task in late:
                task.cancel()
        await asyncio.gather(self._sweeper, *tasks, return_exceptions=True)

    def sweep(self) -> None:
        """Remove files that are old, and forget the oldest jobs that are over beyond those remembered."""
        over = [run for run in self._running.values() if run.job.state.is_over]
        for run in over[: max(0, len(over) - self._remembered)]:
            del self._running[run.job.id]
            self._remove_files(run)
        for run in over:
            if run.job.ended_at is not None and self._now() - run.job.ended_at >= self._files_last:
                self._remove_files(run)

    def _cancel(self, run: "_Run") -> None:
        run.progress.cancel()
        if run.job.state is JobState.QUEUED:
            self._end(run, JobState.CANCELLED)  # here, since a task that never began runs none of its code
            run.task.cancel()

    async def _carry_out(self, run: "_Run", work: Work) -> None:
        try:
            async with self._slots:
                run.job = replace(run.job, state=JobState.RUNNING, started_at=self._now())
                self._on_change(run.snapshot())
                run.progress.check_cancelled()
                run.progress.folder.mkdir()
                result = await work(run.progress)
        except (JobCancelledError, asyncio.CancelledError):
            if not run.job.state.is_over:
                self._end(run, JobState.CANCELLED)
        except AthanorError as error:
            _log.warning("jobs.failed", job=run.job.id, kind=run.job.kind, code=error.code, reason=str(error))
            self._end(run, JobState.FAILED, error=error)
        except Exception as error:  # noqa: BLE001 whatever work fails with ends that job alone: it is logged and told
            _log.error("jobs.failed", job=run.job.id, kind=run.job.kind, exc_info=error)
            self._end(run, JobState.FAILED, error=JobFailedError(run.job.id))
        else:
            run.progress.tell(fraction=1.0)
            if result is not None:
                run.progress.keep(result)
            self._end(run, JobState.SUCCEEDED)

    def _end(self, run: "_Run", state: JobState, *, error: AthanorError | None = None) -> None:
        result = run.progress.so_far
        run.file = result.file
        run.job = replace(
            run.snapshot(),
            state=state,
            ended_at=self._now(),
            error=None if error is None else str(error),
            error_code=None if error is None else error.code,
            file_name=None if result.file is None else result.file_name or result.file.name,
            file_bytes=None if result.file is None else result.file.stat().st_size,
        )
        if run.file is None:
            self._remove_files(run)
        else:
            self._on_change(run.job)

    def _remove_files(self, run: "_Run") -> None:
        run.file = None
        run.job = replace(run.job, file_name=None, file_bytes=None)
        shutil.rmtree(run.progress.folder, ignore_errors=True)
        self._on_change(run.job)

    def _run(self, job_id: str, viewer: User) -> "_Run":
        run = self._running.get(job_id)
        if run is None or not run.job.is_visible_to(viewer):
            raise NotFoundError("job", job_id)
        return run

    async def _sweep_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY_S)
            self.sweep()


class _Run:
    """A job, the task that carries it out, and what that says of itself."""

    task: asyncio.Task[None]

    def __init__(self, job: Job, progress: Progress) -> None:
        self.job = job
        self.progress = progress
        self.file: Path | None = None

    def snapshot(self) -> Job:
        """The job with its latest progress."""
        now = self.progress
        return replace(self.job, stage=now.stage, fraction=now.fraction, rows=now.rows, summary=now.so_far.summary)
