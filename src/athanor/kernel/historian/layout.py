"""How sealed samples lie in a Parquet file; the evidence for each choice is in docs/historian.md."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from athanor.kernel.historian.port import STORED

# Delta's `byte` is signed, and engines that read the table hold Parquet to it.
SEALED = STORED.set(STORED.get_field_index("quality"), pa.field("quality", pa.int8(), nullable=False))

ROW_GROUP_ROWS = 8_192  # a tag a day at 1 Hz is more; slow tags share a group of about this size

WRITER_OPTIONS = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["tag", "value", "text", "quality"],
    "column_encoding": {"time": "DELTA_BINARY_PACKED"},
    "write_statistics": ["tag", "time", "text", "quality"],  # what queries prune by, or need not read
    "write_page_checksum": True,  # else of eight bits that flip seven give a wrong value and no error
    "data_page_size": 1 << 20,
}


def sort_order(tag: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Indices that sort by tag, then time, keeping the order of equals. [N]"""
    return np.lexsort((time, tag))


def newest_of_equals(tag: np.ndarray, time: np.ndarray) -> np.ndarray:
    """True for the last of each run of rows with the same tag and time, in sorted columns. [N]"""
    if len(tag) == 0:
        return np.zeros(0, bool)
    differs = (tag[1:] != tag[:-1]) | (time[1:] != time[:-1])
    return np.append(differs, True)


def one_per_tag_and_time(table: pa.Table) -> pa.Table:
    """A sorted table without the earlier ones of rows that share tag and time."""
    keep = newest_of_equals(table["tag"].to_numpy(), table["time"].cast(pa.int64()).to_numpy())
    return table if keep.all() else table.filter(pa.array(keep))


def sorted_samples(table: pa.Table) -> pa.Table:
    """The table by tag, then time, one row for each pair: the later row wins."""
    tag, time = table["tag"].to_numpy(), table["time"].cast(pa.int64()).to_numpy()
    if not _is_sorted(tag, time):
        table = table.take(pa.array(sort_order(tag, time)))
    return one_per_tag_and_time(table)


def _is_sorted(tag: np.ndarray, time: np.ndarray) -> bool:
    return bool(np.all((tag[1:] > tag[:-1]) | ((tag[1:] == tag[:-1]) & (time[1:] >= time[:-1]))))


def row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """Parts of a sorted table that start and end with a tag, of about ROW_GROUP_ROWS or one tag's rows."""
    tag = table["tag"].to_numpy()
    starts = np.append(np.flatnonzero(np.append(True, tag[1:] != tag[:-1])), len(tag))
    begin = 0
    for end in starts[1:].tolist():
        if end - begin >= ROW_GROUP_ROWS or end == len(tag):
            yield table.slice(begin, end - begin)
            begin = end


def write_row_groups(writer: pq.ParquetWriter, table: pa.Table) -> None:
    """Append a sorted table to a file, a row group for a tag or a few."""
    for group in row_groups(table):
        writer.write_table(group, row_group_size=len(group))


def columns_of(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tag, time [us], value (NaN where there is none) and quality of samples (STORED or SEALED)."""
    time_us = rows["time"].cast(pa.int64()).to_numpy()
    return rows["tag"].to_numpy(), time_us, rows["value"].to_numpy(), rows["quality"].to_numpy()


def merged(parts: Sequence[pa.Table]) -> pa.Table:
    """One sorted table, one row for each tag and time, from sorted or unsorted parts in the order of their writing.

    Of rows with the same tag and time the one of the later part wins, and within a part the later row.
    """
    filled = [part for part in parts if part.num_rows]
    if not filled:
        return STORED.empty_table()
    return sorted_samples(pa.concat_tables(filled))
