"""Work on the lake in the background: rollups of what was sealed, one file of many small ones, tidying up."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import structlog

from athanor.kernel.historian.clearing import IN_NEED_KEPT_S, Clearing, Keeping, Turns
from athanor.kernel.historian.compaction import ROLLED_UP_ROWS, merged_slices, runs_to_compact
from athanor.kernel.historian.disk import DiskWatch
from athanor.kernel.historian.expiry import Expiry
from athanor.kernel.historian.kept import Kept
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.port import DamagedFileError
from athanor.kernel.historian.rollups import Rollups
from athanor.kernel.historian.sealed import SealedReader
from athanor.kernel.historian.worklog import ClosingError, Work, WorkLog
from athanor.kernel.memory import give_back_memory

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 10.0
_TRY_AGAIN_S = 30.0  # after a failure
_LEFT_ALONE_S = 3600.0  # a file that could not be read


class Upkeep:
    """One thread that looks after the lake until `stop`. Interrupted anywhere, doing it again gives the same."""

    def __init__(
        self,
        lake: Lake,
        rollups: Rollups,
        kept: Kept,
        *,
        oldest_hot: Callable[[], int],
        forget: Callable[[Sequence[str], Sequence[str]], None],
        watch: DiskWatch,
        keeping: Keeping,
        work: WorkLog,
    ) -> None:
        """`oldest_hot` tells the order of the oldest generation; `forget` is told of files of samples and rollups
        that are gone from the store."""
        self._lake = lake
        self._rollups = rollups
        self._kept = kept
        self._work = work
        self._oldest_hot = oldest_hot
        self._forget = forget
        self._working = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._left_alone: dict[str, float] = {}  # files that could not be read, and until when (monotonic)
        expiry = Expiry(lake, kept, keeping.rules, keeping.classes)
        turns = Turns(self._working, self._on_its_way, self._check_open, self._until_closing)
        self.clearing = Clearing(expiry, watch, keeping, work, turns)
        self._thread = threading.Thread(target=self._run, name="historian-upkeep")
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the lake."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread, and wait for what is at work."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        with self._working:
            pass

    def roll_up(self) -> None:
        """Make the rollups of all sealed files that have none. Raises HistorianFullError."""
        with self._working:
            self._rollups.remove_orphans(self._lake.files)
            for file in self._rollups.lacking(self._lake.files):
                if self._is_left_alone([file]):
                    continue
                try:
                    with self._work.noting(Work.ROLL_UP):
                        slices = merged_slices([SealedReader(self._lake.store, file.name)], ROLLED_UP_ROWS)
                        self._rollups.add(file, self._until_closing(slices))
                except DamagedFileError as error:  # which its own queries tell
                    self._leave_alone([file])
                    _log.error("historian.file-not-rolled-up", reason=str(error))

    def fold(self) -> None:
        """Put the coarse rollups of days that are over into one file a month. Raises HistorianFullError."""
        with self._working:
            for month, stems in self._rollups.to_fold(self._lake.files, today=datetime.now(UTC).date()):
                self._check_open()
                self._rollups.fold(month, stems)

    def compact(self) -> None:
        """Make one file of every run of small ones. Raises HistorianFullError."""
        with self._working:
            for run in runs_to_compact(
                self._lake.files, before_order=self._oldest_hot(), today=datetime.now(UTC).date()
            ):
                self._check_open()
                if self._is_left_alone(run):
                    continue
                try:
                    self._compact(run)
                except DamagedFileError as error:  # which its own queries tell; the other days need not wait for it
                    self._leave_alone(run)
                    _log.error("historian.run-not-compacted", day=str(run[0].day), reason=str(error))

    def _run(self) -> None:
        is_failing, due_at = False, time.monotonic() + _LOOK_EVERY_S
        while not self._stopping.is_set():
            if is_failing:
                self._stopping.wait(_TRY_AGAIN_S)
            else:
                self._wake.wait(max(due_at - time.monotonic(), 0))
            self._wake.clear()
            try:
                self._check_open()
                is_due = time.monotonic() >= due_at
                if is_due:
                    due_at = time.monotonic() + _LOOK_EVERY_S
                self._look_after(is_all=is_due)
            except ClosingError:
                return
            except Exception as error:  # noqa: BLE001 whatever it is, the files are as they were: try again
                if not is_failing:
                    _log.error("historian.upkeep-failed", reason=str(error), again_in_s=_TRY_AGAIN_S)
                is_failing = True
            else:
                if is_failing:
                    _log.info("historian.upkeep-goes-on")
                is_failing = False

    def _look_after(self, *, is_all: bool) -> None:
        """What is there to do; new rollups in any case."""
        if is_all:
            self.clearing.make_room()  # first: what follows may need it
            self.compact()
            self._remove_retired()
        before = self._rollups.files
        self.roll_up()
        self.fold()
        if is_all:
            self.clearing.expire_daily()
        if self._rollups.files != before:
            give_back_memory()

    def _leave_alone(self, files: Sequence[SealedFile]) -> None:
        """One of them is damaged: it may be put back, but need not be looked for, nor told of, every ten seconds."""
        until = time.monotonic() + _LEFT_ALONE_S
        self._left_alone |= {file.name: until for file in files}

    def _is_left_alone(self, files: Sequence[SealedFile]) -> bool:
        now = time.monotonic()
        return any(self._left_alone.get(file.name, now) > now for file in files)

    def _on_its_way(self) -> int:
        return self._lake.retired_bytes + self._rollups.retired_bytes + self._kept.retired_bytes

    def _remove_retired(self) -> None:
        kept_for_s = IN_NEED_KEPT_S if self.clearing.is_in_need else None
        self._forget(self._lake.remove_retired(kept_for_s), self._rollups.remove_retired(kept_for_s))
        self._kept.remove_retired(kept_for_s)

    def _compact(self, run: Sequence[SealedFile]) -> None:
        started = time.monotonic()
        with self._work.noting(Work.COMPACT):
            readers = [SealedReader(self._lake.store, file.name) for file in run]
            self._lake.replace(run, self._until_closing(merged_slices(readers)))
        seconds = round(time.monotonic() - started, 2)
        _log.info("historian.compacted", day=str(run[0].day), files=len(run), seconds=seconds)

    def _until_closing(self, slices: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The slices; ends what it is part of when the historian closes meanwhile."""
        for part in slices:
            self._check_open()
            yield part

    def _check_open(self) -> None:
        if self._stopping.is_set():
            raise ClosingError
