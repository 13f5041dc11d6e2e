"""Reading many tags in pieces: everything that is wanted comes once, in the order of time."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.alarms.running.windows import Windows

S = 1_000_000
HOUR = 3600 * S


def pieces(from_us: list[int], newest_us: list[int], rows: int = 1000) -> list[tuple[list[int], int, int]]:
    windows = Windows(np.arange(len(from_us)), np.array(from_us), np.array(newest_us))
    found = []
    for window in windows:
        found.append((sorted(window.tags.tolist()), window.start_us, window.end_us))
        windows.brought(rows)
    return found


@given(
    st.lists(st.tuples(st.integers(1, 40 * 24 * HOUR), st.integers(0, HOUR)), min_size=1, max_size=20),
    st.sampled_from([0, 1000, 400_000, 3_000_000]),
)
def test_each_tag_is_read_from_where_it_is_wanted_to_its_newest_without_a_hole(
    wanted: list[tuple[int, int]], rows: int
) -> None:
    from_us, newest_us = [begin for begin, _ in wanted], [begin + length for begin, length in wanted]
    found = pieces(from_us, newest_us, rows)
    assert all(before[2] <= after[1] for before, after in pairwise(found))
    for tag, (begin, newest) in enumerate(zip(from_us, newest_us, strict=True)):
        mine = [(start, end) for tags, start, end in found if tag in tags]
        assert mine[0][0] <= begin
        assert mine[-1][1] > newest
        assert all(before[1] == after[0] for before, after in pairwise(mine))


def test_many_tags_of_the_last_seconds_are_not_read_for_all_the_time_of_one_that_is_long_behind() -> None:
    now = 30 * 24 * HOUR
    windows = Windows(np.arange(10_001), np.array([S] + [now - 10 * S] * 10_000), np.full(10_001, now))
    read_s = 0.0
    for window in windows:
        windows.brought(10)
        read_s += len(window.tags) * (window.end_us - window.start_us) / S
    assert read_s < 30 * 24 * 3600 + 10_000 * 11 + 1_100_000  # its own month, their ten seconds, and the allowance


def test_times_at_which_nothing_is_wanted_are_passed_over() -> None:
    assert [start for _, start, _ in pieces([S, 30 * 24 * HOUR], [2 * S, 30 * 24 * HOUR + S])] == [S, 30 * 24 * HOUR]
