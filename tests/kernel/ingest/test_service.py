"""The door for samples: what is acknowledged is durable, shown and told; what is refused is kept."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import BATCH_TOPIC, Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import HistorianFullError, Span
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.service import Ingest, Receipt
from athanor.kernel.plant.model import Tag
from athanor.kernel.telemetry import Sample, batch_of, decode, encode

from .plants import LOT, NAME, POWER, TAGS, plant

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
DAY = Span(NOW - timedelta(days=1), NOW + timedelta(days=1))
EDGE = "edge-1"


class House:
    """Ingest with all that it needs, for real."""

    def __init__(self, folder: Path, *, reserve_mb: int = 0) -> None:
        self.plant = plant(*TAGS)
        self.historian = TieredHistorian(folder / "hot", folder / "lake", reserve_mb=reserve_mb)
        self.current = CurrentValues()
        self.bus = MemoryBus()
        self.quarantine = Quarantine(folder / "quarantine.sqlite")
        self.ingest = Ingest(
            plant=lambda: self.plant,
            historian=self.historian,
            current=self.current,
            bus=self.bus,
            quarantine=self.quarantine,
            max_ahead=timedelta(minutes=5),
            oldest=datetime(1990, 1, 1, tzinfo=UTC),
            now=lambda: NOW,
        )

    async def take(self, *samples: Sample) -> Receipt:
        """A batch as it comes off the wire."""
        return await self.ingest.take(decode(encode(batch_of(samples))), edge=EDGE)

    async def stored(self, path: str) -> list[float | str | None]:
        rows = (await self.historian.read([self.plant.id_of(path)], DAY)).to_pylist()
        return [row["value"] if row["text"] is None else row["text"] for row in rows]

    async def close(self) -> None:
        await self.bus.close()
        await self.historian.close()
        self.quarantine.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House(tmp_path)
    yield opened
    await opened.close()


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


async def test_what_is_acknowledged_is_stored_shown_and_told(house: House) -> None:
    told: list[Event] = []

    async def listen(event: Event) -> None:
        told.append(event)

    house.bus.subscribe(BATCH_TOPIC, listen, name="test")
    receipt = await house.take(Sample(POWER, NOW, 1500.0), Sample(LOT, NOW, "L-7"), Sample("works.nothing", NOW, 1.0))
    assert receipt == Receipt(stored=2, quarantined=1)
    assert (await house.stored(POWER), await house.stored(LOT)) == ([1500.0], ["L-7"])
    shown = house.current.get(house.plant.id_of(POWER))
    assert shown is not None
    assert (shown.time, shown.value) == (NOW, 1500.0)
    assert [(entry.tag, entry.reason, entry.edge) for entry in house.quarantine.summary()] == [
        ("works.nothing", "unknown-tag", EDGE)
    ]
    await house.bus.close()
    assert [event.body.num_rows for event in told] == [2]


async def test_a_batch_of_rubbish_alone_is_acknowledged_and_kept(house: House) -> None:
    assert await house.take(Sample("a", NOW, 1.0), Sample(POWER, NOW, "text")) == Receipt(stored=0, quarantined=2)
    assert house.current.version == 0
    assert await house.take() == Receipt(stored=0, quarantined=0)


async def test_the_same_batch_sent_again_changes_nothing(house: House) -> None:
    for _ in range(3):
        await house.take(Sample(POWER, NOW, 1.0), Sample(POWER, seconds(1), 2.0))
    assert await house.stored(POWER) == [1.0, 2.0]


async def test_a_late_sample_is_stored_and_does_not_become_current(house: House) -> None:
    await house.take(Sample(POWER, NOW, 2.0))
    await house.take(Sample(POWER, seconds(-60), 1.0))
    assert await house.stored(POWER) == [1.0, 2.0]
    shown = house.current.get(house.plant.id_of(POWER))
    assert shown is not None
    assert shown.value == 2.0


async def test_tags_that_change_places_in_the_batches_dictionary_keep_their_values(house: House) -> None:
    orders = [(POWER, LOT), (LOT, POWER), (POWER,), ("works.nothing", POWER), (LOT, POWER), (POWER, "works.nothing")]
    for second, order in enumerate(orders):
        values = {POWER: float(second), LOT: f"L-{second}", "works.nothing": 0.0}
        await house.take(*(Sample(tag, seconds(second), values[tag]) for tag in order))
    assert await house.stored(POWER) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert await house.stored(LOT) == ["L-0", "L-1", "L-4"]


async def test_a_plant_that_changes_between_two_like_batches_is_asked_anew(house: House) -> None:
    speed = Tag("works.speed", NAME, "rpm")
    assert await house.take(Sample(POWER, NOW, 1.0), Sample("works.speed", NOW, 1.0)) == Receipt(1, 1)
    house.plant = plant(speed, *TAGS, version=2)  # every id is another tag's now
    assert await house.take(Sample(POWER, seconds(1), 2.0), Sample("works.speed", seconds(1), 3.0)) == Receipt(2, 0)
    assert (await house.stored("works.speed"))[-1] == 3.0
    assert await house.stored(POWER) == [2.0]
    house.plant = plant(speed, version=3)
    assert await house.take(Sample(POWER, seconds(2), 2.0), Sample("works.speed", seconds(2), 4.0)) == Receipt(1, 1)


async def test_a_disk_that_refuses_acknowledges_nothing_and_shows_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, reserve_mb=2**30)  # more than any disk has
    with pytest.raises(HistorianFullError):
        await house.take(Sample(POWER, NOW, 1.0), Sample("works.nothing", NOW, 1.0))
    assert house.current.get(house.plant.id_of(POWER)) is None
    assert await house.stored(POWER) == []
    assert house.quarantine.summary() == [], "the edge sends the batch again: it would count twice"
    await house.close()


async def test_a_quarantine_that_refuses_acknowledges_nothing(house: House) -> None:
    house.quarantine.close()
    with pytest.raises(sqlite3.Error):
        await house.take(Sample(POWER, NOW, 1.0), Sample("works.nothing", NOW, 1.0))
    assert house.current.get(house.plant.id_of(POWER)) is None
    await house.bus.close()
