"""Alarms that come together: pairs, chains, groups of one cause."""

import numpy as np

from athanor.apps.alarms.domain.grouping import groups, suppression
from athanor.apps.alarms.domain.log import DAY_US, Log, log_of
from athanor.apps.alarms.domain.sequences import chains, find_pairs

SECOND = 1_000_000
TRIP, FLOW, PRESSURE, DOOR = 1, 2, 3, 4


def _month() -> Log:
    """Twenty trips, each followed by low flow after 10 s and low pressure after 30 s; a door that opens at any time."""
    trips = np.arange(20) * DAY_US + 7 * SECOND
    doors = np.random.default_rng(5).integers(0, 20 * DAY_US, 400)
    raised = np.concatenate([trips, trips + 10 * SECOND, trips + 30 * SECOND, doors])
    alarm = np.repeat([TRIP, FLOW, PRESSURE, DOOR], [20, 20, 20, 400])
    return log_of(alarm, raised)


def test_what_follows_is_found_with_how_sure_it_is_and_how_long_it_takes() -> None:
    found = {(one.first, one.then): one for one in find_pairs(_month())}
    assert set(found) == {(TRIP, FLOW), (TRIP, PRESSURE), (FLOW, PRESSURE)}
    pair = found[TRIP, FLOW]
    assert (pair.times, pair.confidence, pair.lag_s) == (20, 1.0, 10)
    assert pair.lift > 100
    assert pair.is_redundant


def test_what_comes_by_chance_after_everything_is_no_pair() -> None:
    assert not [one for one in find_pairs(_month()) if DOOR in (one.first, one.then)]


def test_an_alarm_that_chatters_is_one_episode_and_not_followed_by_all() -> None:
    chatter = np.arange(200) * SECOND
    log = log_of(np.concatenate([np.full(200, 1), [2]]), np.concatenate([chatter, [50 * SECOND]]))
    assert find_pairs(log, least_times=2) == []


def test_pairs_are_joined_to_a_chain() -> None:
    assert chains(find_pairs(_month())) == [(TRIP, FLOW, PRESSURE)]


def test_an_empty_log_has_no_pairs() -> None:
    assert find_pairs(log_of(np.zeros(0), np.zeros(0))) == []


def test_alarms_of_one_asset_and_of_one_sequence_are_one_group_headed_by_the_first() -> None:
    log = log_of(np.array([TRIP, DOOR, FLOW, PRESSURE, FLOW]), np.arange(5))
    node_of = {TRIP: "s.a.pump", FLOW: "s.b.pipe", PRESSURE: "s.a.pump.seal", DOOR: "s.c.door"}
    pairs = find_pairs(_month())
    first, alone = groups(log, node_of, [one for one in pairs if one.then == FLOW])
    assert (first.first, first.alarms, first.raised) == (TRIP, (TRIP, FLOW, PRESSURE), 4)
    assert first.why == {"place", "sequence"}
    assert (alone.alarms, alone.why) == ((DOOR,), frozenset())


def test_what_surely_follows_may_be_suppressed_but_nothing_higher_and_nothing_of_safety() -> None:
    pairs = find_pairs(_month())
    (trip, flow) = suppression(pairs, {TRIP: 2, FLOW: 3, PRESSURE: 3})
    assert (trip.leader, set(trip.followers), trip.saved) == (TRIP, {FLOW, PRESSURE}, 40)
    assert (flow.leader, flow.followers) == (FLOW, (PRESSURE,))
    assert suppression(pairs, {TRIP: 3, FLOW: 2, PRESSURE: 1}) == []
    (only,) = suppression(pairs, {TRIP: 2, FLOW: 3, PRESSURE: 3}, frozenset({PRESSURE}))
    assert only.followers == (FLOW,)
