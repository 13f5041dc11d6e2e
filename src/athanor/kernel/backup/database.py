"""The database in a backup: copied as it is at one moment, and brought back into an empty one."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import URL, Connection, inspect, make_url, text

from athanor.kernel.backup.errors import DatabaseCopyError, NotEmptyError
from athanor.kernel.database.database import BUSY_TIMEOUT_S, Database

SQLITE, POSTGRESQL = "sqlite", "postgresql"

_PROGRAMS = "/usr/lib/postgresql"  # Debian's, by major version
_REVISION = "alembic_version"  # the table that says it
_HELD_STILL = ("plant_", "historian_")  # tables that say what the historian's samples mean
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a database holds."""

    rows: Mapping[str, int]  # by table
    revision: str  # of the tables; empty where they have none


@dataclass(frozen=True, slots=True)
class Instant(Generic[_T]):
    """A moment of the database, and what was found elsewhere at the same one."""

    found: _T
    copy: Callable[[Path], Awaitable["Counted"]]  # write that moment to a new file. Raises DatabaseCopyError


def kind_of(url: str) -> str:
    """Which database this is."""
    return SQLITE if make_url(url).get_backend_name() == SQLITE else POSTGRESQL


@asynccontextmanager
async def instant(url: str, look: Callable[[], _T]) -> AsyncIterator[Instant[_T]]:
    """Hold writers off for as long as `look` takes (in a thread), so that what it finds belongs to this moment.

    The moment can be copied until the block ends; writers go on meanwhile. Raises DatabaseCopyError.
    """
    if kind_of(url) == SQLITE:
        async with _sqlite_instant(Path(make_url(url).database or ""), look) as moment:
            yield moment
    else:
        async with _postgresql_instant(make_url(url), look) as moment:
            yield moment


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database that others may be writing. Raises sqlite3.Error."""
    with closing(sqlite3.connect(source, timeout=BUSY_TIMEOUT_S)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)


@asynccontextmanager
async def _sqlite_instant(path: Path, look: Callable[[], _T]) -> AsyncIterator[Instant[_T]]:
    def begin() -> tuple[sqlite3.Connection, _T]:
        reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            with closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)) as writer:
                writer.execute("BEGIN IMMEDIATE")
                try:
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees this moment
                    return reader, look()
                finally:
                    writer.execute("ROLLBACK")
        except BaseException:
            reader.close()
            raise

    def copy_to(target: Path) -> None:
        with closing(sqlite3.connect(target)) as copy:
            reader.backup(copy)

    async def copy(target: Path) -> Counted:
        try:
            await asyncio.to_thread(copy_to, target)
            return await asyncio.to_thread(count_sqlite, target)
        except sqlite3.Error as error:
            raise DatabaseCopyError(error) from error

    try:
        reader, found = await asyncio.to_thread(begin)
    except sqlite3.Error as error:
        raise DatabaseCopyError(error) from error
    try:
        yield Instant(found, copy)
    finally:
        reader.close()


@asynccontextmanager
async def _postgresql_instant(url: URL, look: Callable[[], _T]) -> AsyncIterator[Instant[_T]]:
    database = Database(url.render_as_string(hide_password=False))
    try:
        async with database.engine.connect() as holding:
            snapshot = await holding.execution_options(isolation_level="REPEATABLE READ")
            async with database.engine.connect() as writer:
                names = await writer.run_sync(lambda inner: inspect(inner).get_table_names())
                version = int((await writer.execute(text("SHOW server_version_num"))).scalar_one())
                held = [f'"{name}"' for name in names if name.startswith(_HELD_STILL)]
                if held:
                    await writer.execute(text(f"LOCK TABLE {', '.join(held)} IN SHARE MODE"))
                exported = (await snapshot.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
                found = await asyncio.to_thread(look)
                await writer.rollback()
            program = _program("pg_dump", version // 10000)

            async def copy(target: Path) -> Counted:
                arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={exported}"]
                await asyncio.to_thread(_run, [program, *arguments, f"--file={target}", *_where(url)], url)
                return await snapshot.run_sync(_counted)

            yield Instant(found, copy)
    finally:
        await database.close()


async def restore_postgresql(url: str, dump: Path) -> None:
    """Bring a dump back into an empty database, all of it or nothing. Raises NotEmptyError, DatabaseCopyError."""
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            names = await connection.run_sync(lambda inner: inspect(inner).get_table_names())
            version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
    finally:
        await database.close()
    if names:
        raise NotEmptyError(database.url.render_as_string(hide_password=True))
    program = _program("pg_restore", version // 10000)
    arguments = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    await asyncio.to_thread(_run, [program, *arguments, *_where(database.url), str(dump)], database.url)


def check_dump(dump: Path) -> str | None:
    """What is wrong with a dump of PostgreSQL, as far as its list of contents tells."""
    program = next(iter(_programs("pg_restore")), None)
    if program is None:
        return None
    try:
        _run([program, "--list", str(dump)], None)
    except DatabaseCopyError as error:
        return str(error)
    return None


def count_sqlite(path: Path) -> Counted:
    """What an SQLite database holds; nothing is written to it. Raises sqlite3.Error for what is none."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
        said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
        found = database.execute("SELECT version_num FROM alembic_version").fetchone() if _REVISION in tables else None
    return Counted(rows, found[0] if found else "")


def _counted(connection: Connection) -> Counted:
    names = inspect(connection).get_table_names()
    rows = {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}  # noqa: S608
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if _REVISION in names else None
    return Counted(rows, found or "")


def _program(name: str, major: int) -> str:
    """The program of a major version. Raises DatabaseCopyError."""
    for program in _programs(name):
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        version = re.search(r"\) (\d+)", said)
        if version is not None and int(version[1]) == major:
            return program
    raise DatabaseCopyError(f"there is no {name} of version {major} on this machine")


def _programs(name: str) -> list[str]:
    places = sorted(Path(_PROGRAMS).glob(f"*/bin/{name}"), reverse=True)
    return [str(place) for place in (*places, shutil.which(name)) if place is not None]


def _where(url: URL) -> list[str]:
    """A database for PostgreSQL's programs, without the password."""
    parts = {"--host": url.host, "--port": url.port, "--username": url.username, "--dbname": url.database}
    return [f"{option}={value}" for option, value in parts.items() if value is not None]


def _run(command: list[str], url: URL | None) -> None:
    secret = {} if url is None or url.password is None else {"PGPASSWORD": str(url.password)}
    ended = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        raise DatabaseCopyError(f"{Path(command[0]).name}: {ended.stderr.strip()[-400:]}")
