"""Long work runs in the background, in order, is seen by the right people, and ends cleanly."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import JobResult, JobState, NoJobFileError, Progress

ANNA = User(1, "anna", "Anna", ("operator",), tenant="copper")
BERT = User(2, "bert", "Bert", ("operator",), tenant="copper")
BOSS = User(3, "boss", "Boss", ("administrator",), tenant="copper")
OTHER_BOSS = User(4, "other", "Other", ("administrator",), tenant="carbon")
PARK = User(5, "admin", "Administrator", ("administrator",))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def jobs(tmp_path: Path, clock: Clock) -> AsyncIterator[MemoryJobs]:
    running = MemoryJobs(tmp_path / "jobs", now=clock, remembered=5)
    yield running
    await running.close()


async def nothing(progress: Progress) -> None:
    """Work that is done at once."""


async def endless(progress: Progress) -> None:
    """Work that goes on until it is cancelled."""
    while True:
        await asyncio.sleep(0.005)
        progress.check_cancelled()


async def until(jobs: MemoryJobs, job_id: str, state: JobState) -> None:
    async with asyncio.timeout(5):
        while jobs.get(job_id, PARK).state is not state:  # noqa: ASYNC110 a job tells nobody when it begins
            await asyncio.sleep(0.002)


async def test_work_tells_where_it_is_and_leaves_a_file_and_figures(jobs: MemoryJobs) -> None:
    may_end = asyncio.Event()

    async def work(progress: Progress) -> JobResult:
        progress.tell(stage="reading", fraction=0.5, rows=7)
        await may_end.wait()
        file = progress.folder / "made.csv"
        file.write_text("a\n", encoding="utf-8")
        return JobResult({"rows": 14}, file, "history.csv")

    job_id = jobs.start("data.export", "pots", ANNA, work)
    assert jobs.get(job_id, ANNA).state is JobState.QUEUED
    await until(jobs, job_id, JobState.RUNNING)
    running = jobs.get(job_id, ANNA)
    assert (running.stage, running.fraction, running.rows, running.file_name) == ("reading", 0.5, 7, None)
    may_end.set()
    done = await jobs.wait(job_id, ANNA)
    assert (done.state, done.fraction, dict(done.summary)) == (JobState.SUCCEEDED, 1.0, {"rows": 14})
    assert (done.file_name, done.file_bytes, done.error) == ("history.csv", 2, None)
    assert jobs.file(job_id, ANNA).read_text(encoding="utf-8") == "a\n"


async def test_progress_may_be_told_from_another_thread(jobs: MemoryJobs) -> None:
    async def work(progress: Progress) -> None:
        await asyncio.to_thread(progress.tell, rows=threading.get_native_id() and 3)

    assert (await jobs.wait(jobs.start("a.b", "t", ANNA, work), ANNA)).rows == 3


async def test_an_error_of_ours_is_kept_as_its_text_and_what_was_kept_stays(jobs: MemoryJobs) -> None:
    async def work(progress: Progress) -> None:
        progress.keep(JobResult({"stored": 5}))
        raise HistorianFullError("/disk", "no room")

    job = await jobs.wait(jobs.start("a.b", "t", ANNA, work), ANNA)
    assert (job.state, job.error_code, dict(job.summary)) == (JobState.FAILED, "historian.full", {"stored": 5})
    assert "Free disk space" in (job.error or "")


async def test_any_other_error_names_the_log_and_tells_no_secrets(jobs: MemoryJobs) -> None:
    async def work(progress: Progress) -> None:
        raise ValueError("password=hunter2")

    job = await jobs.wait(jobs.start("a.b", "t", ANNA, work), ANNA)
    assert (job.state, job.error_code) == (JobState.FAILED, "jobs.failed")
    assert job.id in (job.error or "")
    assert "hunter2" not in (job.error or "")


async def test_two_run_at_once_and_the_others_wait_in_their_order(jobs: MemoryJobs) -> None:
    first, second = (jobs.start("a.b", name, ANNA, endless) for name in ("first", "second"))
    began: list[str] = []

    async def note(progress: Progress) -> None:
        began.append(progress.folder.name)

    third, fourth = (jobs.start("a.b", name, BERT, note) for name in ("third", "fourth"))
    await until(jobs, second, JobState.RUNNING)
    await asyncio.sleep(0.02)
    assert jobs.get(third, BERT).state is jobs.get(fourth, BERT).state is JobState.QUEUED
    jobs.cancel(first, ANNA)
    await jobs.wait(fourth, BERT)
    assert began == [third, fourth]
    assert jobs.get(second, ANNA).state is JobState.RUNNING


async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_check(jobs: MemoryJobs) -> None:
    running = [jobs.start("a.b", "t", ANNA, endless) for _ in range(2)]
    waiting = jobs.start("a.b", "t", ANNA, endless)
    for job_id in (running[0], waiting):
        jobs.cancel(job_id, ANNA)
    assert (await jobs.wait(waiting, ANNA)).state is JobState.CANCELLED
    cancelled = await jobs.wait(running[0], ANNA)
    assert (cancelled.state, cancelled.error) == (JobState.CANCELLED, None)
    jobs.cancel(running[0], ANNA)  # over: stays so


async def test_a_job_is_seen_by_its_owner_and_the_administrators_above(jobs: MemoryJobs) -> None:
    job_id = jobs.start("a.b", "t", ANNA, nothing)
    for viewer in (ANNA, BOSS, PARK):
        assert [job.id for job in jobs.jobs(viewer)] == [job_id]
        assert jobs.get(job_id, viewer).owner == "anna"
    for stranger in (BERT, OTHER_BOSS):
        assert jobs.jobs(stranger) == []
        for ask in (jobs.get, jobs.cancel, jobs.file):
            with pytest.raises(NotFoundError):
                ask(job_id, stranger)
    of_the_park = jobs.start("a.b", "t", PARK, nothing)
    with pytest.raises(NotFoundError):
        jobs.get(of_the_park, BOSS)


async def test_jobs_are_listed_newest_first_and_by_kind(jobs: MemoryJobs) -> None:
    first = jobs.start("data.import", "t", ANNA, nothing)
    second = jobs.start("data.export", "t", ANNA, nothing)
    assert [job.id for job in jobs.jobs(ANNA)] == [second, first]
    assert [job.id for job in jobs.jobs(ANNA, "data.import")] == [first]


async def test_the_oldest_jobs_are_forgotten_with_their_files(jobs: MemoryJobs, tmp_path: Path) -> None:
    async def work(progress: Progress) -> JobResult:
        (progress.folder / "f").touch()
        return JobResult(file=progress.folder / "f")

    made = [jobs.start("a.b", "t", ANNA, work) for _ in range(8)]
    for job_id in made:
        await jobs.wait(job_id, ANNA)
    jobs.sweep()
    assert [job.id for job in jobs.jobs(ANNA)] == made[:2:-1]
    assert {path.name for path in (tmp_path / "jobs").iterdir()} == set(made[3:])


async def test_a_file_goes_after_a_day_and_the_job_stays(jobs: MemoryJobs, clock: Clock) -> None:
    async def work(progress: Progress) -> JobResult:
        (progress.folder / "f").touch()
        return JobResult({"rows": 1}, progress.folder / "f")

    job = await jobs.wait(jobs.start("a.b", "t", ANNA, work), ANNA)
    path = jobs.file(job.id, ANNA)
    clock.now += timedelta(hours=24)
    jobs.sweep()
    assert not path.exists()
    assert (jobs.get(job.id, ANNA).file_name, dict(jobs.get(job.id, ANNA).summary)) == (None, {"rows": 1})
    with pytest.raises(NoJobFileError):
        jobs.file(job.id, ANNA)


async def test_closing_cancels_what_runs_and_what_waits(tmp_path: Path) -> None:
    jobs = MemoryJobs(tmp_path / "jobs")
    made = [jobs.start("a.b", "t", ANNA, endless) for _ in range(3)]
    await until(jobs, made[1], JobState.RUNNING)
    await jobs.close()
    assert {jobs.get(job_id, ANNA).state for job_id in made} == {JobState.CANCELLED}


async def test_what_an_earlier_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "jobs" / "old").mkdir(parents=True)
    jobs = MemoryJobs(tmp_path / "jobs")
    assert list((tmp_path / "jobs").iterdir()) == []
    await jobs.close()
