"""The edge's store on disk: encoded batches wait here, oldest first, until the server has acknowledged them.

An SQLite file in WAL mode with synchronous=FULL: what `append` has acknowledged survives a killed process and a lost
power supply. docs/decisions/0005 says what happens when there is no room.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog

from athanor.edge.clock import now_microseconds
from athanor.kernel.errors import AthanorError

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL, kept_at_us INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS poison (
    sequence INTEGER PRIMARY KEY, rows INTEGER NOT NULL, kept_at_us INTEGER NOT NULL, reason TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FREE_PAGES = 25_000  # beyond this (400 MB) the file gives room back to the disk, a little with each removal
_MAX_POISON = 1_000  # set-aside batches kept for a person to look at


class BufferUnwritableError(AthanorError):
    """The disk under the buffer takes no more, or the file cannot be written."""

    code = "edge.buffer-unwritable"

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"The buffer {path} cannot be used ({reason}). What it holds is safe, and the edge tries again. Free "
            "disk space, correct the permission of the file and its folder, or stop the other edge that uses it."
        )


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One encoded batch in the buffer."""

    sequence: int  # grows with every batch, also from a file to its successor
    rows: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the buffer, and what became of the rest."""

    batches: int
    rows: int
    bytes: int
    oldest_at: datetime | None  # when the oldest waiting batch came in
    poisoned: int  # batches that the server can never take, set aside
    dropped_rows: int  # lost for want of room since the file exists


class Buffer:
    """A bounded queue of encoded batches on disk. One process opens a file at a time; whoever opened it closes it."""

    def __init__(self, path: Path, max_bytes: int, wait_s: float) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._wait_s = wait_s
        self._thread = ThreadPoolExecutor(1, "edge-buffer")  # the only one that touches the connection
        self._file: sqlite3.Connection | None = None
        self._waiting = _Waiting(0, 0, 0)
        self._last_sequence = 0
        self._is_dropping = False
        self.arrived = asyncio.Event()  # set by every append; cleared by whoever waits for it

    @classmethod
    async def open(cls, path: Path, max_bytes: int, *, wait_s: float = 10.0) -> "Buffer":
        """Open or create the file. A damaged one is set aside under a name that says so, and a new one begun.

        `wait_s` is how long to wait for another edge that still uses the file, as at a restart. [s]
        Raises BufferUnwritableError.
        """
        buffer = cls(path, max_bytes, wait_s)
        try:
            await buffer._run(lambda _: None)
        except BaseException:
            buffer._thread.shutdown()
            raise
        return buffer

    async def append(self, body: bytes, rows: int) -> int:
        """Keep a batch; it is on disk when this returns. The oldest batches go where `max_bytes` would be exceeded.

        Returns its sequence number. Raises BufferUnwritableError; then nothing was kept.
        """
        sequence = await self._run(lambda file: self._append(file, body, rows))
        self.arrived.set()
        return sequence

    async def read(self, after: int, max_rows: int, max_bytes: int) -> list[StoredBatch]:
        """The oldest batches behind sequence `after`: as many as fit both bounds, and at least one if there is one."""
        return await self._run(lambda file: _read(file, after, max_rows, max_bytes))

    async def remove(self, sequences: Sequence[int]) -> None:
        """Forget batches that the server has. Unknown ones do not matter."""
        await self._run(lambda file: self._remove(file, sequences))

    async def set_aside(self, sequence: int, reason: str) -> None:
        """Take a batch out of the queue that the server can never take; the newest thousand are kept for a person."""
        await self._run(lambda file: self._set_aside(file, sequence, reason))

    async def backlog(self) -> Backlog:
        """What waits now."""
        return await self._run(self._backlog)

    async def close(self) -> None:
        """Let go of the file."""

        def close() -> None:
            if self._file is not None:
                self._file.close()
                self._file = None

        await asyncio.get_running_loop().run_in_executor(self._thread, close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do the work in one transaction; once more on a new file where this one turns out to be damaged."""
        try:
            try:
                return self._in_transaction(work)
            except sqlite3.DatabaseError as error:
                if _code_of(error) not in _DAMAGED:
                    raise
                self._put_aside_file(error)
                return self._in_transaction(work)
        except (sqlite3.Error, OSError) as error:
            raise BufferUnwritableError(self._path, error) from error

    def _in_transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._file is None:
            self._open_file()
        assert self._file is not None  # noqa: S101  # _open_file has set it, or raised
        with self._file:
            return work(self._file)

    def _open_file(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = sqlite3.connect(self._path, timeout=self._wait_s, check_same_thread=False)
        try:
            file.execute("PRAGMA locking_mode = EXCLUSIVE")
            file.execute("PRAGMA page_size = 16384")
            file.execute("PRAGMA auto_vacuum = INCREMENTAL")
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute("PRAGMA journal_size_limit = 67108864")
            _check(file)
            file.executescript(_TABLES)
            _begin_sequence(file, max(self._last_sequence + 1, now_microseconds()))
            self._waiting = _waiting(file, "1")
        except BaseException:
            file.close()
            raise
        self._file = file

    def _put_aside_file(self, reason: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        aside = self._path.with_name(f"{self._path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(aside.with_name(aside.name + suffix))
        log.error("buffer.damaged", path=str(self._path), set_aside_as=str(aside), reason=str(reason))

    def _append(self, file: sqlite3.Connection, body: bytes, rows: int) -> int:
        surplus = self._waiting.bytes + len(body) - self._max_bytes
        dropped = self._drop_oldest(file, surplus) if surplus > 0 else _Waiting(0, 0, 0)
        kept = (rows, now_microseconds(), body)
        inserted = file.execute("INSERT INTO batches (rows, kept_at_us, body) VALUES (?, ?, ?)", kept)
        file.commit()
        self._waiting = self._waiting.plus(_Waiting(1, rows, len(body))).less(dropped)
        self._say_dropping(dropped)
        self._last_sequence = int(inserted.lastrowid or 0)
        return self._last_sequence

    def _drop_oldest(self, file: sqlite3.Connection, surplus: int) -> "_Waiting":
        """Delete the oldest batches that are worth `surplus` bytes together, and count their rows."""
        last = freed = 0
        for sequence, size in file.execute("SELECT sequence, length(body) FROM batches ORDER BY sequence"):
            last, freed = sequence, freed + size
            if freed >= surplus:
                break
        dropped = _waiting(file, "sequence <= ?", last)
        file.execute("DELETE FROM batches WHERE sequence <= ?", (last,))
        _count(file, "dropped_rows", dropped.rows)
        return dropped

    def _say_dropping(self, dropped: "_Waiting") -> None:
        if dropped.rows and not self._is_dropping:
            log.error("buffer.full", path=str(self._path), max_bytes=self._max_bytes, dropped_rows=dropped.rows)
        if self._is_dropping and not dropped.rows:
            log.info("buffer.has-room-again", path=str(self._path))
        self._is_dropping = dropped.rows > 0

    def _remove(self, file: sqlite3.Connection, sequences: Sequence[int]) -> None:
        which = f"sequence IN ({','.join('?' * len(sequences))})"
        removed = _waiting(file, which, *sequences)
        file.execute(f"DELETE FROM batches WHERE {which}", sequences)  # noqa: S608  # question marks only
        file.commit()
        self._waiting = self._waiting.less(removed)
        (free,) = file.execute("PRAGMA freelist_count").fetchone()
        if free > _FREE_PAGES:
            file.execute("PRAGMA incremental_vacuum(1000)").fetchall()

    def _backlog(self, file: sqlite3.Connection) -> Backlog:
        oldest = file.execute("SELECT kept_at_us FROM batches ORDER BY sequence LIMIT 1").fetchone()
        counters = dict(file.execute("SELECT name, value FROM counters").fetchall())
        return Backlog(
            batches=self._waiting.batches,
            rows=self._waiting.rows,
            bytes=self._waiting.bytes,
            oldest_at=oldest and datetime.fromtimestamp(oldest[0] / 1e6, UTC),
            poisoned=counters.get("poisoned", 0),
            dropped_rows=counters.get("dropped_rows", 0),
        )

    def _set_aside(self, file: sqlite3.Connection, sequence: int, reason: str) -> None:
        file.execute(
            "INSERT OR REPLACE INTO poison SELECT sequence, rows, kept_at_us, ?, body FROM batches WHERE sequence = ?",
            (reason, sequence),
        )
        file.execute(
            "DELETE FROM poison WHERE sequence < (SELECT sequence FROM poison ORDER BY sequence DESC LIMIT 1 OFFSET ?)",
            (_MAX_POISON - 1,),
        )
        _count(file, "poisoned", 1)
        self._remove(file, [sequence])


@dataclass(frozen=True, slots=True)
class _Waiting:
    """How much waits; kept in memory, because to count it means to read the whole file."""

    batches: int
    rows: int
    bytes: int

    def plus(self, more: "_Waiting") -> "_Waiting":
        return _Waiting(self.batches + more.batches, self.rows + more.rows, self.bytes + more.bytes)

    def less(self, gone: "_Waiting") -> "_Waiting":
        return _Waiting(self.batches - gone.batches, self.rows - gone.rows, self.bytes - gone.bytes)


class _DamagedFileError(sqlite3.DatabaseError):
    """SQLite reads the file, and finds that its pages contradict each other."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _check(file: sqlite3.Connection) -> None:
    """Raise _DamagedFileError unless the file is sound."""
    (verdict,) = file.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _DamagedFileError(verdict)


def _begin_sequence(file: sqlite3.Connection, first: int) -> None:
    """Number the batches of a new file from `first`: behind all of the file before, whose readers go on."""
    with file:
        file.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'batches', ? "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'batches')",
            (first - 1,),
        )


def _waiting(file: sqlite3.Connection, which: str, *parameters: int) -> _Waiting:
    """Count the batches that fulfil an SQL condition."""
    query = "SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(length(body)), 0) FROM batches WHERE "
    return _Waiting(*file.execute(query + which, parameters).fetchone())


def _code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the extended ones carry more in the upper bytes."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _count(file: sqlite3.Connection, name: str, more: int) -> None:
    file.execute(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, more),
    )


def _read(file: sqlite3.Connection, after: int, max_rows: int, max_bytes: int) -> list[StoredBatch]:
    found: list[StoredBatch] = []
    rows = size = 0
    query = "SELECT sequence, rows, body FROM batches WHERE sequence > ? ORDER BY sequence"
    with contextlib.closing(file.execute(query, (after,))) as cursor:
        for batch in (StoredBatch(*row) for row in cursor):
            rows += batch.rows
            size += len(batch.body)
            if found and (rows > max_rows or size > max_bytes):
                break
            found.append(batch)
    return found
