"""What a person has corrected stays, whatever an edge sends again; and nothing that it sends is lost silently."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.corrections.actions import Adjust, Entered, MarkBad, SetConstant, SetValues
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.service import Ingest, Receipt
from athanor.kernel.telemetry import Quality, Sample, batch_of

from .works import ANNA, NOW, OTHERS, POWER, Works, at, good

GOOD, BAD = Quality.GOOD, Quality.BAD
WHY = "Sensor dead"


class Door:
    """Ingest before the works' corrections."""

    def __init__(self, works: Works, quarantine: Quarantine) -> None:
        self.works, self.quarantine = works, quarantine
        self.ingest = Ingest(
            plant=lambda: works.plant,
            historian=works.historian,
            current=works.current,
            bus=works.bus,
            quarantine=quarantine,
            max_ahead=timedelta(minutes=5),
            oldest=datetime(1990, 1, 1, tzinfo=UTC),
            judge=works.corrections.verdict,
            now=lambda: NOW,
        )

    async def deliver(self, *values: float | None, first: float = 0.0, tag: str = POWER.path) -> Receipt:
        """A value a second, as an edge sends it."""
        samples = [Sample(tag, at(first + second), value) for second, value in enumerate(values)]
        return await self.ingest.take(batch_of(samples), edge="edge-1")

    def set_aside(self) -> list[tuple[str, str, int]]:
        return [(entry.reason, entry.tag, entry.count) for entry in self.quarantine.summary()]


@pytest.fixture
async def door(works: Works, tmp_path: Path) -> AsyncIterator[Door]:
    quarantine = Quarantine(tmp_path / "quarantine.sqlite")
    yield Door(works, quarantine)
    quarantine.close()


async def test_a_correction_outlives_the_delivery_of_what_it_corrected(door: Door, works: Works) -> None:
    await door.deliver(1.0, 2.0, 3.0)
    await works.corrections.correct(works.plant, POWER.path, MarkBad(start=at(1), end=at(3)), reason=WHY, author=ANNA)
    assert await door.deliver(1.0, 2.0, 3.0) == Receipt(stored=3, quarantined=0)
    assert await works.stored(POWER) == [(0.0, 1.0, GOOD), (1.0, 2.0, BAD), (2.0, 3.0, BAD)]
    newest = works.current.get(works.plant.id_of(POWER.path))
    assert newest is not None
    assert newest.quality is BAD
    assert door.set_aside() == []


async def test_another_value_for_a_corrected_time_is_set_aside_and_counted(door: Door, works: Works) -> None:
    await door.deliver(1.0, 2.0, 3.0)
    made = await works.corrections.correct(
        works.plant, POWER.path, MarkBad(start=at(1), end=at(3)), reason=WHY, author=ANNA
    )
    assert await door.deliver(1.5, 2.5, 3.0, 4.5) == Receipt(stored=3, quarantined=1)
    assert await works.stored(POWER) == [(0.0, 1.5, GOOD), (1.0, 2.0, BAD), (2.0, 3.0, BAD), (3.0, 4.5, GOOD)]
    assert door.set_aside() == [("corrected", POWER.path, 1)]
    await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    assert await door.deliver(1.5, 2.5) == Receipt(stored=2, quarantined=0)
    assert await works.stored(POWER) == good(1.5, 2.5, 3.0, 4.5)


async def test_what_comes_late_for_other_times_of_a_corrected_range_is_stored(door: Door, works: Works) -> None:
    await door.deliver(1.0, 2.0, 3.0)
    await works.corrections.correct(
        works.plant, POWER.path, SetConstant(start=at(0), end=at(9), value=7.0), reason=WHY, author=ANNA
    )
    await door.deliver(1.5, first=0.5)
    await door.deliver(5.0, 6.0, 7.0, tag=OTHERS.path)
    assert await works.stored(POWER) == [(0.0, 7.0, GOOD), (0.5, 1.5, GOOD), (1.0, 7.0, GOOD), (2.0, 7.0, GOOD)]
    assert await works.stored(OTHERS) == good(5.0, 6.0, 7.0)


async def test_a_value_that_was_entered_for_a_missing_one_stays_when_that_comes_late(door: Door, works: Works) -> None:
    entered = SetValues(values=(Entered(time=at(1), value=7.0),))
    await works.corrections.correct(works.plant, POWER.path, entered, reason=WHY, author=ANNA)
    assert await door.deliver(1.0, 2.0, 3.0) == Receipt(stored=2, quarantined=1)
    assert await works.stored(POWER) == good(1.0, 7.0, 3.0)


async def test_of_two_corrections_of_a_time_both_know_what_they_corrected(door: Door, works: Works) -> None:
    await door.deliver(1.0, 2.0)
    for offset in (10.0, 100.0):
        action = Adjust(start=at(0), end=at(9), offset=offset)
        await works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    assert await door.deliver(1.0, 12.0) == Receipt(stored=2, quarantined=0)
    assert await works.stored(POWER) == good(111.0, 112.0)


async def test_what_comes_in_while_its_time_is_being_corrected_waits_and_does_not_undo_it(
    door: Door, works: Works
) -> None:
    await door.deliver(*(float(value) for value in range(2000)))
    action = Adjust(start=at(0), end=at(1e4), offset=0.5)
    correcting = works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    again = door.deliver(*(float(value) for value in range(2000)))
    _, receipt = await asyncio.gather(correcting, again)
    assert receipt == Receipt(stored=2000, quarantined=0)
    assert await works.stored(POWER) == good(*(value + 0.5 for value in range(2000)))
