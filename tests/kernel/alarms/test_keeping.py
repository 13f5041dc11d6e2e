"""Findings are taken in once, whole, and told of as they should be."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import AlarmRow, EventRow, OccurrenceRow
from athanor.kernel.database.database import Database
from athanor.kernel.notify.tables import NoticeRow
from tests.kernel.alarms.standings import EIGHT, PRESSURE, TEMPERATURE, World, findings, plant, raises, user

RAISED, CLEARED, SUPPRESSED, RESUMED = What.RAISED, What.CLEARED, What.SUPPRESSED, What.RESUMED


def at(seconds: float) -> object:
    return EIGHT + timedelta(seconds=seconds)


async def test_a_raise_is_a_row_an_occurrence_an_event_and_a_notice(world: World) -> None:
    alarm = await world.alarm()
    (change,) = await world.take((alarm, RAISED, 0))
    (occurrence,) = await world.occurrences(alarm)
    (told,) = await world.notices()
    row = await world.row(alarm)
    assert (row.state, row.is_active, row.value, row.limit) == ("UNACK", True, 1262.0, 1250.0)
    assert (row.occurrence_id, row.since) == (occurrence.id, EIGHT)
    assert (occurrence.raised_at, occurrence.is_announced, occurrence.ended_at) == (EIGHT, True, None)
    assert await world.events(alarm) == [("raised", "NORM", "UNACK", "")]
    assert (told.key, told.topic) == (f"alarms.occurrence:{occurrence.id}:raised", "alarms.raised")
    assert (told.tenant, told.path, told.is_over, told.is_late) == ("smelting", TEMPERATURE, False, False)
    assert (change.occurrence, change.is_announced, change.to_state) == (occurrence.id, True, State.UNACK)
    await world.bus.close()
    assert world.published == [(change,)]


async def test_a_notice_says_in_both_languages_what_where_how_much_and_what_to_do(world: World) -> None:
    await world.take((await world.alarm(consequence={"en": "The lining wears."}), RAISED, 0))
    (told,) = await world.notices()
    assert told.text["title"] == {
        "en": "Bath temperature high · Smelter › Bath › Temperature",
        "zh_CN": "熔池温度高 · 冶炼厂 › 熔池 › 温度",
    }
    assert told.text["detail"] == {
        "en": "1262.0 degC (limit 1250.0 degC). To do: Reduce the feed. If nobody acts: The lining wears",
        "zh_CN": "1262.0 degC（限值 1250.0 degC）。处置：减少给料。后果：The lining wears",
    }


async def test_the_worked_example_acknowledged_while_it_stands(world: World) -> None:
    """Example 1 of the reference: raised at 25 s, acknowledged at 30 s, returned at 60 s."""
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 25))
    world.passes(seconds=30)
    await world.alarms.acknowledge(user(), [alarm])
    assert await world.state(alarm) == State.ACKED
    await world.take((alarm, CLEARED, 60))
    assert await world.state(alarm) == State.NORM
    (one,) = await world.occurrences(alarm)
    assert (one.raised_at, one.acknowledged_at, one.cleared_at, one.ended_at) == (at(25), at(30), at(60), at(60))
    assert one.acknowledged_by == "anna"


async def test_the_worked_example_not_acknowledged(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 25), (alarm, CLEARED, 60))
    assert await world.state(alarm) == State.RTNUN
    world.passes(seconds=90)
    await world.alarms.acknowledge(user(), [alarm])
    (one,) = await world.occurrences(alarm)
    assert (one.cleared_at, one.acknowledged_at, one.ended_at) == (at(60), at(90), at(90))


async def test_raised_again_before_it_was_acknowledged_is_a_new_occurrence(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 0), (alarm, CLEARED, 15), (alarm, RAISED, 35))
    first, second = await world.occurrences(alarm)
    assert (first.cleared_at, first.ended_at, second.raised_at, second.ended_at) == (at(15), at(35), at(35), None)
    assert [one.topic for one in await world.notices()] == ["alarms.raised", "alarms.cleared", "alarms.raised"]


@pytest.mark.parametrize("times", [1, 3])
async def test_taking_in_the_same_again_changes_nothing(world: World, times: int) -> None:
    one, other = await world.many([TEMPERATURE, PRESSURE])
    found = findings((one, RAISED, 0), (other, RAISED, 1), (one, CLEARED, 5), (one, RAISED, 9), (other, SUPPRESSED, 9))
    await world.alarms.take(found, late_before=EIGHT)
    before = await kept(world.database)
    for _ in range(times):
        assert await world.alarms.take(found, late_before=EIGHT) == ()
    assert await kept(world.database) == before


async def test_a_part_of_it_again_and_then_the_rest_is_taken_in_once(world: World) -> None:
    alarm = await world.alarm()
    found = [(alarm, RAISED, 0.0), (alarm, CLEARED, 5.0), (alarm, RAISED, 9.0)]
    await world.take(*found[:2])
    await world.take(*found)
    assert [one.raised_at for one in await world.occurrences(alarm)] == [at(0), at(9)]
    assert [what for what, *_ in await world.events(alarm)] == ["raised", "cleared", "raised"]


async def test_two_servers_that_find_the_same_at_once_keep_it_once(world: World) -> None:
    ids = await world.many([f"smelter.bath.t{number}" for number in range(40)])
    other = Alarms(world.database, world.bus, plant, world.now)
    found = [raises(ids), raises(ids[::-1]), raises(ids[10:]), raises(ids[:30])]
    servers = [world.alarms, other, world.alarms, other]
    await asyncio.gather(*(one.take(part, late_before=EIGHT) for one, part in zip(servers, found, strict=True)))
    assert (await kept(world.database))[1:] == (40, 40, 40)


async def test_what_is_of_long_ago_is_marked_as_late(world: World) -> None:
    alarm = await world.alarm()
    found = findings((alarm, RAISED, 0), (alarm, CLEARED, 30))
    changes = await world.alarms.take(found, late_before=EIGHT + timedelta(seconds=20))
    assert [change.is_late for change in changes] == [True, False]
    assert [one.is_late for one in await world.notices()] == [True, False]
    assert (await world.occurrences(alarm))[0].is_late


async def test_findings_of_alarms_that_are_not_there_or_not_judged_are_left_out(world: World) -> None:
    alarm = await world.alarm()
    async with world.database.session() as session:
        (await session.get_one(AlarmRow, alarm)).is_judged = False
    assert await world.take((alarm, RAISED, 0), (alarm + 99, RAISED, 0)) == ()


async def test_acknowledging_and_clearing_end_what_the_notice_began(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 0))
    await world.alarms.acknowledge(user(), [alarm])
    await world.take((alarm, CLEARED, 60))
    raised, acknowledged, cleared = await world.notices()
    assert raised.subject == acknowledged.subject == cleared.subject
    assert [one.is_over for one in (raised, acknowledged, cleared)] == [False, True, True]
    assert acknowledged.text["title"]["en"].startswith("Acknowledged by anna: Bath temperature high")
    assert cleared.text["title"]["zh_CN"].startswith("已恢复正常：熔池温度高")


async def test_what_acknowledges_itself_asks_nobody_once_it_is_over(world: World) -> None:
    alarm = await world.alarm(acknowledges_itself=True)
    await world.take((alarm, RAISED, 0), (alarm, CLEARED, 5))
    assert await world.state(alarm) == State.NORM
    assert (await world.occurrences(alarm))[0].acknowledged_by is None


async def test_an_alarm_suppressed_by_design_is_kept_and_not_announced(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, SUPPRESSED, 0), is_active=False)
    await world.take((alarm, RAISED, 10))
    (one,) = await world.occurrences(alarm)
    assert not one.is_announced
    assert not await world.notices()
    assert await world.events(alarm) == [("suppressed", "NORM", "DSUPR", ""), ("raised", "DSUPR", "DSUPR", "")]
    (change,) = await world.take((alarm, RESUMED, 20), is_active=True)
    assert change.is_announced
    assert await world.state(alarm) == State.UNACK
    (told,) = await world.notices()
    assert told.key == f"alarms.occurrence:{one.id}:raised"
    assert (await world.occurrences(alarm))[0].is_announced


async def test_what_holds_when_suppression_ends_is_an_alarm_though_nobody_raised_it(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, SUPPRESSED, 0), is_active=False)
    await world.take((alarm, RESUMED, 20), is_active=True)
    (one,) = await world.occurrences(alarm)
    assert (one.raised_at, one.is_announced) == (at(20), True)


async def test_suppressing_what_was_announced_ends_it_for_those_who_were_told(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 0))
    await world.take((alarm, SUPPRESSED, 5), is_active=True)
    assert [one.is_over for one in await world.notices()] == [False, True]


async def test_suppression_that_is_seen_late_is_taken_in_all_the_same(world: World) -> None:
    alarm = await world.alarm()
    await world.take((alarm, RAISED, 10))
    await world.take((alarm, SUPPRESSED, 8), is_active=True)
    assert (await world.row(alarm)).is_suppressed


async def test_an_alarm_that_stands_acknowledged_for_long_is_announced_again(world: World) -> None:
    repeated = await world.alarm(repeats_after_s=3600)
    once = await world.alarm(PRESSURE)
    await world.take((repeated, RAISED, 0), (once, RAISED, 0))
    await world.alarms.acknowledge(user(), [repeated, once])
    world.passes(minutes=59)
    assert await world.alarms.tick() == ()
    world.passes(minutes=1)
    (change,) = await world.alarms.tick()
    assert (change.alarm, change.is_announced) == (repeated, True)
    assert [await world.state(one) for one in (repeated, once)] == [State.UNACK, State.ACKED]
    assert await world.alarms.tick() == ()
    (one,) = await world.occurrences(repeated)
    assert one.acknowledged_by == "anna"  # the first time, for the record
    assert (await world.row(repeated)).acknowledged_by is None
    assert [told.is_over for told in await world.notices()] == [False, False, True, True, False]


async def test_an_alarm_whose_rule_or_place_is_gone_ends(world: World) -> None:
    ids = await world.many([TEMPERATURE, PRESSURE])
    await world.alarms.take(raises(ids), late_before=EIGHT)
    await world.alarms.shelve(user(), ids[1:], timedelta(hours=1), "repair")
    async with world.database.session() as session:
        for one in ids:
            (await session.get_one(AlarmRow, one)).is_judged = False
    changes = await world.alarms.retire()
    assert [(change.alarm, change.what.value, change.to_state) for change in changes] == [
        (one, "retired", State.NORM) for one in ids
    ]
    rows = [await world.row(one) for one in ids]
    assert [(row.state, row.is_active, row.shelved_until) for row in rows] == [("NORM", False, None)] * 2
    assert [one.ended_at for alarm in ids for one in await world.occurrences(alarm)] == [EIGHT, EIGHT]
    assert await world.alarms.retire() == ()


async def test_nothing_is_kept_of_what_cannot_be_kept_whole(world: World) -> None:
    alarm = await world.alarm()
    async with world.database.session() as session:
        row = await session.get_one(AlarmRow, alarm)
        row.path = "x" * 400
        session.add(OccurrenceRow(**_clash(alarm, row.rule_id)))
    before = await kept(world.database)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await world.take((alarm, RAISED, 0))
    assert await kept(world.database) == before


def _clash(alarm: int, rule: int) -> dict[str, object]:
    return {
        "alarm_id": alarm,
        "rule_id": rule,
        "path": TEMPERATURE,
        "priority": 3,
        "category": "process",
        "raised_at": EIGHT,
        "seen_at": EIGHT,
        "is_announced": True,
        "is_late": False,
    }


async def test_thousands_at_once_are_taken_in(world: World) -> None:
    ids = await world.many([f"smelter.bath.t{number}" for number in range(6000)])
    changes = await world.alarms.take(raises(ids), late_before=EIGHT)
    assert len(changes) == 6000
    assert (await kept(world.database))[1:] == (6000, 6000, 6000)
    assert len(world.alarms.standing.alarms_of(user())) == 6000
    assert len({one.revision for one in world.alarms.standing.alarms_of(user())}) == 6000


async def kept(database: Database) -> tuple[object, ...]:
    """What there is: rows as they are, and how many occurrences, events, notices."""
    async with database.reading() as session:
        rows = tuple(
            await session.execute(select(AlarmRow.id, AlarmRow.state, AlarmRow.revision).order_by(AlarmRow.id))
        )
        counts = [await session.scalar(select(func.count(row.id))) for row in (OccurrenceRow, EventRow, NoticeRow)]
    return tuple(map(tuple, rows)), *counts
