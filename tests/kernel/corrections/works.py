"""A small plant with all that corrections need, for real, and ways to write and read its samples."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.corrections.records import CORRECTED_TOPIC
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import STORED, HistorianFullError, Span
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import store_plant
from athanor.kernel.telemetry import TIME, Quality

NOW = datetime(2026, 5, 5, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVER = Span(NOON - timedelta(days=400), NOW + timedelta(days=1))

POWER = Tag("works.power", {"en": "Power"}, "kW", period_s=1.0)
ENERGY = Tag("works.energy", {"en": "Energy"}, "kWh", TagKind.COUNTER, period_s=60.0)
STATE = Tag("works.state", {"en": "State"}, "1", TagKind.STATE)
SETPOINT = Tag("works.setpoint", {"en": "Setpoint"}, "degC", TagKind.SETPOINT)
LOT = Tag("works.lot", {"en": "Lot"}, "1", TagKind.TEXT)
OTHERS = Tag("kilns.power", {"en": "Power"}, "kW")
PLANT = Plant(
    "park",
    {"en": "Park"},
    "Asia/Shanghai",
    {"copper": Tenant("copper", {"en": "Copper"}), "carbon": Tenant("carbon", {"en": "Carbon"})},
    {
        "works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=(POWER, ENERGY, STATE, SETPOINT, LOT)),
        "kilns": Node("kilns", Level.SITE, {"en": "Kilns"}, "carbon", tags=(OTHERS,)),
    },
)
ANNA = User(1, "anna", "Anna", ("engineer",))


class Historian(TieredHistorian):
    """The real one, which says that it is full once it has taken `room` more batches, or for the tag `refused`.

    It calls `on_write` before each batch.
    """

    room = 10**9
    refused: TagId | None = None
    on_write: Callable[[], None] = staticmethod(lambda: None)

    async def write(self, batch: pa.RecordBatch) -> None:
        if self.room == 0 or batch["tag"][0].as_py() == self.refused:
            raise HistorianFullError("here", "the test says so")
        self.room -= 1
        self.on_write()
        await super().write(batch)


Row = tuple[float, float | str | None, Quality]  # seconds after noon, value, quality


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Works:
    """Corrections and what is around them. `most` is how many samples one may touch."""

    def __init__(self, database: Database, plant: RunningPlant, historian: Historian, most: int) -> None:
        self.database, self.plant, self.historian = database, plant, historian
        self.current, self.bus = CurrentValues(), MemoryBus()
        self.told: asyncio.Queue[Event] = asyncio.Queue()
        self.bus.subscribe(CORRECTED_TOPIC, self._listen, name="test")
        self.corrections = Corrections(
            database, historian, self.current, self.bus, most=most, try_again_s=0.02, now=lambda: NOW
        )

    @classmethod
    async def open(cls, database: Database, folder: Path, *, most: int = 10_000) -> "Works":
        async with database.session() as session:
            plant = await store_plant(session, PLANT)
        historian = Historian(folder / "hot", folder / "lake")
        works = cls(database, plant, historian, most)
        works.current.update(await historian.latest())
        await works.corrections.start()
        return works

    async def close(self) -> None:
        await self.corrections.close()
        await self.bus.close()
        await self.historian.close()

    async def _listen(self, event: Event) -> None:
        self.told.put_nowait(event)

    async def write(self, tag: Tag, *rows: Row) -> None:
        """Store samples as ingest does."""
        batch = self.batch(tag, rows)
        await self.historian.write(batch)
        self.current.update(batch)

    def batch(self, tag: Tag, rows: Sequence[Row]) -> pa.RecordBatch:
        times = [at(seconds) for seconds, _, _ in rows]
        return pa.record_batch(
            [
                pa.array(np.full(len(rows), self.plant.id_of(tag.path)), pa.int32()),
                pa.array(times, TIME),
                pa.array([None if isinstance(value, str) else value for _, value, _ in rows], pa.float64()),
                pa.array([value if isinstance(value, str) else None for _, value, _ in rows], pa.string()),
                pa.array([quality for _, _, quality in rows], pa.uint8()),
            ],
            STORED,
        )

    async def stored(self, tag: Tag, span: Span = EVER) -> list[Row]:
        table = await self.historian.read([self.plant.id_of(tag.path)], span)
        return [
            (
                (row["time"] - NOON).total_seconds(),
                row["value"] if row["text"] is None else row["text"],
                Quality(row["quality"]),
            )
            for row in table.to_pylist()
        ]


def good(*values: float, first: float = 0.0) -> list[Row]:
    """A good sample a second."""
    return [(first + second, value, Quality.GOOD) for second, value in enumerate(values)]
