"""The desk's list: order, filters, groups, what is kept in the address, for how long is shelved, when it is a flood."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.alarms.services.desk_list import Board, DeskList, Group, Head, View, Wish, chosen, wish_of
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.desk_seen import LATE_S, ScreenTimes
from athanor.apps.alarms.services.desk_shelving import lengths_for
from athanor.apps.alarms.services.desk_silence import BadSilenceError, Silences
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TAG = Tag("works.area.pump.flow", {"en": "Flow", "zh_CN": "流量"}, "m3/h")
NODES = [
    Node("works", Level.SITE, {"en": "Works"}, "one"),
    Node("works.area", Level.AREA, {"en": "North area", "zh_CN": "北区"}, "one"),
    Node("works.area.pump", Level.ASSET, {"en": "Pump"}, "one", tags=(TAG,)),
]
MODEL = Plant("park", {"en": "Park"}, "UTC", {"one": Tenant("one", {"en": "One"})}, {one.path: one for one in NODES})
PLACES = places_of(RunningPlant(MODEL, 1, {TAG.path: TagId(1)}))
ALARM = StandingAlarm(
    id=1,
    rule=1,
    occurrence=1,
    tenant="one",
    path=TAG.path,
    name={"en": "Too low", "zh_CN": "过低"},
    consequence={},
    action={},
    priority=Priority.HIGH,
    category=Category.PROCESS,
    state=State.UNACK,
    own_state=State.UNACK,
    is_active=True,
    is_safety=False,
    value=1.0,
    limit=2.0,
    raised_at=NOON,
    seen_at=NOON,
    since=NOON,
    acknowledged_by=None,
    acknowledged_at=None,
    shelved_until=None,
    hidden_by=None,
    hidden_reason="",
    camera=None,
    revision=1,
)

alarms = st.lists(
    st.builds(
        replace,
        st.just(ALARM),
        id=st.integers(1, 10_000),
        priority=st.sampled_from(Priority),
        category=st.sampled_from(Category),
        state=st.sampled_from([state for state in State if state is not State.NORM]),
        raised_at=st.none() | st.integers(0, 10_000).map(lambda n: NOON - timedelta(minutes=n)),
        path=st.sampled_from([TAG.path, "works.area", "edge:south"]),
    ),
    max_size=40,
)
wishes = st.builds(
    Wish,
    view=st.sampled_from(View),
    priorities=st.frozensets(st.sampled_from([1, 2, 3, 4])),
    category=st.sampled_from(["", *Category]),
    state=st.sampled_from(["", State.UNACK, State.ACKED]),
    area=st.sampled_from(["", "works.area"]),
    tenant=st.sampled_from(["", "one"]),
    text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20),
    group=st.sampled_from(Group),
)


@given(wish=wishes)
def test_an_address_brings_back_what_was_wished_for(wish: Wish) -> None:

    query = dict(parse_qsl(urlsplit(wish.address).query))
    assert wish_of(query) == wish


def test_an_address_that_makes_no_sense_lists_everything() -> None:
    query = {"view": "x", "priority": "9,x", "category": "x", "state": "x", "group": "x"}
    assert wish_of(query) == Wish()


@given(found=alarms)
def test_each_alarm_is_in_one_list_and_the_unacknowledged_and_urgent_come_first(found: list[StandingAlarm]) -> None:
    board = Board(found)
    listed = [alarm for view in View for alarm in board.of(view)]
    assert sorted(one.id for one in listed) == sorted(one.id for one in found)
    waiting = {State.UNACK, State.RTNUN, State.LTUNK}
    keys = [(one.state not in waiting, one.priority) for one in board.of(View.STANDING)]
    assert keys == sorted(keys)
    assert sum(board.tally.total.values()) == board.sizes[View.STANDING]


@given(found=alarms, wish=wishes)
def test_a_group_holds_its_alarms_and_loses_none(found: list[StandingAlarm], wish: Wish) -> None:
    board = Board(found)
    listed = DeskList(replace(wish, group=Group.AREA))
    listed.arrange(board, PLACES)
    heads = [line for line in listed.lines if isinstance(line, Head)]
    assert sum(sum(head.tally.total.values()) for head in heads) == len(chosen(board, wish, PLACES))
    for head in heads:
        listed.toggle(head.key)
    listed.arrange(board, PLACES)
    assert [line.key for line in listed.lines if isinstance(line, Head)] == [head.key for head in heads]
    assert len(listed.lines) == len(heads)


@pytest.mark.parametrize("text", ["flow", "FLOW north", "流量", "过低", "area.pump"])
def test_words_are_found_in_names_of_every_language_and_in_paths(text: str) -> None:
    assert chosen(Board([ALARM]), Wish(text=text), PLACES) == [ALARM]


def test_what_is_not_said_anywhere_is_not_found() -> None:
    assert chosen(Board([ALARM]), Wish(text="flow south"), PLACES) == []


def test_shelving_is_offered_no_longer_than_the_most_urgent_allows() -> None:
    operator = User(1, "olga", "Olga", ("operator",), "one")
    engineer = User(2, "erik", "Erik", ("engineer",), "one")
    low, critical = replace(ALARM, priority=Priority.LOW), replace(ALARM, priority=Priority.CRITICAL)
    assert lengths_for(operator, [low])[-1] == timedelta(hours=12)
    assert lengths_for(operator, [low, critical])[-1] == timedelta(hours=1)
    assert lengths_for(engineer, [low])[-1] == timedelta(hours=72)
    safety = replace(ALARM, is_safety=True)
    assert lengths_for(operator, [safety]) == []
    assert lengths_for(engineer, [safety])[-1] == timedelta(hours=12)


def test_a_silence_ends_by_itself_and_has_one_of_the_lengths_there_are() -> None:
    silences = Silences()
    silences.silence("olga", 15, NOON)
    assert silences.until("olga", NOON + timedelta(minutes=14)) == NOON + timedelta(minutes=15)
    assert silences.until("olga", NOON + timedelta(minutes=15)) is None
    assert silences.until("omar", NOON) is None
    with pytest.raises(BadSilenceError, match="10000 minutes"):
        silences.silence("olga", 10_000, NOON)
    silences.silence("olga", 0, NOON)
    assert silences.until("olga", NOON) is None


def test_times_to_the_screen_leave_out_what_came_late() -> None:
    times = ScreenTimes()
    for tenths in range(1, 11):
        times.note(ALARM, NOON + timedelta(seconds=tenths / 10))
    late = replace(ALARM, seen_at=NOON + timedelta(seconds=LATE_S + 1))
    times.note(late, NOON + timedelta(seconds=LATE_S + 2))
    shown = times.summary()
    assert (shown.measured, shown.late, sum(shown.bars)) == (10, 1, 10)
    assert shown.p50_s == pytest.approx(0.55)
    assert shown.p95_s == pytest.approx(0.955)
