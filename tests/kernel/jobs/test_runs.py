"""Declared jobs run once, on one server, and whatever becomes of it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.carrying import Claim, LostJobError
from athanor.kernel.jobs.kinds import BadArgumentsError, JobKind, JobKinds, UnknownKindError, arguments_of
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import Job, JobResult, JobState, NoJobFileError, Progress
from athanor.kernel.jobs.runner import Pace
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.store import Wanted
from athanor.kernel.notify.tables import NoticeRow

from ..killing import START_WITHIN_S, started

ANNA = User(1, "anna", "Anna", ("operator",), tenant="copper")
BERT = User(2, "bert", "Bert", ("operator",), tenant="copper")
BOSS = User(3, "boss", "Boss", ("administrator",), tenant="copper")
OTHER_BOSS = User(4, "other", "Other", ("administrator",), tenant="carbon")
PARK = User(5, "admin", "Administrator", ("administrator",))

QUICK = Pace(poll_s=0.03, beat_s=0.1, give_up_after_s=3.0, lost_after_s=4.0, grace_s=0.3)
LONG = timedelta(minutes=5)

Work = Callable[..., Any]
Serve = Callable[..., Any]


def kind(name: str, work: Work, **settings: Any) -> JobKind:
    async def call(progress: Progress, arguments: Mapping[str, Any]) -> JobResult | None:
        return cast("JobResult | None", await work(progress, **arguments))

    return JobKind(name, call, **{"timeout": LONG} | settings)


async def endless(progress: Progress) -> None:
    """Goes on until it is cancelled."""
    progress.tell(stage="working", fraction=0.25)
    while True:
        await asyncio.sleep(0.01)
        progress.check_cancelled()


@pytest.fixture
async def serve(database: Database, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts a server with some kinds of jobs; all end with the test."""
    async with AsyncExitStack() as stack:

        async def start(*kinds: JobKind, name: str = "here", on: Database = database, **given: Any) -> JobRuns:
            settings = {"pace": QUICK} | given
            runs = JobRuns(on, tmp_path / name, zone=lambda: "Asia/Shanghai", kinds=JobKinds(kinds), **settings)
            await runs.start()
            stack.push_async_callback(runs.close)
            return runs

        yield start


async def until(runs: JobRuns, run_id: str, *states: JobState) -> Job:
    async with asyncio.timeout(20):
        while (job := await runs.get(run_id, PARK)).state not in states:  # noqa: ASYNC110 another server may end it
            await asyncio.sleep(0.02)
    return job


async def test_a_job_runs_with_its_arguments_and_leaves_figures_and_a_file(serve: Serve) -> None:
    async def work(progress: Progress, month: str, pots: int = 3) -> JobResult:
        file = progress.folder / "month.csv"
        file.write_text(f"{month},{pots}\n", encoding="utf-8")
        return JobResult({"pots": pots}, file, "close.csv")

    arguments = arguments_of("close", {"month": (str, ...), "pots": (int, 3)})
    runs = await serve(kind("energy.close-month", work, arguments=arguments))
    run_id = await runs.begin("energy.close-month", ANNA, {"month": "2026-02"}, title="February")
    job = await until(runs, run_id, JobState.SUCCEEDED)
    assert (job.title, job.owner, job.tenant, dict(job.summary)) == ("February", "anna", "copper", {"pots": 3})
    assert (job.attempt, job.fraction, job.file_name, job.file_bytes) == (1, 1.0, "close.csv", 10)
    assert (await runs.file(run_id, ANNA)).read_text(encoding="utf-8") == "2026-02,3\n"
    with pytest.raises(BadArgumentsError, match="month: Field required"):
        await runs.begin("energy.close-month", ANNA)
    with pytest.raises(BadArgumentsError, match="years: Extra inputs"):
        await runs.begin("energy.close-month", ANNA, {"month": "2026-02", "years": 1})
    with pytest.raises(UnknownKindError, match=r"energy\.close-month"):
        await runs.begin("energy.close-mont", ANNA)


async def test_one_that_raises_is_tried_again_later_and_then_failed(serve: Serve, database: Database) -> None:
    tries: list[int] = []
    now = datetime(2026, 3, 1, tzinfo=UTC)

    async def work(progress: Progress) -> None:
        tries.append(cast("Claim", progress).attempt)
        raise HistorianFullError("/disk", "no room")

    runs = await serve(kind("a.b", work, retries=2), now=lambda: now)
    run_id = await runs.begin("a.b", ANNA)
    for attempt, pause_s in ((1, 10), (2, 20)):
        async with asyncio.timeout(10):
            while (job := await runs.get(run_id, PARK)).start_after != now + timedelta(seconds=pause_s):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (job.state, job.attempt, job.attempts, job.error_code) == (JobState.QUEUED, attempt, 3, "historian.full")
        now += timedelta(seconds=pause_s)
    job = await until(runs, run_id, JobState.FAILED)
    assert (tries, job.attempt, "Free disk space" in (job.error or "")) == ([1, 2, 3], 3, True)
    async with database.reading() as session:  # who started it hears of it, once
        told = (await session.scalars(select(NoticeRow))).all()
    assert [(one.topic, one.logins, one.subject) for one in told] == [("jobs.failed", ["anna"], f"jobs.run:{run_id}")]


