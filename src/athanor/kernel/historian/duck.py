"""The hot tail: samples since the last seal, in one DuckDB file. Embedded: for one plant, development and tests.

Samples are appended to a *generation*, a table of its own. A full or old generation is closed, sealed into the lake
by someone else and then dropped whole, which costs nothing, while the next one takes what comes in. Generations and
the lake's files draw their order from one counter, so that of two samples with the same tag and time the later
written one is known.
"""

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import structlog

from athanor.kernel.historian.layout import one_per_tag_and_time
from athanor.kernel.historian.port import STORED, HistorianFullError

_log = structlog.get_logger(__name__)

_COLUMNS = "tag INTEGER NOT NULL, time TIMESTAMP NOT NULL, value DOUBLE, text VARCHAR, quality UTINYINT NOT NULL"
_PLAIN = pa.schema([field if field.name != "time" else pa.field("time", pa.timestamp("us")) for field in STORED])
RESERVE_MB = 64  # left free on the disk: DuckDB gives its file up when a checkpoint finds no room
GIVEN_UP = (duckdb.FatalException, duckdb.ConnectionException)  # by DuckDB, until the file is opened anew
_NO_ROOM = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException)
_LET_GO_WITHIN_S = 5.0
_SLICE_ROWS = 500_000  # rows sorted at a time while sealing: bounds memory and leaves the cores to others in between


@dataclass(frozen=True, slots=True)
class Generation:
    """One table of the hot tail."""

    order: int
    opened_at: float  # monotonic seconds of this process
    rows: int

    @property
    def table(self) -> str:
        return f"samples_{self.order}"


