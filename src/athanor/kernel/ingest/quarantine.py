"""The quarantine: samples that ingest could not accept, kept until a person has seen why.

An SQLite file of its own, so that rubbish can neither fill nor slow the tables that people work with. Samples are
kept whole as they came, up to a bound; counts are kept for ever.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from athanor.kernel.telemetry import decode, encode

_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    reason TEXT NOT NULL, tag TEXT NOT NULL, edge TEXT NOT NULL,
    count INTEGER NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, example TEXT NOT NULL,
    PRIMARY KEY (reason, tag, edge)
);
CREATE TABLE IF NOT EXISTS hourly (
    hour INTEGER NOT NULL, reason TEXT NOT NULL, tag TEXT NOT NULL, edge TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, reason, tag, edge)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    id INTEGER PRIMARY KEY, reason TEXT NOT NULL, edge TEXT NOT NULL, received_at TEXT NOT NULL,
    bytes INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS dropped (rows INTEGER NOT NULL);
"""


_HOUR_S = 3600
_HOURS_KEPT = 24 * 40


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """All samples of one tag from one edge that were refused for one reason."""

    reason: str  # code of a `Refusal`
    tag: str
    edge: str
    count: int
    first_at: datetime  # when the server got the first
    last_at: datetime
    example: str  # the last one, as a person reads it


@dataclass(frozen=True, slots=True)
class QuarantineSize:
    """How much is kept for a person to look at."""

    samples: int  # refused since the beginning
    batches: int  # kept as they came
    bytes: int


class Quarantine:
    """Refused samples, durable. Safe for concurrent use."""

    def __init__(self, path: Path, *, max_bytes: int = 200_000_000) -> None:
        """Open or create the file. Beyond `max_bytes` of samples the oldest go, and are counted."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)
        self._bytes = int(self._db.execute("SELECT coalesce(sum(bytes), 0) FROM kept").fetchone()[0])

    def keep(self, samples: pa.RecordBatch, *, reason: str, edge: str, at: datetime) -> int:
        """Set samples (schema SAMPLES) aside, durable on return; returns how many tags are refused for the first time.

        Raises sqlite3.Error when the disk takes no more: then nothing of the batch may be acknowledged.
        """
        body = encode(samples)
        received = at.astimezone(UTC).isoformat()
        entries = [(reason, tag, edge, count, received, received, example) for tag, count, example in _by_tag(samples)]
        with self._lock:
            with self._transaction():
                known = self._count("entry")
                self._db.executemany(
                    "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "count = count + excluded.count, last_at = excluded.last_at, example = excluded.example",
                    entries,
                )
                self._db.execute(
                    "INSERT INTO kept (reason, edge, received_at, bytes, body) VALUES (?, ?, ?, ?, ?)",
                    (reason, edge, received, len(body), body),
                )
                kept_bytes = self._drop_beyond_bound(self._bytes + len(body))
                self._count_by_hour(entries, int(at.timestamp()) // _HOUR_S)
                first_seen = self._count("entry") - known
            self._bytes = kept_bytes
        return first_seen

    def summary(self) -> list[QuarantineEntry]:
        """What was refused, the latest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM entry ORDER BY last_at DESC, tag").fetchall()
        return [
            QuarantineEntry(
                reason, tag, edge, count, datetime.fromisoformat(first), datetime.fromisoformat(last), example
            )
            for reason, tag, edge, count, first, last, example in rows
        ]

    def refused_since(self, at: datetime) -> dict[tuple[str, str], int]:
        """Samples refused since the full hour at or before `at`, within the last 40 days, by tag and reason."""
        with self._lock:
            rows = self._db.execute(
                "SELECT tag, reason, sum(count) FROM hourly WHERE hour >= ? GROUP BY tag, reason",
                (int(at.timestamp()) // _HOUR_S,),
            ).fetchall()
        return {(tag, reason): int(count) for tag, reason, count in rows}

    def size(self) -> QuarantineSize:
        """How much was refused, and what of it is still kept."""
        with self._lock:
            ((samples,),) = self._db.execute("SELECT coalesce(sum(count), 0) FROM entry").fetchall()
            return QuarantineSize(int(samples), self._count("kept"), self._bytes)

    def samples(self, reason: str | None = None) -> list[pa.RecordBatch]:
        """Kept batches (schema SAMPLES) as they came, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM kept WHERE ? IS NULL OR reason = ? ORDER BY id", (reason, reason)
            ).fetchall()
        return [decode(body) for (body,) in rows]

    def dropped(self) -> int:
        """Batches that had to go because the quarantine was full."""
        with self._lock:
            ((rows,),) = self._db.execute("SELECT coalesce(sum(rows), 0) FROM dropped").fetchall()
        return int(rows)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _count(self, table: str) -> int:
        ((rows,),) = self._db.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 our own names
        return int(rows)

    def _count_by_hour(self, entries: list[tuple[str, str, str, int, str, str, str]], hour: int) -> None:
        self._db.executemany(
            "INSERT INTO hourly VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(hour, reason, tag, edge, count) for reason, tag, edge, count, *_ in entries],
        )
        self._db.execute("DELETE FROM hourly WHERE hour < ?", (hour - _HOURS_KEPT,))

    def _drop_beyond_bound(self, total: int) -> int:
        """Delete the oldest batches of `total` bytes until the bound holds; returns how many bytes stay."""
        dropped = 0
        while total > self._max_bytes:
            oldest, size = self._db.execute("SELECT id, bytes FROM kept ORDER BY id LIMIT 1").fetchone()
            self._db.execute("DELETE FROM kept WHERE id = ?", (oldest,))
            total -= size
            dropped += 1
        if dropped:
            self._db.execute("INSERT INTO dropped VALUES (?)", (dropped,))
        return total


def _by_tag(samples: pa.RecordBatch) -> list[tuple[str, int, str]]:
    """Tag, how many samples, and the last of them as a person reads it."""
    counts: dict[str, int] = {}
    last: dict[str, int] = {}
    for row, tag in enumerate(samples.column("tag").to_pylist()):
        counts[tag] = counts.get(tag, 0) + 1
        last[tag] = row
    return [(tag, count, _as_text(samples, last[tag])) for tag, count in counts.items()]


def _as_text(samples: pa.RecordBatch, row: int) -> str:
    one = samples.slice(row, 1).to_pylist()[0]
    shown = one["text"] if one["text"] is not None else one["value"]
    return f"{shown} {one['unit'] or ''} @ {one['time'].isoformat()}".replace("  ", " ")
