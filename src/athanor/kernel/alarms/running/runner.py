"""What has alarms judged for as long as the server runs: samples in, findings kept, and nothing missed in between.

One worker does one thing after the other: judge what came in, have what was found kept, follow the clock. Samples are
durable before they are heard of, and a finding is kept once however often it is given. So whatever goes wrong (a
restart, a batch that was not heard, a database that is away), the cure is the same: give again what was found and not
kept, then read from the historian what was not judged.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import structlog

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.running.checkpoint import Checkpoint, DamagedCheckpointError, read, write
from athanor.kernel.alarms.running.following import Following, Judged, State
from athanor.kernel.alarms.running.giving import Giving
from athanor.kernel.alarms.running.horizon import Horizon
from athanor.kernel.alarms.running.intake import Intake, columns_of
from athanor.kernel.alarms.running.replay import missed, replay
from athanor.kernel.alarms.running.watch import Watch
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import BATCH_TOPIC, Bus
from athanor.kernel.database.database import Database
from athanor.kernel.historian.disk import DiskState
from athanor.kernel.historian.port import Historian, microseconds
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.sections import AlarmSettings
from athanor.kernel.telemetry import newest_rows

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_TICK_S = 1.0
_AGAIN_S = (0.5, 1.0, 2.0, 5.0)  # pauses after trouble
_CLOSE_WITHIN_S = 10.0
_NAME = "alarms"
_MANY = 500_000  # samples that wait to be judged
_BEHIND_S = 15.0  # for so long: then people hear of it


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runner works with."""

    alarms: Alarms
    database: Database
    historian: Historian
    bus: Bus
    sources: SourceStates
    plant: Callable[[], RunningPlant]
    disk: Callable[[], Awaitable[DiskState]] | None = None


