"""The embedded historian: a hot tail in a log and sealed days in a Delta lake, read as one. One folder, no server.

For one plant, for development, for tests. Writes go through one thread that stores everything waiting with one flush
to the disk, so that many small edges cost no more than one large one. Sealing and compaction run in threads of
their own.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
import pyarrow as pa
import structlog
from deltalake.exceptions import DeltaError
from tsdownsample import MinMaxLTTBDownsampler

from athanor.kernel.historian.aggregation import Measure, Steps, aggregate_samples
from athanor.kernel.historian.compaction import merged_slices, runs_to_compact
from athanor.kernel.historian.gaps import Between, GapPolicy
from athanor.kernel.historian.hotlog import RESERVE_MB, Generation, HotLog
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.layout import SEALED, merged, sorted_samples
from athanor.kernel.historian.port import (
    STEPS,
    STORED,
    DamagedFileError,
    HistorianFullError,
    HistorianUnopenableError,
    Span,
    moment,
)
from athanor.kernel.historian.sealed import SealedFiles, SealedReader
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

NUMBERS = pa.schema([STORED.field("tag"), STORED.field("time"), STORED.field("value")])
_READERS = 4
_LOOK_EVERY_S = 1.0  # how often the sealer looks whether a generation is full or old
_MOST_GENERATIONS = 10  # of samples that wait in memory while the lake takes none
_COMPACT_EVERY_S = 10.0  # how often the compactor looks for files to make one of
_TRY_AGAIN_S = 30.0  # after a failure to seal or compact


class _ClosingError(Exception):
    """The historian closes: what takes long is given up, and done again after the next start."""


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
    ) -> None:
        """Open or create the historian, the hot tail in a folder and the lake in another or in a store.

        What a crash interrupted is finished by the sealer. A generation is sealed once it has `seal_rows` or is
        `seal_after_s` old. Nothing is written where the disk of `hot` has less than `reserve_mb` left. Raises
        HistorianUnopenableError.
        """
        store = FolderStore(lake) if isinstance(lake, Path) else lake
        try:
            self._claim = store.claim()  # before the lake is listed, so that the list is true
            self._lake = Lake(store)
            self._tail = HotLog(hot, next_order=self._lake.next_order, reserve_mb=reserve_mb)
            self._lake.remove_unlisted()
        except (DeltaError, OSError) as error:
            raise HistorianUnopenableError(store.url, error) from error
        self._sealed = SealedFiles(self._lake.store)
        self._seal_rows = seal_rows
        self._seal_after_s = seal_after_s
        self._waiting: SimpleQueue[tuple[pa.RecordBatch, Future[None]] | None] = SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="historian-read")
        self._decoders = ThreadPoolExecutor(
            os.cpu_count(), thread_name_prefix="historian-decode"
        )  # of one query's files
        self._closing = threading.Event()
        self._sealing = threading.Lock()
        self._compacting = threading.Lock()
        self._writer = threading.Thread(target=self._write_waiting, name="historian-write")
        self._sealer = threading.Thread(target=self._seal_when_due, name="historian-seal")
        self._compactor = threading.Thread(target=self._compact_when_due, name="historian-compact")
        for thread in (self._writer, self._sealer, self._compactor):
            thread.start()

    async def write(self, batch: pa.RecordBatch) -> None:
        if self._closing.is_set():
            raise RuntimeError("The historian is closed.")
        stored: Future[None] = Future()
        self._waiting.put((batch, stored))
        await asyncio.wrap_future(stored)

    async def import_history(self, samples: pa.Table) -> None:
        await asyncio.to_thread(self._import, samples)

    async def read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        return await self._in_reader(lambda: self._read(tags, span))

    async def resample(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> pa.Table:
        return await self._in_reader(lambda: _stepped(self._resampled(tags, edges, how, policy)))

    async def downsample(self, tags: Sequence[TagId], span: Span, points: int) -> pa.Table:
        def work() -> pa.Table:
            tag, time_us, value = self._good_numbers(tags, span)
            keep = _looks_alike(tag, time_us, value, points)
            return _numbers(tag[keep], time_us[keep], value[keep])

        return await self._in_reader(work)

    async def latest(self) -> pa.Table:
        return await self._in_reader(self._tail.latest)

    async def seal_now(self) -> None:
        """Seal everything stored so far into the lake."""
        await asyncio.to_thread(self._seal_all)

    async def compact_now(self) -> None:
        """Make one file of every run of small ones."""
        await asyncio.to_thread(self._compact_all)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

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

    def _seal(self, generation: Generation) -> None:
        """Move a closed generation into the lake. Interrupted anywhere, doing it again gives the same."""
        if generation.rows and generation.order > self._lake.sealed_order:
            started = time.monotonic()
            rows = sorted_samples(generation.read()).cast(SEALED)
            self._lake.add(((day, [part]) for day, part in _by_day(rows)), order=generation.order, is_generation=True)
            _log.info(
                "historian.sealed",
                generation=generation.order,
                rows=generation.rows,
                seconds=round(time.monotonic() - started, 2),
            )
        else:
            self._lake.settle()  # sealed before, and interrupted after
        self._tail.forget(generation)

    # --- compaction

    def _compact_when_due(self) -> None:
        is_failing = False
        while not self._closing.wait(_TRY_AGAIN_S if is_failing else _COMPACT_EVERY_S):
            try:
                self._compact_all()
                self._sealed.forget(self._lake.remove_retired())
            except Exception as error:  # noqa: BLE001 whatever it is, the files are as they were: try again
                if not is_failing and not self._closing.is_set():
                    _log.error("historian.compaction-failed", reason=str(error), again_in_s=_TRY_AGAIN_S)
                is_failing = True
            else:
                if is_failing:
                    _log.info("historian.compacts-again")
                is_failing = False

    def _compact_all(self) -> None:
        with self._compacting:
            oldest_hot = self._tail.generations[0].order
            for run in runs_to_compact(self._lake.files, before_order=oldest_hot, today=datetime.now(UTC).date()):
                self._check_open()
                try:
                    self._compact(run)
                except DamagedFileError as error:  # which its own queries tell; the other days need not wait for it
                    _log.error("historian.run-not-compacted", day=str(run[0].day), reason=str(error))

    def _compact(self, run: Sequence[SealedFile]) -> None:
        started = time.monotonic()
        self._lake.replace(
            run, self._until_closing(merged_slices([SealedReader(self._lake.store, file.name) for file in run]))
        )
        seconds = round(time.monotonic() - started, 2)
        _log.info("historian.compacted", day=str(run[0].day), files=len(run), seconds=seconds)

    def _until_closing(self, slices: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The slices; ends what it is part of when the historian closes meanwhile."""
        for part in slices:
            self._check_open()
            yield part

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise _ClosingError

    def _close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._sealer.join()
        self._compactor.join()
        self._waiting.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._decoders.shutdown()
        with self._sealing, self._compacting:  # an import, or what was asked for by hand, may still be at work
            self._tail.close()
            self._claim.release()

    # --- reading

    async def _in_reader(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def _read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        """Sealed files and generations in the order of their writing, merged.

        Generations are listed first: one that is sealed in between is then read twice, which does no harm, and never
        not at all.
        """
        wanted = np.unique(np.asarray(tags, np.int32))
        if not len(wanted):
            return STORED.empty_table()
        parts: list[tuple[int, pa.Table]] = [
            (generation.order, generation.read(wanted, span.start_us, span.end_us))
            for generation in self._tail.generations
        ]
        files = self._lake.candidates(wanted, span)
        tables = self._decoders.map(
            lambda file: self._sealed.reader(file.name).read(wanted, span.start_us, span.end_us), files
        )
        parts += [(file.order, table) for file, table in zip(files, tables, strict=True)]
        return merged([part for _, part in sorted(parts, key=lambda part: part[0])])

    def _resampled(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> Steps:
        ahead_us = policy.limit_us if policy.between is Between.LINEAR else 0
        rows = self._read(tags, Span(moment(int(edges[0]) - policy.limit_us), moment(int(edges[-1]) + ahead_us)))
        return aggregate_samples(*_columns(rows), edges, how, policy)

    def _good_numbers(self, tags: Sequence[TagId], span: Span) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = self._read(tags, span)
        value = rows["value"].to_numpy()
        good = (rows["quality"].to_numpy() == Quality.GOOD) & ~np.isnan(value)
        return rows["tag"].to_numpy()[good], rows["time"].cast(pa.int64()).to_numpy()[good], value[good]


def _by_day(rows: pa.Table) -> list[tuple[date, pa.Table]]:
    """Sorted samples apart by UTC day, each still sorted."""
    day = rows["time"].cast(pa.int64()).to_numpy() // 86_400_000_000
    return [(date(1970, 1, 1) + timedelta(days=int(one)), rows.filter(pa.array(day == one))) for one in np.unique(day)]


def _looks_alike(tag: np.ndarray, time_us: np.ndarray, value: np.ndarray, points: int) -> np.ndarray:
    """Indices of at most about `points` samples a tag that keep the curve's shape and extremes (MinMaxLTTB)."""
    first = np.flatnonzero(np.append(True, tag[1:] != tag[:-1])) if len(tag) else np.empty(0, np.int64)
    keep = [np.empty(0, np.int64)]
    for begin, end in zip(first, np.append(first[1:], len(tag)), strict=True):
        if end - begin <= points:
            keep.append(np.arange(begin, end))
        else:
            chosen = MinMaxLTTBDownsampler().downsample(time_us[begin:end], value[begin:end], n_out=max(points, 3))
            keep.append(begin + chosen.astype(np.int64))
    return np.concatenate(keep)


def _columns(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tag, time [us], value (NaN where there is none) and quality of samples (STORED)."""
    time_us = rows["time"].cast(pa.int64()).to_numpy()
    return rows["tag"].to_numpy(), time_us, rows["value"].to_numpy(), rows["quality"].to_numpy()


def _stepped(steps: Steps) -> pa.Table:
    time = pa.array(steps.start_us, pa.int64()).cast(TIME)
    covered = pa.array(steps.covered, mask=np.isnan(steps.covered))
    return pa.table([pa.array(steps.tag, pa.int32()), time, pa.array(steps.value), covered], STEPS)


def _numbers(tag: np.ndarray, time_us: np.ndarray, value: np.ndarray) -> pa.Table:
    return pa.table([pa.array(tag, pa.int32()), pa.array(time_us, pa.int64()).cast(TIME), pa.array(value)], NUMBERS)
