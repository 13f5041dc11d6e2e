"""What waits to be judged: live batches from the bus, and whether some are missing."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from athanor.kernel.bus.port import Event
from athanor.kernel.telemetry import numpy_column

_MOST_ROWS = 2_000_000  # that wait; about 60 MB


class Intake:
    """Batches (STORED) in the order in which they became durable; used from the event loop's thread only.

    What does not fit is let go of, all of it, since the historian has it: `misses` says why it must be asked.
    """

    def __init__(self, most_rows: int = _MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._batches: list[pa.RecordBatch] = []
        self.rows = 0
        self.misses: str | None = "started"
        self.has_work = asyncio.Event()

    async def hear(self, event: Event) -> None:
        """A batch became durable."""
        batch: pa.RecordBatch = event.body
        if self.misses is not None:
            return  # it will be read with what is missing
        if self.rows + batch.num_rows > self._most_rows:
            self.miss("judging is slower than samples come")
            return
        self._batches.append(batch)
        self.rows += batch.num_rows
        self.has_work.set()

    def miss(self, why: str) -> None:
        """Something was not heard: whatever waits is no longer needed."""
        self._batches, self.rows = [], 0
        self.misses = self.misses or why
        self.has_work.set()

    def listen_again(self) -> None:
        """Hear batches from here on; call it before the historian is asked, so that nothing falls in between."""
        self.misses = None

    def take(self) -> list[pa.RecordBatch]:
        """What waits, which then waits no longer."""
        batches, self._batches, self.rows = self._batches, [], 0
        self.has_work.clear()
        return batches


Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Sequence[str | None] | None]


def columns_of(batches: Sequence[pa.RecordBatch] | pa.Table) -> Columns:
    """Tag, time [µs], value (NaN for none), quality and texts (None where nothing is text) of samples (STORED)."""
    table = batches if isinstance(batches, pa.Table) else pa.Table.from_batches(batches)
    text = table.column("text")
    return (
        numpy_column(table, "tag"),
        numpy_column(table, "time"),
        numpy_column(table, "value"),
        numpy_column(table, "quality"),
        None if text.null_count == len(text) else text.to_pylist(),
    )
