import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.cases.errors import CaseChangedError, CaseRefusedError
from athanor.kernel.cases.flow import Disposition, State, TaskState
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.records import CHANGED_TOPIC
from athanor.kernel.cases.seeing import Filter
from athanor.kernel.cases.service import Cases
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.tables import AuditRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.tables import NoticeRow

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PEOPLE = {"park": ("administrator", None), "lead": ("engineer", "copper"), "shift": ("operator", "copper"),
          "mate": ("operator", "copper"), "carla": ("engineer", "carbon")}  # fmt: skip
WHO = {
    name: User(at, name, name.title(), (role,), tenant) for at, (name, (role, tenant)) in enumerate(PEOPLE.items(), 1)
}


class Clock:
    """What time it is said to be."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standing() -> set[str]:
    """Subjects that still hold."""
    return set()


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    made = MemoryBus()
    yield made
    await made.close()


@pytest.fixture
async def cases(database: Database, bus: MemoryBus, clock: Clock, standing: set[str]) -> Cases:
    async with database.session() as session:
        for login, (role, tenant) in PEOPLE.items():
            session.add(
                UserRow(login=login, name=login.title(), roles=[role], tenant=tenant, language=None, password_hash="",
                        password_set_at=None, second_factor=None, created_at=NOON, signed_in_at=None, disabled_at=None)
            )  # fmt: skip
    return Cases(database, bus, stands=standing.__contains__, now=clock)


def hot(subject: str = "alarms.occurrence:1", **more: object) -> Opening:
    title = {"en": "Bath temperature high", "zh_CN": "熔池温度高"}
    return Opening(title, "copper", NOON - timedelta(seconds=30), subject, path="smelter.furnace.temperature", **more)  # type: ignore[arg-type]


async def notices(database: Database) -> list[NoticeRow]:
    async with database.reading() as session:
        return list((await session.scalars(select(NoticeRow).order_by(NoticeRow.id))).all())


async def test_a_case_is_opened_worked_verified_and_closed_with_a_disposition(
    cases: Cases, database: Database, bus: MemoryBus, clock: Clock
) -> None:
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    bus.subscribe(CHANGED_TOPIC, hear, name="test")
    case = await cases.open(hot(priority=1))
    assert (case.state, case.due_at) == (State.OPEN, NOON + timedelta(minutes=30))
    clock.now += timedelta(minutes=1)
    await cases.working.assign(WHO["lead"], case.id, "shift", team="Smelting")
    clock.now += timedelta(minutes=4)
    await cases.working.start(WHO["shift"], case.id)
    await cases.working.say(WHO["shift"], case.id, "Photo of the tuyere", documents=[7])
    clock.now += timedelta(minutes=10)
    await cases.working.resolve(WHO["shift"], case.id, "Tuyere cleared, oxygen back to 24 %.")
    clock.now += timedelta(minutes=5)
    await cases.working.close(WHO["lead"], case.id, Disposition.MENDED, "Tuyere blocked by slag")
    dossier = await cases.seeing.get(WHO["mate"], case.id)
    assert dossier.case.state is State.CLOSED
    assert [entry.what for entry in dossier.history] == [
        "opened",
        "assigned",
        "started",
        "evidence",
        "resolved",
        "closed",
    ]
    assert dossier.history[3].detail == {"documents": [7]}
    times = await cases.seeing.times(WHO["lead"], NOON, NOON + timedelta(days=1))
    found = [one.median_s for one in (times.detect, times.notify, times.acknowledge, times.dispose, times.close)]
    assert found == [30, None, 90, 30 + 15 * 60, 30 + 20 * 60]
    told = await notices(database)
    assert [(one.topic, one.logins, one.is_over) for one in told] == [
        ("cases.assigned", ["shift"], False), ("cases.closed", [], True),
    ]  # fmt: skip
    async with database.reading() as session:
        actions = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
    assert list(actions) == ["cases.assigned", "cases.started", "cases.evidence", "cases.resolved", "cases.closed"]
    assert (await verify(database)).is_whole
    await bus.close()
    assert [event.body.state for event in heard][-1] is State.CLOSED


async def test_what_has_a_case_joins_it_however_often_it_is_opened(cases: Cases) -> None:
    first = await cases.open(hot(priority=3))
    again = await cases.open(hot(priority=3))
    beside = await cases.open(hot("alarms.occurrence:2", joins_within=timedelta(minutes=10), priority=1))
    assert {first.id, again.id, beside.id} == {first.id}
    assert beside.priority == 1
    assert (await cases.open(hot("alarms.occurrence:3"))).id != first.id
    dossier = await cases.seeing.get(WHO["lead"], first.id)
    assert [source.subject for source in dossier.sources] == ["alarms.occurrence:1", "alarms.occurrence:2"]


async def test_two_servers_open_one_case_for_one_alarm(cases: Cases) -> None:
    opened = await asyncio.gather(*(cases.open(hot()) for _ in range(8)))
    assert len({case.id for case in opened}) == 1
    assert (await cases.seeing.page(WHO["lead"], Filter())).total == 1


async def test_no_case_is_closed_by_who_resolved_it_or_without_cause_or_while_its_alarm_stands(
    cases: Cases, standing: set[str]
) -> None:
    case = await cases.open(hot(priority=2))
    with pytest.raises(CaseRefusedError, match="it is open"):
        await cases.working.close(WHO["lead"], case.id, Disposition.MENDED, "x")
    await cases.working.start(WHO["shift"], case.id)
    with pytest.raises(CaseRefusedError, match="say what was done"):
        await cases.working.resolve(WHO["shift"], case.id, "  ")
    await cases.working.resolve(WHO["shift"], case.id, "Done.")
    with pytest.raises(CaseRefusedError, match="somebody else verifies"):
        await cases.working.close(WHO["shift"], case.id, Disposition.MENDED, "x")
    with pytest.raises(CaseRefusedError, match="what the cause was"):
        await cases.working.close(WHO["lead"], case.id, Disposition.MENDED)
    standing.add("alarms.occurrence:1")
    with pytest.raises(CaseRefusedError, match="still stands"):
        await cases.working.close(WHO["lead"], case.id, Disposition.MENDED, "x")
    await cases.working.close(WHO["lead"], case.id, Disposition.HANDED_OVER, "Work order 4711")
    assert (await cases.seeing.get(WHO["lead"], case.id)).case.disposition == "handed-over"


async def test_an_open_task_keeps_a_case_from_being_resolved(cases: Cases) -> None:
    case = await cases.open(hot(owner="shift", by="lead"))
    task = await cases.working.add_task(WHO["lead"], case.id, "Check the thermocouple", owner="mate")
    with pytest.raises(CaseRefusedError, match="Check the thermocouple"):
        await cases.working.resolve(WHO["shift"], case.id, "Done.")
    await cases.working.end_task(WHO["mate"], case.id, task, "Replaced.")
    with pytest.raises(CaseRefusedError, match="mate ended the task already"):
        await cases.working.end_task(WHO["mate"], case.id, task, "Again.")
    await cases.working.resolve(WHO["shift"], case.id, "Done.")


async def test_overdue_cases_are_given_further_up_thrice_and_no_more(
    cases: Cases, database: Database, clock: Clock
) -> None:
    case = await cases.open(hot(priority=1, owner="shift"))
    assert await cases.escalate_overdue() == 0
    for hour in range(1, 8):
        clock.now = NOON + timedelta(hours=hour)
        await cases.escalate_overdue()
        await cases.escalate_overdue()
    assert (await cases.seeing.get(WHO["lead"], case.id)).case.escalated == 3
    told = [one for one in await notices(database) if one.topic == "cases.overdue"]
    assert len(told) == 3
    counts = await cases.seeing.counts(WHO["shift"])
    assert (counts.open, counts.mine, counts.overdue, counts.escalated) == (1, 1, 1, 1)


async def test_another_enterprise_sees_a_case_only_by_a_task_in_it(cases: Cases) -> None:
    case = await cases.open(hot())
    with pytest.raises(NotFoundError):
        await cases.seeing.get(WHO["carla"], case.id)
    with pytest.raises(NotFoundError):
        await cases.working.start(WHO["carla"], case.id)
    with pytest.raises(NotAllowedError):
        await cases.working.add_task(WHO["lead"], case.id, "Send the crane", tenant="carbon")
    task = await cases.working.add_task(WHO["park"], case.id, "Send the crane", tenant="carbon", owner="carla")
    dossier = await cases.seeing.get(WHO["carla"], case.id)
    assert dossier.is_guest
    assert (await cases.seeing.page(WHO["carla"], Filter())).total == 1
    with pytest.raises(CaseRefusedError, match="you have a task in it"):
        await cases.working.start(WHO["carla"], case.id)
    await cases.working.end_task(WHO["carla"], case.id, task, "Crane sent.")
    assert (await cases.seeing.get(WHO["park"], case.id)).tasks[0].state is TaskState.DONE


async def test_who_decides_on_an_old_state_of_the_case_is_told(cases: Cases) -> None:
    case = await cases.open(hot())
    await cases.working.start(WHO["shift"], case.id, revision=case.revision)
    with pytest.raises(CaseChangedError):
        await cases.working.assign(WHO["lead"], case.id, "mate", revision=case.revision)
    with pytest.raises(CaseRefusedError, match="nobody 'carla'"):
        await cases.working.assign(WHO["lead"], case.id, "carla")


async def test_a_closed_case_that_is_opened_again_goes_on(cases: Cases) -> None:
    case = await cases.open(hot(priority=4))
    await cases.working.start(WHO["shift"], case.id)
    await cases.working.resolve(WHO["shift"], case.id, "Done.")
    await cases.working.send_back(WHO["lead"], case.id, "Still noisy.")
    await cases.working.resolve(WHO["shift"], case.id, "Bearing greased.")
    await cases.working.close(WHO["lead"], case.id, Disposition.FALSE_ALARM)
    await cases.working.reopen(WHO["lead"], case.id, "It came back.")
    reopened = (await cases.seeing.get(WHO["lead"], case.id)).case
    assert (reopened.state, reopened.closed_at, reopened.disposition) == (State.WORKING, None, "")


async def test_cases_are_found_by_what_is_asked(cases: Cases, clock: Clock) -> None:
    first = await cases.open(hot())
    other = Opening({"en": "Dust"}, "carbon", NOON, path="carbon.stack", priority=1, category="environment")
    second = await cases.open(other)
    await cases.working.say(WHO["shift"], first.id, "100 % slag_in the tuyere")

    async def found(**wanted: object) -> list[int]:
        return [one.id for one in (await cases.seeing.page(WHO["park"], Filter(**wanted))).cases]  # type: ignore[arg-type]

    assert await found() == [second.id, first.id]
    assert await found(text="100 % slag_in") == [first.id]
    assert await found(text=f"#{second.id}") == [second.id]
    assert await found(under="smelter.furnace") == [first.id]
    assert await found(category="environment", priority=2) == [second.id]
    assert await found(states=[State.CLOSED]) == []
    clock.now += timedelta(hours=1)
    assert await found(is_overdue=True) == [second.id]
    assert (await cases.seeing.page(WHO["lead"], Filter())).total == 1
    assert list(await cases.seeing.owners("copper")) == ["lead", "mate", "shift", "park"]
