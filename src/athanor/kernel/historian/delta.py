"""Delta tables whose Parquet files we write ourselves, so that their layout is ours, and any engine reads them.

Each change is one commit: files come and go together or not at all. One process writes a table; any number read it.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from athanor.kernel.historian.port import HistorianFullError, moment
from athanor.kernel.historian.store import Store

_log = structlog.get_logger(__name__)

_KEPT_FOR_READERS_H = 1  # a file that was replaced, for those who are reading it


def _whole(writer: pq.ParquetWriter, table: pa.Table) -> None:
    writer.write_table(table)


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What a table is, and how its files are written."""

    name: str
    schema: pa.Schema  # of the files
    partition_by: pa.Schema  # columns that are folders and not in the files
    bounded: Sequence[str]  # columns whose least and greatest value are noted of each file
    writer_options: Mapping[str, object] = field(default_factory=dict)  # of pq.ParquetWriter
    write: Callable[[pq.ParquetWriter, pa.Table], None] = _whole  # appends a table that is not empty

    @property
    def columns(self) -> pa.Schema:
        """The table's columns, as its readers see them."""
        return pa.schema([*self.schema, *self.partition_by])


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be added: its rows come table by table, so that it may be larger than memory."""

    stem: str  # what the name begins with
    partition: Mapping[str, object]
    tables: Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the table, and what the table's log says of it."""

    name: str
    size: int  # [B]
    rows: int
    partition: Mapping[str, object]
    least: Mapping[str, object]  # by bounded column; times are aware
    greatest: Mapping[str, object]


class DeltaFiles:
    """One Delta table in one store."""

    def __init__(self, store: Store, layout: TableLayout) -> None:
        """Open or create the table. Raises OSError, DeltaError."""
        self.store = store
        self._layout = layout
        options = dict(store.options)
        if not DeltaTable.is_deltatable(store.url, options):
            columns, partition_by = layout.columns, layout.partition_by.names
            DeltaTable.create(
                store.url, columns, partition_by=partition_by, name=layout.name, storage_options=options or None
            )
        self._table = DeltaTable(store.url, storage_options=options)
        self._files = self._listed()
        self._committing = threading.Lock()
        self._retired: list[tuple[float, str]] = []  # and until when, by the monotonic clock

    @property
    def files(self) -> Mapping[str, DataFile]:
        """Every file of the table, by name; another mapping after each change."""
        return self._files

    def noted(self, application: str) -> int | None:
        """The number that the last change with a note of this application carried."""
        version = self._table.transaction_version(application)
        return None if version is None else int(version)

    def change(
        self,
        *,
        add: Iterable[NewFile] = (),
        remove: Sequence[str] = (),
        data_change: bool = True,
        notes: Mapping[str, int] | None = None,
    ) -> None:
        """Add files and remove others (by name), all or none, durable on return.

        `data_change` is false where the rows stay the same, as when small files become a large one: those who follow
        the table then need not read them again. A file without rows is not added. What is removed stays in the store
        for an hour, for those who are reading it. Raises HistorianFullError, leaving the table as it was.
        """
        added: list[AddAction] = []
        try:
            removed = [self._removal(self._files[name], data_change=data_change) for name in remove]
            for file in add:
                added += self._written(file, data_change=data_change)
            if not (added or removed or notes):
                return
            with self._committing:
                self._commit([*added, *removed], [Transaction(*note) for note in (notes or {}).items()])
        except BaseException as error:
            self.store.remove(action.path for action in added)
            if isinstance(error, OSError | DeltaError):
                raise HistorianFullError(self.store.url, error) from error
            raise
        until = time.monotonic() + 3600 * _KEPT_FOR_READERS_H
        self._retired += [(until, name) for name in remove]
        self.settle()  # from here on the files belong to the table, whatever fails

    def settle(self) -> None:
        """Make the last commit durable and known. What was committed may be forgotten elsewhere only after this.

        Raises HistorianFullError; then do it again.
        """
        try:
            with self._committing:
                self._table.update_incremental()
                self.store.make_durable(_log_entry(self._table.version()))
                self._files = self._listed()
        except (OSError, DeltaError) as error:
            raise HistorianFullError(self.store.url, error) from error

    def remove_unlisted(self) -> None:
        """Remove files that a crash left behind before they were in the table, or whose hour is over.

        For the one process that writes the table, before it does.
        """
        unlisted = {name for name in self.store.names() if _is_data(name)} - self._files.keys()
        replaced = self._removed_for(hours=0) - self._removed_for(hours=_KEPT_FOR_READERS_H)
        until = time.monotonic() + 3600 * _KEPT_FOR_READERS_H
        self._retired += [(until, name) for name in sorted(unlisted & replaced)]
        for name in sorted(unlisted - replaced):
            _log.info("lake.unlisted-file-removed", place=self.store.place(name))
        self.store.remove(unlisted - replaced)

    def remove_retired(self) -> list[str]:
        """Remove from the store the replaced files whose hour is over; returns which. Raises OSError."""
        now = time.monotonic()
        gone = [name for until, name in self._retired if until <= now]
        self.store.remove(gone)
        self._retired = [(until, name) for until, name in self._retired if until > now]
        return gone

    def _removed_for(self, *, hours: int) -> set[str]:
        """Files that left the table so long ago, as its log tells."""
        return set(self._table.vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False))

    def _commit(self, actions: list[AddAction | RemoveAction], transactions: list[Transaction]) -> None:
        """Raises only where nothing was committed, so that whoever calls may take back what it wrote."""
        before = self._table.version()
        try:
            self._table.create_write_transaction(
                actions,
                mode="append",
                schema=self._layout.columns,
                partition_by=self._layout.partition_by.names,
                commit_properties=CommitProperties(app_transactions=transactions),
            )
        except (OSError, DeltaError) as error:
            if not self.store.exists(_log_entry(before + 1)):
                raise
            _log.warning("lake.tidying-failed", reason=str(error))  # what follows a commit, such as a checkpoint

    def _written(self, file: NewFile, *, data_change: bool) -> list[AddAction]:
        """Write a file; returns what the log is to say of it, nothing where the file would have no rows."""
        filled = (table for table in file.tables if table.num_rows)
        first = next(filled, None)
        if first is None:
            return []
        folders = "".join(f"{column}={_said(value)}/" for column, value in file.partition.items())
        name = f"{folders}{file.stem}-{uuid.uuid4().hex[:12]}.parquet"
        bounds = _Bounds(self._layout.bounded)
        layout = self._layout
        with self.store.create(name) as target:
            with pq.ParquetWriter(target, layout.schema, **layout.writer_options) as writer:
                table: pa.Table | None = first
                while table is not None:
                    bounds.take_in(table)
                    layout.write(writer, table)
                    table = next(filled, None)
            size = target.tell()
        partition = {column: _said(value) for column, value in file.partition.items()}
        return [AddAction(name, size, partition, int(time.time() * 1000), data_change, bounds.statistics())]

    def _removal(self, file: DataFile, *, data_change: bool) -> RemoveAction:
        return RemoveAction(
            file.name,
            data_change=data_change,
            deletion_timestamp=int(time.time() * 1000),
            partition_values={column: _said(value) for column, value in file.partition.items()},
        )

    def _listed(self) -> Mapping[str, DataFile]:
        actions = pa.table(self._table.get_add_actions(flatten=True)).to_pylist()
        return {str(action["path"]): self._described(action) for action in actions}

    def _described(self, action: Mapping[str, object]) -> DataFile:
        bounded = self._layout.bounded
        return DataFile(
            name=str(action["path"]),
            size=int(action["size_bytes"]),  # type: ignore[call-overload]
            rows=int(action["num_records"]),  # type: ignore[call-overload]
            partition={column: action[f"partition.{column}"] for column in self._layout.partition_by.names},
            least={column: action[f"min.{column}"] for column in bounded},
            greatest={column: action[f"max.{column}"] for column in bounded},
        )


