"""Alarms of Athanor itself: once when it begins, once when it is over, and the same after a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.kernel.alarms.rule import Expression, Rule, Subject
from athanor.kernel.database.database import Database
from athanor.kernel.historian.disk import DiskState

from .works import NAME, POWER, Works


@pytest.fixture
async def works(tmp_path: Path, database: Database) -> AsyncIterator[Works]:
    opened = Works(tmp_path / "server", database)
    await opened.has(POWER)
    await opened.has_begun()
    yield opened
    await opened.close()


async def test_an_edge_that_is_not_heard_is_an_alarm_until_it_is_heard_again(works: Works) -> None:
    await works.report()
    await works.step()
    works.passes(30)
    await works.step()
    await works.step()
    assert await works.events() == [("edge:edge-1", "raised", 30)]
    await works.report()
    works.passes(6)
    await works.step()
    assert await works.events() == [("edge:edge-1", "raised", 30), ("edge:edge-1", "cleared", 36)]


async def test_an_edge_that_is_gone_after_a_restart_is_missed_and_one_that_was_missed_is_not_told_again(
    works: Works,
) -> None:
    await works.report()
    await works.step()
    works.passes(1)
    await works.step()
    await works.stop()
    works.open()
    works.passes(10)
    await works.step()
    assert await works.events() == []  # it may be on its way
    works.passes(70)
    await works.step()
    assert await works.events() == [("edge:edge-1", "raised", 81)]
    await works.stop()
    works.open()
    for _ in range(10):
        works.passes(10)
        await works.step()
    assert await works.events() == [("edge:edge-1", "raised", 81)]


async def test_a_disk_that_runs_out_is_an_alarm(works: Works) -> None:
    works.disk = DiskState.LOW
    await works.step()
    works.disk = DiskState.ENOUGH
    works.passes(10)
    await works.step()
    assert await works.events() == [("server:historian", "raised", 0), ("server:historian", "cleared", 10)]


async def test_a_formula_that_divides_by_zero_is_told_once_and_stops_no_other(works: Works) -> None:
    formula = Expression(formula=f"1 / {{{POWER}}} > 5")
    await works.rule("odd", Rule(name=NAME, subject=Subject(node="works"), condition=formula, on_delay_s=0))
    await works.step()
    for at in range(8):
        await works.send((POWER, at, 0.0))
        works.passes(3)
        await works.step()
    assert [(path, what) for path, what, _ in await works.events()] == [("works", "raised")]
