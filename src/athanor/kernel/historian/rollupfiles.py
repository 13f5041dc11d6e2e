"""How rollups lie in Parquet files, and reading them."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from athanor.kernel.historian.delta import TableLayout
from athanor.kernel.historian.layout import columns_of
from athanor.kernel.historian.levels import LEVELS_US, Ranges
from athanor.kernel.historian.store import Store, parquet_file, reading
from athanor.kernel.historian.summaries import SUMMARIES, Summaries, joined, merge, summarise

FINE, COARSE = range(2), range(2, len(LEVELS_US))  # levels of the two kinds of files
DAY = len(LEVELS_US) - 1

_DAY_US = LEVELS_US[DAY]
FEWER = (4, 8, 4, 2, 0)  # by level: times so many fewer than the samples to be kept for a tag; a day's is for all
_FEWER_THAN_FINER = 2  # times, beside that, than the next finer level that is kept
_GROUP_ROWS = (8192, 8192, 8192, 4096, 4096)  # by level: a query for one tag decodes a group or two
_STEP = pa.field("step_s", pa.int32(), nullable=False)
_LEVELS = pa.field("levels", pa.int8(), nullable=False)  # of a day: a bit for each level that is kept, fine first
_MADE_OF = pa.field("made_of", pa.string(), nullable=False)  # the file of samples, without its ending
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
    schema=pa.schema([_STEP, *SUMMARIES, _LEVELS, _MADE_OF]),
    partition_by=pa.schema([pa.field("month", pa.date32(), nullable=False)]),  # its first day
    bounded=("tag", "begin_at"),
    writer_options={
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [
            name for name in ("step_s", *SUMMARIES.names, "levels", "made_of") if name not in (*_SPLIT, "begin_at")
        ],
        "column_encoding": {"begin_at": "DELTA_BINARY_PACKED"} | dict.fromkeys(_SPLIT, "BYTE_STREAM_SPLIT"),
        "write_statistics": ["step_s", "tag"],
        "write_page_checksum": True,
    },
    write=_write_groups,
)


def pairs_of(days: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """A number for each day (since 1970) with its tag, that sorts by both. [N]"""
    pairs: np.ndarray = days.astype(np.int64) << 32 | tags
    return pairs


def split_pairs(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days and tags of pairs. [N], [N]"""
    return pairs >> 32, (pairs & 0xFFFF_FFFF).astype(np.int32)


def is_in(values: np.ndarray, some: np.ndarray) -> np.ndarray:
    """True for values that are among some, which are sorted. [N]"""
    if not len(some):
        return np.zeros(len(values), bool)
    found: np.ndarray = some[np.minimum(np.searchsorted(some, values), len(some) - 1)] == values
    return found


