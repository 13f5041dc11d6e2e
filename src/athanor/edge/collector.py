"""Gathers samples of all sources column by column, and hands them to the buffer as batches."""

import asyncio

import pyarrow as pa
import structlog

from athanor.edge.buffer import Buffer, BufferUnwritableError
from athanor.edge.config import CollectorConfig
from athanor.kernel.telemetry import SAMPLES, TIME, Quality, encode

log = structlog.get_logger(__name__)

MAX_WAITING_ROWS = 500_000  # in memory while the buffer takes nothing in: about 50 MB


class Collector:
    """Batches in the making. Samples go in from the event loop; `run` brings them to the buffer.

    While the buffer cannot be written (its disk is full), samples wait here up to `MAX_WAITING_ROWS`; later ones are
    refused and counted: what is already kept is worth more than what cannot be kept.
    """

    def __init__(self, buffer: Buffer, config: CollectorConfig) -> None:
        self._buffer = buffer
        self._config = config
        self._columns = _Columns()
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0
        self._waiting: pa.RecordBatch | None = None  # built, not yet in the buffer
        self._full = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._is_stuck = False
        self.refused_rows = 0

    def add(self, tag: str, time_us: int, value: float | str | None, quality: Quality, unit: str | None) -> None:
        """One sample; refused and counted when the memory set aside for waiting is used up."""
        if self._has_room_for(1):
            self._columns.append(tag, time_us, value, quality, unit)
            self._grown_by(1)

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Many samples (schema SAMPLES); refused and counted as a whole."""
        if batch.num_rows and self._has_room_for(batch.num_rows):
            self._take_columns()
            self._batches.append(batch)
            self._grown_by(batch.num_rows)

    async def run(self) -> None:
        """Flush at each interval, or sooner when a batch is full, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._config.flush_interval_s):
                    await self._full.wait()
            except TimeoutError:
                pass  # the interval is over: flush what there is
            await asyncio.shield(self.flush())  # cancelled half-way, it would keep its batch twice

    async def flush(self) -> None:
        """Bring all samples to the buffer. Where it cannot be written, they stay here until the next flush."""
        async with self._flushing:
            await self._flush()

    async def _flush(self) -> None:
        self._full.clear()
        if self._waiting is None:
            self._waiting = self._take()
        while self._waiting is not None:
            try:
                await self._buffer.append(await asyncio.to_thread(encode, self._waiting), self._waiting.num_rows)
            except BufferUnwritableError as error:
                self._say_stuck(error)
                return
            self._say_moving()
            self._waiting = self._take() if self._rows >= self._config.max_rows else None

    def _has_room_for(self, rows: int) -> bool:
        waiting = 0 if self._waiting is None else self._waiting.num_rows
        if self._rows + waiting + rows <= MAX_WAITING_ROWS:
            return True
        self.refused_rows += rows
        return False

    def _grown_by(self, rows: int) -> None:
        self._rows += rows
        if self._rows >= self._config.max_rows:
            self._full.set()

    def _take_columns(self) -> None:
        """Close the columns as a batch, so that order of arrival holds across `add` and `add_batch`."""
        if self._columns.tag:
            self._batches.append(self._columns.to_batch())
            self._columns = _Columns()

    def _take(self) -> pa.RecordBatch | None:
        self._take_columns()
        batches, self._batches, self._rows = self._batches, [], 0
        return merged(batches) if batches else None

    def _say_stuck(self, error: BufferUnwritableError) -> None:
        if not self._is_stuck:
            log.error("buffer.unwritable", reason=str(error), code=error.code)
        self._is_stuck = True

    def _say_moving(self) -> None:
        if self._is_stuck:
            log.info("buffer.writable-again", refused_rows=self.refused_rows)
        self._is_stuck = False


class _Columns:
    """Single samples on their way to a batch."""

    def __init__(self) -> None:
        self.tag: list[str] = []
        self.time_us: list[int] = []
        self.number: list[float | None] = []
        self.text: list[str | None] = []
        self.quality: list[int] = []
        self.unit: list[str | None] = []

    def append(self, tag: str, time_us: int, value: float | str | None, quality: Quality, unit: str | None) -> None:
        self.tag.append(tag)
        self.time_us.append(time_us)
        self.number.append(None if value is None or isinstance(value, str) else float(value))
        self.text.append(_storable(value) if isinstance(value, str) else None)
        self.quality.append(quality)
        self.unit.append(unit)

    def to_batch(self) -> pa.RecordBatch:
        return pa.record_batch(
            [
                pa.array(self.tag, pa.string()).dictionary_encode(),
                pa.array(self.time_us, pa.int64()).cast(TIME),
                pa.array(self.number, pa.float64()),
                pa.array(self.text, pa.string()),
                pa.array(self.quality, pa.uint8()),
                pa.array(self.unit, pa.string()).cast(SAMPLES.field("unit").type),
            ],
            schema=SAMPLES,
        )


def _storable(text: str) -> str:
    """The text without half characters (lone surrogates), which JSON may carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def merged(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch (schema SAMPLES) with the rows of all, in order; a single one comes back as it is."""
    with_rows = [batch for batch in batches if batch.num_rows] or batches[:1]
    if len(with_rows) == 1:
        return with_rows[0]
    return pa.Table.from_batches(with_rows, SAMPLES).unify_dictionaries().combine_chunks().to_batches()[0]