class DuckTail:
    """The open generations of the hot tail. One writer at a time; readers use `cursor()`, any number of them."""

    def __init__(self, path: Path, *, memory_mb: int, next_order: int, reserve_mb: int = RESERVE_MB) -> None:
        """Open or create the file. `next_order` is above every order that the lake holds."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": 2,
        }
        self._reserve_bytes = reserve_mb * 1024**2
        self._lock = threading.Lock()
        self._db = self._connected()
        self._db.execute(f"CREATE TABLE IF NOT EXISTS latest ({_COLUMNS}, written BIGINT NOT NULL, PRIMARY KEY (tag))")
        self._generations = self._found()
        self._next_order = max([next_order, *(generation.order + 1 for generation in self._generations)])
        if not self._generations:
            self.roll()

    @property
    def generations(self) -> tuple[Generation, ...]:
        """Oldest first; the last one takes the writes."""
        return tuple(self._generations)

    @property
    def current(self) -> Generation:
        return self._generations[-1]

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own onto the same database, for one thread."""
        return self._db.cursor()

    def append(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Store batches (STORED) in one transaction, durable on return. Raises HistorianFullError."""
        rows = pa.Table.from_batches([_without_zone(batch) for batch in batches])
        with self._storing(), self._named("incoming", rows):
            self._check_room()
            current = self.current
            self._db.execute(f"INSERT INTO {current.table} SELECT * FROM incoming")  # noqa: S608 our own name
            self._generations[-1] = Generation(current.order, current.opened_at, current.rows + len(rows))

    def roll(self) -> int:
        """Open a new generation for the writes to come; returns an order between the old and the new.

        Raises HistorianFullError.
        """
        with self._storing():
            between, order = self._next_order, self._next_order + 1
            self._next_order = order + 1
            self._db.execute(f"CREATE TABLE samples_{order} ({_COLUMNS})")
            self._generations.append(Generation(order, time.monotonic(), 0))
            return between

    def days(self, generation: Generation) -> list[date]:
        """The UTC days that a generation has samples of."""
        query = f"SELECT DISTINCT time::DATE AS day FROM {generation.table} ORDER BY day"  # noqa: S608
        return [day for (day,) in self.cursor().execute(query).fetchall()]

    def sorted_slices(self, generation: Generation, day: date) -> Iterator[pa.Table]:
        """A day of a closed generation by tag, then time, one row for each pair (the later wins), a slice at a time."""
        cursor = self.cursor()
        table = generation.table
        counts = cursor.execute(
            f"SELECT tag, count(*) FROM {table} WHERE time::DATE = ? GROUP BY tag ORDER BY tag",  # noqa: S608
            [day],
        ).fetchall()
        for first, last in _slices(counts):
            rows = cursor.sql(
                f"SELECT * FROM {table} WHERE time::DATE = ? AND tag BETWEEN ? AND ? ORDER BY tag, time, rowid",  # noqa: S608
                params=[day, first, last],
            ).to_arrow_table()
            yield one_per_tag_and_time(with_zone(rows))

    def forget(self, generation: Generation) -> None:
        """Drop a sealed generation; what was newest in it stays known to `latest`. All or nothing.

        Raises HistorianFullError.
        """
        with self._storing():
            self._db.execute("BEGIN")
            try:
                self._keep_latest(generation.table, "rowid", generation.order)
                self._db.execute(f"DROP TABLE {generation.table}")
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            self._generations = [other for other in self._generations if other.order != generation.order]

    def note_latest(self, rows: pa.Table, *, order: int) -> None:
        """Make known to `latest` the newest of samples (STORED, sorted) that went straight to the lake.

        Raises HistorianFullError.
        """
        with self._storing(), self._named("imported", _without_zone(rows)):
            self._keep_latest("imported", "0", order)

    def latest(self) -> pa.Table:
        """The newest sample of every tag, sealed ones included."""
        parts = ["SELECT *, 0 AS row FROM latest"]
        parts += [f"SELECT *, {g.order}, rowid FROM {g.table}" for g in self.generations if g.rows]  # noqa: S608
        newest = _newest_of(f"({' UNION ALL '.join(parts)})", tie_break="written, row")
        with self.cursor() as cursor:
            query = f"SELECT * FROM {newest} ORDER BY tag"  # noqa: S608 names are our own
            return with_zone(cursor.sql(query).to_arrow_table())

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def revive(self) -> None:
        """Open the file anew where DuckDB has given it up; what was durable is there again. Else do nothing."""
        with self._lock:
            try:
                self._db.execute("SELECT 1")
            except GIVEN_UP:
                self._open_again()

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """The writer's turn; a disk that is full becomes HistorianFullError and leaves a database that answers."""
        with self._lock:
            try:
                yield
            except GIVEN_UP as error:
                self._open_again()
                raise HistorianFullError(self.path, error) from error
            except _NO_ROOM as error:
                raise HistorianFullError(self.path, error) from error

    @contextmanager
    def _named(self, name: str, rows: pa.RecordBatch | pa.Table) -> Iterator[None]:
        """Rows under a name that SQL can say."""
        database = self._db
        database.register(name, rows)
        try:
            yield
        finally:
            database.unregister(name)

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if free < self._reserve_bytes:
            raise HistorianFullError(self.path, f"the disk has {free >> 20} MB left")

    def _connected(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(str(self.path), config=self._config)
        database.execute("SET TimeZone = 'UTC'")
        database.execute("SET parquet_metadata_cache = true")
        return database

    def _open_again(self) -> None:
        _log.warning("historian.opened-again", path=str(self.path))
        self._let_go()
        self._db = self._connected()
        self._generations = self._found()

    def _let_go(self) -> None:
        """Close the connection; DuckDB refuses while another thread is just making a cursor of it."""
        deadline = time.monotonic() + _LET_GO_WITHIN_S
        while True:
            try:
                self._db.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)
            else:
                return

    def _roll_back(self) -> None:
        """End a transaction that failed, unless DuckDB has ended it."""
        with suppress(duckdb.Error):
            self._db.execute("ROLLBACK")

    def _found(self) -> list[Generation]:
        return [Generation(order, time.monotonic(), self._count(order)) for order in self._orders()]

    def _keep_latest(self, table: str, tie_break: str, order: int) -> None:
        self._db.execute(f"""
            INSERT INTO latest SELECT *, {order} FROM {_newest_of(table, tie_break)}
            ON CONFLICT (tag) DO UPDATE SET time = excluded.time, value = excluded.value,
                text = excluded.text, quality = excluded.quality, written = excluded.written
            WHERE (excluded.time, excluded.written) >= (latest.time, latest.written)
        """)  # noqa: S608 names are our own

    def _orders(self) -> list[int]:
        query = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'samples\\_%' ESCAPE '\\'"
        return sorted(int(name.removeprefix("samples_")) for (name,) in self._db.execute(query).fetchall())

    def _count(self, order: int) -> int:
        ((rows,),) = self._db.execute(f"SELECT count(*) FROM samples_{order}").fetchall()  # noqa: S608
        return int(rows)


def with_zone(table: pa.Table) -> pa.Table:
    """DuckDB's naive UTC times as aware ones, and exactly the columns of STORED."""
    return table.select(STORED.names).cast(STORED)


def naive_utc(moment: datetime) -> datetime:
    """An aware time as DuckDB's TIMESTAMP columns want it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _without_zone(rows: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
    return rows.cast(_PLAIN)


def _newest_of(table: str, tie_break: str) -> str:
    """A subquery: of each tag the newest row, and of equal times the later written.

    A null never wins in arg_max, hence the struct that is never null itself.
    """
    return f"""(
        SELECT tag, newest.time, newest.value, newest.text, newest.quality FROM (
            SELECT tag, arg_max(
                {{time: time, value: value, text: text, quality: quality}}, (time, {tie_break})
            ) AS newest
            FROM {table} GROUP BY tag)
    )"""  # noqa: S608 names are our own


def _slices(counts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """First and last tag of runs of tags that together have about _SLICE_ROWS rows."""
    first: int | None = None
    rows = 0
    for tag, count in counts:
        first = tag if first is None else first
        rows += count
        if rows >= _SLICE_ROWS or tag == counts[-1][0]:
            yield first, tag
            first, rows = None, 0
