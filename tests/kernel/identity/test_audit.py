"""The audit trail is a chain: whatever is done to it in the database shows."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import NOTHING, chained, record, verify


@pytest.fixture
async def trail(database: Database) -> Database:
    for number in range(5):
        async with database.session() as session:
            detail = {"number": number, "share": 0.1 * number, "name": "电解", 3: [None, True]}
            record(session, "anna", "test.done", f"thing {number}", address="10.0.0.7", detail=detail)
    return database


async def tamper(database: Database, *statements: str) -> None:
    """As somebody would who owns the database: the triggers that refuse are taken away first."""
    async with database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                await connection.execute(text(f"DROP TRIGGER identity_audit_{verb}"))
        else:
            await connection.execute(text("ALTER TABLE identity_audit DISABLE TRIGGER identity_audit_append_only"))
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_trail_that_nobody_touched_is_whole(trail: Database) -> None:
    verified = await verify(trail)
    assert (verified.is_whole, verified.rows) == (True, 5)


async def test_an_empty_trail_is_whole(database: Database) -> None:
    assert (await verify(database)).is_whole


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE identity_audit SET actor = 'bert' WHERE subject = 'thing 2'", r"entry \d+ .* was changed"),
        ("UPDATE identity_audit SET detail = '{}' WHERE subject = 'thing 4'", r"entry \d+ .* was changed"),
        ("DELETE FROM identity_audit WHERE subject = 'thing 1'", r"entry \d+ .* was changed"),
        ("DELETE FROM identity_audit WHERE subject = 'thing 4'", "should be 5 entries and are 4"),
        ("DELETE FROM identity_audit", "should be 5 entries and are 0"),
    ],
)
async def test_what_is_changed_or_removed_shows(trail: Database, statement: str, fault: str) -> None:
    await tamper(trail, statement)
    verified = await verify(trail)
    assert not verified.is_whole
    assert re.search(fault, verified.fault or "")


async def test_entries_written_at_once_make_one_chain(database: Database) -> None:
    async def write(name: str) -> None:
        for number in range(10):
            async with database.session() as session:
                record(session, name, "test.done", str(number))
                record(session, name, "test.done-again", str(number))

    await asyncio.gather(*(write(name) for name in ("anna", "bert", "chen", "dora")))
    verified = await verify(database)
    assert (verified.fault, verified.rows) == (None, 80)


async def test_what_is_undone_leaves_no_trace(trail: Database) -> None:
    async def fail() -> None:
        async with trail.session() as session:
            record(session, "anna", "test.done")
            raise RuntimeError("not so")

    with pytest.raises(RuntimeError, match="not so"):
        await fail()
    assert (await verify(trail)).rows == 5


def test_the_chain_is_the_one_that_the_manual_describes() -> None:
    entry = {
        "at": datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        "actor": "anna",
        "action": "test.done",
        "subject": "",
        "address": "",
        "detail": {"b": 1, "a": "电"},
    }
    # printf '%s' 000…0'["2026-11-21T08:30:00.000000+00:00","anna","test.done","","",{"a":"电","b":1}]' | sha256sum
    assert chained(NOTHING, entry) == "e134024c070b74bb0805d253032d04ac5d15fff979654326a50cf5d1b149b8ad"
