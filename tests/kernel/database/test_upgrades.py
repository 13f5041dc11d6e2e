"""A database of every version that there was, with data in it, upgraded to the newest."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from athanor.kernel.database.database import Database, DatabaseUnreachableError
from athanor.kernel.database.migrating import NoCopyBeforeUpgradeError, newest_revision, revision_of, upgrade
from athanor.kernel.identity import audit
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.plant.store import running_plant
from athanor.kernel.vault import Vault

from .filling import ENTRIES, PASSWORD, PEOPLE, Rows, bring_to, fill, revisions, rows_of, shape_of

# What an upgrade is meant to change: sessions end with it, and who may what is said in other columns.
CHANGED = {"identity_sessions", "alembic_version"}


@pytest.fixture
async def old(database_url: str) -> Any:
    """An empty database that the test brings to where it wants it."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.mark.parametrize("revision", revisions())
async def test_what_a_version_left_is_there_after_an_upgrade(
    old: Database, database_url: str, tmp_path: Path, revision: str
) -> None:
    await bring_to(old, revision)
    await fill(old, revision)
    before = await rows_of(old)
    await upgrade(database_url)
    await old.close()  # connections of before the upgrade
    assert await revision_of(old) == newest_revision()
    after = await rows_of(old)
    for table in before.keys() - CHANGED:
        assert _same_columns(before[table], after[table]) == before[table], table

    identity = Identity(old, Vault.at(tmp_path), passwords=Passwords())
    for login, (role, tenant) in PEOPLE.items():
        user = await identity.sessions.user_of(await identity.sessions.sign_in(login, PASSWORD))
        assert user is not None
        assert (user.roles, user.tenant) == ((role,), tenant)
    verified = await audit.verify(old)
    assert (verified.is_whole, verified.fault) == (True, None)
    assert verified.rows >= len(ENTRIES) + len(PEOPLE)
    async with old.reading() as session:
        plant = await running_plant(session)
    assert plant is not None
    assert plant.ids == {"smelter.power": 41}
    assert plant.model.tags["smelter.power"].alarm_limits.high == 900.5


def _same_columns(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows after an upgrade, in the columns that they had before and still have; else as before."""
    names = before[0].keys() if before else ()
    kept = [{name: row[name] for name in names if name in row} for row in after]
    gone = [name for name in names if after and name not in after[0]]
    return sorted(
        ({**row, **{name: was[name] for name in gone}} for row, was in zip(kept, before, strict=True)), key=str
    )


async def test_an_upgrade_that_breaks_off_at_any_revision_leaves_everything_as_it_was(
    old: Database, database_url: str
) -> None:
    first, *later = revisions()
    await bring_to(old, first)
    await fill(old, first)
    shape, rows = await shape_of(old), await rows_of(old)
    for revision in later:
        with breaking_at(revision), pytest.raises(DatabaseUnreachableError, match="the disk went away"):
            await upgrade(database_url)
        assert await shape_of(old) == shape
        assert await rows_of(old) == rows
    await upgrade(database_url)
    assert await revision_of(old) == newest_revision()


@contextmanager
def breaking_at(revision: str) -> Iterator[None]:
    """All of a migration is done, and is not noted."""

    def refuse(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        if (
            "alembic_version" in statement
            and statement.startswith("UPDATE")
            and revision in f"{statement} {parameters}"
        ):
            raise OSError("the disk went away")

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)


def _copies_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.before-*"))


def _logins_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [login for (login,) in database.execute("SELECT login FROM identity_users ORDER BY login")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_is_copied_before_it_is_upgraded_and_one_copy_stays(
    old: Database, database_url: str, tmp_path: Path
) -> None:
    await bring_to(old, "0001")
    await fill(old, "0001")
    (tmp_path / "athanor.db.before-0000").write_bytes(b"of an earlier upgrade")
    await upgrade(database_url)
    assert _copies_in(tmp_path) == ["athanor.db.before-0002"]
    copy = tmp_path / "athanor.db.before-0002"
    assert _logins_in(copy) == sorted(PEOPLE)
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    written = copy.stat().st_mtime_ns
    await upgrade(database_url)  # which has nothing to do
    assert copy.stat().st_mtime_ns == written


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_fresh_database_needs_no_copy(database_url: str, tmp_path: Path) -> None:
    await upgrade(database_url)
    assert _copies_in(tmp_path) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_a_copy_nothing_is_upgraded(old: Database, database_url: str, tmp_path: Path) -> None:
    await bring_to(old, "0001")
    rows: Rows = await rows_of(old)
    (tmp_path / "athanor.db.before-0002.draft").mkdir()  # where a copy cannot be written
    with pytest.raises(NoCopyBeforeUpgradeError, match=r"before-0002"):
        await upgrade(database_url)
    assert await rows_of(old) == rows