class Runner:
    """Judges alarms from `start` to `close`; used from the event loop's thread.

    Parameters
    ----------
    folder
        Where it keeps how far it has judged.
    now
        The clock that people and devices go by, aware.
    steady_s
        A clock that nobody sets. [s]
    """

    def __init__(
        self,
        parts: Parts,
        folder: Path,
        settings: AlarmSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._place = folder / "judged"
        self._settings = settings
        self._now = now
        self._steady_s = steady_s
        self._intake = Intake()
        self._giving = Giving(parts.alarms, timedelta(seconds=settings.late_after_s), now)
        self._following = Following(parts.alarms.rules, parts.database, parts.plant)
        self._judging = ThreadPoolExecutor(1, thread_name_prefix="alarms-judge")
        self._horizon = Horizon(lambda: microseconds(now()), steady_s)
        self._watch = Watch(parts.alarms, parts.database, parts.sources, parts.disk, now)
        self._behind_since_s: float | None = None
        self._has_begun = False
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self._is_in_trouble = False
        self._ticked_s = self._kept_s = -float("inf")

    def listen(self) -> None:
        """Hear of samples from now on; for `start`, and for tests that call `step` themselves."""
        miss = partial(self._intake.miss, "batches came faster than they were heard")
        self._parts.bus.subscribe(BATCH_TOPIC, self._intake.hear, name=_NAME, on_drop=miss)

    @property
    def judged(self) -> Judged:
        """What judges now."""
        return self._following.judged

    def look_now(self) -> None:
        """Rules or plant may have changed: do not wait for the next look. Until the other judge is made this one is."""
        self._following.look_now()
        self._intake.has_work.set()

    def start(self) -> None:
        """Begin to judge."""
        self.listen()
        self.start_worker()

    def start_worker(self) -> None:
        """Do from now on what there is to do, again and again."""
        self._task = asyncio.create_task(self._run(), name="alarms")

    async def close(self) -> None:
        """Finish what is being done, keep how far that was; a database that does not answer is not waited for."""
        self._is_closing = True
        self._intake.has_work.set()
        pending: set[asyncio.Task[None]] = set()
        if self._task is not None:
            _, pending = await asyncio.wait([self._task], timeout=_CLOSE_WITHIN_S)
            for task in pending:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._following.close()
        if self._has_begun and self._giving.is_done and not pending:  # else something may be judged and not kept
            await self._keep()
        await asyncio.to_thread(self._judging.shutdown)

    async def forget(self) -> None:
        """Stop in the midst of it and keep nothing, as when the server is killed; for tests."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._following.close()
        await asyncio.to_thread(self._judging.shutdown)

    # --- the worker

    async def _run(self) -> None:
        attempt = 0
        while not self._is_closing:
            try:
                await self.step()
                await self._wait()
            except Exception as error:  # noqa: BLE001 whatever it is: alarms are judged for as long as the server runs
                self._say_trouble(error)
                await asyncio.sleep(_AGAIN_S[min(attempt, len(_AGAIN_S) - 1)])
                attempt += 1
            else:
                self._say_recovered()
                attempt = 0

    async def step(self) -> None:
        """Do all that there is to do now. Whatever raises is done again by the next step."""
        if not self._has_begun:
            await self._begin()
        await self._giving.give()
        if (other := await self._following.other()) is not None:
            await self._go_on_with(other)
        if self._intake.misses is not None:
            await self._catch_up()
        if batches := self._intake.take():
            await self._judge(pa.Table.from_batches(batches))
        if self._steady_s() - self._ticked_s >= _TICK_S:
            self._ticked_s = self._steady_s()
            await self._tick()
        if self._steady_s() - self._kept_s >= self._settings.checkpoint_every_s:
            await self._keep()

    async def _wait(self) -> None:
        """Until there is something to judge, or the next tick is due."""
        left_s = _TICK_S - (self._steady_s() - self._ticked_s)
        if left_s > 0 and not self._is_closing:
            try:
                await asyncio.wait_for(self._intake.has_work.wait(), left_s)
            except TimeoutError:
                return

    async def _begin(self) -> None:
        """Go on where the last run stopped: by its file, and by what the database knows beside it."""
        last: Checkpoint | None = None
        try:
            last = await asyncio.to_thread(read, self._place)
        except DamagedCheckpointError as error:
            _log.error("alarms.checkpoint-damaged", code=error.code, reason=str(error))
        judged = await self._following.make()
        await self._hand_over(judged, {} if last is None else last.judge)
        self._horizon.begin(None if last is None else last.edges)
        self._watch.begin(() if last is None else last.edges)
        self._has_begun = True

    async def _go_on_with(self, judged: Judged) -> None:
        """Other rules, or another plant: the judge is another one, and has the state of the one before."""
        await self._hand_over(judged, await self._in_thread(self._following.judged.state))
        await self._look_back()

    async def _hand_over(self, judged: Judged, state: State) -> None:
        if state:
            latest = await self._parts.historian.latest()
            self._giving.add(await self._in_thread(judged.restore, state, latest))
        else:
            for alarm, is_active, at_us in await self._following.differing(judged, judged.active()):
                judged.judge.set_active(alarm, is_active, at_us)
            for alarm, is_suppressed in await self._following.differing_suppressed(judged.judge.suppressed):
                judged.judge.set_suppressed(alarm, is_suppressed)
        self._following.go_by(judged)
        self._kept_s = -float("inf")  # what is judged from here on is to be known after a restart
        await self._parts.alarms.retire()
        await self._giving.give()

    async def _catch_up(self) -> None:
        """Judge what was not heard, and hear again."""
        self._intake.listen_again()
        try:
            await self._look_back()
        except BaseException:
            self._intake.miss("a replay was interrupted")
            raise
        await self._agree()

    async def _look_back(self) -> None:
        """Judge what the historian has and the judge has not seen."""
        judged = self._following.judged
        latest = await self._parts.historian.latest()
        what = missed(latest, judged.judge.tags, judged.judge.seen_us, judged.is_new)
        await replay(self._parts.historian, what, self._judge)
        judged.is_new[:] = False

    async def _agree(self) -> None:
        """What the database knows wins: another server may have judged meanwhile, or late samples told otherwise."""
        judged = self._following.judged
        differing = await self._following.differing(judged, await self._in_thread(judged.active))
        for alarm, is_active, at_us in differing:
            await self._in_thread(self._following.judged.judge.set_active, alarm, is_active, at_us)
        judge = self._following.judged.judge
        for alarm, is_suppressed in await self._following.differing_suppressed(judge.suppressed):
            await self._in_thread(judge.set_suppressed, alarm, is_suppressed)
        if differing:
            _log.info("alarms.as-the-database-knows", alarms=len(differing))

    async def _judge(self, samples: pa.Table) -> None:
        """Judge samples (STORED), and have kept what is found."""
        self._giving.add(await self._in_thread(self._found_in, samples))
        await self._giving.give()

    def _found_in(self, samples: pa.Table) -> Findings:
        columns = columns_of(samples)
        rows = newest_rows(columns[0], columns[1])
        self._horizon.heard(columns[0][rows], columns[1][rows])
        return self._following.judged.take(columns, microseconds(self._now()))

    async def _tick(self) -> None:
        self._horizon.look(self._parts.sources.edges())
        judge = self._following.judged.judge
        late = self._horizon.late() if self._horizon.is_open() else judge.tags  # all of them, where nobody can say
        self._giving.add(await self._in_thread(judge.tick, microseconds(self._now()), late))
        await self._giving.give()
        await self._parts.alarms.tick()
        if self._watch.is_due():
            unjudged = await self._in_thread(self._following.judged.unjudged)
            await self._watch.look(is_behind=self._is_behind(), unjudged=unjudged)

    def _is_behind(self) -> bool:
        """Whether samples were not heard, or wait, and that for long."""
        if self._intake.misses is None and self._intake.rows < _MANY:
            self._behind_since_s = None
            return False
        self._behind_since_s = self._behind_since_s or self._steady_s()
        return self._steady_s() - self._behind_since_s > _BEHIND_S

    async def _keep(self) -> None:
        """Keep how far samples are judged. Everything found until there is in the database."""
        self._kept_s = self._steady_s()
        judge = await self._in_thread(self._following.judged.state)
        try:
            await asyncio.to_thread(write, self._place, Checkpoint(judge, microseconds(self._now()), self._watch.edges))
        except OSError as error:  # as on a full disk: a restart then reads more from the historian
            _log.error("alarms.checkpoint-not-written", place=str(self._place), reason=str(error))

    async def _in_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        """In the one thread that touches the judge."""
        return await asyncio.get_running_loop().run_in_executor(self._judging, partial(work, *arguments))

    def _say_trouble(self, error: Exception) -> None:
        if not self._is_in_trouble:
            _log.error("alarms.held-up", reason=str(error), exc_info=error)
        self._is_in_trouble = True

    def _say_recovered(self) -> None:
        if self._is_in_trouble:
            _log.info("alarms.goes-on")
        self._is_in_trouble = False
