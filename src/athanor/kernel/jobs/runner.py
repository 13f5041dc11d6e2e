"""What a server does about jobs: claims some, runs them, says that it lives, and takes over from servers that died.

No clock is compared with another server's: a server counts as dead when its beat stood still for as long as this one
watched, by its own steady clock and only while the database answered.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.jobs import store
from athanor.kernel.jobs.carrying import Attempt, Claim, Stop
from athanor.kernel.jobs.history import JobHistory
from athanor.kernel.jobs.kinds import JobKinds
from athanor.kernel.jobs.port import Job, JobState
from athanor.kernel.jobs.store import Held
from athanor.kernel.jobs.tables import RunRow
from athanor.kernel.jobs.whose import is_gone, shown

_log = structlog.get_logger(__name__)

_CLOSE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a server looks, and how long it waits. A server gives its jobs up before others take them."""

    poll_s: float = 1.0  # for jobs that wait
    beat_s: float = 5.0
    give_up_after_s: float = 30.0  # without a beat of its own
    lost_after_s: float = 45.0  # without a beat of another one
    grace_s: float = 5.0  # for work to end by itself
    at_once: int = 4  # jobs on this server


class Runner:
    """Runs declared jobs on this server; used from the event loop's thread only."""

    def __init__(
        self,
        database: Database,
        kinds: JobKinds,
        folder: Path,
        history: JobHistory,
        *,
        server: str,
        pace: Pace,
        look: Callable[[], Awaitable[None]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._kinds, self._folder, self._history = database, kinds, folder, history
        self.server = server
        self._pace, self._look, self._now, self._steady = pace, look, now, steady
        # By job and attempt: one that this server has lost may still run here when it claims the job again.
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._is_closing = False
        self._closed = asyncio.Event()
        self._beaten_at = steady()
        self._silence = Silence(pace.lost_after_s, 2 * pace.beat_s, steady)

    def start(self) -> None:
        """Begin to look for jobs."""
        beat_s = self._pace.beat_s
        for name, period_s, call in (
            ("claim", self._pace.poll_s, self._claim_all),
            ("remember", self._pace.poll_s, self._history.flush),
            ("schedules", self._pace.poll_s, self._look),
            ("beat", beat_s, self._beat),
            ("watch", beat_s, self._watch),
            ("give-up", beat_s, self._give_up),
        ):
            until = self._wake if name == "claim" else self._closed
            self._loops.append(asyncio.create_task(self._go_on(name, period_s, call, until), name=f"jobs:{name}"))

    def wake(self) -> None:
        """A job waits that may be claimed at once."""
        self._wake.set()

    def running(self, run_id: str) -> Job | None:
        """A job that runs on this server, with its latest progress."""
        found = self._of(run_id)
        return found[-1].snapshot() if found else None

    def cancel(self, run_id: str) -> None:
        """Let a job that runs here end; another one is left alone."""
        for attempt in self._of(run_id):
            attempt.stop(Stop.CANCELLED)

    def _of(self, run_id: str) -> list[Attempt]:
        """A job's attempts that run here, the newest last."""
        return [attempt for (one, _number), attempt in sorted(self._attempts.items()) if one == run_id]

    async def close(self) -> None:
        """End what runs here; it is tried again where its kind allows."""
        self._is_closing = True
        self._wake.set()
        claiming = self._loops[:1]
        await _ended(claiming)
        for attempt in self._attempts.values():
            attempt.stop(Stop.CLOSING)
        await asyncio.gather(*self._tasks.values())
        self._closed.set()
        await _ended(self._loops)

    async def _go_on(
        self, name: str, period_s: float, call: Callable[[], Awaitable[None]], until: asyncio.Event
    ) -> None:
        is_failing = False
        while not self._closed.is_set() and not (self._is_closing and until is self._wake):
            try:
                await call()
            except Exception as error:  # noqa: BLE001 the database may be away: said once, and tried again
                if not is_failing:
                    _log.warning("jobs.database-away", doing=name, reason=f"{type(error).__name__}: {error}"[:300])
                is_failing = True
            else:
                if is_failing:
                    _log.info("jobs.database-back", doing=name)
                is_failing = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), period_s)
            if until is self._wake:
                self._wake.clear()

    async def _claim_all(self) -> None:
        while len(self._attempts) < self._pace.at_once and not self._is_closing:
            names = [kind.name for kind in self._kinds]
            if not await store.is_one_waiting(self._database, names, self._now()):
                return
            row = await store.claim(self._database, self.server, self._kinds, self._now())
            if row is None:
                return
            self._begin(row)

    def _begin(self, row: RunRow) -> None:
        kind, job = self._kinds.get(row.kind), store.job_of(row)
        claim = Claim(self._folder / row.id / str(row.attempt), row.id, self.server, row.attempt, row.due_at)
        attempt = Attempt(kind, job, claim, self.server, grace_s=self._pace.grace_s)
        if not self._attempts:
            self._beaten_at = self._steady()
        self._attempts[row.id, row.attempt] = attempt
        self._tasks[row.id, row.attempt] = asyncio.create_task(self._carry_out(attempt), name=f"job:{row.kind}")

    async def _carry_out(self, attempt: Attempt) -> None:
        job = await attempt.carried_out(self._now)
        retry_at = None
        if job.state in (JobState.FAILED, JobState.INTERRUPTED) and job.attempt < job.attempts:
            pause = attempt.kind.back_off(job.attempt)
            retry_at = self._now() if job.state is JobState.INTERRUPTED else self._now() + pause
        await self._keep_end(attempt, job, retry_at)
        key = (job.id, attempt.claim.attempt)
        del self._attempts[key], self._tasks[key]
        if job.file_name is None:
            await asyncio.to_thread(_remove, attempt.claim.folder)
        self._wake.set()

    async def _keep_end(self, attempt: Attempt, job: Job, retry_at: datetime | None) -> None:
        """Until the database has it: a job that is done is not done again for want of an answer."""
        while True:
            try:
                is_ours = await store.end(self._database, self.server, job.attempt, job, retry_at)
            except Exception as error:  # noqa: BLE001 as above
                if self._is_closing:
                    _log.error("jobs.end-not-kept", job=job.id, kind=job.kind, reason=str(error)[:300])
                    return
                await asyncio.sleep(min(self._pace.beat_s, 1.0))
            else:
                if not is_ours:
                    _log.warning("jobs.lost", job=job.id, kind=attempt.kind.name, attempt=job.attempt)
                return

    async def _beat(self) -> None:
        if not self._attempts and not self._history.note_progress():
            return
        asked_at = self._steady()
        held = {one.id: one for one in await store.beat(self._database, self.server)}
        self._beaten_at = asked_at
        for (run_id, _number), attempt in list(self._attempts.items()):
            self._heed(attempt, held.get(run_id))
            await store.tell(self._database, self.server, attempt.job.attempt, attempt.snapshot())
        for run_id, one in held.items():
            if one.is_cancel_wanted and not self._of(run_id):
                with contextlib.suppress(NotFoundError):  # over since
                    self._history.cancel(run_id)

    def _heed(self, attempt: Attempt, held: Held | None) -> None:
        if held is None or held.attempt != attempt.job.attempt:
            attempt.stop(Stop.LOST)
        elif held.is_cancel_wanted:
            attempt.stop(Stop.CANCELLED)

    async def _give_up(self) -> None:
        """What this server could not beat for is another one's soon: its work ends here before that."""
        if self._attempts and self._steady() - self._beaten_at > self._pace.give_up_after_s:
            for attempt in self._attempts.values():
                attempt.stop(Stop.LOST)

    async def _watch(self) -> None:
        for run_id, server, attempt, beat in self._silence.of(await store.others_beats(self._database, self.server)):
            state = await store.interrupt(self._database, run_id, attempt, beat, self._now())
            if state is not None:
                _log.warning("jobs.taken-over", job=run_id, server=shown(server), state=state.value)
                self._wake.set()


