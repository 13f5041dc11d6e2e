"""Bringing a database's tables to what the code expects, at every start, and refusing one from the future."""

from pathlib import Path

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


def newest_revision() -> str:
    """The revision that the code expects."""
    return _scripts().get_current_head() or ""


async def upgrade(url: str) -> None:
    """Migrate to the newest revision, in one transaction: an interrupted upgrade leaves the database as it was.

    Servers that start at once take turns. Raises DatabaseUnreachableError, DatabaseNewerError.
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
    if _known_revision(connection, url) != newest_revision():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _known_revision(connection: Connection, url: URL) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None:
        try:
            _scripts().get_revision(revision)
        except CommandError as error:
            raise DatabaseNewerError(url, revision) from error
    return revision


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
