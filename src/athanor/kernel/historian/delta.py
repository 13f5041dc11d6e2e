"""Delta tables whose Parquet files we write ourselves, so that their layout is ours, and any engine reads them.

Each change is one commit: files come and go together or not at all. One process writes a table; any number read it.
"""

import io
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
import structlog
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from athanor.kernel.historian.bounds import Bounds
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.setaside import SetAside, SetAsideNotes
from athanor.kernel.historian.store import Store, parquet_file, plain, reading

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


@dataclass(frozen=True, slots=True)
class _Retired:
    """A file that left the table and is still in the store."""

    name: str
    since: float  # by the monotonic clock
    size: int  # [B]


@dataclass(slots=True)
class _Commit:
    """A change on its way into the table's log."""

    added: list[AddAction] = field(default_factory=list)
    removed: list[RemoveAction] = field(default_factory=list)
    notes: Mapping[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)  # of files that were written for it, or begun
    entry: str = ""  # the name of its place in the log
    id: str = field(default_factory=lambda: uuid.uuid4().hex)  # by which it is known again there


class DeltaFiles:
    """One Delta table in one store."""

    def __init__(self, store: Store, layout: TableLayout) -> None:
        """Open or create the table. Raises OSError, DeltaError."""
        self.store = store
        self._layout = layout
        self._table = self._opened()
        self._files = self._listed()
        self._aside = SetAsideNotes(store)
        self._committing = threading.Lock()
        self._unsure: _Commit | None = None
        self._notes: dict[str, int | None] = {}
        self._retired: list[_Retired] = []

    @property
    def files(self) -> Mapping[str, DataFile]:
        """Every file of the table, by name; another mapping after each change."""
        return self._files

    def noted(self, application: str) -> int | None:
        """The number that the last change with a note of this application carried. Raises HistorianFullError."""
        if self._unsure is not None:
            self.settle()
        if application not in self._notes:  # the log is read for it
            version = self._table.transaction_version(application)
            self._notes[application] = None if version is None else int(version)
        return self._notes[application]

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
        for an hour, for those who are reading it. Raises HistorianFullError, LakeTakenError, leaving the table as it
        was; where the store fell silent in the middle, whether it did is found out before the next change.
        """
        for name in self._aside.names.intersection(remove):  # what should have been set aside, and was put back
            self._aside.remove(name)
        commit = _Commit(notes=notes or {})
        commit.removed += [self._removal(self._files[name], data_change=data_change) for name in remove]
        try:
            for file in add:
                self._write(file, commit, data_change=data_change)
        except BaseException as error:
            self._take_back(commit)
            raise self._told(error) from error
        if commit.added or commit.removed or commit.notes:
            self._commit(commit)

    @property
    def aside(self) -> list[SetAside]:
        """The files that are set aside. Raises OSError."""
        return [self._aside.read(name) for name in sorted(self._aside.names - self._files.keys())]

    def set_aside(self, name: str, reason: str) -> None:
        """Take a damaged file out of the table; it stays in the store, with a note. Raises HistorianFullError."""
        file = self._files[name]
        try:
            self._aside.add(name, reason, rows=file.rows, least=file.least, greatest=file.greatest)
        except OSError as error:
            raise self._told(error) from error
        self._commit(_Commit(removed=[self._removal(file, data_change=True)]))

    def put_back(self, name: str) -> None:
        """Take a file that was set aside, and is whole again, back into the table.

        Raises DamagedFileError, LakeUnreachableError, HistorianFullError.
        """
        bounds, size = Bounds(self._layout.bounded), 0
        with reading(self.store.place(name)):
            with self.store.open(name) as content:
                size = content.seek(0, io.SEEK_END)
            file = parquet_file(self.store, name)
            for group in range(file.num_row_groups):
                bounds.take_in(file.read_row_group(group))
        partition = dict(part.split("=", 1) for part in PurePosixPath(name).parts[:-1])
        now_ms = int(time.time() * 1000)
        self._commit(_Commit(added=[AddAction(name, size, partition, now_ms, True, bounds.statistics())]))  # noqa: FBT003
        try:
            self._aside.remove(name)
        except OSError as error:  # a note of a file that is in the table counts for nothing
            _log.warning("lake.note-left-over", file=name, reason=plain(error))

    def settle(self) -> None:
        """Make the last commit durable and known. What was committed may be forgotten elsewhere only after this.

        Raises HistorianFullError; then do it again.
        """
        with self._committing:
            self._take_note()

    def _take_note(self) -> None:
        try:
            self._found_out()
            self._table.update_incremental()
            self.store.make_durable(_log_entry(self._table.version()))
            self._files = self._listed()
        except (OSError, DeltaError) as error:
            raise self._told(error) from error

    def remove_unlisted(self) -> None:
        """Remove files that a crash left behind before they were in the table, or whose hour is over.

        For the one process that writes the table, before it does. Raises OSError, DeltaError, HistorianFullError.
        """
        if self.store.is_remote:
            self._commit(_Commit())  # what a former process sent last, and is still on its way, finds its place taken
        unlisted = {name for name in self.store.names() if _is_data(name)} - self._files.keys() - self._aside.names
        if not unlisted:
            return
        replaced = self._removed_for(hours=0) - self._removed_for(hours=_KEPT_FOR_READERS_H)
        self._retire(unlisted & replaced)
        for name in sorted(unlisted - replaced):
            _log.info("lake.unlisted-file-removed", place=self.store.place(name))
        self.store.remove(unlisted - replaced)

    def remove_retired(self, kept_for_s: float | None = None) -> list[str]:
        """Remove from the store the files that were replaced an hour ago, or so long; returns which. Raises OSError."""
        until = time.monotonic() - (3600 * _KEPT_FOR_READERS_H if kept_for_s is None else kept_for_s)
        gone = [one.name for one in self._retired if one.since <= until]
        self.store.remove(gone)
        self._retired = [one for one in self._retired if one.since > until]
        return gone

    @property
    def retired_bytes(self) -> int:
        """What those take that were replaced, as far as it is known."""
        return sum(one.size for one in self._retired)

    def _removed_for(self, *, hours: int) -> set[str]:
        """Files that left the table so long ago, as its log tells."""
        return set(self._table.vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False))

    def _opened(self) -> DeltaTable:
        options = dict(self.store.options)
        try:
            return DeltaTable(self.store.url, storage_options=options)
        except TableNotFoundError:
            if any(_is_data(name) for name in self.store.names()):  # which a new table would not know, and lose
                raise OSError(f"{self.store.url} has files and no _delta_log that tells which of them count") from None
        layout = self._layout
        return DeltaTable.create(
            self.store.url,
            layout.columns,
            partition_by=layout.partition_by.names,
            name=layout.name,
            storage_options=options,
        )

    def _commit(self, commit: "_Commit") -> None:
        """Commit, and take back what was written for it where it did not come to pass."""
        with self._committing:
            try:
                self._found_out()
                self.store.check_claim()
            except BaseException as error:
                self._take_back(commit)
                raise self._told(error) from error
            self._unsure = commit
            try:
                self._send(commit)
            except (OSError, DeltaError) as error:
                if not self._came_to_pass():
                    raise self._told(error) from error
                # The answer was lost, or what follows a commit failed, such as a checkpoint.
                _log.warning("lake.committed-with-trouble", reason=plain(error))
            self._unsure = None
            self._notes |= commit.notes
            self._retire(action.path for action in commit.removed if action.path not in self._aside.names)
            # From here on the files belong to the table, whatever fails. Whoever commits next does so on this version.
            self._take_note()

    def _send(self, commit: "_Commit") -> None:
        """Commit on the version that is known, and on no later one: others that write are not to go unnoticed."""
        commit.entry = _log_entry(self._table.version() + 1)
        self._table.create_write_transaction(
            [*commit.added, *commit.removed],
            mode="append",
            schema=self._layout.columns,
            partition_by=self._layout.partition_by.names,
            commit_properties=CommitProperties(
                custom_metadata={"change": commit.id},
                max_commit_retries=0,
                app_transactions=[Transaction(*note) for note in commit.notes.items()],
            ),
        )

    def _came_to_pass(self) -> bool:
        """What became of a commit that failed; false too where that cannot be told yet."""
        try:
            return self._found_out()
        except (OSError, DeltaError) as error:
            _log.warning("lake.commit-unsure", place=self.store.url, reason=plain(error))
            return False

    def _found_out(self) -> bool:
        """Whether the commit that was cut off, if one was, came to pass; else it never will, and leaves nothing.

        Raises OSError, DeltaError where that cannot be told yet.
        """
        commit = self._unsure
        if commit is None:
            return True
        is_there = self._is_logged(commit)
        if not is_there:
            self._take_back(commit)
        self._table.update_incremental()
        self._notes.clear()
        self._unsure = None
        return is_there

    def _is_logged(self, commit: "_Commit") -> bool:
        """Whether a commit is in the table's log."""
        if self.store.is_remote and not self.store.exists(commit.entry):
            with suppress(DeltaError):  # the request may still be on its way: an empty commit takes its place
                self._send(_Commit())
        elif not self.store.exists(commit.entry):
            return False
        with self.store.open(commit.entry) as entry:
            return commit.id.encode() in entry.read()

    def _take_back(self, commit: "_Commit") -> None:
        """Remove the files that were written for a commit which never will be."""
        try:
            self.store.remove(commit.names)
        except OSError as error:
            _log.warning("lake.files-left-over", place=self.store.url, files=len(commit.names), reason=str(error))
        if self.store.is_remote:  # once more when nothing can be on its way any more
            self._retire(commit.names)

    def _retire(self, names: Iterable[str]) -> None:
        since = time.monotonic()
        self._retired += [_Retired(name, since, self._files[name].size if name in self._files else 0) for name in names]

    def _told(self, error: BaseException) -> BaseException:
        """An error as whoever asked for a change is to hear it."""
        is_ours = isinstance(error, OSError | DeltaError)
        return HistorianFullError(self.store.url, plain(error)) if is_ours else error

    def _write(self, file: NewFile, commit: "_Commit", *, data_change: bool) -> None:
        """Write a file for a commit, none where it would have no rows."""
        filled = (table for table in file.tables if table.num_rows)
        first = next(filled, None)
        if first is None:
            return
        folders = "".join(f"{column}={_said(value)}/" for column, value in file.partition.items())
        name = f"{folders}{file.stem}-{uuid.uuid4().hex[:12]}.parquet"
        bounds = Bounds(self._layout.bounded)
        layout = self._layout
        commit.names.append(name)
        with self.store.create(name) as target:
            with pq.ParquetWriter(target, layout.schema, **layout.writer_options) as writer:
                table: pa.Table | None = first
                while table is not None:
                    bounds.take_in(table)
                    layout.write(writer, table)
                    table = next(filled, None)
            size = target.tell()
        partition = {column: _said(value) for column, value in file.partition.items()}
        written_ms = int(time.time() * 1000)
        commit.added.append(AddAction(name, size, partition, written_ms, data_change, bounds.statistics()))

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


def _said(value: object) -> str:
    """A partition's value as Delta's log and the folder's name have it."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _log_entry(version: int) -> str:
    return f"_delta_log/{version:020d}.json"


def _is_data(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith("_")
