"""One attempt at a job: its work, its time limit, who wants it to stop, and how it ended."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.errors import AthanorError
from athanor.kernel.jobs import store
from athanor.kernel.jobs.kinds import JobKind
from athanor.kernel.jobs.port import (
    Job,
    JobCancelledError,
    JobFailedError,
    JobInterruptedError,
    JobResult,
    JobState,
    JobTimeoutError,
    Progress,
)
from athanor.kernel.jobs.whose import shown

_log = structlog.get_logger(__name__)


class LostJobError(AthanorError):
    """A server lost a job to another one and tried to go on with it."""

    code = "jobs.lost"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Another server has job {run_id} by now, as this one was not heard of for too long. Nothing was written."
        )


class Claim(Progress):
    """What the work of a declared job is handed as its progress: also which attempt it is, and for when."""

    def __init__(self, folder: Path, run_id: str, server: str, attempt: int, due_at: datetime | None) -> None:
        super().__init__(folder)
        self.run_id = run_id
        self.attempt = attempt
        self.due_at = due_at  # what its schedule meant; None where somebody started it
        self._server = server

    async def hold(self, session: AsyncSession) -> None:
        """Let what this session writes be kept only while the job is this server's. Raises LostJobError."""
        if not await store.holds(session, self._server, self.run_id, self.attempt):
            raise LostJobError(self.run_id)


class Stop(Enum):
    """Why an attempt is to end before its work is done."""

    CANCELLED = auto()
    TIMEOUT = auto()
    CLOSING = auto()  # the server stops
    LOST = auto()  # another server may have it


class Attempt:
    """The work of one claimed job. `carried_out` runs it; `stop` ends it early."""

    def __init__(self, kind: JobKind, job: Job, claim: Claim, server: str, *, grace_s: float) -> None:
        self.kind = kind
        self.job = job
        self.claim = claim
        self.stopped: Stop | None = None
        self._server = server
        self._grace_s = grace_s
        self._stop = asyncio.Event()

    def stop(self, why: Stop) -> None:
        """Let the work end: at its next check, or after a grace in the midst of what it does."""
        if self.stopped is None:
            self.stopped = why
            self.claim.cancel()
            self._stop.set()

    def snapshot(self) -> Job:
        """The job with its latest progress."""
        now = self.claim
        return replace(self.job, stage=now.stage, fraction=now.fraction, rows=now.rows, summary=now.so_far.summary)

    async def carried_out(self, now: Callable[[], datetime]) -> Job:
        """The job as it ended; never raises for what the work raises."""
        error: AthanorError | None = None
        state = JobState.SUCCEEDED
        try:
            result = await self._work()
        except JobCancelledError as cancelled:
            state, error = self._of_stop(cancelled)
        except AthanorError as known:
            state, error = JobState.FAILED, known
            _log.warning("jobs.failed", job=self.job.id, kind=self.kind.name, code=known.code, reason=str(known))
        except Exception as unknown:  # noqa: BLE001 whatever work fails with ends that job alone: it is logged and told
            state, error = JobState.FAILED, JobFailedError(self.job.id)
            _log.error("jobs.failed", job=self.job.id, kind=self.kind.name, exc_info=unknown)
        else:
            self.claim.tell(fraction=1.0)
            if result is not None:
                self.claim.keep(result)
        return self._ended(state, error, now())

    async def _work(self) -> JobResult | None:
        arguments: Mapping[str, Any] = self.kind.checked(self.job.arguments)
        await asyncio.to_thread(self.claim.folder.mkdir, parents=True, exist_ok=True)
        work = asyncio.ensure_future(self.kind.call(self.claim, arguments))
        told = asyncio.ensure_future(self._stop.wait())
        try:
            limit_s = self.kind.timeout.total_seconds()
            await asyncio.wait({work, told}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.stop(Stop.TIMEOUT)
                if self.stopped is not Stop.TIMEOUT:
                    await asyncio.wait({work}, timeout=self._grace_s)
                await self._cut_off(work)
        finally:
            told.cancel()
        if self.stopped is Stop.TIMEOUT or not work.done() or work.cancelled():
            raise JobCancelledError
        return work.result()

    async def _cut_off(self, work: "asyncio.Future[JobResult | None]") -> None:
        work.cancel()
        await asyncio.wait({work}, timeout=self._grace_s)
        if not work.done():
            _log.error("jobs.hangs", job=self.job.id, kind=self.kind.name, what="it does not let itself be ended")
            work.add_done_callback(_heard)

    def _of_stop(self, cancelled: JobCancelledError) -> tuple[JobState, AthanorError | None]:
        if self.stopped is Stop.TIMEOUT:
            error = JobTimeoutError(self.kind.name, self.kind.timeout.total_seconds())
            _log.warning("jobs.failed", job=self.job.id, kind=self.kind.name, code=error.code)
            return JobState.FAILED, error
        if self.stopped in (Stop.CLOSING, Stop.LOST):
            return JobState.INTERRUPTED, JobInterruptedError(shown(self._server))
        return JobState.CANCELLED, None if self.stopped is Stop.CANCELLED else cancelled

    def _ended(self, state: JobState, error: AthanorError | None, at: datetime) -> Job:
        file = self.claim.so_far.file
        return replace(
            self.snapshot(),
            state=state,
            ended_at=at,
            error=None if error is None else str(error),
            error_code=None if error is None else error.code,
            file_name=None if file is None else self.claim.so_far.file_name or file.name,
            file_bytes=None if file is None else file.stat().st_size,
        )


def _heard(work: "asyncio.Future[JobResult | None]") -> None:
    """What work that was given up on raises late is nobody's news."""
    if not work.cancelled():
        work.exception()
