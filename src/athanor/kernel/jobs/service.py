"""All jobs of all servers: declared ones are started, found and cancelled here; schedules start them by themselves."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.jobs import store
from athanor.kernel.jobs.history import JobHistory
from athanor.kernel.jobs.kinds import JobKinds
from athanor.kernel.jobs.memory import FILES_LAST, MemoryJobs
from athanor.kernel.jobs.port import Job, JobState, NoJobFileError
from athanor.kernel.jobs.runner import Pace, Runner
from athanor.kernel.jobs.schedules import Schedules, utc_now
from athanor.kernel.jobs.store import Order, Wanted
from athanor.kernel.jobs.whose import this_server

_log = structlog.get_logger(__name__)


class JobRuns:
    """The port `runs`. Whoever opened it closes it, after the jobs in memory that it remembers.

    A viewer sees their own jobs; an administrator those of everybody in the same enterprise, the park's of all, and
    what schedules started. Other people's jobs are as if they were not there.

    Parameters
    ----------
    folder
        For the files that jobs make on this server; they go after a day.
    zone
        The site's time zone, as it is named now.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        zone: Callable[[], str],
        kinds: JobKinds | None = None,
        pace: Pace | None = None,
        now: Callable[[], datetime] = utc_now,
        server: str | None = None,
    ) -> None:
        self._database, self._folder, self._now = database, folder, now
        self.server = server or this_server()
        self.kinds = JobKinds() if kinds is None else kinds
        self._history = JobHistory(database, self.server)
        self._memory: MemoryJobs | None = None
        self.schedules = Schedules(database, self.kinds, zone=zone, on_due=self._wake, now=now)
        self._runner = Runner(
            database,
            self.kinds,
            folder,
            self._history,
            server=self.server,
            pace=pace or Pace(),
            look=self.schedules.look,
            now=now,
        )

    def note(self, job: Job) -> None:
        """A job in memory has changed: remember it."""
        self._history.note(job)

    def watch(self, memory: MemoryJobs) -> None:
        """Remember these."""
        self._memory = memory
        self._history.watch(memory)

    async def start(self) -> None:
        """Begin to run jobs; kinds that are added later are run, too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self.schedules.take_declared()
        self._runner.start()

    async def close(self) -> None:
        """End what runs here: it is tried again where its kind allows."""
        await self._runner.close()
        try:
            await self._history.flush()
        except Exception as error:  # noqa: BLE001 the database is away: the next server marks them as interrupted
            _log.error("jobs.history-not-kept", reason=str(error)[:300])

    async def begin(
        self,
        kind: str,
        owner: User,
        arguments: Mapping[str, Any] | None = None,
        *,
        title: str | None = None,
        address: str = "",
    ) -> str:
        """Let a declared job wait for a server, as somebody wishes; its id.

        Raises UnknownKindError, BadArgumentsError.
        """
        known = self.kinds.get(kind)
        known.checked(arguments or {})
        order = Order(known, title or kind, owner.login, owner.tenant, arguments or {})
        async with self._database.session() as session:
            run_id = store.add(session, order, self._now())
            detail = {"kind": kind, "arguments": dict(arguments or {})}
            record(session, owner.login, "jobs.started", run_id, address=address, detail=detail)
        self._runner.wake()
        return run_id

    async def get(self, run_id: str, viewer: User) -> Job:
        """A job as it stands now. Raises NotFoundError."""
        await self._history.flush()
        return self._latest(await store.get(self._database, run_id, viewer))

    async def find(self, viewer: User, wanted: Wanted) -> tuple[list[Job], int]:
        """A page of jobs, newest first, and how many there are in all."""
        await self._history.flush()
        jobs, total = await store.find(self._database, viewer, wanted)
        return [self._latest(job) for job in jobs], total

    async def cancel(self, run_id: str, viewer: User, *, address: str = "") -> Job:
        """Let a job end: a waiting one at once, a running one at its next check or soon after, wherever it runs.

        One that is over stays so. Raises NotFoundError.
        """
        await self._history.flush()
        async with self._database.session() as session:
            job, was_open = await store.cancel(session, run_id, viewer, self._now())
            if was_open:
                record(session, viewer.login, "jobs.cancelled", run_id, address=address, detail={"kind": job.kind})
        self._runner.cancel(run_id)
        if self._memory is not None and any(one.id == run_id for one in self._memory.live()):
            self._memory.cancel_any(run_id)
        return self._latest(job)

    async def file(self, run_id: str, viewer: User) -> Path:
        """The file that a job made. Raises NotFoundError, NoJobFileError also where it lies on another server."""
        job = await self.get(run_id, viewer)
        if self._memory is not None and any(one.id == run_id for one in self._memory.jobs(viewer)):
            return self._memory.file(run_id, viewer)
        path = self._folder / run_id / str(job.attempt) / (job.file_name or "-")
        made = [one for one in path.parent.glob("*") if one.is_file()] if job.file_name is not None else []
        if not made:
            raise NoJobFileError(run_id)
        return path if path in made else made[0]

    async def counted(self, within: timedelta) -> dict[JobState, int]:
        """How many jobs of everybody wait, run, or ended lately, by state."""
        return await store.counted(self._database, self._now() - within)

    async def expire(self, older_than: timedelta) -> int:
        """Forget jobs that ended longer ago, and files of this server that are older than a day; how many jobs."""
        self._remove_old_files()
        return await store.expire(self._database, self._now() - older_than)

    def _wake(self) -> None:
        self._runner.wake()

    def _latest(self, job: Job) -> Job:
        running = self._runner.running(job.id)
        return job if running is None or job.state is not JobState.RUNNING else replace(running, server=job.server)

    def _remove_old_files(self) -> None:
        for folder in self._folder.iterdir():
            age_s = self._now().timestamp() - folder.stat().st_mtime
            if age_s > FILES_LAST.total_seconds() and self._runner.running(folder.name) is None:
                shutil.rmtree(folder, ignore_errors=True)
