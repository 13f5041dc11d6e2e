"""Sealed samples: the Delta Lake table `samples` of Parquet files, partitioned by UTC day.

The table is plain Delta: DuckDB, Polars, Spark or Trino read it without Athanor. A file's name begins with its order
in the historian's one counter, so that of two samples with the same tag and time the later written one is known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import structlog
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.delta import DataFile, DeltaFiles, NewFile, TableLayout
from athanor.kernel.historian.layout import SEALED, WRITER_OPTIONS, write_row_groups
from athanor.kernel.historian.port import (
    DamagedFileError,
    HistorianFullError,
    NotDamagedError,
    Span,
    microseconds,
)
from athanor.kernel.historian.sealed import SealedReader
from athanor.kernel.historian.setaside import SetAside
from athanor.kernel.historian.store import Store
from athanor.kernel.plant.running import RunningPlant

_log = structlog.get_logger(__name__)

SAMPLES = TableLayout(
    name="samples",
    schema=SEALED,
    partition_by=pa.schema([pa.field("day", pa.date32(), nullable=False)]),
    bounded=("tag", "time"),
    writer_options=WRITER_OPTIONS,
    write=write_row_groups,
)
TAGS = pa.schema(
    [pa.field("id", pa.int32(), nullable=False)]
    + [pa.field(name, pa.string()) for name in ("path", "unit", "kind", "tenant", "name_en", "name_zh_CN")]
)
SEALED_BY = "athanor.hot"  # the Delta application id under which the last sealed generation is noted
_KEPT_BY = "athanor.kept"  # so for the last time that samples went whose rollups stay


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One Parquet file of the table, and what its statistics say of it."""

    name: str
    order: int
    day: date
    rows: int
    first_us: int
    last_us: int
    first_tag: int
    last_tag: int
    size: int = 0  # [B]


class Lake:
    """The Delta table of sealed samples in a store. One process writes it; any number read it."""

    def __init__(self, store: Store) -> None:
        """Open or create the table `samples` below the store's place. Raises OSError, DeltaError."""
        self.store = store.within("samples")
        self._table = DeltaFiles(self.store, SAMPLES)
        self._listing = self._new_listing()

    @property
    def files(self) -> tuple[SealedFile, ...]:
        """Every file of the table, by order."""
        return self._listed().files

    @property
    def next_order(self) -> int:
        """Above the order of every file, and of every generation that was ever sealed."""
        return max([self.sealed_order, 0, *(file.order for file in self.files)]) + 1

    @property
    def sealed_order(self) -> int:
        """The order of the last generation that was sealed into the table; -1 before the first."""
        order = self._table.noted(SEALED_BY)
        return -1 if order is None else order

    @property
    def kept_number(self) -> int:
        """Of the last time that samples went whose rollups stay, as counted by `kept`; 0 before the first."""
        return self._listed().kept_number

    def candidates(self, tags: np.ndarray, span: Span) -> list[SealedFile]:
        """The files that may hold samples of these tags (sorted) in the span, by order."""
        return self._listed().candidates(tags, span)

    def add(self, days: Iterable[tuple[date, Iterable[pa.Table]]], *, order: int, is_generation: bool) -> None:
        """Add a file for each day, all or none, durable on return.

        Each day comes as sorted tables (SEALED), tags ascending from one to the next and none in two of them.
        Raises HistorianFullError, leaving the table as it was.
        """
        self._table.change(
            add=(_new_file(day, tables, order) for day, tables in days),
            notes={SEALED_BY: order} if is_generation else {},
        )

    def replace(self, files: Sequence[SealedFile], tables: Iterable[pa.Table]) -> None:
        """Put one file with the same samples in the place of some of one day, in one commit, durable on return.

        `tables` are sorted as for `add`. The files stay in the store for an hour, for those who are reading them.
        Raises HistorianFullError, leaving the table as it was.
        """
        new = _new_file(files[0].day, tables, max(file.order for file in files))
        self._table.change(add=[new], remove=[file.name for file in files], data_change=False)

    def thin_out(self, files: Iterable[tuple[SealedFile, Iterable[pa.Table]]], *, kept_number: int | None) -> None:
        """Put others with less in them in the place of files, each of the same order, in one commit, durable on return.

        Each file comes with what stays of it, as sorted tables; it goes where that is nothing. `kept_number` is new
        where rollups stay of what goes. The files stay in the store for an hour, for those who are reading them.
        Raises HistorianFullError, leaving the table as it was.
        """
        listed = list(files)
        self._table.change(
            add=(_new_file(file.day, tables, file.order) for file, tables in listed),
            remove=[file.name for file, _ in listed],
            notes={} if kept_number is None else {_KEPT_BY: kept_number},
        )

    @property
    def aside(self) -> list[SetAside]:
        """The files that are set aside, and what is missing with them. Raises OSError."""
        return self._table.aside

    def set_aside(self, file: str) -> str:
        """Take a damaged file out of the table, so that queries go on without its samples; returns its name.

        Raises NotFoundError, NotDamagedError, LakeUnreachableError, HistorianFullError.
        """
        name = _named(file, self._table.files)
        try:
            SealedReader(self.store, name).check()
        except DamagedFileError as error:
            self._table.set_aside(name, error.reason)
            _log.error("historian.file-set-aside", file=name, reason=error.reason)
            return name
        raise NotDamagedError(self.store.place(name))

    def put_back(self, file: str) -> str:
        """Take a file that was set aside, and is whole again, back into the table; returns its name.

        Raises NotFoundError, DamagedFileError, LakeUnreachableError, HistorianFullError.
        """
        name = _named(file, [one.name for one in self._table.aside])
        self._table.put_back(name)
        _log.info("historian.file-put-back", file=name)
        return name

    def damaged(self) -> Iterator[DamagedFileError]:
        """What is wrong with each file that is not whole; all are read. Raises LakeUnreachableError."""
        for file in self.files:
            try:
                SealedReader(self.store, file.name).check()
            except DamagedFileError as error:
                yield error

    @property
    def retired_bytes(self) -> int:
        """See `DeltaFiles.retired_bytes`."""
        return self._table.retired_bytes

    def remove_retired(self, kept_for_s: float | None = None) -> list[str]:
        """See `DeltaFiles.remove_retired`."""
        return self._table.remove_retired(kept_for_s)

    def settle(self) -> None:
        """Make the last commit durable and known. What was committed may be forgotten elsewhere only after this.

        Raises HistorianFullError; then do it again.
        """
        self._table.settle()

    def remove_unlisted(self) -> None:
        """Remove files that a crash left behind. For the one process that writes the table, before it does."""
        self._table.remove_unlisted()

    def _listed(self) -> "_Listing":
        files = self._table.files
        if self._listing.source is not files:
            self._listing = self._new_listing()
        return self._listing

    def _new_listing(self) -> "_Listing":
        files = self._table.files  # first: what is noted is then of these files, or of later ones
        return _Listing(files, self._table.noted(_KEPT_BY) or 0)


