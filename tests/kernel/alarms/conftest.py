"""A world of alarms on each database."""

from collections.abc import AsyncIterator

import pytest

from athanor.kernel.alarms.records import CHANGED_TOPIC
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.database.database import Database
from tests.kernel.alarms.standings import EIGHT, World, plant


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Alarms on an empty database; the time is eight o'clock."""
    bus, running = MemoryBus(), plant()
    opened = World(database, bus, Alarms(database, bus, lambda: running, lambda: opened.at), EIGHT)

    async def hear(event: Event) -> None:
        opened.published.append(event.body)

    bus.subscribe(CHANGED_TOPIC, hear, name="test")
    await opened.alarms.standing.load()
    yield opened
    await opened.alarms.close()
    await bus.close()