def _remove(folder: Path) -> None:
    """An attempt's folder, and the job's with the last of them."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another attempt's is in it
        folder.parent.rmdir()


async def _ended(loops: list[asyncio.Task[None]]) -> None:
    """Wait until they have; a database that does not answer is not waited for."""
    if not loops:
        return
    _done, late = await asyncio.wait(loops, timeout=_CLOSE_WITHIN_S)
    for loop in late:
        loop.cancel()
    await asyncio.gather(*late, return_exceptions=True)


class Silence:
    """Which other servers' jobs had no beat for too long, or whose server has ended for certain."""

    def __init__(self, most_s: float, longest_look_s: float, steady: Callable[[], float]) -> None:
        self._most_s, self._longest_look_s, self._steady = most_s, longest_look_s, steady
        self._looked_at = steady()
        self._silent: dict[tuple[str, str, int, int], float] = {}  # job, server, attempt, beat: how long it stood

    def of(self, beats: store.Beats) -> list[tuple[str, str, int, int]]:
        """Of these, which are to be taken over. Looks that came late count as one look: the database was away."""
        now = self._steady()
        step = min(now - self._looked_at, self._longest_look_s)
        self._looked_at = now
        self._silent = {one: self._silent[one] + step if one in self._silent else 0.0 for one in beats}
        return [one for one, silent_s in self._silent.items() if silent_s > self._most_s or is_gone(one[1])]
