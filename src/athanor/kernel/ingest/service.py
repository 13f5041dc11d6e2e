"""Taking in a batch: check, convert, store, then show. What returns without error is durable."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
import pyarrow as pa
import structlog

from athanor.kernel.bus.port import BATCH_TOPIC, Bus, Event
from athanor.kernel.corrections.guard import Verdict
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian, microseconds
from athanor.kernel.ingest.arrivals import Arrivals
from athanor.kernel.ingest.checks import Checked, Refusal, TagTable, check
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.metrics import INGEST_SECONDS, SAMPLE_LATENCY_SECONDS, SAMPLES_QUARANTINED, SAMPLES_STORED
from athanor.kernel.plant.running import RunningPlant

_log = structlog.get_logger(__name__)

Judge = Callable[[pa.RecordBatch], Awaitable[np.ndarray | None]]


async def pass_all(_samples: pa.RecordBatch) -> None:
    """A judge where nobody corrects anything."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch's samples; both counts are durable."""

    stored: int  # what was kept before, as the old value of a correction, included
    quarantined: int


class Ingest:
    """The one door through which live samples reach the historian, the current values and the bus.

    Parameters
    ----------
    plant
        The plant that runs, asked anew for each batch.
    max_ahead
        How far a source's clock may run ahead before its samples are impossible.
    oldest
        Source times before this are impossible.
    arrivals
        Counts what is stored and how late it came; nobody does where it is left out.
    judge
        What is to become of samples (STORED) of times that a person has corrected: a `Verdict` for each, or None
        where all pass; `Corrections.verdict`.
    now
        The clock, aware.
    """

    def __init__(
        self,
        *,
        plant: Callable[[], RunningPlant],
        historian: Historian,
        current: CurrentValues,
        bus: Bus,
        quarantine: Quarantine,
        max_ahead: timedelta,
        oldest: datetime,
        arrivals: Arrivals | None = None,
        judge: Judge = pass_all,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._plant = plant
        self._historian = historian
        self._current = current
        self._bus = bus
        self._quarantine = quarantine
        self._max_ahead = max_ahead
        self._oldest_us = microseconds(oldest)
        self._arrivals = arrivals
        self._judge = judge
        self._now = now
        self._tags = TagTable(plant())
        self._dictionaries: dict[str, tuple[TagTable, pa.Array, np.ndarray]] = {}

    async def take(self, batch: pa.RecordBatch, *, edge: str) -> Receipt:
        """Store a batch (schema SAMPLES); durable and visible on return.

        Raises HistorianFullError, sqlite3.Error; then nothing is acknowledged, and the edge sends it again.
        """
        started = perf_counter()
        tags = self._tag_table()
        checked = check(
            batch,
            self._ids(batch.column("tag").dictionary, tags, edge),
            tags,
            oldest_us=self._oldest_us,
            newest_us=microseconds(self._now() + self._max_ahead),
        )
        checked = await self._without_corrected(checked)
        # Stored first: a batch that is refused on the way comes again, and only the historian does not count it twice.
        if checked.stored.num_rows:
            await self._historian.write(checked.stored)
        if checked.refusal.any():
            await self._set_aside(batch, checked.refusal, edge)
        if checked.stored.num_rows:
            self._current.update(checked.stored)
            self._bus.publish(Event(BATCH_TOPIC, checked.stored, self._now()))
            SAMPLES_STORED.labels(edge).inc(checked.stored.num_rows)
            self._measure(checked.stored, tags)
        INGEST_SECONDS.observe(perf_counter() - started)
        refused = int(np.count_nonzero(checked.refusal))
        return Receipt(batch.num_rows - refused, refused)

    async def _without_corrected(self, checked: Checked) -> Checked:
        """Less the samples of times that a person has corrected: what they said stays until they undo it."""
        verdict = await self._judge(checked.stored)
        if verdict is None:
            return checked
        refusal = checked.refusal.copy()
        rows = np.flatnonzero(refusal == Refusal.NONE)
        refusal[rows[verdict == Verdict.CORRECTED]] = Refusal.CORRECTED
        return Checked(checked.stored.filter(pa.array(verdict == Verdict.PASS)), refusal)

    def _tag_table(self) -> TagTable:
        plant = self._plant()
        if self._tags.plant is not plant:
            self._tags = TagTable(plant)
        return self._tags

    def _ids(self, dictionary: pa.Array, tags: TagTable, edge: str) -> np.ndarray:
        """Ids of a batch's tag dictionary; an edge sends the same one again and again, so the last is remembered."""
        remembered = self._dictionaries.get(edge)
        if remembered is not None and remembered[0] is tags and remembered[1].equals(dictionary):
            return remembered[2]
        ids = tags.plant.lookup(dictionary)
        self._dictionaries[edge] = (tags, dictionary, ids)
        return ids

    async def _set_aside(self, batch: pa.RecordBatch, refusal: np.ndarray, edge: str) -> None:
        for code in np.unique(refusal[refusal != Refusal.NONE]).tolist():
            refused = batch.filter(pa.array(refusal == code))
            reason = Refusal(code).code
            first_seen = await asyncio.to_thread(
                self._quarantine.keep, refused, reason=reason, edge=edge, at=self._now()
            )
            SAMPLES_QUARANTINED.labels(edge, reason).inc(refused.num_rows)
            if first_seen:
                _log.warning(
                    "ingest.quarantined", reason=reason, edge=edge, tags=first_seen, example=refused["tag"][0].as_py()
                )

    def _measure(self, stored: pa.RecordBatch, tags: TagTable) -> None:
        time = stored.column("time").cast(pa.int64()).to_numpy(zero_copy_only=False)
        now = self._now()
        SAMPLE_LATENCY_SECONDS.observe_all((microseconds(now) - time) / 1e6)
        if self._arrivals is not None:
            tag = stored.column("tag").to_numpy()
            self._arrivals.note(tag, time, tags.late_after_us[tag], now)
