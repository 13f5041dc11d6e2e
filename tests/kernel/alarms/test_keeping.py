"""Findings are taken in once, whole, and told of as they should be."""

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.lifecycle import State
from tests.kernel.alarms.standings import EIGHT, World, user


async def test_a_raise_is_a_row_an_occurrence_an_event_and_a_notice(world: World) -> None:
    alarm = await world.alarm()
    (change,) = await world.take((alarm, What.RAISED, 0))
    (occurrence,) = await world.occurrences(alarm)
    (told,) = await world.notices()
    row = await world.row(alarm)
    assert (row.state, row.is_active, row.value, row.limit, row.occurrence_id) == (
        "UNACK",
        True,
        1262.0,
        1250.0,
        occurrence.id,
    )
    assert (occurrence.raised_at, occurrence.is_announced, occurrence.ended_at) == (EIGHT, True, None)
    assert await world.events(alarm) == [("raised", "NORM", "UNACK", "")]
    assert (told.key, told.tenant, told.is_over) == (f"alarms.occurrence:{occurrence.id}:raised", "smelting", False)
    assert (change.occurrence, change.is_announced, change.to_state) == (occurrence.id, True, State.UNACK)
    assert [one.id for one in world.alarms.standing.alarms_of(user())] == [alarm]
    acted = await world.alarms.acknowledge(user(), [alarm])
    assert acted.done == (alarm,)
    await world.take((alarm, What.CLEARED, 60))
    assert not world.alarms.standing.alarms_of(user())
