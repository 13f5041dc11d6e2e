"""What operators do: each alarm for itself, once, by whom may, with who and when on the record."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from athanor.kernel.alarms.errors import BadShelvingError, NotOperatorError, ReasonNeededError, TooManyAlarmsError
from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.history import Wanted
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.operating import Refusal, Why
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.tables import AuditRow
from tests.kernel.alarms.standings import EIGHT, FEED, PARK, PRESSURE, TEMPERATURE, World, raises, user

RAISED, CLEARED = What.RAISED, What.CLEARED
ANNA, ENGINEER = user(), user("emil", "engineer")
FOUR_HOURS = timedelta(hours=4)


async def standing(world: World, **fields: Any) -> int:
    """An alarm that is raised."""
    alarm = await world.alarm(**fields)
    await world.take((alarm, RAISED, 0))
    return alarm


async def trail(world: World) -> list[tuple[str, str, str]]:
    """What is recorded of alarms: actor, action, subject."""
    query = select(AuditRow).where(AuditRow.action.startswith("alarms.")).order_by(AuditRow.id)
    async with world.database.reading() as session:
        return [(one.actor, one.action, one.subject) for one in await session.scalars(query)]


async def test_acknowledging_is_an_event_and_an_entry_of_the_trail(world: World) -> None:
    alarm = await standing(world)
    acted = await world.alarms.acknowledge(ANNA, [alarm], "seen", "10.0.0.7")
    assert (acted.done, dict(acted.refused)) == ((alarm,), {})
    assert (await world.events(alarm))[-1] == ("acknowledged", "UNACK", "ACKED", "anna")
    assert await trail(world) == [("anna", "alarms.acknowledged", TEMPERATURE)]
    assert (await verify(world.database)).is_whole


async def test_who_acknowledges_second_hears_who_was_first_and_when(world: World) -> None:
    alarm = await standing(world)
    await world.alarms.acknowledge(ANNA, [alarm])
    world.passes(minutes=1)
    acted = await world.alarms.acknowledge(user("boris"), [alarm])
    assert (acted.done, acted.refused[alarm]) == ((), Refusal(Why.ALREADY, "anna", EIGHT))
    await world.take((alarm, CLEARED, 90))
    acted = await world.alarms.acknowledge(user("boris"), [alarm])  # it is over meanwhile
    assert acted.refused[alarm] == Refusal(Why.ALREADY, "anna", EIGHT)
    assert len(await trail(world)) == 1


async def test_of_two_operators_at_once_one_acknowledges_and_the_other_hears_of_it(world: World) -> None:
    ids = await world.many([f"smelter.bath.t{number}" for number in range(20)])
    await world.alarms.take(raises(ids), late_before=EIGHT)
    first, second = await asyncio.gather(
        world.alarms.acknowledge(ANNA, ids), world.alarms.acknowledge(user("boris"), ids[::-1])
    )
    assert sorted((*first.done, *second.done)) == ids
    for one, other in ((first, "boris"), (second, "anna")):
        assert {refusal.by for refusal in one.refused.values()} <= {other}


async def test_what_cannot_be_done_to_some_is_said_and_the_rest_is_done(world: World) -> None:
    normal, alarm, foreign = (
        await world.alarm(),
        await standing(world),
        await standing(world, path=FEED, tenant="milling"),
    )
    acted = await world.alarms.acknowledge(ANNA, [normal, alarm, foreign, 9999, -1, 1 << 40])
    assert acted.done == (alarm,)
    assert {one: refusal.why for one, refusal in acted.refused.items()} == {
        normal: Why.NOTHING,
        foreign: Why.UNKNOWN,
        9999: Why.UNKNOWN,
        -1: Why.UNKNOWN,
        1 << 40: Why.UNKNOWN,
    }
    assert await world.state(foreign) == State.UNACK
    assert (await world.alarms.acknowledge(PARK, [foreign])).done == (foreign,)


async def test_a_viewer_operates_nothing_and_an_operator_takes_nothing_out_of_service(world: World) -> None:
    alarm = await standing(world)
    viewer = user("vera", "viewer")
    for act in (world.alarms.acknowledge, world.alarms.reset, world.alarms.unshelve):
        with pytest.raises(NotOperatorError):
            await act(viewer, [alarm])
    with pytest.raises(NotOperatorError):
        await world.alarms.shelve(viewer, [alarm], FOUR_HOURS, "why")
    with pytest.raises(NotOperatorError):
        await world.alarms.remove_from_service(ANNA, [alarm], "repair")
    with pytest.raises(NotOperatorError):
        await world.alarms.return_to_service(ANNA, [alarm])
    with pytest.raises(NotOperatorError):
        await world.alarms.comment(viewer, 1, "hm")


async def test_a_latched_alarm_is_reset_once_it_is_acknowledged_and_over(world: World) -> None:
    alarm = await standing(world, is_latched=True)
    assert (await world.alarms.reset(ANNA, [alarm])).refused[alarm].why is Why.STILL_ACTIVE
    await world.take((alarm, CLEARED, 5))
    assert await world.state(alarm) == State.LTUNK
    assert (await world.alarms.reset(ANNA, [alarm])).refused[alarm].why is Why.NOT_ACKNOWLEDGED
    await world.alarms.acknowledge(ANNA, [alarm])
    assert await world.state(alarm) == State.LTACK
    assert (await world.occurrences(alarm))[0].ended_at is None
    assert (await world.alarms.reset(ANNA, [alarm])).done == (alarm,)
    assert await world.state(alarm) == State.NORM
    assert (await world.alarms.reset(ANNA, [alarm])).refused[alarm].why is Why.NOTHING


@pytest.mark.parametrize(("is_active", "goal"), [(True, State.UNACK), (False, State.NORM)])
async def test_the_worked_example_of_shelving(world: World, is_active: bool, goal: State) -> None:
    """Example 6 of the reference: shelved at 08:00 for 4 h while active; at 12:00 it is seen again."""
    alarm = await standing(world)
    await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, "probe is being cleaned")
    (shelved,) = world.alarms.standing.alarms_of(ANNA)
    assert (shelved.state, shelved.own_state, shelved.hidden_by) == (State.SHLVD, State.UNACK, "anna")
    assert (shelved.hidden_reason, shelved.shelved_until) == ("probe is being cleaned", EIGHT + FOUR_HOURS)
    if not is_active:
        await world.take((alarm, CLEARED, 3600))
    world.passes(hours=4, seconds=-1)
    assert await world.alarms.tick() == ()
    world.passes(seconds=1)
    (change,) = await world.alarms.tick()
    assert (change.to_state, change.is_announced) == (goal, is_active)
    assert await world.state(alarm) == goal
    assert (await world.events(alarm))[-1] == ("unshelved", "SHLVD", goal.value, "")
    told = [one.topic for one in await world.notices()]
    assert told == ["alarms.raised", "alarms.shelved", *(["alarms.raised"] if is_active else [])]


async def test_a_shelved_alarm_is_judged_on_and_announced_to_nobody(world: World) -> None:
    alarm = await world.alarm()
    await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, "start-up")
    (change,) = await world.take((alarm, RAISED, 5))
    assert (change.is_announced, change.to_state) == (False, State.SHLVD)
    assert not await world.notices()
    assert (await world.alarms.acknowledge(ANNA, [alarm])).refused[alarm] == Refusal(Why.HIDDEN, "anna")
    acted = await world.alarms.shelve(user("boris"), [alarm], FOUR_HOURS, "again")
    assert acted.refused[alarm] == Refusal(Why.ALREADY, "anna", EIGHT)
    assert (await world.alarms.unshelve(user("boris"), [alarm])).done == (alarm,)
    assert await world.state(alarm) == State.UNACK
    assert len(await world.notices()) == 1


async def test_the_more_urgent_the_shorter_it_is_shelved_and_an_engineer_may_for_longer(world: World) -> None:
    critical = await world.alarm(priority=Priority.CRITICAL)
    acted = await world.alarms.shelve(ANNA, [critical], timedelta(hours=2), "why")
    assert acted.refused[critical] == Refusal(Why.TOO_LONG, longest=timedelta(hours=1))
    assert (await world.alarms.shelve(ENGINEER, [critical], timedelta(hours=2), "why")).done == (critical,)
    with pytest.raises(BadShelvingError):
        await world.alarms.shelve(ANNA, [critical], timedelta(hours=13), "why")
    with pytest.raises(BadShelvingError):
        await world.alarms.shelve(ANNA, [critical], timedelta(0), "why")


async def test_a_safety_alarm_is_shelved_only_by_who_may_take_it_out_of_service(world: World) -> None:
    alarm = await world.alarm(is_safety=True)
    assert (await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, "why")).refused[alarm].why is Why.SAFETY
    assert (await world.alarms.shelve(ENGINEER, [alarm], FOUR_HOURS, "why")).done == (alarm,)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
async def test_nothing_is_hidden_without_a_reason(world: World, reason: str) -> None:
    alarm = await world.alarm()
    with pytest.raises(ReasonNeededError):
        await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, reason)
    with pytest.raises(ReasonNeededError):
        await world.alarms.remove_from_service(ENGINEER, [alarm], reason)


async def test_out_of_service_is_shown_before_shelved_and_each_keeps_its_reason(world: World) -> None:
    alarm = await standing(world)
    await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, "noisy")
    await world.alarms.remove_from_service(ENGINEER, [alarm], "being replaced")
    (seen,) = world.alarms.standing.alarms_of(ANNA)
    assert (seen.state, seen.hidden_by, seen.hidden_reason) == (State.OOSRV, "emil", "being replaced")
    acted = await world.alarms.remove_from_service(PARK, [alarm], "me too")
    assert acted.refused[alarm] == Refusal(Why.ALREADY, "emil", EIGHT)
    await world.alarms.return_to_service(ENGINEER, [alarm], "done")
    (seen,) = world.alarms.standing.alarms_of(ANNA)
    assert (seen.state, seen.hidden_by, seen.hidden_reason) == (State.SHLVD, "anna", "noisy")
    await world.alarms.unshelve(ANNA, [alarm])
    assert await world.state(alarm) == State.UNACK
    assert [action for _, action, _ in await trail(world)] == [
        "alarms.shelved",
        "alarms.removed-from-service",
        "alarms.returned-to-service",
        "alarms.unshelved",
    ]


async def test_comments_stay_with_the_occurrence_and_with_its_tenant(world: World) -> None:
    alarm = await standing(world)
    (occurrence,) = await world.occurrences(alarm)
    await world.alarms.comment(ANNA, occurrence.id, " The probe\0 drifts. ")
    told = await world.alarms.history.occurrence(ANNA, occurrence.id)
    assert [(one.by, one.at, one.text) for one in told.comments] == [("anna", EIGHT, "The probe\ufffd drifts.")]
    for stranger in (user("mia", tenant="milling"),):
        with pytest.raises(NotFoundError):
            await world.alarms.comment(stranger, occurrence.id, "hm")
        with pytest.raises(NotFoundError):
            await world.alarms.history.occurrence(stranger, occurrence.id)
    with pytest.raises(NotFoundError):
        await world.alarms.comment(ANNA, 1 << 40, "hm")
    with pytest.raises(ReasonNeededError):
        await world.alarms.comment(ANNA, occurrence.id, "x" * 4001)


async def test_thousands_are_acknowledged_by_one_call(world: World) -> None:
    ids = await world.many([f"smelter.bath.t{number}" for number in range(2500)])
    await world.alarms.take(raises(ids), late_before=EIGHT)
    acted = await world.alarms.acknowledge(ANNA, ids)
    assert len(acted.done) == 2500
    assert len(await trail(world)) == 1
    assert not world.alarms.standing.counts(ANNA).unacknowledged
    with pytest.raises(TooManyAlarmsError):
        await world.alarms.acknowledge(ANNA, range(1, 20_002))


async def test_a_reason_with_a_nul_is_kept_without_it(world: World) -> None:
    alarm = await standing(world)
    await world.alarms.acknowledge(ANNA, [alarm], "a\0b")
    page = await world.alarms.history.events(ANNA, Wanted(alarm=alarm))
    assert [one.reason for one in page.rows] == ["a\ufffdb", ""]


async def test_an_alarm_that_nothing_judges_is_not_hidden(world: World) -> None:
    alarm = await standing(world, path=PRESSURE)
    async with world.database.session() as session:
        (await session.get_one(type(await world.row(alarm)), alarm)).is_judged = False
    assert (await world.alarms.shelve(ANNA, [alarm], FOUR_HOURS, "why")).refused[alarm].why is Why.NOT_JUDGED