class _Listing:
    """The files of one version of the table, and their bounds as columns, so that thousands are searched at once."""

    def __init__(self, source: Mapping[str, DataFile], kept_number: int) -> None:
        self.source = source
        self.kept_number = kept_number
        described = (_sealed_file(file) for file in source.values())
        self.files = tuple(sorted(described, key=lambda file: (file.order, file.day)))
        self._first_us = np.array([file.first_us for file in self.files], np.int64)
        self._last_us = np.array([file.last_us for file in self.files], np.int64)
        self._first_tag = np.array([file.first_tag for file in self.files], np.int64)
        self._last_tag = np.array([file.last_tag for file in self.files], np.int64)

    def candidates(self, tags: np.ndarray, span: Span) -> list[SealedFile]:
        """The files whose bounds do not rule out any sample of these tags (sorted) in the span."""
        in_time = np.flatnonzero((self._first_us < span.end_us) & (self._last_us >= span.start_us))
        begin = np.searchsorted(tags, self._first_tag[in_time])
        end = np.searchsorted(tags, self._last_tag[in_time], "right")
        return [self.files[place] for place in in_time[begin < end].tolist()]


def _named(file: str, names: Iterable[str]) -> str:
    """The name of a file that is given as a whole path or by its last part. Raises NotFoundError."""
    found = [name for name in names if file == name or file.endswith("/" + name) or name.endswith("/" + file)]
    if len(found) != 1:
        raise NotFoundError("file of samples", file)
    return found[0]


def _new_file(day: date, tables: Iterable[pa.Table], order: int) -> NewFile:
    return NewFile(f"{order:012d}", {"day": day}, tables)


def _sealed_file(file: DataFile) -> SealedFile:
    return SealedFile(
        name=file.name,
        order=int(PurePosixPath(file.name).name.split("-")[0]),
        day=file.partition["day"],  # type: ignore[arg-type]
        rows=file.rows,
        first_us=microseconds(file.least["time"]),  # type: ignore[arg-type]
        last_us=microseconds(file.greatest["time"]),  # type: ignore[arg-type]
        first_tag=int(file.least["tag"]),  # type: ignore[call-overload]
        last_tag=int(file.greatest["tag"]),  # type: ignore[call-overload]
        size=file.size,
    )


def publish_tags(store: Store, plant: RunningPlant) -> None:
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
    place = store.within("tags")
    options = dict(place.options)
    try:
        with suppress(TableNotFoundError):
            if DeltaTable(place.url, storage_options=options).to_pyarrow_table().equals(table):
                return
        write_deltalake(place.url, table, mode="overwrite", storage_options=options)
    except (OSError, DeltaError) as error:
        raise HistorianFullError(place.url, error) from error
