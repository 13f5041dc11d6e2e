"""Athanor's historian through its port, as the server calls it, in this process."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable

from athanor.bench.historian.contender import PerThread
from athanor.bench.historian.generator import Rows
from athanor.bench.historian.questions import Kind, Question, by_tag_and_time
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE, linear
from athanor.kernel.historian.port import STORED, HistorianFullError, Span, moment
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, numpy_column

_T = TypeVar("_T")
_LINES = linear(timedelta(minutes=1))
_AGAIN_S = 0.05  # an edge whose batch is refused sends it again


class Athanor:
    """Implements `Contender`."""

    name = "Athanor"
    is_fed = True
    acknowledgement = "flushed to the disk"
    settled = "seal, compact, roll up"
    quiet_s = 0.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loops = PerThread(asyncio.new_event_loop, lambda loop: loop.close())
        self.historian = TieredHistorian(folder / "hot", folder / "lake")

    def payload(self, rows: Rows) -> pa.RecordBatch:
        return stored(rows)

    def write(self, payload: pa.RecordBatch) -> None:
        while True:
            try:
                return self.do(self.historian.write(payload))
            except HistorianFullError:
                time.sleep(_AGAIN_S)

    def settle(self) -> None:
        self.do(self.historian.seal_now())
        self.do(self.historian.compact_now())
        self.do(self.historian.roll_up_now())

    def size_bytes(self) -> int:
        """Of the samples; rollups are told apart."""
        return table_bytes(self._folder / "lake" / "samples")

    def rollups_bytes(self) -> int:
        """Of the rollups."""
        return table_bytes(self._folder / "lake" / "rollups")

    def ask(self, question: Question) -> pa.Table:
        return self.do(answered(self.historian, question))

    def ask_weighted(self, question: Question) -> pa.Table:
        """Means over the time that is known, lines from sample to sample, as a tag's trend is averaged."""
        tags = [TagId(tag) for tag in question.tags]
        return self.do(self.historian.resample(tags, question.edges, Measure.MEAN, _LINES))

    def draw(self, question: Question) -> pa.Table:
        """What a chart of 1,000 points is drawn from."""
        tags = [TagId(tag) for tag in question.tags]
        span = Span(moment(question.start_us), moment(question.end_us))
        return self.do(self.historian.downsample(tags, span, 1_000))

    def read(self, _question: Question, answer: pa.Table) -> Rows:
        return by_tag_and_time(*(numpy_column(answer, name) for name in ("tag", "time", "value")))

    def reopen(self) -> None:
        self.close()
        self.historian = TieredHistorian(self._folder / "hot", self._folder / "lake")

    def close(self) -> None:
        self.do(self.historian.close())
        self._loops.close()

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run on this thread's own loop."""
        return self._loops.get().run_until_complete(work)


def table_bytes(folder: Path) -> int:
    """What the files hold that a Delta table is made of now; those it had before stay an hour, and are not counted."""
    return sum(int(size) for size in pa.table(DeltaTable(str(folder)).get_add_actions())["size_bytes"].to_pylist())


async def answered(historian: TieredHistorian, question: Question) -> pa.Table:
    """What the port answers."""
    tags = [TagId(tag) for tag in question.tags]
    if question.kind is Kind.LATEST:
        return await historian.latest()
    if question.kind is Kind.RAW:
        return await historian.read(tags, Span(moment(question.start_us), moment(question.end_us)))
    return await historian.resample(tags, question.edges, Measure.MEAN, NONE)


def stored(rows: Rows) -> pa.RecordBatch:
    """Samples as the historian takes them (STORED)."""
    return pa.record_batch(
        [
            pa.array(rows.tag),
            pa.array(rows.time_us).cast(TIME),
            pa.array(rows.value),
            pa.nulls(len(rows), pa.string()),
            pa.array(np.zeros(len(rows), np.uint8)),
        ],
        schema=STORED,
    )
