from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.cases.flow import Action, State, actions_in, after, due_within


def test_a_case_goes_from_opening_to_closing() -> None:
    state = State.OPEN
    for action in (Action.ASSIGN, Action.START, Action.RESOLVE, Action.CLOSE):
        led = after(state, action)
        assert led is not None
        state = led
    assert state is State.CLOSED
    assert state.is_over


@pytest.mark.parametrize("state", [one for one in State if one is not State.RESOLVED])
def test_only_what_is_resolved_can_be_closed(state: State) -> None:
    assert after(state, Action.CLOSE) is None


@given(st.lists(st.sampled_from(Action), max_size=40))
def test_no_way_leads_to_closing_past_resolving(actions: list[Action]) -> None:
    state, was_resolved = State.OPEN, False
    for action in actions:
        led = after(state, action)
        if led is None:
            continue
        assert action in actions_in(state)
        assert led is not State.CLOSED or was_resolved
        state, was_resolved = led, led is State.RESOLVED


def test_the_more_urgent_the_sooner_it_is_due() -> None:
    spans = [due_within(priority) for priority in (1, 2, 3, 4)]
    assert spans == sorted(spans)
    assert due_within(1, timedelta(minutes=5)) == timedelta(minutes=5)
