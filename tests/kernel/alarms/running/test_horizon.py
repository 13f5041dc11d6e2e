"""When it may be said that a sample did not come: clocks that are set, edges that come late."""

from datetime import UTC, datetime

import numpy as np

from athanor.kernel.alarms.running.horizon import Horizon
from athanor.kernel.historian.port import moment
from athanor.kernel.ingest.sources import EdgeState

S = 1_000_000
START_US = 1_700_000_000 * S


class Clocks:
    """One that people go by and can be set, one that only goes on."""

    def __init__(self) -> None:
        self.now_us = START_US
        self.steady_s = 100.0

    def passes(self, seconds: float) -> None:
        self.now_us += round(seconds * S)
        self.steady_s += seconds

    def horizon(self, *awaited: str) -> Horizon:
        horizon = Horizon(lambda: self.now_us, lambda: self.steady_s)
        horizon.begin(awaited)
        return horizon


def edge(name: str) -> EdgeState:
    at = datetime.now(UTC)
    return EdgeState(edge=name, at=at, received_at=at)


def test_once_things_have_settled_the_clock_is_gone_by() -> None:
    clocks = Clocks()
    horizon = clocks.horizon()
    clocks.passes(5)
    assert horizon.look([]) == 0
    assert horizon.is_open()


def test_after_a_start_the_edges_that_delivered_before_are_waited_for() -> None:
    clocks = Clocks()
    horizon = clocks.horizon("edge-1", "edge-2")
    clocks.passes(20)
    horizon.look([edge("edge-1")])
    assert not horizon.is_open()
    clocks.passes(5)
    horizon.look([edge("edge-1"), edge("edge-2")])
    assert not horizon.is_open()  # what they kept is on its way
    clocks.passes(5)
    horizon.look([])
    assert horizon.is_open()


def test_an_edge_that_does_not_come_back_is_not_waited_for_for_ever() -> None:
    clocks = Clocks()
    horizon = clocks.horizon("edge-1")
    clocks.passes(61)
    horizon.look([])
    assert horizon.is_open()


def test_a_tag_of_which_old_samples_come_in_is_late_until_no_more_come() -> None:
    clocks = Clocks()
    horizon = clocks.horizon()
    clocks.passes(100)
    horizon.look([])
    horizon.heard(np.array([2, 4]), np.array([clocks.now_us - 3000 * S, clocks.now_us]))
    assert horizon.late().tolist() == [2]
    clocks.passes(11)
    horizon.look([])
    assert horizon.late().tolist() == []


def test_a_clock_that_is_set_forward_makes_nothing_old_at_once() -> None:
    clocks = Clocks()
    horizon = clocks.horizon()
    clocks.passes(100)
    horizon.look([])
    clocks.now_us += 3600 * S
    clocks.passes(1)
    assert round(horizon.look([])) == 3600
    assert not horizon.is_open()
    clocks.passes(60)
    assert horizon.look([]) == 0
    assert horizon.is_open()


def test_a_clock_that_is_set_back_is_followed_at_once() -> None:
    clocks = Clocks()
    horizon = clocks.horizon()
    clocks.passes(100)
    horizon.look([])
    clocks.now_us -= 3600 * S
    clocks.passes(1)
    assert round(horizon.look([])) == -3600
    assert horizon.is_open()
    assert moment(clocks.now_us) < moment(START_US)