class _Bounds:
    """Row count, least and greatest values of a file while it is written."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._rows = 0
        self._nulls = dict.fromkeys(columns, 0)
        self._least: dict[str, object] = {}
        self._greatest: dict[str, object] = {}

    def take_in(self, table: pa.Table) -> None:
        self._rows += table.num_rows
        for column in self._nulls:
            self._nulls[column] += table[column].null_count
            both = pc.min_max(_comparable(table[column])).as_py()
            if both["min"] is not None:
                self._least[column] = min(both["min"], self._least.get(column, both["min"]))
                self._greatest[column] = max(both["max"], self._greatest.get(column, both["max"]))
        self._types = {column: table.schema.field(column).type for column in self._nulls}

    def statistics(self) -> str:
        """Delta's per-file statistics (JSON)."""

        def shown(values: Mapping[str, object]) -> Mapping[str, object]:
            return {column: _shown(value, self._types[column]) for column, value in values.items()}

        return json.dumps(
            {
                "numRecords": self._rows,
                "minValues": shown(self._least),
                "maxValues": shown(self._greatest),
                "nullCount": self._nulls,
            }
        )


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as whole microseconds, which no float rounds."""
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _shown(value: object, kind: pa.DataType) -> object:
    """A value as Delta's statistics have it."""
    if pa.types.is_timestamp(kind):
        return moment(int(value)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # type: ignore[call-overload]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _said(value: object) -> str:
    """A partition's value as Delta's log and the folder's name have it."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _log_entry(version: int) -> str:
    return f"_delta_log/{version:020d}.json"


def _is_data(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith("_")
