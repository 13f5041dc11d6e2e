"""How sealed samples lie: sorted, one for each tag and time, tags whole within a row group."""

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.layout import ROW_GROUP_ROWS, row_groups, sorted_samples
from athanor.kernel.historian.port import STORED
from athanor.kernel.telemetry import TIME

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), max_size=60)


def table(tags: list[int] | np.ndarray, times: list[int] | np.ndarray) -> pa.Table:
    """Samples whose value is their place in the table."""
    rows = len(tags)
    columns = [
        pa.array(tags, pa.int32()),
        pa.array(times, pa.int64()).cast(TIME),
        pa.array(np.arange(rows), pa.float64()),
        pa.nulls(rows, pa.string()),
        pa.array(np.zeros(rows), pa.uint8()),
    ]
    return pa.table(columns, schema=STORED)


@given(pairs)
def test_sorting_keeps_one_sample_of_each_tag_and_time_the_later(found: list[tuple[int, int]]) -> None:
    later = {pair: float(place) for place, pair in enumerate(found)}
    result = sorted_samples(table([tag for tag, _ in found], [time for _, time in found]))
    keys = zip(result["tag"].to_pylist(), result["time"].cast(pa.int64()).to_pylist(), strict=True)
    assert list(zip(keys, result["value"].to_pylist(), strict=True)) == sorted(later.items())


@given(st.lists(st.sampled_from([1, 10, 1_000, ROW_GROUP_ROWS - 1, ROW_GROUP_ROWS, 70_000]), min_size=1, max_size=6))
def test_row_groups_hold_whole_tags_in_order_and_are_no_larger_than_they_must_be(counts: list[int]) -> None:
    tags = np.repeat(np.arange(len(counts)), counts)
    whole = table(tags, np.arange(len(tags)))
    groups = list(row_groups(whole))
    assert pa.concat_tables(groups).combine_chunks() == whole
    for one, following in itertools.pairwise(groups):
        assert one["tag"][-1].as_py() < following["tag"][0].as_py(), "a tag lies in two groups"
        assert len(one) >= ROW_GROUP_ROWS, "a group that is not the last is too small"
    for group in groups:
        last_tag = counts[group["tag"][-1].as_py()]
        assert len(group) - last_tag < ROW_GROUP_ROWS, "a group went on although it was full"
