"""Bringing a database's tables to what the code expects, at every start, and refusing one from the future."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from athanor.kernel.database.database import Database, DatabaseUnreachableError, reason_of
from athanor.kernel.errors import AthanorError

_log = structlog.get_logger(__name__)

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x61746861  # any number that no other program on the server locks by


class DatabaseNewerError(AthanorError):
    """A later version of Athanor has migrated this database."""

    code = "database.newer"

    def __init__(self, url: URL, revision: str) -> None:
        super().__init__(
            f"The database {url.render_as_string(hide_password=True)} was brought to revision {revision} by a later "
            "version of Athanor; this version does not know it. Start that version, or restore the backup made before "
            "the upgrade."
        )


class NoCopyBeforeUpgradeError(AthanorError):
    """An SQLite database would be migrated, and there is no way back."""

    code = "database.no-copy"

    def __init__(self, copy: Path, reason: object) -> None:
        super().__init__(
            f"The database was not upgraded: a copy of it as it is could not be written to {copy} ({reason}). Make "
            "room on that disk and start again."
        )


def newest_revision() -> str:
    """The revision that the code expects."""
    return _scripts().get_current_head() or ""


def is_known(revision: str) -> bool:
    """Whether this version of Athanor knows a revision of the tables."""
    try:
        _scripts().get_revision(revision)
    except CommandError:
        return False
    return True


async def upgrade(url: str) -> None:
    """Migrate to the newest revision, in one transaction: an interrupted upgrade leaves the database as it was.

    Servers that start at once take turns. An SQLite database is copied before, beside itself, as
    `athanor.db.before-0009` where 0009 is the first revision that is new to it; the newest copy stays. Raises
    DatabaseUnreachableError, DatabaseNewerError, NoCopyBeforeUpgradeError.
    """
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade, database.url)
    except (DBAPIError, OSError) as error:
        raise DatabaseUnreachableError(database.url, reason_of(error)) from error
    finally:
        await database.close()


async def revision_of(database: Database) -> str | None:
    """The revision that a database is at; None for an empty one.

    Raises DatabaseUnreachableError, DatabaseNewerError.
    """
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(_known_revision, database.url)
    except (DBAPIError, OSError) as error:
        raise DatabaseUnreachableError(database.url, reason_of(error)) from error


def _upgrade(connection: Connection, url: URL) -> None:
    revision = _known_revision(connection, url)
    if revision != newest_revision():
        if revision is not None and url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            _keep_copy(Path(url.database or ""), _first_after(revision))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _keep_copy(database: Path, revision: str) -> None:
    """Copy an SQLite database as it is, whole and durable on return; copies of earlier upgrades go.

    Whoever calls holds its lock, so that nothing changes meanwhile. Raises NoCopyBeforeUpgradeError.
    """
    copy = database.with_name(f"{database.name}.before-{revision}")
    draft = copy.with_name(f"{copy.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink()
        raise NoCopyBeforeUpgradeError(copy, error) from error
    for earlier in database.parent.glob(f"{database.name}.before-*"):
        if earlier != copy:
            earlier.unlink()
    _log.info("database.copied-before-upgrade", copy=str(copy))


def _first_after(revision: str) -> str:
    """The first revision that a database at this one does not have."""
    return min(one.revision for one in _scripts().walk_revisions() if one.revision > revision)


def _known_revision(connection: Connection, url: URL) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and not is_known(revision):
        raise DatabaseNewerError(url, revision)
    return revision


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
