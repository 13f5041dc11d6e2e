"""Sealed samples: the Delta Lake table `samples` of Parquet files in a local folder, partitioned by UTC day.

The table is plain Delta: DuckDB, Polars, Spark or Trino read it without Athanor. A file's name begins with its order
in the historian's one counter, so that of two samples with the same tag and time the later written one is known.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import structlog
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from athanor.kernel.historian.layout import SEALED, WRITER_OPTIONS, write_row_groups
from athanor.kernel.historian.port import HistorianFullError, Span, microseconds, moment
from athanor.kernel.plant.running import RunningPlant

_log = structlog.get_logger(__name__)

_TABLE = pa.schema([*SEALED, pa.field("day", pa.date32(), nullable=False)])
TAGS = pa.schema(
    [pa.field("id", pa.int32(), nullable=False)]
    + [pa.field(name, pa.string()) for name in ("path", "unit", "kind", "tenant", "name_en", "name_zh_CN")]
)
_KEPT_FOR_READERS_S = 3600.0
_SEALED_BY = "athanor.hot"  # the Delta application id under which the last sealed generation is noted


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One Parquet file of the table, and what its statistics say of it."""

    path: Path
    order: int
    day: date
    rows: int
    first_us: int
    last_us: int
    first_tag: int
    last_tag: int

    def may_hold(self, tags: np.ndarray, span: Span) -> bool:
        """False when the statistics rule out any sample of these tags (sorted) in the span."""
        in_time = self.first_us < span.end_us and self.last_us >= span.start_us
        return in_time and bool(np.searchsorted(tags, self.first_tag) < np.searchsorted(tags, self.last_tag, "right"))


class Lake:
    """The Delta table of sealed samples in one local folder. One process writes it; any number read it."""

    def __init__(self, folder: Path) -> None:
        """Open or create the table `samples` in a folder."""
        self.folder = folder / "samples"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not DeltaTable.is_deltatable(str(self.folder)):
            DeltaTable.create(str(self.folder), schema=_TABLE, partition_by=["day"], name="samples")
        self._table = DeltaTable(str(self.folder))
        self._files = self._listed()
        self._committing = threading.Lock()
        self._retired: list[tuple[float, Path]] = []  # and until when, by the monotonic clock

    @property
    def files(self) -> tuple[SealedFile, ...]:
        """Every file of the table, by order."""
        return self._files

    @property
    def next_order(self) -> int:
        """Above the order of every file, and of every generation that was ever sealed."""
        return max([self.sealed_order, 0, *(file.order for file in self._files)]) + 1

    @property
    def sealed_order(self) -> int:
        """The order of the last generation that was sealed into the table; -1 before the first."""
        version = self._table.transaction_version(_SEALED_BY)
        return -1 if version is None else int(version)

    def candidates(self, tags: np.ndarray, span: Span) -> list[SealedFile]:
        """The files that may hold samples of these tags (sorted) in the span, by order."""
        return [file for file in self._files if file.may_hold(tags, span)]

    def add(self, days: Iterable[tuple[date, Iterable[pa.Table]]], *, order: int, is_generation: bool) -> None:
        """Add a file for each day, all or none, durable on return.

        Each day comes as sorted tables (SEALED), tags ascending from one to the next and none in two of them.
        Raises HistorianFullError, leaving the table as it was.
        """
        self._change(days, order, [], [Transaction(_SEALED_BY, order)] if is_generation else [])

    def replace(self, files: Sequence[SealedFile], tables: Iterable[pa.Table]) -> None:
        """Put one file in the place of some of one day, in one commit, durable on return.

        `tables` hold all that the files do, sorted as for `add`. The files stay on the disk for an hour, for those who
        are reading them. Raises HistorianFullError, leaving the table as it was.
        """
        now_ms = int(time.time() * 1000)
        removed = [
            RemoveAction(
                str(file.path.relative_to(self.folder)),
                data_change=False,
                deletion_timestamp=now_ms,
                partition_values={"day": file.day.isoformat()},
            )
            for file in files
        ]
        self._change([(files[0].day, tables)], max(file.order for file in files), removed, [])
        self._retired += [(time.monotonic() + _KEPT_FOR_READERS_S, file.path) for file in files]

    def remove_retired(self) -> list[Path]:
        """Remove from the disk the replaced files whose hour is over; returns which."""
        now = time.monotonic()
        gone = [path for until, path in self._retired if until <= now]
        self._retired = [(until, path) for until, path in self._retired if until > now]
        for path in gone:
            path.unlink(missing_ok=True)
        return gone

    def _change(
        self,
        days: Iterable[tuple[date, Iterable[pa.Table]]],
        order: int,
        removed: list[RemoveAction],
        transactions: list[Transaction],
    ) -> None:
        added: list[AddAction] = []
        try:
            for day, tables in days:
                if (action := self._write(day, tables, order, is_new=not removed)) is not None:
                    added.append(action)
            with self._committing:
                self._commit([*added, *removed], transactions)
        except BaseException as error:
            for action in added:
                (self.folder / action.path).unlink(missing_ok=True)
            if isinstance(error, OSError | DeltaError):
                raise HistorianFullError(self.folder, error) from error
            raise
        self.settle()  # from here on the files belong to the table, whatever fails

    def settle(self) -> None:
        """Make the last commit durable and known. What was committed may be forgotten elsewhere only after this.

        Raises HistorianFullError; then do it again.
        """
        try:
            with self._committing:
                self._table.update_incremental()
                _make_durable(self.folder / "_delta_log" / f"{self._table.version():020d}.json")
                self._files = self._listed()
        except (OSError, DeltaError) as error:
            raise HistorianFullError(self.folder, error) from error

    def remove_unlisted(self) -> None:
        """Remove files that a crash left behind before they were in the table. For the one process that writes it."""
        listed = {file.path for file in self._files}
        for path in self.folder.glob("day=*/*.parquet"):
            if path not in listed:
                _log.info("lake.unfinished-file-removed", path=str(path))
                path.unlink(missing_ok=True)

    def _commit(self, actions: list[AddAction | RemoveAction], transactions: list[Transaction]) -> None:
        """Raises only where nothing was committed, so that whoever calls may take back what it wrote."""
        before = self._table.version()
        try:
            self._table.create_write_transaction(
                actions,
                mode="append",
                schema=_TABLE,
                partition_by=["day"],
                commit_properties=CommitProperties(app_transactions=transactions),
            )
        except (OSError, DeltaError) as error:
            if not (self.folder / "_delta_log" / f"{before + 1:020d}.json").exists():
                raise
            _log.warning("lake.tidying-failed", reason=str(error))  # what follows a commit, such as a checkpoint

    def _write(self, day: date, tables: Iterable[pa.Table], order: int, *, is_new: bool) -> AddAction | None:
        name = f"day={day.isoformat()}/{order:012d}-{uuid.uuid4().hex[:12]}.parquet"
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        bounds = _Bounds()
        with _removed_on_failure(path), pq.ParquetWriter(path, SEALED, **WRITER_OPTIONS) as writer:
            for table in tables:
                if table.num_rows:
                    bounds.take_in(table)
                    write_row_groups(writer, table)
        if bounds.rows == 0:
            path.unlink()
            return None
        _make_durable(path, self.folder)
        size, changed_ms = path.stat().st_size, path.stat().st_mtime_ns // 1_000_000
        return AddAction(name, size, {"day": day.isoformat()}, changed_ms, is_new, bounds.statistics())

    def _listed(self) -> tuple[SealedFile, ...]:
        actions = pa.table(self._table.get_add_actions(flatten=True)).to_pylist()
        return tuple(sorted((self._described(action) for action in actions), key=lambda file: (file.order, file.day)))

    def _described(self, action: dict[str, object]) -> SealedFile:
        path = str(action["path"])
        return SealedFile(
            path=self.folder / path,
            order=int(Path(path).name.split("-")[0]),
            day=action["partition.day"],  # type: ignore[arg-type]
            rows=int(action["num_records"]),  # type: ignore[call-overload]
            first_us=microseconds(action["min.time"]),  # type: ignore[arg-type]
            last_us=microseconds(action["max.time"]),  # type: ignore[arg-type]
            first_tag=int(action["min.tag"]),  # type: ignore[call-overload]
            last_tag=int(action["max.tag"]),  # type: ignore[call-overload]
        )


