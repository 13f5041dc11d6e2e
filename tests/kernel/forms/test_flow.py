from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.forms.definition import Definition, read_definition
from athanor.kernel.forms.flow import Standing, State, Verdict, needed_steps, stages, standing

FIELDS = [{"id": "amount", "kind": "number"}]


def flow(*steps: Mapping[str, object]) -> Definition:
    return read_definition(
        {
            "title": {"en": "Flow"},
            "fields": FIELDS,
            "steps": [{"who": "role", "name": "engineer", **one} for one in steps],
        }
    )


@st.composite
def flows(draw: st.DrawFn) -> Definition:
    above = st.none() | st.floats(0, 100)
    steps = []
    for number in range(draw(st.integers(0, 6))):
        limit = draw(above)
        condition = None if limit is None else {"field": "amount", "op": "gt", "value": limit}
        steps.append({"id": f"s{number}", "together": draw(st.booleans()), "only_if": condition})
    return flow(*steps)


def test_steps_asked_together_are_one_stage() -> None:
    definition = flow({"id": "a"}, {"id": "b", "together": True}, {"id": "c"})
    assert [[step.id for step in stage] for stage in stages(definition.steps)] == [["a", "b"], ["c"]]


def test_a_stage_is_asked_when_all_of_the_one_before_approved() -> None:
    definition = flow({"id": "a"}, {"id": "b", "together": True}, {"id": "c"})
    assert standing(definition, {}, {}) == Standing(State.AT_STEP, ("a", "b"))
    assert standing(definition, {}, {"b": Verdict.APPROVE}) == Standing(State.AT_STEP, ("a",))
    both = {"a": Verdict.APPROVE, "b": Verdict.APPROVE}
    assert standing(definition, {}, both) == Standing(State.AT_STEP, ("c",))
    assert standing(definition, {}, {**both, "c": Verdict.APPROVE}) == Standing(State.APPROVED)


@pytest.mark.parametrize(("amount", "needed"), [(999.0, ["a"]), (1000.0, ["a"]), (1000.01, ["a", "b"]), (None, ["a"])])
def test_a_further_step_is_needed_above_an_amount(amount: float | None, needed: list[str]) -> None:
    definition = flow({"id": "a"}, {"id": "b", "only_if": {"field": "amount", "op": "gt", "value": 1000}})
    assert [step.id for step in needed_steps(definition, {"amount": amount})] == needed


def test_a_flow_without_steps_approves_at_once() -> None:
    assert standing(flow(), {}, {}) == Standing(State.APPROVED)


@given(flows(), st.floats(0, 100), st.data())
def test_in_whatever_order_people_decide_an_entry_ends_once_and_never_without_every_needed_approval(
    definition: Definition, amount: float, data: st.DataObject
) -> None:
    values = {"amount": amount}
    needed = {step.id for step in needed_steps(definition, values)}
    verdicts: dict[str, Verdict] = {}
    asked_ever: list[str] = []
    stands = standing(definition, values, verdicts)
    while stands.state is State.AT_STEP:
        assert stands.asked
        assert not set(stands.asked) & set(verdicts)  # nobody is asked a second time
        asked_ever += [step for step in stands.asked if step not in asked_ever]
        step = data.draw(st.sampled_from(stands.asked))
        verdicts[step] = data.draw(st.sampled_from(Verdict))
        stands = standing(definition, values, verdicts)
        assert len(verdicts) <= len(needed)
    assert set(asked_ever) <= needed
    approved = {step for step, verdict in verdicts.items() if verdict is Verdict.APPROVE}
    assert (stands.state is State.APPROVED) == (approved == needed == set(verdicts))
    if Verdict.REJECT in verdicts.values():
        assert stands.state is State.REJECTED
    elif Verdict.SEND_BACK in verdicts.values():
        assert stands.state is State.RETURNED


@given(flows(), st.floats(0, 100), st.randoms(use_true_random=False))
def test_where_an_entry_stands_does_not_depend_on_the_order_of_approvals(
    definition: Definition, amount: float, chance: object
) -> None:
    values = {"amount": amount}
    approvals = [(step.id, Verdict.APPROVE) for step in needed_steps(definition, values)]
    shuffled = list(approvals)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(definition, values, dict(shuffled)) == standing(definition, values, dict(approvals))
