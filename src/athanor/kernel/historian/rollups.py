"""Rollups: what the samples of each sealed file come to, by minute, quarter of an hour, hour and day.

They lie in a Delta table beside the samples, one file for each file of samples, under its name, and are made of it once
it is sealed or compacted. So they are never out of date: late samples come in files of their own, with rollups of their
own, and `answering` goes down to the samples wherever two files know of the same time. A level is kept for those tags
that it spares work; for others the next finer one, or the samples, answer as quickly.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from athanor.kernel.historian.delta import DeltaFiles, NewFile, TableLayout
from athanor.kernel.historian.lake import SealedFile
from athanor.kernel.historian.layout import columns_of
from athanor.kernel.historian.levels import LEVELS_US, Ranges
from athanor.kernel.historian.port import DamagedFileError
from athanor.kernel.historian.store import Store
from athanor.kernel.historian.summaries import SUMMARIES, Summaries, joined, merge, summarise

_log = structlog.get_logger(__name__)

_DAY_US = LEVELS_US[-1]
_FEWER = (4, 4, 2, 0)  # by level: times so many rows it must spare to be kept for a tag; a day's is for all
_GROUP_ROWS = (8192, 1024, 1024, 1024)  # by level: a query for one tag decodes a group or two
_STEP = pa.field("step_s", pa.int32(), nullable=False)
_SPLIT = ("total", "squares", "integral_hold", "integral_linear")  # whose low digits are noise: no two are alike


def _write_groups(writer: pq.ParquetWriter, table: pa.Table) -> None:
    """Row groups of one level, with whole tags."""
    level = LEVELS_US.index(table["step_s"][0].as_py() * 1_000_000)
    tag = table["tag"].to_numpy()
    starts = np.append(np.flatnonzero(np.append(True, tag[1:] != tag[:-1])), len(tag))
    begin = 0
    for end in starts[1:].tolist():
        if end - begin >= _GROUP_ROWS[level] or end == len(tag):
            group = table.slice(begin, end - begin)
            writer.write_table(group, row_group_size=len(group))
            begin = end


ROLLUPS = TableLayout(
    name="rollups",
    schema=pa.schema([_STEP, *SUMMARIES]),
    partition_by=pa.schema([pa.field("day", pa.date32(), nullable=False)]),
    bounded=("tag", "begin_at"),
    writer_options={
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in ("step_s", *SUMMARIES.names) if name not in (*_SPLIT, "begin_at")],
        "column_encoding": {"begin_at": "DELTA_BINARY_PACKED"} | dict.fromkeys(_SPLIT, "BYTE_STREAM_SPLIT"),
        "write_statistics": ["step_s", "tag"],
    },
    write=_write_groups,
)


class RollupReader:
    """One Parquet file of rollups, by level, tag and time."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises DamagedFileError."""
        self._place = store.place(name)
        try:
            self._file = pq.ParquetFile(store.open(name))
        except (OSError, pa.ArrowException) as error:
            raise DamagedFileError(self._place, error) from error
        groups = [self._file.metadata.row_group(number) for number in range(self._file.num_row_groups)]
        step_us = np.array([group.column(0).statistics.min for group in groups], np.int64) * 1_000_000
        self._level = np.searchsorted(np.array(LEVELS_US), step_us)
        self._first_tags = np.array([group.column(1).statistics.min for group in groups], np.int64)
        self._last_tags = np.array([group.column(1).statistics.max for group in groups], np.int64)
        self._tags: dict[int, np.ndarray] = {}
        self._reading = threading.Lock()  # a ParquetFile is for one thread

    def tags_at(self, level: int) -> np.ndarray:
        """The tags, sorted, for which the level is kept; for the coarsest all that the file holds."""
        if level not in self._tags:
            column = self._rows(np.flatnonzero(self._level == level), ["tag"])["tag"]
            self._tags[level] = np.unique(column.to_numpy())
        return self._tags[level]

    def read(self, tags: np.ndarray, level: int, ranges: Ranges, columns: Sequence[str] | None = None) -> Summaries:
        """Summaries of these tags (sorted) whose cells lie in the ranges; columns that are not named are 0.

        Raises DamagedFileError.
        """
        place = np.searchsorted(tags, self._first_tags)  # the first wanted tag that a group could hold
        may_hold = (place < len(tags)) & (tags[np.minimum(place, len(tags) - 1)] <= self._last_tags)
        table = self._rows(np.flatnonzero(may_hold & (self._level == level)), columns or SUMMARIES.names)
        tag = table["tag"].to_numpy()
        wanted = tags[np.minimum(np.searchsorted(tags, tag), len(tags) - 1)] == tag
        wanted &= ranges.hold(table["begin_at"].cast(pa.int64()).to_numpy())
        return Summaries.from_arrow(table if wanted.all() else table.filter(pa.array(wanted)))

    def _rows(self, groups: np.ndarray, columns: Sequence[str]) -> pa.Table:
        if not len(groups):
            return SUMMARIES.empty_table().select(columns)
        try:
            with self._reading:
                return self._file.read_row_groups(groups.tolist(), columns=list(columns), use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise DamagedFileError(self._place, error) from error


class Rollups:
    """The Delta table `rollups` in a lake's store. One process writes it; any number read it."""

    def __init__(self, store: Store) -> None:
        """Open or create the table `rollups` below the store's place. Raises OSError, DeltaError."""
        self.store = store.within("rollups")
        self._table = DeltaFiles(self.store, ROLLUPS)
        self._by_samples: tuple[object, dict[str, str]] = (None, {})
        self._damaged: set[str] = set()

    def of(self, file: SealedFile) -> str | None:
        """The file of rollups that was made of a file of samples; None before it is."""
        name = self._named().get(_stem(file.name))
        return None if name in self._damaged else name

    def discard(self, name: str, reason: DamagedFileError) -> None:
        """Take a damaged file of rollups out of use. It will be made anew from its samples."""
        if name not in self._damaged:
            self._damaged.add(name)
            _log.error("historian.rollups-damaged", reason=str(reason))

    def lacking(self, files: Iterable[SealedFile]) -> list[SealedFile]:
        """The files of samples that have no rollups yet, the latest day first."""
        found = [file for file in files if self.of(file) is None]
        return sorted(found, key=lambda file: file.day, reverse=True)

    def add(self, file: SealedFile, samples: Iterable[pa.Table]) -> None:
        """Add the rollups of a file of samples, which come sorted in tables of whole tags; durable on return.

        Raises HistorianFullError.
        """
        stem = _stem(PurePosixPath(file.name).name)
        self._table.change(add=[NewFile(stem, {"day": file.day}, rolled_up(file.day, samples))])

    def remove_orphans(self, files: Iterable[SealedFile]) -> None:
        """Remove rollups that are damaged, and those of samples that are gone. Raises HistorianFullError."""
        present = {_stem(file.name) for file in files}
        named = self._named().items()
        orphans = [name for samples, name in named if samples not in present or name in self._damaged]
        if orphans:
            self._table.change(remove=orphans)

    def remove_unlisted(self) -> None:
        """See `DeltaFiles.remove_unlisted`."""
        self._table.remove_unlisted()

    def remove_retired(self) -> list[str]:
        """See `DeltaFiles.remove_retired`."""
        return self._table.remove_retired()

    def _named(self) -> dict[str, str]:
        """Names of the files by those of their samples, without endings."""
        files = self._table.files
        if self._by_samples[0] is not files:
            self._by_samples = (files, {name.rpartition("-")[0]: name for name in files})
        return self._by_samples[1]


def _stem(name: str) -> str:
    return name.removesuffix(".parquet")


def rolled_up(day: date, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rollups (schema of ROLLUPS) of one UTC day's samples, level by level, each by tag, then time.

    `tables` are samples by tag, then time, one for each pair, and hold whole tags, ascending from one to the next.
    The finest level is passed on as it comes; the others wait in memory, some 15 times fewer rows.
    """
    midnight_us = day.toordinal() * _DAY_US - date(1970, 1, 1).toordinal() * _DAY_US
    waiting: list[list[Summaries]] = [[] for _ in LEVELS_US]
    for table in tables:
        columns = columns_of(table)
        tags, rows = np.unique(columns[0], return_counts=True)
        if not len(tags):
            continue
        finer = summarise(*columns, _cells(midnight_us, 0))
        for level in range(len(LEVELS_US)):
            summaries = merge(finer, _cells(midnight_us, level)) if level else finer
            runs = np.bincount(np.searchsorted(tags, summaries.tag), minlength=len(tags))
            is_kept = rows >= _FEWER[level] * runs
            waiting[level].append(summaries.take(np.flatnonzero(is_kept[np.searchsorted(tags, summaries.tag)])))
            rows = np.where(is_kept, runs, rows)
            finer = summaries
        yield from _of_level(0, waiting[0])
        waiting[0].clear()
    for level in range(1, len(LEVELS_US)):
        yield from _of_level(level, waiting[level])


def _cells(midnight_us: int, level: int) -> np.ndarray:
    """Boundaries of a level's cells in a day."""
    return np.arange(midnight_us, midnight_us + _DAY_US + 1, LEVELS_US[level])


def _of_level(level: int, parts: Sequence[Summaries]) -> Iterator[pa.Table]:
    filled = [part for part in parts if len(part)]
    if filled:
        table = joined(filled).to_arrow()
        step_s = pa.array(np.full(table.num_rows, LEVELS_US[level] // 1_000_000, np.int32))
        yield table.add_column(0, _STEP, step_s)