async def test_an_error_that_nobody_expected_tells_no_secrets(serve: Serve) -> None:
    async def work(progress: Progress) -> None:
        raise ValueError("password=hunter2")

    runs = await serve(kind("a.b", work))
    job = await until(runs, await runs.begin("a.b", ANNA), JobState.FAILED)
    assert (job.error_code, job.id in (job.error or ""), "hunter2" in (job.error or "")) == ("jobs.failed", True, False)


async def test_one_that_hangs_is_ended_at_its_time_limit_and_leaves_room(serve: Serve) -> None:
    late = asyncio.Event()

    async def hangs(progress: Progress) -> None:
        await asyncio.sleep(3600)

    async def will_not_end(progress: Progress) -> None:
        while not late.is_set():
            with suppress(asyncio.CancelledError):
                await late.wait()

    limit = timedelta(seconds=0.2)
    runs = await serve(kind("a.hangs", hangs, timeout=limit), kind("a.stubborn", will_not_end, timeout=limit))
    for name in ("a.hangs", "a.stubborn", "a.hangs"):
        job = await until(runs, await runs.begin(name, ANNA), JobState.FAILED)
        assert (job.error_code, "longer than 0.2 s" in (job.error or "")) == ("jobs.timeout", True)
    late.set()


async def test_a_running_one_and_a_waiting_one_are_cancelled(serve: Serve) -> None:
    runs = await serve(kind("a.b", endless))
    running, waiting = [await runs.begin("a.b", ANNA) for _ in range(2)]
    assert (await until(runs, running, JobState.RUNNING)).state is JobState.RUNNING
    assert (await runs.cancel(waiting, ANNA)).state is JobState.CANCELLED
    assert (await runs.get(running, ANNA)).fraction == 0.25
    await runs.cancel(running, ANNA)
    job = await until(runs, running, JobState.CANCELLED)
    assert (job.error, job.attempt) == (None, 1)
    await runs.cancel(running, ANNA)  # over: stays so
    with pytest.raises(NoJobFileError):
        await runs.file(running, ANNA)


async def test_a_job_is_cancelled_from_another_server(serve: Serve) -> None:
    here = await serve(kind("a.b", endless))
    run_id = await here.begin("a.b", ANNA)
    await until(here, run_id, JobState.RUNNING)
    there = await serve(name="there")
    await there.cancel(run_id, BOSS)
    await until(there, run_id, JobState.CANCELLED)


async def test_a_job_is_seen_by_its_owner_and_the_administrators_above(serve: Serve) -> None:
    runs = await serve()
    runs.kinds.add(kind("a.b", endless))
    run_id = await runs.begin("a.b", ANNA)
    for viewer in (ANNA, BOSS, PARK):
        assert [job.id for job in (await runs.find(viewer, Wanted()))[0]] == [run_id]
    for stranger in (BERT, OTHER_BOSS):
        assert await runs.find(stranger, Wanted()) == ([], 0)
        for ask in (runs.get, runs.cancel, runs.file):
            with pytest.raises(NotFoundError):
                await ask(run_id, stranger)


async def test_jobs_are_found_by_what_is_wanted(serve: Serve) -> None:
    async def nothing(progress: Progress) -> None:
        pass

    runs = await serve(kind("a.b", nothing), kind("a.c", nothing))
    done = await runs.begin("a.b", ANNA, title="50 % of_it")
    await until(runs, done, JobState.SUCCEEDED)
    other = await runs.begin("a.c", BERT, title="500 of it")
    await until(runs, other, JobState.SUCCEEDED)

    async def found(**wanted: Any) -> list[str]:
        return [job.id for job in (await runs.find(PARK, Wanted(**wanted)))[0]]

    assert await found() == [other, done]
    assert await found(kind="a.b") == await found(owner="anna") == await found(text="50 %") == [done]
    assert await found(text="of_it") == [done]
    assert await found(text="'; DROP TABLE jobs_runs; --") == await found(state=JobState.FAILED) == []
    assert await found(offset=1) == [done]


