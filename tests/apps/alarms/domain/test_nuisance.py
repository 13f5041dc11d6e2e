"""Chattering, fleeting and stale alarms: the worked example, and plain counts beside the fast ones."""

import numpy as np
from hypothesis import given
from hypothesis.strategies import integers, lists, tuples

from athanor.apps.alarms.domain.log import DAY_US, HOUR_US, NEVER, log_of
from athanor.apps.alarms.domain.nuisance import chattering, fleeting, stale, stale_per_step, sums_by_alarm

SECOND = 1_000_000


def test_three_activations_within_a_minute_chatter_and_three_within_75_s_do_not() -> None:
    log = log_of(np.full(4, 7), np.array([0, 15, 35, 90]) * SECOND)
    assert chattering(log).tolist() == [True, True, True, False]


def test_activations_of_different_alarms_do_not_chatter_together() -> None:
    log = log_of(np.array([1, 2, 1]), np.array([0, 10, 20]) * SECOND)
    assert not chattering(log).any()


@given(lists(tuples(integers(0, 3), integers(0, 400)), max_size=60))
def test_chattering_rows_are_those_that_a_look_at_every_triple_finds(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[1])
    log = log_of(np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64) * SECOND)
    expected = set()
    for which in {row[0] for row in rows}:
        mine = [place for place, row in enumerate(rows) if row[0] == which]
        for i in range(len(mine) - 2):
            if rows[mine[i + 2]][1] - rows[mine[i]][1] <= 60:
                expected |= set(mine[i : i + 3])
    assert set(np.flatnonzero(chattering(log)).tolist()) == expected


def test_what_clears_within_15_s_is_fleeting_and_what_stands_is_not() -> None:
    log = log_of(np.arange(3), np.zeros(3, np.int64), cleared_us=np.array([14 * SECOND, 15 * SECOND, NEVER]))
    assert fleeting(log).tolist() == [True, False, False]


def test_what_stands_for_longer_than_a_day_is_stale() -> None:
    log = log_of(np.arange(3), np.zeros(3, np.int64), cleared_us=np.array([DAY_US, DAY_US + 1, NEVER]))
    assert stale(log, 2 * DAY_US).tolist() == [False, True, True]
    assert stale(log, 10 * HOUR_US).tolist() == [False, False, False]


def test_a_stale_alarm_counts_on_each_day_on_which_it_stands() -> None:
    log = log_of(np.array([1]), np.array([HOUR_US]), cleared_us=np.array([3 * DAY_US + HOUR_US]))
    edges = np.arange(6, dtype=np.int64) * DAY_US
    assert stale_per_step(log, edges, 6 * DAY_US).tolist() == [0, 1, 1, 1, 0]


def test_alarms_are_listed_by_how_many_rows_they_have() -> None:
    log = log_of(np.array([3, 3, 5, 3, 5, 9]), np.arange(6))
    alarms, counts = sums_by_alarm(log, np.array([True, True, True, True, True, False]))
    assert (alarms.tolist(), counts.tolist()) == ([3, 5], [3, 2])