def publish_tags(folder: Path, plant: RunningPlant) -> None:
    """Write the lake's table `tags`, by which others read ids: id, path, unit, kind, tenant and names.

    Raises HistorianFullError.
    """
    model = plant.model
    rows = [
        {
            "id": int(tag_id),
            "path": path,
            "unit": model.tags[path].unit,
            "kind": model.tags[path].kind.value,
            "tenant": model.tenant_of(path).id,
            "name_en": model.tags[path].name.get("en"),
            "name_zh_CN": model.tags[path].name.get("zh_CN"),
        }
        for path, tag_id in sorted(plant.ids.items(), key=lambda item: item[1])
    ]
    table = pa.Table.from_pylist(rows, TAGS)
    place = folder / "tags"
    try:
        if DeltaTable.is_deltatable(str(place)) and DeltaTable(str(place)).to_pyarrow_table().equals(table):
            return
        write_deltalake(str(place), table, mode="overwrite")
    except (OSError, DeltaError) as error:
        raise HistorianFullError(place, error) from error


class _Bounds:
    """Row count, first and last tag and time of a file while it is written."""

    def __init__(self) -> None:
        self.rows = 0
        self._tags: list[int] = []
        self._times: list[int] = []

    def take_in(self, table: pa.Table) -> None:
        tag, time = table["tag"].to_numpy(), table["time"].cast(pa.int64()).to_numpy()
        self.rows += len(tag)
        self._tags = [min([*self._tags, int(tag[0])]), max([*self._tags, int(tag[-1])])]
        self._times = [min([*self._times, int(time.min())]), max([*self._times, int(time.max())])]

    def statistics(self) -> str:
        """Delta's per-file statistics (JSON)."""
        first, last = (moment(us).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for us in self._times)
        return json.dumps(
            {
                "numRecords": self.rows,
                "minValues": {"tag": self._tags[0], "time": first},
                "maxValues": {"tag": self._tags[1], "time": last},
                "nullCount": {"tag": 0, "time": 0},
            }
        )


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _make_durable(path: Path, *above: Path) -> None:
    """Flush a file and the entries of folders for it to the disk, so that a power cut cannot take them back."""
    for place in (path, path.parent, *above):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