@pytest.mark.parametrize("at_once", [1, 2])
async def test_no_more_of_a_kind_run_at_once_than_it_allows_on_all_servers(serve: Serve, at_once: int) -> None:
    now_running: set[str] = set()
    most = 0

    async def work(progress: Progress) -> None:
        nonlocal most
        now_running.add(cast("Claim", progress).run_id)
        most = max(most, len(now_running))
        await asyncio.sleep(0.02)
        now_running.discard(cast("Claim", progress).run_id)

    servers = [await serve(kind("a.b", work, at_once=at_once), name=f"server-{n}") for n in range(3)]
    made = [await servers[n % 3].begin("a.b", ANNA) for n in range(9)]
    for run_id in made:
        assert (await until(servers[0], run_id, JobState.SUCCEEDED, JobState.FAILED)).state is JobState.SUCCEEDED
    assert most == at_once


async def test_servers_that_want_the_same_jobs_run_each_once(serve: Serve) -> None:
    ran: list[tuple[str, int]] = []

    async def work(progress: Progress) -> None:
        claim = cast("Claim", progress)
        ran.append((claim.run_id, claim.attempt))

    servers = [await serve(kind("a.b", work, at_once=8), name=f"server-{n}") for n in range(3)]
    made = [await servers[0].begin("a.b", ANNA) for _ in range(20)]
    for run_id in made:
        await until(servers[1], run_id, JobState.SUCCEEDED)
    assert sorted(ran) == sorted((run_id, 1) for run_id in made)


def _serve_until_killed(url: str, folder: str, say: Connection) -> None:
    """A server of its own, in another process."""

    async def main() -> None:
        async def work(progress: Progress) -> None:
            say.send(cast("Claim", progress).attempt)
            await asyncio.sleep(3600)

        database = Database(url)
        kinds = JobKinds([kind("a.retried", work, retries=1), kind("a.once", work)])
        await JobRuns(database, Path(folder), zone=lambda: "UTC", kinds=kinds, pace=QUICK).start()
        await asyncio.sleep(3600)

    asyncio.run(main())


@pytest.mark.usefixtures("children_find_tests")
async def test_a_killed_servers_jobs_are_tried_again_by_another_or_marked(
    serve: Serve, database: Database, database_url: str, tmp_path: Path
) -> None:
    attempts: list[int] = []

    async def work(progress: Progress) -> None:
        attempts.append(cast("Claim", progress).attempt)

    kinds = (kind("a.retried", work, retries=1), kind("a.once", work))
    asking = JobRuns(database, tmp_path / "asking", zone=lambda: "UTC", kinds=JobKinds(kinds))  # runs none itself
    process, heard = started(_serve_until_killed, database_url, str(tmp_path / "killed"))
    try:
        made = await _claimed_by_the_other(asking, heard)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
    assert process.exitcode == -signal.SIGKILL
    heir = await serve(*kinds, name="heir")
    again = await until(heir, made["a.retried"], JobState.SUCCEEDED)
    marked = await until(heir, made["a.once"], JobState.INTERRUPTED)
    assert (attempts, again.attempt) == ([2], 2)
    assert (marked.error_code, marked.attempt) == ("jobs.interrupted", 1)


async def _claimed_by_the_other(asking: JobRuns, heard: Connection) -> dict[str, str]:
    made = {name: await asking.begin(name, ANNA) for name in ("a.retried", "a.once")}
    for _ in made:
        assert await asyncio.to_thread(heard.poll, START_WITHIN_S), "nothing was claimed"
        assert heard.recv() == 1
    return made


async def test_a_server_that_nobody_hears_of_loses_its_job_and_writes_nothing_more(
    serve: Serve, database: Database, tmp_path: Path
) -> None:
    holding, may_go_on = asyncio.Event(), asyncio.Event()
    refused: list[str] = []

    async def work(progress: Progress) -> None:
        claim = cast("Claim", progress)
        if claim.attempt == 2:
            return
        holding.set()
        with suppress(asyncio.CancelledError):
            await may_go_on.wait()
        try:
            async with database.session() as session:
                await claim.hold(session)
                await session.execute(text("UPDATE jobs_runs SET title = 'by the lost one'"))
        except LostJobError as error:
            refused.append(error.code)

    deaf = Pace(poll_s=0.03, beat_s=3600, grace_s=5.0)  # lives, but does not say so
    lost = await serve(kind("a.b", work, retries=1), name="lost", pace=deaf, server="elsewhere")
    run_id = await lost.begin("a.b", ANNA, title="mine")
    await holding.wait()
    watchful = Pace(poll_s=0.03, beat_s=0.1, lost_after_s=0.5)
    heir = await serve(kind("a.b", work, retries=1), name="heir", pace=watchful)
    job = await until(heir, run_id, JobState.SUCCEEDED)
    assert (job.attempt, job.title) == (2, "mine")
    may_go_on.set()
    async with asyncio.timeout(10):
        while lost._runner.running(run_id) is not None:  # noqa: ASYNC110 nobody else knows of it any more
            await asyncio.sleep(0.01)
    assert refused == ["jobs.lost"]
    assert (await heir.get(run_id, PARK)).title == "mine"


