"""Alarms judged through restarts, outages and trouble: each raised once, at its source time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database

from .works import HEAT, POWER, Works, high


@pytest.fixture
async def works(tmp_path: Path, database: Database) -> AsyncIterator[Works]:
    opened = Works(tmp_path / "server", database)
    await opened.has(POWER, HEAT)
    yield opened
    await opened.close()


async def test_a_limit_is_raised_and_cleared_at_the_source_times_of_its_samples(works: Works) -> None:
    await works.rule("power.high", high())
    await works.step()
    await works.send((POWER, 0, 99), (POWER, 1, 101), (POWER, 2, 99))
    await works.step()
    await works.send((POWER, 3, 97))
    await works.step()
    assert await works.events() == [(POWER, "raised", 1), (POWER, "cleared", 3)]
