"""What the clock sees: bursts of real sign-ins, edges, the plant; and the chain once a day."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from athanor.apps.security.services.acts import BROKEN, EDGE_CONNECTED, EDGE_LOST, PATTERN_SEEN, PLANT_CHANGED, VERIFIED
from athanor.apps.security.services.chain import TOPIC as BROKEN_TOPIC
from athanor.apps.security.services.chain import last_checked, verify_chain, verify_when_due
from athanor.apps.security.services.watching import TOPIC as PATTERN_TOPIC
from athanor.apps.security.services.watching import Watch
from athanor.kernel.identity import trail
from athanor.kernel.identity.sessions import SignInRefusedError, Where
from athanor.kernel.identity.trail import Entry, Wanted
from athanor.kernel.ingest.sources import EdgeReport

from .conftest import House


async def entries(house: House, *actions: str) -> list[Entry]:
    async with house.database.reading() as session:
        return [*reversed(await trail.newest(session, Wanted(actions=frozenset(actions)), None, limit=100))]


def watch(house: House, version: int = 0) -> Watch:
    return Watch(house.database, house.bus, house.sources, version)


async def test_ten_logins_tried_from_one_address_are_said_once(house: House) -> None:
    await house.listen(PATTERN_TOPIC)
    for number in range(10):
        assert await watch(house).look(house.time) == []
        with pytest.raises(SignInRefusedError):
            await house.identity.sessions.sign_in(f"guess{number}", "wrong password", Where("203.0.113.9"))
        house.forward(seconds=5)
    [seen] = await watch(house).look(house.time)
    assert (seen.kind, seen.who, seen.count) == ("many-logins", "203.0.113.9", 10)
    assert await watch(house).look(house.time) == []
    await asyncio.sleep(0.05)
    assert [event.body for event in house.heard] == [{"kind": "many-logins", "who": "203.0.113.9", "count": 10}]
    [entry] = await entries(house, PATTERN_SEEN)
    assert (entry.subject, entry.detail) == ("203.0.113.9", {"kind": "many-logins", "count": 10})


async def test_a_pattern_that_goes_on_is_said_again_when_its_time_is_over(house: House) -> None:
    for round_ in range(2):
        for number in range(10):
            with pytest.raises(SignInRefusedError):
                await house.identity.sessions.sign_in(f"guess{round_}{number}", "wrong", Where("203.0.113.9"))
        assert len(await watch(house).look(house.time)) == 1
        house.forward(minutes=11)


async def test_twenty_refusals_of_permission_to_one_person_are_seen(house: House) -> None:
    vera = await house.user("vera")
    for _number in range(19):
        await house.identity.refusals.note(vera, "data.import", "/data")
    assert await watch(house).look(house.time) == []
    await house.identity.refusals.note(vera, "data.import", "/data")
    assert [(one.kind, one.who, one.count) for one in await watch(house).look(house.time)] == [
        ("many-refusals", "vera", 20)
    ]


async def test_an_edge_that_falls_silent_and_comes_back_is_in_the_trail_each_time_once(house: House) -> None:
    def report() -> None:
        house.sources.take(EdgeReport(edge="edge-1", at=house.time), edge="edge-1", at=house.time)

    report()
    for step_s in (0, 0, 60, 60, 0):
        house.forward(seconds=step_s)
        await watch(house).look(house.time)
    report()
    await watch(house).look(house.time)
    found = [(entry.action, entry.subject) for entry in await entries(house, EDGE_LOST, EDGE_CONNECTED)]
    assert found == [(EDGE_CONNECTED, "edge-1"), (EDGE_LOST, "edge-1"), (EDGE_CONNECTED, "edge-1")]


async def test_a_plant_model_that_was_exchanged_is_in_the_trail(house: House) -> None:
    for version in (0, 7, 7, 8):
        await watch(house, version).look(house.time)
    assert [entry.detail for entry in await entries(house, PLANT_CHANGED)] == [
        {"version": 7, "before": None}, {"version": 8, "before": 7},
    ]  # fmt: skip


async def test_the_chain_is_verified_once_a_day_and_its_head_is_kept(house: House) -> None:
    first = await verify_when_due(house.database, house.bus, house.time)
    assert first is not None
    assert first.is_whole
    checked = await last_checked(house.database)
    assert checked is not None
    assert (checked.is_whole, checked.detail["chain"]) == (True, first.chain)
    assert await verify_when_due(house.database, house.bus, checked.at + timedelta(hours=23)) is None
    assert await verify_when_due(house.database, house.bus, checked.at + timedelta(hours=24)) is not None
    assert len(await entries(house, VERIFIED)) == 2


async def test_a_trail_that_was_tampered_with_is_said_on_the_bus(house: House) -> None:
    await house.listen(BROKEN_TOPIC)
    async with house.database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.execute(text("DROP TRIGGER identity_audit_update"))
        else:
            await connection.execute(text("ALTER TABLE identity_audit DISABLE TRIGGER identity_audit_append_only"))
        await connection.execute(text("UPDATE identity_audit SET actor = 'nobody' WHERE id = 2"))
    verified = await verify_chain(house.database, house.bus, actor="anna", address="10.0.0.7")
    assert (verified.is_whole, verified.entry, verified.rows) == (False, 2, 1)
    await asyncio.sleep(0.05)
    [event] = house.heard
    assert event.body["entry"] == 2
    [entry] = await entries(house, BROKEN)
    assert (entry.actor, entry.address, entry.detail["entry"]) == ("anna", "10.0.0.7", 2)
    checked = await last_checked(house.database)
    assert checked is not None
    assert not checked.is_whole
