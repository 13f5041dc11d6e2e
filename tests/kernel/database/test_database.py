import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import AuditRow, DepartmentRow


async def count_of(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(AuditRow)) or 0


async def do_two_things_of_which_the_second_fails(database: Database) -> None:
    async with database.session() as session:
        record(session, "anna", "test.done")
        await session.execute(text("INSERT INTO identity_edge_tokens (edge) VALUES (NULL)"))


async def test_a_session_that_ends_is_kept_and_one_that_raises_leaves_nothing(database: Database) -> None:
    async with database.session() as session:
        record(session, "anna", "test.done")
    with pytest.raises(IntegrityError):
        await do_two_things_of_which_the_second_fails(database)
    assert await count_of(database) == 1


async def test_a_reading_session_cannot_write(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(RuntimeError, match="reads only"):
            record(session, "anna", "test.done")
        session.add(DepartmentRow(name="Smelting"))
        with pytest.raises(DBAPIError, match=r"read-?only"):
            await session.flush()
    async with database.session() as session:  # and the connection writes again when it is used for that
        record(session, "anna", "test.done")
    assert await count_of(database) == 1


async def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(database: Database) -> None:
    async with database.session() as writer:
        record(writer, "anna", "test.done")
        await writer.flush()
        assert await asyncio.wait_for(count_of(database), timeout=10) == 0
    async with database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(AuditRow)) == 1
        async with database.session() as writer:
            record(writer, "anna", "test.done")
        assert await reader.scalar(select(func.count()).select_from(AuditRow)) == 1
    assert await count_of(database) == 2


async def test_writers_at_once_take_turns_and_lose_nothing(database: Database) -> None:
    async def read_then_write(number: int) -> None:
        async with database.session() as session:
            await session.scalar(select(func.count()).select_from(AuditRow))
            record(session, f"writer {number}", "test.done")

    await asyncio.gather(*(read_then_write(number) for number in range(40)))
    assert await count_of(database) == 40


async def test_a_time_comes_back_aware_and_as_the_same_instant(database: Database) -> None:
    at = datetime(2024, 2, 29, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with database.session() as session:
        record(session, "anna", "test.done", at=at)
    async with database.reading() as session:
        stored = await session.scalar(select(AuditRow.at))
    assert stored == at
    assert stored is not None
    assert stored.tzinfo == UTC


async def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="has no zone"):
        async with database.session() as session:
            record(session, "anna", "test.done", at=datetime(2024, 2, 29))  # noqa: DTZ001


async def test_sqlite_is_durable_at_commit_and_holds_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/new/folder/athanor.db")
    async with database.reading() as session:
        pragmas = {
            name: await session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}
