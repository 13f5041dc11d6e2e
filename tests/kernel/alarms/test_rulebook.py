"""Keeping rules: revisions, rights, alarms that they make, on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from athanor.kernel.alarms.built_in import BUILT_IN
from athanor.kernel.alarms.rule import Limit, Priority, Rule, Side, Subject
from athanor.kernel.alarms.rule_errors import (
    BadRuleError,
    FaultyRuleError,
    NotYourRuleError,
    RuleChangedMeanwhileError,
)
from athanor.kernel.alarms.rulebook import NEW, RuleBook
from athanor.kernel.alarms.tables import AlarmRow, HeadRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.plant.running import RunningPlant
from tests.kernel.alarms.rule_plants import COPPER, ENGINEER, GAS, VIEWER, plant

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOT = Rule(
    name={"en": "Bath too hot"},
    subject=Subject(tag="copper.furnace.temperature"),
    condition=Limit(side=Side.HIGH, at=1260),
    priority=Priority.HIGH,
)
DRY = Rule(
    name={"en": "Pump runs dry"},
    subject=Subject(type="pump", tag="flow"),
    condition=Limit(side=Side.LOW, at=5),
)


def book_of(database: Database, given: Callable[[], RunningPlant] = plant) -> RuleBook:
    found = given()
    return RuleBook(database, lambda: found, lambda: NOW)


async def rows(database: Database) -> dict[str, AlarmRow]:
    async with database.reading() as session:
        return {f"{row.rule_id} {row.path}": row for row in await session.scalars(select(AlarmRow))}


async def test_a_plant_with_limits_has_alarms_without_anybodys_doing(database: Database) -> None:
    book = book_of(database)
    found = await book.instances(plant())
    assert len(found) == len({one.alarm for one in found}) == 13  # 8 limits, 1 with a period, 5 tags, none very low
    assert {one.key for one in await book.all(ENGINEER)} == set(BUILT_IN)
    again = await book_of(database).instances(plant())
    assert sorted(one.alarm for one in again) == sorted(one.alarm for one in found)


async def test_a_built_in_rule_that_was_retired_does_not_come_back(database: Database) -> None:
    book = book_of(database)
    await book.start()
    stale = await book.find(ENGINEER, "instrument.stale")
    await book.retire(ENGINEER, stale.id, revision=1, reason="another system watches them")
    again = book_of(database)
    await again.start()
    assert "instrument.stale" not in {one.key for one in await again.all(ENGINEER)}


async def test_a_change_is_kept_with_who_when_and_why_and_can_be_put_back(database: Database) -> None:
    book = book_of(database)
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="HAZOP 12")
    assert (made.tenant, made.revision, made.is_enabled, made.made_by) == ("copper", 1, True, "wang.wei")
    hotter = HOT.model_copy(update={"condition": Limit(side=Side.HIGH, at=1270)})
    changed = await book.save(COPPER, "hot", hotter, revision=1, reason="new lining")
    restored = await book.restore(COPPER, made.id, 1, revision=changed.revision, reason="lining is gone")
    assert (restored.rule, restored.revision) == (HOT, 3)
    kept = await book.revisions(COPPER, made.id)
    assert [(one.number, one.by, one.reason) for one in kept] == [
        (3, "wang.wei", "lining is gone"),
        (2, "wang.wei", "new lining"),
        (1, "wang.wei", "HAZOP 12"),
    ]
    async with database.reading() as session:
        actions = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
    assert actions == ["alarms.rule-made", "alarms.rule-changed", "alarms.rule-changed"]


async def test_saving_what_is_so_already_changes_nothing(database: Database) -> None:
    book = book_of(database)
    await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    version = await book.version()
    assert (await book.save(COPPER, "hot", HOT, revision=1, reason="again")).revision == 1
    assert await book.version() == version


async def test_whoever_changes_a_rule_that_was_changed_meanwhile_is_told(database: Database) -> None:
    book = book_of(database)
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    await book.enable(ENGINEER, made.id, is_enabled=False, revision=1, reason="revamp")
    with pytest.raises(RuleChangedMeanwhileError, match="revision 2"):
        await book.save(COPPER, "hot", DRY, revision=1, reason="mine")
    with pytest.raises(RuleChangedMeanwhileError):
        await book.retire(COPPER, made.id, revision=1, reason="mine")
    assert (await book.get(COPPER, made.id)).rule == HOT


@pytest.mark.parametrize("tenant", [None, "copper"])
async def test_a_key_is_taken_once_by_each_tenant_and_by_the_park(database: Database, tenant: str | None) -> None:
    book = book_of(database)
    await book.save(ENGINEER, "hot", HOT, revision=NEW, reason="new", tenant=tenant)
    with pytest.raises(BadRuleError, match="already"):
        await book.save(ENGINEER, "hot", DRY, revision=NEW, reason="new", tenant=tenant)
    other = "copper" if tenant is None else None
    await book.save(ENGINEER, "hot", HOT, revision=NEW, reason="new", tenant=other)


async def test_a_retired_rule_comes_back_under_its_key_with_its_history(database: Database) -> None:
    book = book_of(database)
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    await book.retire(COPPER, made.id, revision=1, reason="gone")
    assert not [one for one in await book.all(COPPER) if one.key == "hot"]
    back = await book.save(COPPER, "hot", HOT, revision=NEW, reason="back")
    assert (back.id, back.revision, back.is_enabled) == (made.id, 3, True)


async def test_a_tenant_sees_its_own_rules_and_those_of_the_parks_that_concern_it(database: Database) -> None:
    book = book_of(database)
    await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    furnace = await book.save(ENGINEER, "park.hot", HOT, revision=NEW, reason="new")
    spying = DRY.model_copy(update={"suppressed_while": "{copper.furnace.mode} == 0"})
    await book.save(ENGINEER, "park.dry", DRY, revision=NEW, reason="new")
    await book.save(ENGINEER, "park.secret", spying, revision=NEW, reason="new")

    def keys(found: object) -> set[str]:
        return {one.key for one in found if one.key not in BUILT_IN}  # type: ignore[attr-defined]

    assert keys(await book.all(ENGINEER)) == {"hot", "park.hot", "park.dry", "park.secret"}
    assert keys(await book.all(COPPER)) == {"hot", "park.hot", "park.dry", "park.secret"}
    assert keys(await book.all(GAS)) == {"park.dry"}
    with pytest.raises(NotFoundError):
        await book.get(GAS, furnace.id)
    with pytest.raises(NotFoundError):
        await book.find(GAS, "hot")


async def test_only_whoever_configures_alarms_changes_rules_and_a_tenant_none_of_the_parks(database: Database) -> None:
    book = book_of(database)
    park = await book.save(ENGINEER, "park.dry", DRY, revision=NEW, reason="new")
    with pytest.raises(NotYourRuleError, match=r"alarms\.configure"):
        await book.save(VIEWER, "mine", HOT, revision=NEW, reason="new")
    with pytest.raises(NotYourRuleError, match="park"):
        await book.retire(COPPER, park.id, revision=1, reason="I do not like it")
    with pytest.raises(FaultyRuleError, match="not among this enterprise"):
        await book.save(GAS, "hot", HOT, revision=NEW, reason="new")
    # whose rule a tenant's people make is not theirs to choose
    assert (await book.save(COPPER, "own", HOT, revision=NEW, reason="new", tenant="gas")).tenant == "copper"


@pytest.mark.parametrize(("key", "reason"), [("Bad Key", "why"), ("", "why"), ("key", " "), ("key", "x" * 1001)])
async def test_a_rule_without_a_good_key_or_reason_is_refused(database: Database, key: str, reason: str) -> None:
    with pytest.raises(BadRuleError):
        await book_of(database).save(COPPER, key, HOT, revision=NEW, reason=reason)


async def test_alarms_whose_rule_or_place_is_gone_are_judged_no_more_and_come_back_as_they_were(
    database: Database,
) -> None:
    book = book_of(database)
    made = await book.save(ENGINEER, "dry", DRY, revision=NEW, reason="new")
    before = await book.instances(plant())
    fewer = await book.instances(plant(pumps=2, version=2))
    assert {one.path for one in before} - {one.path for one in fewer} == {"copper.pump2.flow"}
    key = f"{made.id} copper.pump2.flow"
    gone = (await rows(database))[key]
    assert not gone.is_judged
    assert gone.revision > 0
    await book.instances(plant(version=3))
    back = (await rows(database))[key]
    assert back.is_judged
    assert back.id == gone.id
    await book.enable(ENGINEER, made.id, is_enabled=False, revision=1, reason="off")
    await book.instances(plant(version=3))
    assert not (await rows(database))[key].is_judged


async def test_a_changed_priority_reaches_the_alarms_and_whoever_polls_them(database: Database) -> None:
    book = book_of(database)
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    await book.instances(plant())
    async with database.session() as session:
        await session.execute(update(HeadRow).values(revision=41))
    critical = HOT.model_copy(update={"priority": Priority.CRITICAL})
    await book.save(COPPER, "hot", critical, revision=1, reason="HAZOP")
    await book.instances(plant())
    row = (await rows(database))[f"{made.id} copper.furnace.temperature"]
    assert (row.priority, row.tenant, row.revision) == (1, "copper", 42)


async def test_a_rule_whose_tag_is_gone_later_is_shown_as_faulty_while_the_others_go_on(database: Database) -> None:
    book = book_of(database)
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    without = plant(without="copper.furnace.temperature", version=2)
    later = book_of(database, lambda: without)
    found = await later.instances(without)
    assert found
    assert made.id in await later.faults(ENGINEER)
    assert "copper.furnace.temperature is not among" in (await later.faults(ENGINEER))[made.id][0].english
    assert set(await later.faults(GAS)) == set()


async def test_the_version_grows_with_every_change(database: Database) -> None:
    book = book_of(database)
    seen = [await book.version()]
    await book.start()
    seen.append(await book.version())
    made = await book.save(COPPER, "hot", HOT, revision=NEW, reason="new")
    seen.append(await book.version())
    await book.enable(COPPER, made.id, is_enabled=False, revision=1, reason="off")
    seen.append(await book.version())
    await book.retire(COPPER, made.id, revision=2, reason="gone")
    seen.append(await book.version())
    assert seen == sorted(set(seen))
