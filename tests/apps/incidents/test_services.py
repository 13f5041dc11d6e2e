from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from athanor.apps.incidents.services import catch_up, follow_alarms, subject_of
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.records import Change, StandingAlarm
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.cases.seeing import Filter
from athanor.kernel.cases.service import Cases
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Level, Node, Plant, Tag

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PUMP = Tag("works.pump.pressure", {"en": "Pressure", "zh_CN": "压力"}, "MPa")
PLANT = Plant(
    "park", {"en": "Park"}, "Asia/Shanghai", {},
    {"works.pump": Node("works.pump", Level.ASSET, {"en": "Pump"}, "copper", tags=(PUMP,))},
)  # fmt: skip
PARK = User(1, "park", "Park", ("administrator",))
RAISED = Change(
    1, 1, 1, 11, "copper", "works.pump.pressure", {"en": "Very high", "zh_CN": "过高"}, 1, "process", Trigger.RAISED,
    State.NORM, State.UNACK, NOON, NOON, "", "", 3.0, 2.5, is_announced=True, is_late=False,
)  # fmt: skip
STANDS = StandingAlarm(
    1, 1, 11, "copper", "works.pump.pressure", {"en": "Pressure very high"}, {}, {}, 1, "process", State.UNACK,
    State.UNACK, is_active=True, is_safety=False, value=3.0, limit=2.5, raised_at=NOON, seen_at=NOON, since=NOON,
    acknowledged_by=None, acknowledged_at=None, shelved_until=None, hidden_by=None, hidden_reason="", camera=None,
    revision=1,
)  # fmt: skip


@pytest.fixture
async def cases(database: Database) -> AsyncIterator[Cases]:
    bus = MemoryBus()
    yield Cases(database, bus, now=lambda: NOON)
    await bus.close()


async def test_only_what_is_announced_now_and_pressing_opens_a_case(cases: Cases) -> None:
    others = [
        replace(RAISED, occurrence=12, priority=3),
        replace(RAISED, occurrence=13, is_announced=False),
        replace(RAISED, occurrence=14, is_late=True),
        replace(RAISED, occurrence=15, what=Trigger.CLEARED),
    ]
    await follow_alarms(cases, PLANT, [RAISED, RAISED, *others])
    assert await cases.without([subject_of(number) for number in range(11, 16)]) == {
        subject_of(number) for number in range(12, 16)
    }


async def test_hundreds_of_alarms_of_one_trip_are_a_case_for_each_asset_at_most(cases: Cases) -> None:
    burst = [replace(RAISED, occurrence=number, path=f"works.pump.part_{number % 7}.x") for number in range(100, 400)]
    await follow_alarms(cases, PLANT, [replace(RAISED, path="works.pump.pressure"), *burst])
    assert (await cases.seeing.page(PARK, Filter())).total <= 8  # one for each asset at most
    assert not await cases.without([subject_of(number) for number in range(100, 400)])


async def test_what_was_acknowledged_is_noted_once(cases: Cases) -> None:
    await follow_alarms(cases, PLANT, [RAISED])
    at = NOON + timedelta(minutes=2)
    for later in (0, 5):
        acknowledged = replace(RAISED, what=Trigger.ACKNOWLEDGED, at=at + timedelta(minutes=later))
        await follow_alarms(cases, PLANT, [acknowledged])
    case = await cases.seeing.of_subject(PARK, subject_of(11))
    assert case is not None
    assert case.acknowledged_at == at
    assert case.title == {"en": "Pressure: Very high", "zh_CN": "压力: 过高"}


async def test_a_case_that_was_missed_is_opened_later_and_only_once(cases: Cases) -> None:
    late = replace(STANDS, id=2, occurrence=12, seen_at=NOON + timedelta(hours=2))
    hidden = replace(STANDS, id=3, occurrence=13, state=State.SHLVD)
    minor = replace(STANDS, id=4, occurrence=14, priority=3)
    assert await catch_up(cases, PLANT, [STANDS, late, hidden, minor]) == 1
    assert await catch_up(cases, PLANT, [STANDS, late, hidden, minor]) == 0
    assert (await cases.seeing.page(PARK, Filter())).total == 1
