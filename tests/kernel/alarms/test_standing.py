"""What stands: the same for every server, cut to what each viewer may see, and what changed since."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.rule import Priority, Rule
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import RuleRow
from athanor.kernel.identity.user import Share
from tests.kernel.alarms.standings import (
    EIGHT,
    FEED,
    PARK,
    PRESSURE,
    RUNNING,
    TEMPERATURE,
    World,
    findings,
    plant,
    raises,
    user,
)

RAISED, CLEARED, SUPPRESSED = What.RAISED, What.CLEARED, What.SUPPRESSED
ANNA, MIA = user(), user("mia", tenant="milling")


@pytest.fixture
async def other(world: World) -> AsyncIterator[Alarms]:
    """A second server on the same database."""
    alarms = Alarms(world.database, world.bus, plant, world.now)
    await alarms.standing.load()
    yield alarms
    await alarms.close()


def seen(alarms: Alarms, viewer: object = ANNA) -> dict[int, State]:
    return {one.id: one.state for one in alarms.standing.alarms_of(viewer)}  # type: ignore[arg-type]


async def test_what_one_server_changes_the_other_shows(world: World, other: Alarms) -> None:
    one, two = await world.many([TEMPERATURE, PRESSURE])
    await world.alarms.take(raises([one, two]), late_before=EIGHT)
    await other.standing.refresh()
    assert seen(other) == seen(world.alarms) == {one: State.UNACK, two: State.UNACK}
    await other.acknowledge(ANNA, [one])
    await world.take((one, CLEARED, 5))
    await other.standing.refresh()
    assert seen(other) == seen(world.alarms) == {two: State.UNACK}
    assert other.standing.revision == world.alarms.standing.revision


async def test_another_servers_changes_are_looked_for_without_being_asked(world: World) -> None:
    alarm = await world.alarm()
    follower = Alarms(world.database, world.bus, plant, world.now)
    await follower.start()
    try:
        await world.take((alarm, RAISED, 0))
        async with asyncio.timeout(60):
            while not seen(follower):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await follower.close()


async def test_a_server_that_starts_reads_what_stands_and_what_is_hidden(world: World) -> None:
    raised, shelved, suppressed, normal = await world.many([TEMPERATURE, PRESSURE, RUNNING, "smelter.bath"])
    await world.take((raised, RAISED, 0), (normal, RAISED, 0), (normal, CLEARED, 1))
    await world.alarms.acknowledge(ANNA, [normal])
    await world.alarms.shelve(ANNA, [shelved], timedelta(hours=1), "why")
    await world.take((suppressed, SUPPRESSED, 2), is_active=False)
    fresh = Alarms(world.database, world.bus, plant, world.now)
    await fresh.standing.load()
    assert seen(fresh) == seen(world.alarms)
    assert seen(fresh) == {raised: State.UNACK, shelved: State.SHLVD, suppressed: State.DSUPR}
    assert list(fresh.standing.alarms_of(ANNA)) == list(world.alarms.standing.alarms_of(ANNA))


async def test_each_sees_their_tenants_alarms_and_the_parks_people_all(world: World) -> None:
    hot, feed = await world.alarm(), await world.alarm(FEED, "milling")
    system = await world.alarm("edge:south", None)
    await world.alarms.take(raises([hot, feed, system]), late_before=EIGHT)
    assert [set(seen(world.alarms, one)) for one in (ANNA, MIA, PARK)] == [{hot}, {feed}, {hot, feed, system}]
    assert world.alarms.standing.get(MIA, hot) is None
    assert world.alarms.standing.get(ANNA, hot) is not None
    assert dict(world.alarms.standing.counts(MIA).by_priority) == {Priority.MEDIUM: 1}


@pytest.mark.parametrize(
    ("share", "sees"),
    [
        (Share("smelting", "smelter"), {TEMPERATURE, RUNNING, "smelter.bath"}),
        (Share("smelting", "smelter.bath.temperature"), {TEMPERATURE}),
        (Share("smelting", "smelter.ba"), set()),
        (Share("milling", "smelter"), set()),
        (Share("smelting", "smelter", frozenset({"state"})), {RUNNING}),
        (Share("smelting", "smelter", data_from=EIGHT), {TEMPERATURE, RUNNING, "smelter.bath"}),
        (Share("smelting", "smelter", data_from=EIGHT + timedelta(seconds=1)), set()),
    ],
)
async def test_what_another_tenant_shares_is_seen_and_not_acted_upon(
    world: World, share: Share, sees: set[str]
) -> None:
    paths = [TEMPERATURE, RUNNING, "smelter.bath"]
    ids = await world.many(paths)
    await world.alarms.take(raises(ids), late_before=EIGHT)
    guest = user("mia", tenant="milling", shares=(share,))
    assert {one.path for one in world.alarms.standing.alarms_of(guest)} == sees
    assert {one.path for one in world.alarms.standing.changed_since(guest, 0).alarms} == sees
    assert not (await world.alarms.acknowledge(guest, ids)).done


async def test_a_page_asks_only_for_what_changed_and_hears_what_is_gone(world: World) -> None:
    one, two = await world.many([TEMPERATURE, PRESSURE])
    await world.alarms.take(raises([one, two]), late_before=EIGHT)
    revision = world.alarms.standing.revision
    nothing = world.alarms.standing.changed_since(ANNA, revision)
    assert (nothing.revision, nothing.alarms, nothing.gone) == (revision, [], [])
    await world.alarms.acknowledge(ANNA, [two])
    await world.take((two, CLEARED, 5), (one, CLEARED, 6))
    changed = world.alarms.standing.changed_since(ANNA, revision)
    assert ([alarm.state for alarm in changed.alarms], changed.gone) == ([State.RTNUN], [two])
    stranger = world.alarms.standing.changed_since(MIA, revision)
    assert (stranger.alarms, stranger.gone) == ([], [])


async def test_a_page_that_was_away_for_too_long_is_given_all(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 0))
    fresh = Alarms(world.database, world.bus, plant, world.now)
    await fresh.standing.load()
    changed = fresh.standing.changed_since(ANNA, 0)
    assert (changed.is_whole, [one.id for one in changed.alarms]) == (True, [alarm])


async def test_alarms_are_counted_by_state_and_those_nothing_hides_by_priority(world: World) -> None:
    high = await world.many([TEMPERATURE, PRESSURE], priority=Priority.HIGH)
    low = await world.alarm(RUNNING, priority=Priority.LOW)
    await world.alarms.take(raises([*high, low]), late_before=EIGHT)
    await world.alarms.acknowledge(ANNA, high[:1])
    await world.alarms.shelve(ANNA, [low], timedelta(hours=1), "why")
    counts = world.alarms.standing.counts(ANNA)
    assert dict(counts.by_state) == {State.ACKED: 1, State.UNACK: 1, State.SHLVD: 1}
    assert (dict(counts.by_priority), dict(counts.unacknowledged)) == ({Priority.HIGH: 2}, {Priority.HIGH: 1})


async def test_alarms_of_a_rule_that_is_reworded_say_the_new_words(world: World, other: Alarms) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 0))
    await other.standing.refresh()
    revision = other.standing.revision
    async with world.database.session() as session:
        row = await session.get_one(RuleRow, (await world.row(alarm)).rule_id)
        changed = Rule.model_validate(row.content).model_copy(update={"name": {"en": "Too hot"}})
        row.content, row.revision = changed.model_dump(mode="json"), 2
    await other.standing.reword()
    (seen_now,) = other.standing.changed_since(ANNA, revision).alarms
    assert seen_now.name == {"en": "Too hot"}


async def test_more_changes_than_one_query_reads_are_all_read(
    world: World, other: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("athanor.kernel.alarms.standing._PIECE", 3)
    ids = await world.many([f"smelter.bath.t{number}" for number in range(10)])
    await world.alarms.take(findings(*((one, RAISED, 0) for one in ids)), late_before=EIGHT)
    await other.standing.refresh()
    assert set(seen(other)) == set(ids)
    assert other.standing.revision == world.alarms.standing.revision
