"""Carrying out an import: read, assemble, check, store in big pieces; tell how far it is and what was refused."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from athanor.kernel.bus.port import BATCH_TOPIC, IMPORTED_TOPIC, Bus, Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian, HistorianFullError, moment
from athanor.kernel.jobs.port import JobResult, Progress
from athanor.kernel.plant.model import TagId
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import newest_rows, numpy_column
from athanor.kernel.transfer.assembling import Assembler
from athanor.kernel.transfer.errors import ImportStoppedError
from athanor.kernel.transfer.plan import ImportPlan
from athanor.kernel.transfer.reading import ReadChunk, chunks_of
from athanor.kernel.transfer.refusals import Tally
from athanor.kernel.transfer.reporting import Report

PIECE_ROWS = 1_000_000  # stored at once: some tens of MB, and each day's file is one in that many samples
_READING = 0.7  # of the time that an import takes
_TAGS_TOLD = 500  # tags that a summary counts one by one
_REPORT = "refused.csv"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a finished import changed: the body of IMPORTED_TOPIC."""

    tags: np.ndarray  # ids, ascending
    first: datetime
    last: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it becomes samples."""

    path: Path
    name: str  # as the person calls it
    plan: ImportPlan
    names: tuple[str, ...]  # of its columns
    plant: RunningPlant  # as the person may see it
    assembler: Assembler


@dataclass(frozen=True, slots=True)
class Target:
    """Where samples go."""

    historian: Historian
    current: CurrentValues
    bus: Bus


@dataclass(frozen=True, slots=True)
class _Piece:
    samples: pa.Table  # schema STORED
    newest: pa.Table  # the newest sample of each of its tags
    share: float  # of the file that is read with it
    summary: dict[str, Any]  # of all so far; made by the thread that counts


class HistoryImport:
    """One import, or its trial: the same without storing anything."""

    def __init__(
        self,
        source: Source,
        target: Target | None,
        progress: Progress,
        *,
        reasons: Mapping[str, str],
        piece_rows: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Without a `target` nothing is stored. `reasons` are texts by reason for the report."""
        self._source = source
        self._target = target
        self._progress = progress
        self._reasons = reasons
        self._piece_rows = piece_rows
        self._now = now
        self._stored_share = 0.0
        self.tally = Tally()

    async def run(self) -> JobResult:
        """Do it. What was stored when an error comes or the job is cancelled stays, and doing it again is harmless.

        Raises BadFileError, HistorianFullError, JobCancelledError.
        """
        self._progress.tell(stage="importing" if self._target else "trying", fraction=0.0, rows=0)
        report = Report(self._progress.folder / _REPORT, self._reasons)
        try:
            await self._carry_over(report)
        except HistorianFullError as error:
            raise ImportStoppedError(self._source.name, self.tally.stored, error) from error
        finally:
            await asyncio.to_thread(report.close)
            self._progress.keep(self._result(report))
            self._say_imported()
        return self._result(report)

    async def _carry_over(self, report: Report) -> None:
        """Store each piece while the next is being read."""
        pieces = self._pieces(report)
        reading = asyncio.create_task(asyncio.to_thread(next, pieces, None))
        try:
            while (piece := await asyncio.shield(reading)) is not None:
                self._progress.check_cancelled()
                reading = asyncio.create_task(asyncio.to_thread(next, pieces, None))
                await self._store(piece)
                self._progress.keep(JobResult({**piece.summary, "stored": self.tally.stored}))
        except BaseException:
            self._progress.cancel()  # for the thread that reads: nobody can stop it from here
            raise
        finally:
            await asyncio.wait([reading])
            pieces.close()

    async def _store(self, piece: _Piece) -> None:
        if self._target is None or piece.samples.num_rows == 0:
            return
        await self._target.historian.import_history(piece.samples)
        self.tally.stored += piece.samples.num_rows
        self._stored_share = piece.share
        became_current = self._target.current.update(piece.newest)
        if len(became_current):
            is_current = np.isin(piece.newest["tag"].to_numpy(), became_current)
            live = piece.newest.filter(pa.array(is_current)).combine_chunks().to_batches()
            for batch in live:
                self._target.bus.publish(Event(BATCH_TOPIC, batch, self._now()))

    def _pieces(self, report: Report) -> Generator[_Piece]:
        """The samples of the file in pieces of about `piece_rows`. Runs in threads, one step at a time."""
        waiting: list[pa.RecordBatch] = []
        rows = 0
        source = self._source
        reading = 1.0 if self._target is None else _READING
        for read in chunks_of(source.path, source.name, source.plan.file, source.names):
            self._progress.check_cancelled()
            stored = self._assembled(read, report)
            if self._target is not None and stored.num_rows:
                waiting.append(stored)
                rows += stored.num_rows
            done = reading * read.share + (1 - reading) * self._stored_share
            self._progress.tell(fraction=done, rows=self.tally.rows)
            if rows >= self._piece_rows:
                yield self._piece(waiting, read.share)
                waiting, rows = [], 0
        if waiting:
            yield self._piece(waiting, 1.0)

    def _piece(self, batches: list[pa.RecordBatch], share: float) -> _Piece:
        samples = pa.Table.from_batches(batches)
        newest = newest_rows(numpy_column(samples, "tag"), numpy_column(samples, "time"))
        return _Piece(samples, samples.take(pa.array(newest)), share, self._summary(is_cut=False))

    def _assembled(self, read: ReadChunk, report: Report) -> pa.RecordBatch:
        assembled = self._source.assembler.assemble(read.chunk)
        for refused in (read.malformed, assembled.refused):
            report.add(refused)
            self.tally.take_refused(refused)
        self.tally.rows += len(read.chunk.row) + read.malformed.num_rows
        self.tally.empty += assembled.empty
        self.tally.uncertain += assembled.uncertain
        self.tally.take_samples(numpy_column(assembled.stored, "tag"), numpy_column(assembled.stored, "time"))
        return assembled.stored

    def _result(self, report: Report | None) -> JobResult:
        summary = self._summary(is_cut=report is not None and report.is_cut)
        if report is None or report.is_empty:
            return JobResult(summary)
        stem = Path(self._source.name).stem
        return JobResult(summary, report.path, f"{stem}-{_REPORT}")

    def _summary(self, *, is_cut: bool) -> dict[str, Any]:
        tally, plant = self.tally, self._source.plant
        return {
            "name": self._source.name,
            "is_trial": self._target is None,
            "rows": tally.rows,
            "samples": tally.samples,
            "stored": tally.stored,
            "empty": tally.empty,
            "uncertain": tally.uncertain,
            "refused": dict(tally.refused),
            "examples": tally.examples,
            "report_is_cut": is_cut,
            "first": None if tally.first_us is None else moment(tally.first_us).isoformat(),
            "last": None if tally.last_us is None else moment(tally.last_us).isoformat(),
            "tags": len(tally.by_tag),
            "by_tag": {plant.path_of(TagId(tag)): count for tag, count in tally.by_tag.most_common(_TAGS_TOLD)},
        }

    def _say_imported(self) -> None:
        tally = self.tally
        if self._target is None or not tally.stored or tally.first_us is None or tally.last_us is None:
            return
        tags = np.array(sorted(tally.by_tag), np.int32)
        body = Imported(tags, moment(tally.first_us), moment(tally.last_us), tally.stored)
        self._target.bus.publish(Event(IMPORTED_TOPIC, body, self._now()))
