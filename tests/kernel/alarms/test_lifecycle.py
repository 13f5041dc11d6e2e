"""The life cycle, cell by cell, as ISA-18.2 / IEC 62682 says (`reference/alarms.md`, section 2)."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, lists, sampled_from, tuples

from athanor.kernel.alarms.lifecycle import Design, Stand, State, Trigger, after

PLAIN, SELF = Design(), Design(acknowledges_itself=True)
LATCHED, LATCHED_SELF = Design(is_latched=True), Design(is_latched=True, acknowledges_itself=True)
DESIGNS = (PLAIN, SELF, LATCHED, LATCHED_SELF)
OWN = ("NORM", "UNACK", "ACKED", "RTNUN", "LTUNK", "LTACK")
CONDITIONS = ("raised", "cleared", "acknowledged", "reset", "repeated")

# The standard's table: where each state goes by each trigger; "-" where it has no meaning and nothing changes.
#          raised   cleared  acknowl. reset    repeated
PLAIN_TABLE = """
  NORM     UNACK    -        -        -        -
  UNACK    -        RTNUN    ACKED    -        -
  ACKED    -        NORM     -        -        UNACK
  RTNUN    UNACK    -        NORM     -        -
  LTUNK    UNACK    -        LTACK    -        -
  LTACK    UNACK    -        -        NORM     -