class RollupReader:
    """One Parquet file of rollups of one day or of many, by level, tag and time."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises DamagedFileError, LakeUnreachableError."""
        self._place = store.place(name)
        self._file = parquet_file(store, name, read_dictionary=["made_of"])
        groups = [self._file.metadata.row_group(number) for number in range(self._file.num_row_groups)]
        step_us = np.array([group.column(0).statistics.min for group in groups], np.int64) * 1_000_000
        self._level = np.searchsorted(np.array(LEVELS_US), step_us)
        self._rows = np.array([group.num_rows for group in groups], np.int64)
        self._first_tags = np.array([group.column(1).statistics.min for group in groups], np.int64)
        self._last_tags = np.array([group.column(1).statistics.max for group in groups], np.int64)
        self._kept: tuple[np.ndarray, ...] | None = None
        self._reading = threading.Lock()  # a ParquetFile is for one thread

    def kept_at(self, level: int) -> np.ndarray:
        """The days and tags for which a level is kept, as sorted pairs (`pairs_of`); a coarse file tells.

        For the coarsest level these are all that it was made of. Raises DamagedFileError.
        """
        if self._kept is None:
            table = self._table(np.flatnonzero(self._level == DAY), ["tag", "begin_at", "levels"])
            days = table["begin_at"].cast(pa.int64()).to_numpy() // _DAY_US
            pairs, levels = pairs_of(days, table["tag"].to_numpy()), table["levels"].to_numpy()
            self._kept = tuple(np.sort(pairs[(levels >> one) & 1 == 1]) for one in range(len(LEVELS_US)))
        return self._kept[level]

    def made_of(self) -> set[str]:
        """The files of samples, without their endings, that a coarse file was made of."""
        table = self._table(np.flatnonzero(self._level == DAY), ["made_of"])
        return {str(one) for one in pc.unique(table["made_of"]).to_pylist()}

    def read(self, pairs: np.ndarray, level: int, ranges: Ranges, columns: Sequence[str]) -> Summaries:
        """Summaries of these days and tags (sorted pairs) whose cells lie in the ranges.

        Columns that are not named are 0. Raises DamagedFileError.
        """
        tags = np.unique(split_pairs(pairs)[1])
        place = np.searchsorted(tags, self._first_tags)  # the first wanted tag that a group could hold
        may_hold = (place < len(tags)) & (tags[np.minimum(place, len(tags) - 1)] <= self._last_tags)
        table = self._table(np.flatnonzero(may_hold & (self._level == level)), columns)
        begin_us = table["begin_at"].cast(pa.int64()).to_numpy()
        wanted = is_in(pairs_of(begin_us // _DAY_US, table["tag"].to_numpy()), pairs) & ranges.hold(begin_us)
        return Summaries.from_arrow(table if wanted.all() else table.filter(pa.array(wanted)))

    def between(self, level: int, first_tag: int, last_tag: int) -> pa.Table:
        """All that the file has of a level for these tags (schema of ROLLUPS). Raises DamagedFileError."""
        groups = (self._level == level) & (self._first_tags <= last_tag) & (self._last_tags >= first_tag)
        table = self._table(np.flatnonzero(groups), ROLLUPS.schema.names)
        begin, end = np.searchsorted(table["tag"].to_numpy(), [first_tag, last_tag + 1])
        return table.slice(begin, end - begin)

    def counted(self, tags: np.ndarray) -> int:
        """How many rows of all levels the file has of these tags (sorted). Raises DamagedFileError."""
        groups = np.flatnonzero([_has_any(tags, *ends) for ends in zip(self._first_tags, self._last_tags, strict=True)])
        return int(np.count_nonzero(is_in(self._table(groups, ["tag"])["tag"].to_numpy(), tags)))

    def rows_from(self, level: int) -> tuple[np.ndarray, np.ndarray]:
        """First tag and rows of each row group of a level."""
        is_level = self._level == level
        return self._first_tags[is_level], self._rows[is_level]

    def _table(self, groups: np.ndarray, columns: Sequence[str]) -> pa.Table:
        if not len(groups):
            return ROLLUPS.schema.empty_table().select(columns)
        with reading(self._place), self._reading:
            is_large = len(groups) >= _LARGE_READ
            return self._file.read_row_groups(groups.tolist(), columns=list(columns), use_threads=is_large)


def _has_any(tags: np.ndarray, first_tag: int, last_tag: int) -> bool:
    return bool(np.searchsorted(tags, first_tag) < np.searchsorted(tags, last_tag, side="right"))


class DayRollups:
    """What one file of samples of one UTC day comes to, level by level, each by tag, then time.

    The fine levels are passed on as they come; the others wait in memory, a tenth of the rows.
    """

    def __init__(self, day: date, made_of: str, samples: Iterable[pa.Table]) -> None:
        """`samples` come by tag, then time, one for each pair, and hold whole tags, ascending from one to the next."""
        self._midnight_us = (day.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_US
        self._made_of = made_of
        self._samples = samples
        self._waiting: list[list[Summaries]] = [[] for _ in LEVELS_US]
        self._levels: list[np.ndarray] = []  # that are kept of each tag, as the column says it

    def fine(self) -> Iterator[pa.Table]:
        """Rows (schema of ROLLUPS) of the fine levels. To be taken before the coarse ones, and to the end."""
        for found in self._found():
            self._take_in(found)
            for level in FINE:
                yield from self._rows(level)
                self._waiting[level].clear()

    def coarse(self) -> Iterator[pa.Table]:
        """Rows (schema of ROLLUPS) of the other levels."""
        for level in COARSE:
            yield from self._rows(level)

    def _found(self) -> Iterator[list[Summaries]]:
        """Level by level what there is of some tags, tags ascending."""
        for table in self._samples:
            yield levels_of(table, self._midnight_us)

    def _take_in(self, found: Sequence[Summaries]) -> None:
        for waiting, summaries in zip(self._waiting, found, strict=True):
            waiting.append(summaries)
        tags = found[DAY].tag
        bits = [is_in(tags, summaries.tag).astype(np.int8) << level for level, summaries in enumerate(found)]
        self._levels.append(np.bitwise_or.reduce(bits))

    def _rows(self, level: int) -> Iterator[pa.Table]:
        filled = [part for part in self._waiting[level] if len(part)]
        if filled:
            levels = np.concatenate(self._levels) if level == DAY else None
            yield rows_of(joined(filled), level, self._made_of, levels)


def levels_of(samples: pa.Table, midnight_us: int, fewer: Sequence[int] = FEWER) -> list[Summaries]:
    """What samples of one day come to, level by level, each of those tags for which it is worth keeping.

    `samples` are sorted, one for each tag and time; `fewer` tells of each level how many times fewer rows it must have
    than there are samples. Beside that it is kept only if it spares half of the next finer one that is.
    """
    columns = columns_of(samples)
    tags, rows = np.unique(columns[0], return_counts=True)
    finer, finer_rows = summarise(*columns, cells_of(midnight_us, 0)), rows
    levels = []
    for level in range(len(LEVELS_US)):
        summaries = merge(finer, cells_of(midnight_us, level)) if level else finer
        place = np.searchsorted(tags, summaries.tag)
        runs = np.bincount(place, minlength=len(tags))
        is_kept = (rows >= fewer[level] * runs) & (finer_rows >= min(fewer[level], _FEWER_THAN_FINER) * runs)
        levels.append(summaries.take(np.flatnonzero(is_kept[place])))
        finer_rows = np.where(is_kept, runs, finer_rows)
        finer = summaries
    return levels


def cells_of(midnight_us: int, level: int) -> np.ndarray:
    """Boundaries of a level's cells in a day."""
    return np.arange(midnight_us, midnight_us + _DAY_US + 1, LEVELS_US[level])


def rows_of(summaries: Summaries, level: int, made_of: str, levels: np.ndarray | None = None) -> pa.Table:
    """Summaries of one level, by tag, then time, as rows of a file (schema of ROLLUPS).

    `levels` says of each day which levels are kept. [M]
    """
    table = summaries.to_arrow()
    step_s = pa.array(np.full(table.num_rows, LEVELS_US[level] // 1_000_000, np.int32))
    kept = pa.array(np.zeros(table.num_rows, np.int8) if levels is None else levels)
    table = table.add_column(0, _STEP, step_s).append_column(_LEVELS, kept)
    return table.append_column(_MADE_OF, pa.repeat(pa.scalar(made_of), table.num_rows))


def folded(readers: Sequence[RollupReader], wanted: set[str]) -> Iterator[pa.Table]:
    """The coarse levels (schema of ROLLUPS) of many files as of one, of those files of samples that are wanted.

    Some tags at a time, so that months of a large plant need no more memory than a slice of them.
    """
    names = pa.array(sorted(wanted), pa.string())
    for level in COARSE:
        for first_tag, last_tag in tag_slices(readers, level):
            tables = [reader.between(level, first_tag, last_tag) for reader in readers]
            table = pa.concat_tables([table.cast(ROLLUPS.schema) for table in tables])
            table = table.filter(pc.is_in(table["made_of"], value_set=names))
            if table.num_rows:
                order = np.lexsort((table["begin_at"].cast(pa.int64()).to_numpy(), table["tag"].to_numpy()))
                yield table.take(pa.array(order))


def tag_slices(readers: Sequence[RollupReader], level: int) -> Iterator[tuple[int, int]]:
    """First and last tag of slices that hold about _SLICE_ROWS of all files together, or one tag."""
    parts = [reader.rows_from(level) for reader in readers]
    tags, place = np.unique(np.concatenate([tags for tags, _ in parts]), return_inverse=True)
    if not len(tags):
        return
    rows = np.bincount(place, weights=np.concatenate([rows for _, rows in parts]))
    slice_of = np.floor(np.cumsum(rows) / _SLICE_ROWS)
    cuts = tags[np.append(True, slice_of[1:] != slice_of[:-1])].tolist()
    for first, following in zip(cuts, [*cuts[1:], _BEYOND_TAGS], strict=True):
        yield first, following - 1


_SLICE_ROWS = 100_000
_LARGE_READ = 16  # row groups from which it is worth more than one thread
_BEYOND_TAGS = 2**31
