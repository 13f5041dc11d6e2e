"""Schedules: each moment once, whatever servers and clocks do, and missed ones as their policy says."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.jobs.kinds import MOST_CAUGHT_UP, CatchUp, JobKind, JobKinds, UnknownKindError
from athanor.kernel.jobs.port import JobResult, Progress
from athanor.kernel.jobs.schedules import Plan
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.tables import RunRow
from athanor.kernel.jobs.times import BadScheduleError

START = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)


class Plant:
    """Servers on one database with a clock that a test sets. They do not run what is due."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.now = START
        self._database, self._folder = database, folder
        self.runs = self.server()

    def server(self, **kind: Any) -> JobRuns:
        async def nothing(progress: Progress, arguments: object) -> JobResult | None:
            return None

        kinds = JobKinds([JobKind("a.b", nothing, **kind)])
        return JobRuns(self._database, self._folder, zone=lambda: "Asia/Shanghai", kinds=kinds, now=lambda: self.now)

    async def look(self, at: datetime) -> None:
        self.now = at
        await self.runs.schedules.look()

    async def due(self) -> list[datetime]:
        async with self._database.reading() as session:
            rows = await session.scalars(select(RunRow.due_at).order_by(RunRow.due_at))
            return [moment for moment in rows if moment is not None]


@pytest.fixture
def plant(database: Database, tmp_path: Path) -> Plant:
    return Plant(database, tmp_path)


def minutes(*numbers: int) -> list[datetime]:
    return [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=n) for n in numbers]


async def test_what_is_due_waits_once_and_the_next_moment_is_shown(plant: Plant) -> None:
    await plant.runs.schedules.add(Plan("minutely", "a.b", cron="* * * * *"), "anna")
    await plant.look(START + timedelta(seconds=10))
    assert await plant.due() == []
    for _ in range(3):
        await plant.look(START + timedelta(seconds=31))
    assert await plant.due() == minutes(1)
    (shown,) = await plant.runs.schedules.all()
    assert ([shown.next_at], shown.last is not None and [shown.last.due_at]) == (minutes(2), minutes(1))


async def test_servers_that_look_at_the_same_moment_take_it_once(plant: Plant) -> None:
    servers = [plant.server() for _ in range(4)]
    for n in range(3):
        await servers[0].schedules.add(Plan(f"minutely {n}", "a.b", cron="* * * * *"), "anna")
    plant.now = START + timedelta(seconds=40)
    await asyncio.gather(*(server.schedules.look() for server in servers))
    assert await plant.due() == minutes(1, 1, 1)


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [(CatchUp.SKIP, []), (CatchUp.ONCE, [60]), (CatchUp.ALL, [12, 24, 36, 48, 60])],
)
async def test_missed_moments_are_caught_up_by_policy(plant: Plant, catch_up: CatchUp, expected: list[int]) -> None:
    await plant.runs.schedules.add(Plan("twelve", "a.b", cron="*/12 * * * *", catch_up=catch_up), "anna")
    await plant.look(datetime(2026, 3, 1, 1, 5, tzinfo=UTC))
    assert await plant.due() == minutes(*expected)
    (shown,) = await plant.runs.schedules.all()
    assert [shown.next_at] == minutes(72)


async def test_no_more_than_a_bound_is_caught_up(plant: Plant) -> None:
    await plant.runs.schedules.add(Plan("minutely", "a.b", cron="* * * * *", catch_up=CatchUp.ALL), "anna")
    await plant.look(START + timedelta(days=365))
    due = await plant.due()
    assert (len(due), due[-1]) == (MOST_CAUGHT_UP, datetime(2027, 3, 1, tzinfo=UTC))


async def test_a_clock_that_is_set_back_and_forth_makes_no_moment_twice_and_stops_nothing(plant: Plant) -> None:
    await plant.runs.schedules.add(Plan("minutely", "a.b", cron="* * * * *"), "anna")
    await plant.look(START + timedelta(minutes=1))
    await plant.look(START - timedelta(minutes=1))  # set back over it
    await plant.look(START + timedelta(minutes=1))
    assert await plant.due() == minutes(1)
    await plant.look(START + timedelta(days=3650))  # wrong by ten years
    await plant.look(START + timedelta(minutes=2))  # and right again
    await plant.look(START + timedelta(minutes=3))
    assert await plant.due() == [*minutes(1, 3), datetime(2036, 2, 27, 0, 0, tzinfo=UTC)]


