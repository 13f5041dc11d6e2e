"""Alarms that apps report: their rules are made with the first, each is raised once, engineers change what they say."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from athanor.kernel.alarms.errors import NotReportedError
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.reporting import Kind
from athanor.kernel.alarms.rule import Limit, Priority, Rule, Side, Subject
from athanor.kernel.alarms.rulebook import NEW
from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow
from tests.kernel.alarms.standings import EIGHT, PARK, TEMPERATURE, World, plant, user

KEY = "video.intrusion"
INTRUSION = Kind({"en": "Somebody in the danger zone", "zh_CN": "有人进入危险区"}, Priority.CRITICAL, is_safety=True)


async def report(world: World, seconds: float = 0, path: str = "smelter.bath", **given: Any) -> Any:
    """Somebody is in the danger zone, or no longer."""
    at = EIGHT + timedelta(seconds=seconds)
    return await world.alarms.report(KEY, path, **{"is_active": True, "at": at, "kind": INTRUSION, **given})


async def test_the_first_report_makes_the_rule_and_raises_the_alarm(world: World) -> None:
    (change,) = await report(world, detail="Camera 4")
    assert (change.path, change.tenant, change.priority) == ("smelter.bath", "smelting", Priority.CRITICAL)
    assert (change.is_announced, change.reason, change.to_state) == (True, "Camera 4", State.UNACK)
    (kept,) = [one for one in await world.alarms.rules.all(PARK) if one.key == KEY]
    assert (kept.rule.name, kept.rule.is_safety, kept.made_by) == (INTRUSION.name, True, "video")
    assert len(await world.alarms.rules.revisions(PARK, kept.id)) == 1
    (told,) = await world.notices()
    assert told.text["detail"]["en"] == "Camera 4"


async def test_the_same_report_again_changes_nothing_and_reports_take_turns(world: World) -> None:
    assert await report(world, is_active=False) == ()  # nothing was raised yet
    await report(world)
    assert await report(world) == ()
    await report(world, 5, is_active=False)
    assert await report(world, 5, is_active=False) == ()
    assert await report(world) == ()
    assert len(await report(world, 9)) == 1


async def test_two_that_report_the_same_at_once_raise_one_alarm(world: World) -> None:
    changes = await asyncio.gather(*(report(world) for _ in range(6)))
    assert sum(map(len, changes)) == 1
    async with world.database.reading() as session:
        counts = [await session.scalar(select(func.count(row.id))) for row in (RuleRow, AlarmRow, OccurrenceRow)]
    assert counts == [1, 1, 1]


async def test_what_is_not_in_the_plant_is_whose_the_app_says(world: World) -> None:
    (one,) = await report(world, path="edge:south", tenant="milling")
    (two,) = await report(world, path="edge:north")
    (three,) = await report(world, path=TEMPERATURE, tenant="milling")
    assert (one.tenant, two.tenant, three.tenant) == ("milling", None, "smelting")


async def test_reported_alarms_stay_when_the_rules_are_looked_through(world: World) -> None:
    await report(world)
    await world.alarms.rules.instances(plant())
    assert await world.alarms.retire() == ()
    assert [one.path for one in world.alarms.standing.alarms_of(user())] == ["smelter.bath"]


async def test_an_engineer_changes_the_priority_and_disables_it(world: World) -> None:
    (change,) = await report(world)
    (kept,) = [one for one in await world.alarms.rules.all(PARK) if one.key == KEY]
    changed = kept.rule.model_copy(update={"priority": Priority.HIGH})
    kept = await world.alarms.rules.save(PARK, KEY, changed, revision=kept.revision, reason="review")
    await report(world, 5, is_active=False)
    (again,) = await report(world, 9)
    assert (again.alarm, again.priority) == (change.alarm, Priority.HIGH)
    await world.alarms.rules.enable(PARK, kept.id, is_enabled=False, revision=kept.revision, reason="review")
    await world.alarms.rules.instances(plant())
    assert [one.what.value for one in await world.alarms.retire()] == ["retired"]
    assert await report(world, 20) == ()
    assert await report(world, 21, path=TEMPERATURE) == ()


async def test_what_is_judged_by_tags_is_not_reported(world: World) -> None:
    rule = Rule(name={"en": "Hot"}, subject=Subject(tag=TEMPERATURE), condition=Limit(side=Side.HIGH, at=1250))
    await world.alarms.rules.save(PARK, KEY, rule, revision=NEW, reason="new")
    with pytest.raises(NotReportedError):
        await report(world)
