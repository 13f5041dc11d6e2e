"""Long questions in pieces that fit into memory: of time where it is long, of tags where one step is long already."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.plant.model import Tag, TagId

SLICE_ROWS = 2_000_000  # samples held at a time: about 60 MB, and some times that while they are summed up

_USUAL_PERIOD_S = 1.0  # of a tag that does not say: rather too many slices than too large ones
_US = 1e-6  # [s]
_QUICKER = 4.0  # a slice is at most so many times as long as the one before
_SHORTEST = timedelta(milliseconds=100)


def rows_per_s(tags: Sequence[Tag], cell_s: float = 0.0) -> float:
    """About how many samples these tags bring; where they are rolled up, at most one a tag and `cell_s`."""
    return sum(1 / max(tag.period_s or _USUAL_PERIOD_S, cell_s) for tag in tags)


def expected_rows(tags: Sequence[Tag], span: Span) -> float:
    """About how many samples of these tags a range holds."""
    return rows_per_s(tags) * (span.end_us - span.start_us) * _US


async def samples_in_slices(
    historian: Historian, ids: Sequence[TagId], tags: Sequence[Tag], span: Span, most_rows: int = SLICE_ROWS
) -> AsyncIterator[pa.Table]:
    """The samples (STORED) of a range, slice of time by slice of time; by tag, then time, within each.

    A slice holds about `most_rows`: how long it is follows from the tags' periods and from how many samples came.
    """
    rate, start = max(rows_per_s(tags), 1e-6), span.start
    length = timedelta(seconds=min(most_rows / rate / _QUICKER, 1e9))
    while start < span.end:
        end = start + length if span.end - start > length else span.end
        table = await historian.read(ids, Span(start, end))
        yield table
        growth = min(most_rows / max(table.num_rows, 1), _QUICKER)
        length = max(min(length * growth, timedelta(days=10_000)), _SHORTEST)
        start = end


def steps_in_slices(
    tags: Sequence[Tag], edges: np.ndarray, most_rows: int = SLICE_ROWS, cell_s: float = 0.0
) -> Iterator[tuple[np.ndarray, list[list[Tag]]]]:
    """Runs of whole steps, each with the tags in groups that hold about `most_rows` samples or are one tag's step.

    Parameters
    ----------
    tags
        What is asked for; neither their samples nor their steps are more than about `most_rows` in a run.
    edges
        Ascending boundaries of the steps. Runs share theirs; laid end to end they are all steps. [us] [K + 1]
    cell_s
        What samples are rolled up by, where they are. [s]
    """
    samples_per_us, last = rows_per_s(tags, cell_s) * _US, len(edges) - 1
    most_us, most_steps = most_rows / max(samples_per_us, 1e-12), max(most_rows // max(len(tags), 1), 1)
    first = 0
    while first < last and tags:
        reach = int(np.searchsorted(edges, edges[first] + most_us, side="right")) - 1
        end = min(max(reach, first + 1), first + most_steps, last)
        run = edges[first : end + 1]
        yield run, list(tag_groups(tags, float(run[-1] - run[0]) * _US, most_rows, cell_s))
        first = end


def tag_groups(
    tags: Sequence[Tag], seconds: float, most_rows: int = SLICE_ROWS, cell_s: float = 0.0
) -> Iterator[list[Tag]]:
    """The tags in groups of which `seconds` hold about `most_rows` samples, or of one tag each."""
    group: list[Tag] = []
    rows = 0.0
    for tag in tags:
        more = rows_per_s([tag], cell_s) * seconds
        if group and rows + more > most_rows:
            yield group
            group, rows = [], 0.0
        group.append(tag)
        rows += more
    if group:
        yield group
