import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError

import athanor.apps.exchange.models
import athanor.kernel.alarms.tables
import athanor.kernel.cases.tables
import athanor.kernel.corrections.tables
import athanor.kernel.documents.tables
import athanor.kernel.forms.tables
import athanor.kernel.jobs.tables
import athanor.kernel.notify.tables
import athanor.kernel.plant.tables
import athanor.kernel.waveforms.tables  # noqa: F401
from athanor.kernel.database.base import Base
from athanor.kernel.database.database import Database, DatabaseUnreachableError
from athanor.kernel.database.migrating import DatabaseNewerError, newest_revision, revision_of, upgrade
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import AuditRow

PREFIXES = (
    "plant_", "identity_", "waveforms_", "historian_", "exchange_", "jobs_", "forms_", "documents_", "alarms_",
    "notify_", "cases_",
)  # fmt: skip


async def test_migrations_and_models_agree(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name.startswith(PREFIXES)}
        return compare_metadata(MigrationContext.configure(connection, opts=ours), Base.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_upgrade_brings_an_empty_database_to_the_newest_revision(database_url: str) -> None:
    database = Database(database_url)
    assert await revision_of(database) is None
    await upgrade(database_url)
    assert await revision_of(database) == newest_revision()
    await upgrade(database_url)  # and changes nothing the second time
    assert await revision_of(database) == newest_revision()
    await database.close()


async def test_servers_that_start_at_once_upgrade_only_once(database_url: str) -> None:
    await asyncio.gather(*(upgrade(database_url) for _ in range(4)))
    database = Database(database_url)
    assert await revision_of(database) == newest_revision()
    await database.close()


async def test_a_database_of_a_later_version_is_refused(database: Database, database_url: str) -> None:
    async with database.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewerError, match="revision 9999 by a later version"):
        await upgrade(database_url)
    with pytest.raises(DatabaseNewerError):
        await revision_of(database)


async def test_an_upgrade_that_breaks_half_way_leaves_the_database_as_it_was(database_url: str) -> None:
    database = Database(database_url)
    async with database.session() as session:  # a table that the upgrade will stumble over, though not at once
        await session.execute(text("CREATE TABLE identity_users (id INTEGER)"))
    with pytest.raises(DatabaseUnreachableError, match="identity_users"):
        await upgrade(database_url)
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda inner: inspect(inner).get_table_names())
    assert tables == ["identity_users"]
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "athanor.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseUnreachableError, match="file is not a database"):
        await upgrade(f"sqlite+aiosqlite:///{tmp_path}/athanor.db")


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DatabaseUnreachableError, match="taken"):
        await upgrade(f"sqlite+aiosqlite:///{tmp_path}/taken/athanor.db")


async def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachableError) as caught:
        await upgrade("postgresql+asyncpg://athanor:secret@127.0.0.1:1/athanor")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1:1/athanor" in str(caught.value)


@pytest.mark.parametrize("statement", ["UPDATE identity_audit SET actor = 'nobody'", "DELETE FROM identity_audit"])
async def test_the_audit_trail_refuses_change_and_deletion(database: Database, statement: str) -> None:
    async with database.session() as session:
        record(session, "anna", "test.done")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.session() as session:
            await session.execute(text(statement))
    async with database.reading() as session:
        assert (await session.scalars(select(AuditRow.actor))).all() == ["anna"]