"""
RETURNS = {  # the variants differ in the return to normal: of B, of C
    PLAIN: ("RTNUN", "NORM"),
    SELF: ("NORM", "NORM"),
    LATCHED: ("LTUNK", "LTACK"),
    LATCHED_SELF: ("LTACK", "LTACK"),
}


def cells() -> list[tuple[Design, str, str, str]]:
    """Design, state, trigger, and where it leads."""
    rows = [line.split() for line in PLAIN_TABLE.strip().splitlines()]
    found = []
    for design, (state, *goals) in product(DESIGNS, rows):
        for trigger, goal in zip(CONDITIONS, goals, strict=True):
            if trigger == "cleared" and state in ("UNACK", "ACKED"):
                found.append((design, state, trigger, RETURNS[design][state == "ACKED"]))
            else:
                found.append((design, state, trigger, goal))
    return found


@pytest.mark.parametrize(("design", "state", "trigger", "goal"), cells())
def test_each_cell_of_what_the_condition_and_the_operator_do(
    design: Design, state: str, trigger: str, goal: str
) -> None:
    now = after(Stand(State(state)), Trigger(trigger), design)
    assert now == (None if goal == "-" else Stand(State(goal)))


HIDINGS = {"G": "is_shelved", "H": "is_suppressed", "I": "is_out_of_service"}
SHOWN = {"G": "SHLVD", "H": "DSUPR", "I": "OOSRV"}
BEGINS = {"G": "shelved", "H": "suppressed", "I": "removed-from-service"}
ENDS = {"G": "unshelved", "H": "resumed", "I": "returned-to-service"}


def hidden(own: str, *letters: str) -> Stand:
    """An alarm that these hide."""
    return Stand(State(own), **{HIDINGS[letter]: True for letter in letters})


@pytest.mark.parametrize(("own", "letter", "design"), [*product(OWN, "GHI", DESIGNS)])
def test_any_of_a_to_f_goes_to_g_h_and_i(own: str, letter: str, design: Design) -> None:
    now = after(Stand(State(own)), Trigger(BEGINS[letter]), design)
    assert now == hidden(own, letter)
    assert now is not None
    assert now.shown == SHOWN[letter]


@pytest.mark.parametrize(("own", "letter", "design"), [*product(OWN, "GHI", DESIGNS)])
def test_after_g_h_and_i_the_state_comes_from_the_condition_alone(own: str, letter: str, design: Design) -> None:
    goal = "UNACK" if own in ("UNACK", "ACKED") else "NORM"
    assert after(hidden(own, letter), Trigger(ENDS[letter]), design) == Stand(State(goal))


@pytest.mark.parametrize(("own", "letter", "design"), [*product(OWN, "GHI", DESIGNS)])
def test_what_is_not_hidden_is_not_shown_again_and_what_is_hidden_is_not_hidden_twice(
    own: str, letter: str, design: Design
) -> None:
    assert after(Stand(State(own)), Trigger(ENDS[letter]), design) is None
    assert after(hidden(own, letter), Trigger(BEGINS[letter]), design) is None


@pytest.mark.parametrize(("own", "letter", "trigger"), [*product(OWN, "GHI", ("acknowledged", "reset", "repeated"))])
def test_a_hidden_alarm_is_neither_acknowledged_nor_reset_nor_repeated(own: str, letter: str, trigger: str) -> None:
    assert after(hidden(own, letter), Trigger(trigger), PLAIN) is None


@pytest.mark.parametrize(("own", "letter", "design"), [*product(OWN, "GHI", DESIGNS)])
def test_a_hidden_alarm_is_judged_on_and_asks_for_nothing(own: str, letter: str, design: Design) -> None:
    is_active = own in ("UNACK", "ACKED")
    raised, cleared = (after(hidden(own, letter), Trigger(one), design) for one in ("raised", "cleared"))
    assert raised == (None if is_active else hidden("UNACK", letter))
    assert cleared == (hidden("NORM", letter) if is_active else None)


@pytest.mark.parametrize(
    ("letters", "shown"),
    [("GH", "DSUPR"), ("GI", "OOSRV"), ("HI", "OOSRV"), ("GHI", "OOSRV")],
)
def test_of_several_hidings_i_is_shown_before_h_before_g(letters: str, shown: str) -> None:
    assert hidden("ACKED", *letters).shown == shown


def test_the_hidings_are_independent() -> None:
    stand: Stand | None = Stand(State.ACKED)
    for trigger in (Trigger.SHELVED, Trigger.SUPPRESSED, Trigger.REMOVED):
        assert stand is not None
        stand = after(stand, trigger, PLAIN)
    assert stand == hidden("ACKED", "G", "H", "I")
    assert stand is not None
    stand = after(stand, Trigger.RETURNED, PLAIN)
    assert stand == hidden("ACKED", "G", "H")
    assert stand is not None
    stand = after(stand, Trigger.UNSHELVED, PLAIN)  # its time is over, though something stronger hides it
    assert stand == hidden("ACKED", "H")
    assert stand is not None
    assert after(stand, Trigger.RESUMED, PLAIN) == Stand(State.UNACK)


@pytest.mark.parametrize("letter", "HI")
def test_what_is_suppressed_or_out_of_service_is_not_shelved_too(letter: str) -> None:
    assert after(hidden("UNACK", letter), Trigger.SHELVED, PLAIN) is None


@pytest.mark.parametrize(("own", "is_active"), [*product(OWN, (False, True))])
def test_what_ends_suppression_knows_better_whether_the_condition_holds(own: str, is_active: bool) -> None:
    goal = State.UNACK if is_active else State.NORM
    assert after(hidden(own, "H"), Trigger.RESUMED, PLAIN, is_active=is_active) == Stand(goal)


@pytest.mark.parametrize(("own", "letters"), [*product(OWN, ("", "G", "H", "I", "GHI"))])
def test_retiring_ends_whatever_stands(own: str, letters: str) -> None:
    stand = hidden(own, *letters)
    assert after(stand, Trigger.RETIRED, PLAIN) == (None if stand == Stand() else Stand())


@given(
    start=sampled_from([Stand(), hidden("NORM", "G"), hidden("NORM", "H"), hidden("NORM", "I")]),
    design=sampled_from(DESIGNS),
    steps=lists(tuples(sampled_from(list(Trigger)), booleans()), max_size=30),
)
def test_no_sequence_of_triggers_leads_to_an_impossible_row(
    start: Stand, design: Design, steps: list[tuple[Trigger, bool]]
) -> None:
    stand, condition = start, False
    for trigger, holds in steps:
        is_hiding = trigger in (Trigger.SUPPRESSED, Trigger.RESUMED)
        now = after(stand, trigger, design, is_active=holds if is_hiding else None)
        if now is None:
            continue
        if trigger is Trigger.RAISED or trigger is Trigger.CLEARED:
            condition = trigger is Trigger.RAISED
        elif is_hiding:
            condition = holds
        elif trigger is Trigger.RETIRED:
            condition = False
        stand = now
        assert stand.is_active == condition  # the state never forgets whether the condition holds
        assert stand.own not in (State.SHLVD, State.DSUPR, State.OOSRV)
        assert (stand.shown in (State.SHLVD, State.DSUPR, State.OOSRV)) == stand.is_hidden
        if not design.is_latched:
            assert stand.own not in (State.LTUNK, State.LTACK)
        if design.is_latched or design.acknowledges_itself:
            assert stand.own is not State.RTNUN


def test_the_worked_examples_of_acknowledging_before_and_after_the_return() -> None:
    unack = after(Stand(), Trigger.RAISED, PLAIN)
    assert unack == Stand(State.UNACK)
    assert unack is not None
    acked = after(unack, Trigger.ACKNOWLEDGED, PLAIN)
    assert acked == Stand(State.ACKED)
    assert acked is not None
    assert after(acked, Trigger.CLEARED, PLAIN) == Stand(State.NORM)
    returned = after(unack, Trigger.CLEARED, PLAIN)
    assert returned == Stand(State.RTNUN)
    assert returned is not None
    assert after(returned, Trigger.ACKNOWLEDGED, PLAIN) == Stand(State.NORM)
