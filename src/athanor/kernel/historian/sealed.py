"""Reading sealed files: footers stay in memory, and only row groups that can hold what is asked for are read."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.port import STORED, DamagedFileError
from athanor.kernel.historian.store import Store, parquet_file, reading
from athanor.kernel.telemetry import Quality

_OPEN_FILES = 1024
_PLAIN = ["tag", "time", "value"]
_FEW_GROUPS = 16  # of which it is worth to look at the statistics


class SealedReader:
    """One Parquet file of the lake, sorted by tag, then time."""

    is_damaged = False  # as it is open; it may have been put back since

    def __init__(self, store: Store, name: str) -> None:
        """Raises DamagedFileError, LakeUnreachableError."""
        self._place = store.place(name)
        self._file = parquet_file(store, name)
        groups = [self._file.metadata.row_group(number) for number in range(self._file.num_row_groups)]
        statistics = [group.column(0).statistics for group in groups]
        self.first_tags = np.array([one.min for one in statistics], np.int64)  # of each row group, ascending
        self.last_tags = np.array([one.max for one in statistics], np.int64)
        self.group_rows = np.array([group.num_rows for group in groups], np.int64)
        self._plain: dict[int, bool] = {}
        self._reading = threading.Lock()  # a ParquetFile is for one thread

    def read(self, tags: np.ndarray | None, start_us: int, end_us: int) -> pa.Table:
        """Samples (STORED) of these tags (sorted; all where None) with start ≤ time < end [us], by tag, then time.

        Raises DamagedFileError.
        """
        groups = self._groups_with(tags)
        if 0 < len(groups) <= _FEW_GROUPS and all(self._is_plain(group) for group in groups.tolist()):
            return _completed(_within(self._rows_of(groups, _PLAIN), tags, start_us, end_us))
        return _within(self._rows_of(groups), tags, start_us, end_us).cast(STORED)

    def check(self) -> None:
        """Read all of it, a little at a time. Raises DamagedFileError, LakeUnreachableError."""
        for group in range(len(self.group_rows)):
            self._rows_of(np.array([group]))

    def between(self, first_tag: int, last_tag: int) -> pa.Table:
        """Samples (STORED) of these tags and all between, by tag, then time. Raises DamagedFileError."""
        rows = self._rows_of(np.flatnonzero((self.first_tags <= last_tag) & (self.last_tags >= first_tag)))
        begin, end = np.searchsorted(rows["tag"].to_numpy(), [first_tag, last_tag + 1])
        return rows.slice(begin, end - begin).cast(STORED)

    def counted(self, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of these tags (sorted) the file has, how many samples of each and in about how many bytes.

        Raises DamagedFileError.
        """
        found = np.zeros(len(tags), np.int64)
        size = np.zeros(len(tags))
        for group in self._groups_with(tags).tolist():
            group_tags, rows = self._tags_of(group)
            is_wanted = np.isin(group_tags, tags)
            place = np.searchsorted(tags, group_tags[is_wanted])
            found[place] += rows[is_wanted]
            size[place] += rows[is_wanted] / self.group_rows[group] * self._size_of(group)
        there = found > 0
        return tags[there], found[there], size[there].astype(np.int64)

    def _tags_of(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """The tags of a row group, and how many rows it has of each; read only where there may be several."""
        if self.first_tags[group] == self.last_tags[group]:
            return self.first_tags[group : group + 1], self.group_rows[group : group + 1]
        tags = self._rows_of(np.array([group]), ["tag"])["tag"].to_numpy()
        return np.unique(tags, return_counts=True)

    def _is_plain(self, group: int) -> bool:
        """Whether a row group has numbers of good quality alone, as its statistics tell: most have, and read faster."""
        if group not in self._plain:
            described = self._file.metadata.row_group(group)
            text, quality = (described.column(STORED.get_field_index(name)).statistics for name in ("text", "quality"))
            has_no_text = text is not None and text.null_count == described.num_rows
            is_good = quality is not None and quality.has_min_max and quality.min == quality.max == Quality.GOOD
            self._plain[group] = has_no_text and is_good
        return self._plain[group]

    def _size_of(self, group: int) -> int:
        """What a row group takes in the file. [B]"""
        described = self._file.metadata.row_group(group)
        return sum(described.column(column).total_compressed_size for column in range(described.num_columns))

    def _rows_of(self, groups: np.ndarray, columns: Sequence[str] | None = None) -> pa.Table:
        if not len(groups):
            return STORED.empty_table()
        try:
            with reading(self._place), self._reading:
                return self._file.read_row_groups(groups.tolist(), columns=columns, use_threads=False)
        except DamagedFileError:
            self.is_damaged = True
            raise

    def _groups_with(self, tags: np.ndarray | None) -> np.ndarray:
        if tags is None:
            return np.arange(len(self.first_tags))
        place = np.searchsorted(tags, self.first_tags)  # the first wanted tag that the group could hold
        wanted = tags[np.minimum(place, len(tags) - 1)]
        return np.flatnonzero((place < len(tags)) & (wanted <= self.last_tags))


_Reader = TypeVar("_Reader")


class OpenFiles(Generic[_Reader]):
    """Readers of a store's files that are in use, at most some hundreds open. Safe for concurrent use."""

    def __init__(self, store: Store, reader: Callable[[Store, str], _Reader]) -> None:
        self._store = store
        self._open = reader
        self._readers: OrderedDict[str, _Reader] = OrderedDict()
        self._lock = threading.Lock()

    def reader(self, name: str) -> _Reader:
        """Raises DamagedFileError."""
        with self._lock:
            reader = self._readers.get(name)
            if reader is not None and not getattr(reader, "is_damaged", False):
                self._readers.move_to_end(name)
                return reader
        reader = self._open(self._store, name)
        with self._lock:
            self._readers[name] = reader
            while len(self._readers) > _OPEN_FILES:
                self._readers.popitem(last=False)
        return reader

    def forget(self, names: Sequence[str]) -> None:
        """Let go of files that are gone."""
        with self._lock:
            for name in names:
                self._readers.pop(name, None)


def _completed(rows: pa.Table) -> pa.Table:
    """Good numbers (tag, time, value) as samples (STORED)."""
    nothing, good = pa.nulls(len(rows), pa.string()), pa.array(np.full(len(rows), Quality.GOOD, np.uint8))
    return pa.table([*rows.columns, nothing, good], schema=STORED)


def _within(rows: pa.Table, tags: np.ndarray | None, start_us: int, end_us: int) -> pa.Table:
    """The rows that are asked for; for one tag by bisection, since they are sorted."""
    tag = rows["tag"].to_numpy()
    if tags is not None and len(tags) == 1:
        begin, end = np.searchsorted(tag, [tags[0], tags[0] + 1])
        rows = rows.slice(begin, end - begin)
        time_us = rows["time"].cast(pa.int64()).to_numpy()
        begin, end = np.searchsorted(time_us, [start_us, end_us])
        return rows.slice(begin, end - begin)
    time_us = rows["time"].cast(pa.int64()).to_numpy()
    keep = (time_us >= start_us) & (time_us < end_us)
    if tags is not None:
        keep &= np.isin(tag, tags)
    return rows if keep.all() else rows.filter(pa.array(keep))
