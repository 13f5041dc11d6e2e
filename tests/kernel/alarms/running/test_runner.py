"""Alarms judged through restarts, outages and trouble: each raised once, at its source time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.database.database import Database

from .works import HEAT, POWER, Works, high, stale


@pytest.fixture
async def works(tmp_path: Path, database: Database) -> AsyncIterator[Works]:
    opened = Works(tmp_path / "server", database)
    await opened.has(POWER, HEAT)
    await opened.has_begun()
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


async def test_a_restart_in_the_midst_of_an_on_delay_raises_at_the_right_source_time(works: Works) -> None:
    await works.rule("power.high", high(on_s=10))
    await works.step()
    await works.send((POWER, 0, 99), (POWER, 1, 101))
    await works.step()
    await works.stop()
    works.passes(300)
    works.open()
    await works.send((POWER, 5, 102), (POWER, 12, 103))
    await works.step()
    assert await works.events() == [(POWER, "raised", 11)]


async def test_a_delay_that_ends_without_a_sample_ends_by_the_clock_at_its_own_time(works: Works) -> None:
    await works.rule("power.high", high(on_s=10))
    await works.step()
    await works.send((POWER, 0, 101))
    works.passes(9)
    await works.step()
    assert await works.events() == []
    works.passes(4)
    await works.step()
    assert await works.events() == [(POWER, "raised", 10)]


async def test_what_came_in_while_nobody_judged_is_judged_with_its_source_times_and_is_late_when_long_ago(
    works: Works,
) -> None:
    await works.rule("power.high", high())
    await works.step()
    await works.send((POWER, 0, 99))
    await works.step()
    await works.stop()
    works.passes(3600)
    for minute in range(60):  # durable, and the server killed before it was judged
        await works.send((POWER, 60 * minute + 10, 101), (POWER, 60 * minute + 40, 90))
    works.open()
    await works.step()
    raised = [(POWER, float(60 * minute + 10)) for minute in range(60)]
    found = await works.occurrences()
    assert [(path, at) for path, at, _ in found] == raised
    assert [is_late for _, _, is_late in found] == [at < 3600 - 300 for _, at in raised]
    assert len(await works.events()) == 120


async def test_what_a_killed_server_had_found_and_kept_is_found_again_and_kept_once(works: Works) -> None:
    await works.rule("power.high", high(on_s=2, off_s=2))
    await works.send((POWER, 0, 99))
    await works.step()
    works.passes(1)
    await works.step()  # the last checkpoint
    works.settings = works.settings.model_copy(update={"checkpoint_every_s": 3600.0})
    for at in range(1, 60):
        await works.send((POWER, at, 101 if at % 10 < 5 else 90))
        await works.step()
    before = await works.events()
    assert len(before) > 10
    await works.crash()
    works.open()
    await works.step()
    assert await works.events() == before
    await works.send((POWER, 60, 101), (POWER, 62, 101))
    await works.step()
    assert await works.events() == [*before, (POWER, "raised", 62)]


@pytest.mark.parametrize("damage", ["gone", "overwritten"])
async def test_without_its_checkpoint_it_goes_on_from_the_database_and_the_current_values(
    works: Works, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await works.rule("power.high", high())
    await works.rule("heat.high", high(HEAT))
    await works.step()
    await works.send((POWER, 0, 101), (HEAT, 0, 101))
    await works.step()
    await works.stop()
    place = works.folder / "alarms" / "judged"
    place.unlink() if damage == "gone" else place.write_bytes(b"x" * 1000)
    works.open()
    await works.send((HEAT, 5, 90))
    await works.step()
    assert await works.events() == [(HEAT, "raised", 0), (POWER, "raised", 0), (HEAT, "cleared", 5)]
    await works.send((POWER, 6, 90))
    await works.step()
    assert await works.events() == [
        (HEAT, "raised", 0), (POWER, "raised", 0), (HEAT, "cleared", 5), (POWER, "cleared", 6)
    ]  # fmt: skip
    assert ("alarms.checkpoint-damaged" in capsys.readouterr().out) == (damage == "overwritten")


async def test_batches_that_were_not_heard_are_read_from_the_historian(works: Works) -> None:
    await works.rule("power.high", high())
    await works.step()
    await works.send((POWER, 0, 99))
    await works.step()
    for second in range(1, 2200):  # twice what the bus keeps for one who does not listen
        works.bus.publish(await works.stored((POWER, second, 101 if second % 100 == 50 else 90)))
    await works.step()
    assert await works.events() == [
        event
        for at in range(50, 2200, 100)
        for event in ((POWER, "raised", float(at)), (POWER, "cleared", float(at + 1)))
    ]


async def test_samples_that_are_older_than_what_was_judged_are_not_judged(works: Works) -> None:
    await works.rule("power.high", high())
    await works.step()
    works.passes(20)
    await works.send((POWER, 10, 90))
    await works.step()
    await works.send((POWER, 5, 101))
    await works.step()
    await works.stop()
    works.open()
    await works.step()
    assert await works.events() == []


async def test_a_rule_that_changes_judges_the_current_value_and_keeps_what_stands(works: Works) -> None:
    await works.rule("power.high", high(at=100))
    await works.rule("heat.high", high(HEAT, at=100))
    await works.step()
    await works.send((POWER, 0, 95), (HEAT, 0, 101))
    await works.step()
    assert await works.events() == [(HEAT, "raised", 0)]
    await works.rule("power.high", high(at=90))  # its value does not come again for a long time
    await works.until_followed()
    assert await works.events() == [(HEAT, "raised", 0), (POWER, "raised", 0)]
    await works.send((HEAT, 9, 90))
    await works.step()
    assert await works.events() == [(HEAT, "raised", 0), (POWER, "raised", 0), (HEAT, "cleared", 9)]


async def test_a_tag_that_leaves_the_plant_takes_its_alarms_with_it_and_the_others_stay(works: Works) -> None:
    await works.rule("power.high", high())
    await works.rule("heat.high", high(HEAT))
    await works.step()
    await works.send((POWER, 0, 101), (HEAT, 0, 101))
    await works.step()
    await works.has(POWER)
    await works.until_followed()
    assert await works.events(Trigger.RETIRED) != []
    assert [one[0] for one in await works.events(Trigger.RETIRED)] == [HEAT]
    await works.send((POWER, 1, 90))
    await works.step()
    assert await works.events() == [(HEAT, "raised", 0), (POWER, "raised", 0), (POWER, "cleared", 1)]


async def test_an_edge_that_delivers_an_hour_late_raises_what_was_and_nothing_that_only_looks_so(works: Works) -> None:
    await works.rule("power.high", high(on_s=10))
    await works.rule("power.stale", stale(after_s=30))
    await works.step()
    await works.send((POWER, 0, 90))
    works.passes(20)
    await works.step()
    works.passes(3600)
    for minute in range(60):  # batch by batch, each cut in the midst of the ten seconds, and a second of clock between
        await works.send(
            *((POWER, 60 * minute + at, 101 if at == 55 and minute < 59 else 90) for at in range(5, 60, 5))
        )
        works.passes(1)
        await works.step()
    assert await works.events() == []
    works.passes(60)
    await works.step()
    assert [(path, what) for path, what, _ in await works.events()] == [(POWER, "raised")]  # now it is stale


@pytest.mark.parametrize("jump_s", [3600, -3600])
async def test_a_server_clock_that_is_set_raises_nothing_and_hides_nothing(works: Works, jump_s: float) -> None:
    await works.rule("power.high", high(on_s=5))
    await works.rule("power.stale", stale(after_s=30))
    await works.step()
    for at in range(0, 40, 2):
        works.passes(2)
        await works.send((POWER, at, 90))
        await works.step()
    works.now_us += round(jump_s * 1e6)  # the server's clock alone; samples go on as before
    for at in range(40, 60, 2):
        works.passes(2)
        await works.stored_and_heard((POWER, at, 101 if at >= 44 else 90))
        await works.step()
    works.now_us -= round(jump_s * 1e6)
    for at in range(60, 120, 2):
        works.passes(2)
        await works.stored_and_heard((POWER, at, 90))
        await works.step()
    assert await works.events() == [(POWER, "raised", 49), (POWER, "cleared", 60)]


async def test_a_source_whose_clock_was_ahead_and_is_set_right_is_judged_from_there(works: Works) -> None:
    await works.rule("power.high", high())
    await works.step()
    works.passes(10)
    await works.send((POWER, 250, 90))  # four minutes ahead
    await works.step()
    works.passes(10)
    await works.send((POWER, 20, 101))
    await works.step()
    assert await works.events() == [(POWER, "raised", 20)]


async def test_a_rule_that_raises_its_own_input_goes_on_and_on_but_never_twice_at_once(works: Works) -> None:
    await works.rule("power.high", high(deadband=0))
    await works.step()
    for at in range(20):  # an app that counts alarms writes its count into the tag that the rule looks at
        await works.send((POWER, at, 101 if len(await works.occurrences()) <= at // 2 else 90))
        await works.step()
    assert await works.events() == [(POWER, "cleared" if at % 2 else "raised", at) for at in range(20)]


async def test_a_database_that_is_away_loses_nothing(works: Works, database: Database) -> None:
    await works.rule("power.high", high())
    await works.step()
    await works.send((POWER, 0, 90))
    works.passes(5)
    await works.step()
    works.runner.start_worker()
    async with held(database):
        for at in range(1, 40):
            await works.send((POWER, at / 10, 101 if at % 4 == 2 else 90))
            await asyncio.sleep(0.01)
    await works.until_kept(20)
    raised = [round(at / 10, 1) for at in range(1, 40) if at % 4 == 2]
    assert [(path, round(at, 3)) for path, at, _ in await works.occurrences()] == [(POWER, at) for at in raised]


@asynccontextmanager
async def held(database: Database) -> AsyncIterator[None]:
    """Nobody else can write meanwhile."""
    async with database.engine.connect() as connection, connection.begin():
        if database.url.get_backend_name() != "sqlite":
            await connection.execute(text("LOCK TABLE alarms_alarms IN ACCESS EXCLUSIVE MODE"))
        yield
        await connection.rollback()
