"""Floods: the reference's worked example, and what holds for every log."""

import numpy as np
from hypothesis import given
from hypothesis.strategies import integers, lists

from athanor.apps.alarms.domain.floods import find_floods, peak, share_in_flood, window_counts
from athanor.apps.alarms.domain.log import log_of

SECOND = 1_000_000
EXAMPLE_S = [0, 40, 80, 120, 160, 200, 260, 300, 360, 420, 480, 540, 1500]


def _log(times_s: list[int]):
    raised = np.array(times_s, np.int64) * SECOND
    return log_of(np.arange(len(raised)), raised)


def test_a_flood_begins_and_ends_where_the_worked_example_says() -> None:
    found = find_floods(_log(EXAMPLE_S))
    assert (found.begin_us // SECOND).tolist() == [480]
    assert (found.end_us // SECOND).tolist() == [900]
    assert found.peak.tolist() == [12]
    assert found.alarms.tolist() == [12]
    assert found.first.tolist() == [0]


def test_the_most_within_a_window_is_that_of_the_worked_example() -> None:
    assert peak(_log(EXAMPLE_S).raised_us) == 12


def test_a_tenth_of_the_time_in_flood_is_a_tenth() -> None:
    found = find_floods(_log(EXAMPLE_S))
    assert share_in_flood(found, 480 * SECOND, 4680 * SECOND) == 0.1


def test_an_empty_log_has_no_flood() -> None:
    found = find_floods(_log([]))
    assert (len(found), peak(_log([]).raised_us)) == (0, 0)


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    assert len(find_floods(_log(list(range(10))))) == 0
    assert len(find_floods(_log(list(range(11))))) == 1


def test_alarms_of_one_flood_are_not_counted_in_the_next() -> None:
    first = list(range(0, 22, 2))  # eleven
    second = [1190 + 2 * n for n in range(20)]
    found = find_floods(_log([*first, 610, 615, 617, *second]))
    assert len(found) == 2
    assert found.first[1] >= found.stop[0]


@given(lists(integers(0, 3_000), max_size=80))
def test_floods_are_those_that_a_walk_through_the_seconds_finds(times_s: list[int]) -> None:
    times = sorted(times_s)
    begins, ends, is_on = [], [], False
    for now in range(3_700):
        count = sum(now - 600 < one <= now for one in times) if times else 0
        if not is_on and count > 10:
            begins.append(now)
            is_on = True
        elif is_on and count < 5:
            ends.append(now)
            is_on = False
    found = find_floods(_log(times))
    assert (found.begin_us // SECOND).tolist() == begins
    assert (found.end_us // SECOND).tolist() == ends


@given(lists(integers(0, 5_000), min_size=1, max_size=60))
def test_a_window_holds_its_end_and_not_its_start(times_s: list[int]) -> None:
    log = _log(sorted(times_s))
    at, counts = window_counts(log.raised_us)
    for moment, count in zip(at, counts, strict=True):
        assert count == sum(moment - 600 * SECOND < one <= moment for one in log.raised_us.tolist())
