"""The embedded historian: a hot tail in a log and sealed days in a Delta lake, read as one. One folder, no server.

For one plant, for development, for tests. Writes go through one thread that stores everything waiting with one flush
to the disk, so that many small edges cost no more than one large one. Sealing and compaction run in threads of
their own.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
import pyarrow as pa
import structlog
from deltalake.exceptions import DeltaError

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.answering import Answers
from athanor.kernel.historian.clearing import Keeping, Progress
from athanor.kernel.historian.disk import DiskWatch
from athanor.kernel.historian.extent import Extent, Tier, extents
from athanor.kernel.historian.gaps import GapPolicy
from athanor.kernel.historian.hotlog import RESERVE_MB, Generation, HotLog, LogFile
from athanor.kernel.historian.kept import Kept
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.layout import SEALED, sorted_samples
from athanor.kernel.historian.port import DamagedFileError, HistorianFullError, HistorianUnopenableError, Span
from athanor.kernel.historian.retention import Removal, RetentionReport
from athanor.kernel.historian.rollups import Rollups
from athanor.kernel.historian.setaside import SetAside
from athanor.kernel.historian.store import FolderStore, Store, plain
from athanor.kernel.historian.upkeep import Upkeep
from athanor.kernel.historian.worklog import ClosingError, Work, WorkLog
from athanor.kernel.metrics import HISTORIAN_QUERY_SECONDS
from athanor.kernel.plant.model import TagId

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_READERS = 4
_ASKED_AT_ONCE = 16  # files of an object store: most of the time is spent on the way
_LOOK_EVERY_S = 1.0  # how often the sealer looks whether a generation is full or old
_MOST_GENERATIONS = 10  # of samples that wait in memory while the lake takes none
_TRY_AGAIN_S = 30.0  # after a failure to seal


@contextmanager
def _unopenable(place: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise HistorianUnopenableError(place, plain(error)) from error


class TieredHistorian:
    """Implements `Historian`; see its docstrings for the contract."""

    def __init__(
        self,
        hot: Path,
        lake: Path | Store,
        *,
        seal_rows: int = 2_000_000,
        seal_after_s: float = 3600.0,
        reserve_mb: int = RESERVE_MB,
        keeping: Keeping | None = None,
    ) -> None:
        """Open or create the historian, the hot tail in a folder and the lake in another or in a store.

        What a crash interrupted is finished by the sealer. A generation is sealed once it has `seal_rows` or is
        `seal_after_s` old. Nothing is written where the disk of `hot` has less than `reserve_mb` left. Without
        `keeping` everything is kept for ever. Raises HistorianUnopenableError.
        """
        store = FolderStore(lake) if isinstance(lake, Path) else lake
        with ExitStack() as undone, _unopenable(store.url):
            self._claim = store.claim(hot)  # before the lake is listed, so that the list is true
            undone.callback(self._claim.release)
            self._lake = Lake(store)
            self._lake.remove_unlisted()
            self._rollups = Rollups(store)
            self._rollups.remove_unlisted()
            self._kept = Kept(store, self._lake)
            self._kept.remove_unlisted()
            self._tail = HotLog(hot, next_order=self._lake.next_order, reserve_mb=reserve_mb)
            undone.pop_all()
        self._seal_rows = seal_rows
        self._seal_after_s = seal_after_s
        self._waiting: SimpleQueue[tuple[pa.RecordBatch, Future[None]] | None] = SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="historian-read")
        at_once = _ASKED_AT_ONCE if store.is_remote else os.cpu_count()
        self._decoders = ThreadPoolExecutor(at_once, thread_name_prefix="historian-decode")  # of one query's files
        self._answers = Answers(self._tail, self._lake, self._rollups, self._kept, self._decoders)
        self._closing = threading.Event()
        self._sealing = threading.Lock()
        self._writer = threading.Thread(target=self._write_waiting, name="historian-write")
        self._sealer = threading.Thread(target=self._seal_when_due, name="historian-seal")
        self._writer.start()
        self._sealer.start()
        keeping = keeping or Keeping()
        self.work = WorkLog()
        self.disks = DiskWatch(hot, None if store.is_remote else Path(store.url), keeping.limits, keeping.tell)
        self._upkeep = Upkeep(
            self._lake,
            self._rollups,
            self._kept,
            oldest_hot=self._tail.oldest_order,
            forget=self._answers.forget,
            watch=self.disks,
            keeping=keeping,
            work=self.work,
        )

    async def write(self, batch: pa.RecordBatch) -> None:
        if self._closing.is_set():
            raise RuntimeError("The historian is closed.")
        stored: Future[None] = Future()
        self._waiting.put((batch, stored))
        await asyncio.wrap_future(stored)

    async def import_history(self, samples: pa.Table) -> None:
        await asyncio.to_thread(self._import, samples)

    async def read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        return await self._in_reader("read", lambda: self._answers.read(tags, span))

    async def resample(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> pa.Table:
        return await self._in_reader("resample", lambda: self._answers.resample(tags, edges, how, policy))

    async def measures(
        self, tags: Sequence[TagId], edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy
    ) -> Mapping[Measure, pa.Table]:
        return await self._in_reader("resample", lambda: self._answers.measures(tags, edges, hows, policy))

    async def downsample(self, tags: Sequence[TagId], span: Span, points: int) -> pa.Table:
        return await self._in_reader("downsample", lambda: self._answers.downsample(tags, span, points))

    async def latest(self) -> pa.Table:
        return await self._in_reader("latest", self._tail.latest)

    async def extents(self) -> Mapping[Tier, Extent]:
        """How much each tier holds."""
        return await self._in_reader("extents", lambda: extents(self._tail, self._lake, self._rollups, self._kept))

    @property
    def sealed_files(self) -> Sequence[SealedFile]:
        """The files of samples."""
        return self._lake.files

    async def seal_now(self) -> None:
        """Seal everything stored so far into the lake."""
        await asyncio.to_thread(self._seal_all)

    async def compact_now(self) -> None:
        """Make one file of every run of small ones."""
        await asyncio.to_thread(self._upkeep.compact)

    async def roll_up_now(self) -> None:
        """Make the rollups of everything sealed so far, and fold those of days that are over."""
        await asyncio.to_thread(self._upkeep.roll_up)
        await asyncio.to_thread(self._upkeep.fold)

    def log_now(self) -> list[LogFile]:
        """The log of the hot tail at this moment; for backups, from any thread."""
        return self._tail.files_now()

    async def retention_report(self) -> RetentionReport:
        """What has come of age and goes by now; nothing is changed. Raises LakeUnreachableError."""
        return await asyncio.to_thread(self._upkeep.clearing.report)

    async def expire_now(self, progress: Progress | None = None) -> list[Removal]:
        """See `Clearing.expire`."""
        given = () if progress is None else (progress,)
        removals = await asyncio.to_thread(self._upkeep.clearing.expire, *given)
        self._upkeep.wake()
        return removals

    async def make_room_now(self) -> None:
        """See `Clearing.make_room`."""
        await asyncio.to_thread(self._upkeep.clearing.make_room)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    async def set_aside(self, file: str) -> str:
        """See `Lake.set_aside`."""
        return await asyncio.to_thread(self._lake.set_aside, file)

    async def put_back(self, file: str) -> str:
        """See `Lake.put_back`."""
        name = await asyncio.to_thread(self._lake.put_back, file)
        self._answers.forget([name], [])
        self._upkeep.wake()
        return name

    async def files_set_aside(self) -> list[SetAside]:
        """The files of samples that were set aside. Raises OSError."""
        return await asyncio.to_thread(lambda: self._lake.aside)

    async def damaged_files(self) -> list[DamagedFileError]:
        """What is wrong with each file of samples that is not whole; all are read. Raises LakeUnreachableError."""
        return await asyncio.to_thread(lambda: list(self._lake.damaged()))

    # --- writing

    def _write_waiting(self) -> None:
        is_closing = False
        while not is_closing:
            taken = [self._waiting.get()]
            while not self._waiting.empty():
                taken.append(self._waiting.get())
            is_closing = None in taken
            # Who no longer waits may cancel until here, and not from here on.
            self._append([one for one in taken if one is not None and one[1].set_running_or_notify_cancel()])

    def _append(self, wanted: Sequence[tuple[pa.RecordBatch, Future[None]]]) -> None:
        if not wanted:
            return
        try:
            self._check_backlog()
            self._tail.append([batch for batch, _ in wanted])
        except Exception as error:  # noqa: BLE001 whoever waits for the write gets it, whatever it is
            for _, stored in wanted:
                stored.set_exception(error)
        else:
            for _, stored in wanted:
                stored.set_result(None)

    def _check_backlog(self) -> None:
        """Raises HistorianFullError where so much waits to be sealed that memory would run out before the disk does."""
        waiting = sum(generation.rows for generation in self._tail.generations)
        if waiting > _MOST_GENERATIONS * self._seal_rows:
            raise HistorianFullError(self._lake.store.url, f"{waiting:,} samples wait to be sealed, and sealing fails")

    def _import(self, samples: pa.Table) -> None:
        rows = sorted_samples(samples.combine_chunks())
        with self._sealing:
            self._check_open()
            order = self._tail.roll()
            self._lake.add(
                ((day, [part]) for day, part in _by_day(rows.cast(SEALED))), order=order, is_generation=False
            )
            self._tail.note_latest(rows, order=order)
        self._upkeep.wake()

    # --- sealing

    def _seal_when_due(self) -> None:
        is_left_over = len(self._tail.generations) > 1  # closed and not sealed, as after a crash
        not_before = 0.0
        while not self._closing.wait(_LOOK_EVERY_S):
            if time.monotonic() < not_before or not (is_left_over or self._is_due(self._tail.current)):
                continue
            try:
                self._seal_all()
            except Exception as error:  # noqa: BLE001 whatever it is, samples are safe where they are: try again
                if not not_before:
                    _log.error("historian.seal-failed", reason=str(error), again_in_s=_TRY_AGAIN_S)
                is_left_over, not_before = True, time.monotonic() + _TRY_AGAIN_S
            else:
                if not_before:
                    _log.info("historian.seals-again")
                is_left_over, not_before = False, 0.0

    def _is_due(self, generation: Generation) -> bool:
        age_s = time.monotonic() - generation.opened_at
        return generation.rows > 0 and (generation.rows >= self._seal_rows or age_s >= self._seal_after_s)

    def _seal_all(self) -> None:
        with self._sealing:
            self._check_open()
            if self._tail.current.rows:
                self._tail.roll()
            for generation in self._tail.generations[:-1]:
                self._seal(generation)
        self._upkeep.wake()

    def _seal(self, generation: Generation) -> None:
        """Move a closed generation into the lake. Interrupted anywhere, doing it again gives the same."""
        if generation.rows and generation.order > self._lake.sealed_order:
            started = time.monotonic()
            with self.work.noting(Work.SEAL):
                rows = sorted_samples(generation.read()).cast(SEALED)
                days = ((day, [part]) for day, part in _by_day(rows))
                self._lake.add(days, order=generation.order, is_generation=True)
            _log.info(
                "historian.sealed",
                generation=generation.order,
                rows=generation.rows,
                seconds=round(time.monotonic() - started, 2),
            )
        else:
            self._lake.settle()  # sealed before, and interrupted after
        self._tail.forget(generation)

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise ClosingError

    def _close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._sealer.join()
        self._upkeep.stop()
        self._waiting.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._decoders.shutdown()
        with self._sealing:  # an import, or what was asked for by hand, may still be at work
            self._tail.close()
            self._claim.release()

    # --- reading

    async def _in_reader(self, kind: str, work: Callable[[], _T]) -> _T:
        with HISTORIAN_QUERY_SECONDS.labels(kind).time():
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)


def _by_day(rows: pa.Table) -> list[tuple[date, pa.Table]]:
    """Sorted samples apart by UTC day, each still sorted."""
    day = rows["time"].cast(pa.int64()).to_numpy() // 86_400_000_000
    return [(date(1970, 1, 1) + timedelta(days=int(one)), rows.filter(pa.array(day == one))) for one in np.unique(day)]
