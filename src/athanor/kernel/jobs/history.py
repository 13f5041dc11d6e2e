"""Jobs that run within one server, as the database remembers them after it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from athanor.kernel.database.database import Database
from athanor.kernel.jobs.port import Job
from athanor.kernel.jobs.tables import RunRow


class LiveJobs(Protocol):
    """The jobs of this server's memory."""

    def live(self) -> Sequence[Job]:
        """Those that are not over, with their latest progress."""

    def cancel_any(self, job_id: str) -> None:
        """Let one end, whoever asks. Raises NotFoundError."""


class JobHistory:
    """Writes what changed, a few times a second at most; what could not be written waits for the next time."""

    def __init__(self, database: Database, server: str) -> None:
        self._database = database
        self._server = server
        self._changed: dict[str, Job] = {}
        self._jobs: LiveJobs | None = None
        self._writing = asyncio.Lock()  # two at once would both add what is new

    def watch(self, jobs: LiveJobs) -> None:
        """Ask these how far they are."""
        self._jobs = jobs

    def note_progress(self) -> bool:
        """Note how far jobs are; whether any is not over."""
        live = self._jobs.live() if self._jobs else ()
        self._changed |= {job.id: job for job in live}
        return bool(live)

    def note(self, job: Job) -> None:
        """This has changed."""
        self._changed[job.id] = job

    def cancel(self, job_id: str) -> None:
        """Somebody asked another server for this. Raises NotFoundError."""
        if self._jobs is not None:
            self._jobs.cancel_any(job_id)

    async def flush(self) -> None:
        """Write what changed. Raises what the database does; then nothing is forgotten."""
        async with self._writing:
            taken, self._changed = self._changed, {}
            if not taken:
                return
            try:
                await self._write(taken)
            except BaseException:
                self._changed = taken | self._changed
                raise

    async def _write(self, jobs: Mapping[str, Job]) -> None:
        async with self._database.session() as session:
            for job in jobs.values():
                row = await session.get(RunRow, job.id)
                if row is None:
                    session.add(RunRow(**_first(job, self._server), **_latest(job)))
                    continue
                for name, value in _latest(job).items():
                    setattr(row, name, value)


def _first(job: Job, server: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "owner": job.owner,
        "tenant": job.tenant,
        "is_declared": False,
        "arguments": {},
        "created_at": job.created_at,
        "start_after": job.created_at,
        "attempt": 1,
        "server": server,
    }


def _latest(job: Job) -> dict[str, Any]:
    names = ("state", "started_at", "ended_at", "stage", "fraction", "rows", "error", "error_code")
    files = {"file_name": job.file_name, "file_bytes": job.file_bytes, "summary": dict(job.summary)}
    return {name: getattr(job, name) for name in names} | files