async def test_an_interval_is_kept(plant: Plant) -> None:
    await plant.runs.schedules.add(Plan("often", "a.b", every_s=90), "anna")
    await plant.look(START + timedelta(seconds=91))
    await plant.look(START + timedelta(seconds=181))
    assert await plant.due() == [START + timedelta(seconds=90), START + timedelta(seconds=180)]


async def test_a_paused_schedule_leaves_out_and_goes_on_from_now(plant: Plant) -> None:
    schedule_id = await plant.runs.schedules.add(Plan("minutely", "a.b", cron="* * * * *"), "anna")
    await plant.runs.schedules.turn(schedule_id, "anna", is_on=False)
    await plant.look(START + timedelta(minutes=10))
    assert await plant.due() == []
    await plant.runs.schedules.turn(schedule_id, "anna", is_on=True)
    await plant.look(START + timedelta(minutes=11))
    assert await plant.due() == minutes(11)


async def test_what_comes_with_an_app_may_be_changed_and_stays_so(plant: Plant) -> None:
    first = plant.server(cron="15 3 * * *")
    await first.schedules.take_declared()
    (declared,) = await first.schedules.all()
    assert (declared.plan.cron, declared.next_at) == ("15 3 * * *", datetime(2026, 3, 1, 19, 15, tzinfo=UTC))
    newer = plant.server(cron="45 3 * * *")
    await newer.schedules.take_declared()
    assert (await newer.schedules.all())[0].plan.cron == "45 3 * * *"
    await newer.schedules.change(declared.id, Plan("a.b", "a.b", cron="0 5 * * 1", timezone="Europe/Berlin"), "anna")
    await first.schedules.take_declared()
    (kept,) = await first.schedules.all()
    assert (kept.plan.cron, kept.next_at, kept.changed_by) == ("0 5 * * 1", datetime(2026, 3, 2, 4, tzinfo=UTC), "anna")
    with pytest.raises(BadScheduleError, match="comes with its app"):
        await first.schedules.remove(declared.id, "anna")


async def test_who_changed_what_is_in_the_trail(plant: Plant, database: Database) -> None:
    schedules = plant.runs.schedules
    schedule_id = await schedules.add(Plan("nightly", "a.b", cron="0 1 * * *"), "anna", address="10.0.0.9")
    await schedules.change(schedule_id, Plan("nightly", "a.b", cron="0 2 * * *"), "bert")
    await schedules.turn(schedule_id, "bert", is_on=False)
    await schedules.remove(schedule_id, "anna")
    async with database.reading() as session:
        rows = await session.execute(text("SELECT actor, action, subject FROM identity_audit ORDER BY id"))
        assert [tuple(row) for row in rows] == [
            ("anna", "jobs.schedule-added", "nightly"),
            ("bert", "jobs.schedule-changed", "nightly"),
            ("bert", "jobs.schedule-paused", "nightly"),
            ("anna", "jobs.schedule-removed", "nightly"),
        ]
    with pytest.raises(NotFoundError):
        await schedules.remove(schedule_id, "anna")


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan("x", "a.b"), "one of them"),
        (Plan("x", "a.b", cron="* * * * *", every_s=60), "one of them"),
        (Plan("x", "a.b", cron="* * * * *", timezone="Moon/Base"), "no time zone 'Moon/Base'"),
        (Plan("x", "a.b", cron="* * * * *", timezone="../../etc/passwd"), "no time zone"),
        (Plan(" ", "a.b", cron="* * * * *"), "name"),
        (Plan("taken", "a.b", cron="* * * * *"), "called 'taken' already"),
    ],
)
async def test_a_schedule_that_cannot_be_kept_is_refused(plant: Plant, plan: Plan, said: str) -> None:
    await plant.runs.schedules.add(Plan("taken", "a.b", cron="0 1 * * *"), "anna")
    with pytest.raises(BadScheduleError, match=said):
        await plant.runs.schedules.add(plan, "anna")
    with pytest.raises(UnknownKindError):
        await plant.runs.schedules.add(Plan("y", "a.c", cron="0 1 * * *"), "anna")


async def test_what_comes_with_an_app_keeps_its_name_and_job(plant: Plant) -> None:
    declared = plant.server(cron="15 3 * * *")
    await declared.schedules.take_declared()
    (row,) = await declared.schedules.all()
    with pytest.raises(BadScheduleError, match="its name and job stay"):
        await declared.schedules.change(row.id, Plan("another", "a.b", cron="0 5 * * 1"), "anna")