class GoesAway(Database):
    """A database whose server can be away."""

    is_away = False

    def session(self) -> Any:
        """See `Database`."""
        self._look()
        return super().session()

    def reading(self) -> Any:
        """See `Database`."""
        self._look()
        return super().reading()

    def _look(self) -> None:
        if self.is_away:
            raise OperationalError("SELECT 1", {}, OSError("connection refused"))


async def test_a_database_that_is_away_for_a_while_harms_no_job(
    serve: Serve, database_url: str, database: Database
) -> None:
    away = GoesAway(database_url)
    began: list[int] = []
    may_end = asyncio.Event()

    async def work(progress: Progress) -> JobResult:
        began.append(1)
        await may_end.wait()
        return JobResult({"rows": 3})

    runs = await serve(kind("a.b", work), on=away)
    run_id = await runs.begin("a.b", ANNA)
    await until(runs, run_id, JobState.RUNNING)
    away.is_away = True
    await asyncio.sleep(0.5)
    may_end.set()
    await asyncio.sleep(0.3)  # it ends while nobody can be told
    away.is_away = False
    job = await until(runs, run_id, JobState.SUCCEEDED)
    assert (dict(job.summary), job.attempt, began) == ({"rows": 3}, 1, [1])
    await runs.close()
    await away.close()


async def test_a_server_that_stops_lets_its_job_be_tried_again(
    serve: Serve, database: Database, tmp_path: Path
) -> None:
    kinds = JobKinds([kind("a.retried", endless, retries=1), kind("a.once", endless)])
    stopping = JobRuns(database, tmp_path / "stopping", zone=lambda: "UTC", kinds=kinds, pace=QUICK)
    await stopping.start()
    retried, once = await stopping.begin("a.retried", ANNA), await stopping.begin("a.once", ANNA)
    for run_id in (retried, once):
        await until(stopping, run_id, JobState.RUNNING)
    await stopping.close()
    assert (await stopping.get(retried, PARK)).state is JobState.QUEUED
    assert (await stopping.get(once, PARK)).state is JobState.INTERRUPTED


async def test_what_ran_in_memory_is_in_the_history_after_the_server(
    serve: Serve, database: Database, tmp_path: Path
) -> None:
    async def work(progress: Progress) -> JobResult:
        return JobResult({"rows": 5})

    runs = await serve()
    memory = MemoryJobs(tmp_path / "memory", on_change=runs.note)
    runs.watch(memory)
    done = memory.start("data.import", "pots.csv", ANNA, work)
    await memory.wait(done, ANNA)
    running = memory.start("data.import", "slow.csv", ANNA, endless)
    await until(runs, running, JobState.RUNNING)
    later = await serve(name="later")
    jobs, total = await later.find(ANNA, Wanted())
    assert ([job.title for job in jobs], total) == (["slow.csv", "pots.csv"], 2)
    assert (jobs[1].state, dict(jobs[1].summary)) == (JobState.SUCCEEDED, {"rows": 5})
    await later.cancel(running, BOSS)  # from another server
    await until(later, running, JobState.CANCELLED)
    await memory.close()


async def test_what_ran_in_the_memory_of_a_server_that_died_is_interrupted(
    serve: Serve, database: Database, tmp_path: Path
) -> None:
    gone = JobRuns(database, tmp_path / "gone", zone=lambda: "UTC", server="gone")
    memory = MemoryJobs(tmp_path / "memory", on_change=gone.note)
    run_id = memory.start("data.import", "slow.csv", ANNA, endless)
    await gone.get(run_id, ANNA)
    later = await serve(name="later", pace=Pace(poll_s=0.03, beat_s=0.1, lost_after_s=0.3))
    job = await until(later, run_id, JobState.INTERRUPTED)
    assert (job.error_code, job.owner) == ("jobs.interrupted", "anna")
    await memory.close()


async def test_old_jobs_are_forgotten_and_what_people_did_is_in_the_trail(serve: Serve, database: Database) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    runs = await serve(kind("a.b", endless), now=lambda: now)
    run_id = await runs.begin("a.b", ANNA)
    await runs.cancel(run_id, BOSS, address="10.0.0.9")
    await until(runs, run_id, JobState.CANCELLED)
    now += timedelta(days=89)
    assert await runs.expire(timedelta(days=90)) == 0
    now += timedelta(days=2)
    assert await runs.expire(timedelta(days=90)) == 1
    async with database.reading() as session:
        rows = await session.execute(text("SELECT actor, action, subject, address FROM identity_audit ORDER BY id"))
        assert [tuple(row) for row in rows] == [
            ("anna", "jobs.started", run_id, ""),
            ("boss", "jobs.cancelled", run_id, "10.0.0.9"),
        ]
    assert (await verify(database)).is_whole
