"""The database: one engine, and sessions that are one transaction each.

SQLite (embedded: one file, for one server) or PostgreSQL. On both a session sees its own writes, and all of it or
nothing is kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from athanor.kernel.errors import AthanorError

BUSY_TIMEOUT_S = 15
READS_ONLY = "athanor_reads_only"  # in `session.info`, too

# WAL lets readers go on while one writes. With synchronous=FULL a commit is on the disk when it returns: NORMAL would
# be faster, but a power cut could then take back tag ids under which the historian already keeps samples.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",  # first, as the others may have to wait too
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class DatabaseUnreachableError(AthanorError):
    """The database does not open, or is none."""

    code = "database.unreachable"

    def __init__(self, url: URL, reason: object) -> None:
        super().__init__(
            f"The database {url.render_as_string(hide_password=True)} does not open ({reason}). Check database_url, "
            "that the disk has room and that its folder is writable; a damaged file is replaced from a backup."
        )


class Database:
    """The transactional tables. Whoever opened it closes it.

    Parameters
    ----------
    url
        `sqlite+aiosqlite:///file.db` (its folder is made) or `postgresql+asyncpg://user:password@host/name`.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._engine = _engine(self.url)

    @property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine; for migrations and examinations."""
        return self._engine

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction that may write: kept when the block ends, undone when it raises.

        On SQLite writers wait for one another from the start (BEGIN IMMEDIATE), so a transaction that has begun does
        not fail because another one wrote in between. Keep the block short and free of other waiting.
        """
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent view that cannot write, and neither waits for a writer nor makes one wait."""
        options: dict[str, Any] = {READS_ONLY: True}
        if self._engine.dialect.name == "postgresql":
            options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            session.info[READS_ONLY] = True
            await session.connection(execution_options=options)
            yield session

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def _engine(url: URL) -> AsyncEngine:
    serialisation: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": orjson.loads}
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, **serialisation)
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnreachableError(url, error) from error
    engine = create_async_engine(url, **serialisation)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _to_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own; `_begin` does
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    reads_only = bool(connection.get_execution_options().get(READS_ONLY))
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def reason_of(error: DBAPIError | OSError) -> str:
    """What the database said, without SQLAlchemy's wrapping."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
