"""Compaction: many small sealed files of a day become one. Which ones, and how without holding them in memory."""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.lake import SealedFile
from athanor.kernel.historian.layout import SEALED, merged
from athanor.kernel.historian.sealed import SealedReader

FAN_IN = 8  # files of one size that become one of the next
PAST_DAY_FILES = 4  # from so many on a day that is over is made one, whatever the sizes
_LATE = 8  # a file that is larger than this many times all others of its day has only late samples beside it
MOST_ROWS = 500_000_000  # a larger file is left as it is
_SMALLEST_TIER = 100_000  # [rows]
ROLLED_UP_ROWS = 200_000  # at once: where samples come by the minute, the summaries are as many, and wide
_SLICE_ROWS = 1_000_000  # merged at a time


def runs_to_compact(files: Sequence[SealedFile], *, before_order: int, today: date) -> list[list[SealedFile]]:
    """Files to make one of each, of one day and with no other of that day written between them.

    Files written after `before_order`, that of the oldest hot generation, stay apart: samples that are still hot may
    have been written between them.
    """
    runs = []
    by_day = sorted((file for file in files if file.order < before_order), key=lambda file: (file.day, file.order))
    for day, group in groupby(by_day, key=lambda file: file.day):
        of_day = list(group)
        is_over = (today - day).days > 1  # late samples of yesterday still come
        if is_over and _is_worth_one_file(of_day):
            runs.append(of_day)
        else:
            runs += [run for run in _same_tier(of_day) if len(run) >= FAN_IN]
    return runs


def _is_worth_one_file(files: Sequence[SealedFile]) -> bool:
    """Whether the files of a day that is over should be one: not for a few late samples, which would cost the day's."""
    rows = sorted(file.rows for file in files)
    is_many = len(files) >= PAST_DAY_FILES or (len(files) > 1 and sum(rows[:-1]) * _LATE >= rows[-1])
    return is_many and sum(rows) <= MOST_ROWS


def _same_tier(files: Sequence[SealedFile]) -> Iterator[list[SealedFile]]:
    """Neighbours in order of writing that are about equally large, and together not too large."""
    for _, group in groupby(files, key=lambda file: _tier(file.rows)):
        run: list[SealedFile] = []
        for file in group:
            if sum(one.rows for one in run) + file.rows > MOST_ROWS:
                yield run
                run = []
            run.append(file)
        yield run


def _tier(rows: int) -> int:
    return int(math.log(max(rows, _SMALLEST_TIER) / _SMALLEST_TIER, FAN_IN))


def merged_slices(
    readers: Sequence[SealedReader], most_rows: int | None = None, *, tags: np.ndarray | None = None
) -> Iterator[pa.Table]:
    """All samples (SEALED) of files in order of writing, sorted, one for each tag and time, some tags at a time.

    A slice has about `most_rows` samples, or one tag's. Of `tags` (sorted) only, where some are given.
    """
    for first, last in _tag_slices(readers, most_rows or _SLICE_ROWS):
        if tags is None:
            yield merged([reader.between(first, last) for reader in readers]).cast(SEALED)
            continue
        some = tags[slice(*np.searchsorted(tags, [first, last + 1]))]
        if len(some):
            rows = merged([reader.between(int(some[0]), int(some[-1])) for reader in readers]).cast(SEALED)
            yield rows.filter(pa.array(np.isin(rows["tag"].to_numpy(), some)))


def _tag_slices(readers: Sequence[SealedReader], most_rows: int) -> Iterator[tuple[int, int]]:
    """First and last tag of slices that hold about so many rows of all files together, or one tag."""
    starts = np.concatenate([reader.first_tags for reader in readers])
    rows = np.concatenate([reader.group_rows for reader in readers])
    end = max(int(reader.last_tags[-1]) for reader in readers) + 1
    tags, places = np.unique(starts, return_inverse=True)
    rows_from = np.bincount(places, weights=rows)
    slice_of = np.floor(np.cumsum(rows_from) / most_rows).astype(np.int64)
    cuts = tags[np.flatnonzero(np.append(True, slice_of[1:] != slice_of[:-1]))].tolist()
    for first, following in zip(cuts, [*cuts[1:], end], strict=True):
        yield first, following - 1
