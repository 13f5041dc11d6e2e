"""An import stores what is right, tells what is not, can be tried, cancelled and done again, and leaves a trail."""

import asyncio
import csv
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import BATCH_TOPIC, IMPORTED_TOPIC, Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import Span
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import Job, JobState
from athanor.kernel.transfer.errors import BadFileError, BadPlanError
from athanor.kernel.transfer.examining import Question
from athanor.kernel.transfer.importing import PIECE_ROWS
from athanor.kernel.transfer.imports import KIND, TRIAL_KIND, Imports
from athanor.kernel.transfer.uploads import FileTooLargeError, NoRoomForFileError, Uploads

from ..disks import small_disk
from .plants import FLOW, OTHERS, POWER, TEMPERATURE, plant

ANNA = User(1, "anna", "Anna", ("operator",), tenant="copper")
BERT = User(2, "bert", "Bert", ("operator",), tenant="carbon")
ALWAYS = Span(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Works:
    """A server's parts, in a folder."""

    def __init__(
        self, folder: Path, database: Database, historian: TieredHistorian, uploads: Uploads, piece_rows: int
    ) -> None:
        self.folder = folder
        self.database = database
        self.historian = historian
        self.current = CurrentValues()
        self.bus = MemoryBus()
        self.jobs = MemoryJobs(folder / "jobs")
        self.uploads = uploads
        self.plant = plant()
        self.events: list[Event] = []
        for topic in (IMPORTED_TOPIC, BATCH_TOPIC):
            self.bus.subscribe(topic, self._hear, name="test")
        self.imports = Imports(
            plant=lambda: self.plant,
            historian=historian,
            current=self.current,
            bus=self.bus,
            database=database,
            jobs=self.jobs,
            uploads=uploads,
            max_ahead=timedelta(minutes=5),
            oldest=datetime(1990, 1, 1, tzinfo=UTC),
            piece_rows=piece_rows,
            now=lambda: NOW,
        )

    async def _hear(self, event: Event) -> None:
        self.events.append(event)

    async def send(self, content: bytes | str, name: str = "history.csv", viewer: User = ANNA) -> str:
        """Send a file; its id."""
        body = content.encode() if isinstance(content, str) else content

        async def parts() -> AsyncIterator[bytes]:
            for begin in range(0, len(body), 1 << 20):
                yield body[begin : begin + (1 << 20)]

        return (await self.imports.receive(name, viewer, parts(), expected_bytes=len(body))).id

    async def run(
        self,
        content: bytes | str,
        over: dict[str, Any] | None = None,
        *,
        name: str = "history.csv",
        trial: bool = False,
    ) -> Job:
        """Send a file and import it; the job when it is over."""
        file = await self.send(content, name)
        examined = await self.imports.examine(file, ANNA, over)
        job = self.imports.start(file, ANNA, examined, self.imports.plan(examined), is_trial=trial, address="10.0.0.7")
        return await self.jobs.wait(job, ANNA)

    async def stored(self, *paths: str) -> pa.Table:
        """Every sample of these tags."""
        return await self.historian.read([self.plant.id_of(path) for path in paths], ALWAYS)

    async def trail(self) -> list[AuditRow]:
        """The audit trail, oldest first."""
        async with self.database.reading() as session:
            return list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))

    def report(self, job: Job) -> list[dict[str, str]]:
        """The report of refused cells, as a spreadsheet reads it."""
        text = self.jobs.file(job.id, ANNA).read_text(encoding="utf-8-sig")
        return list(csv.DictReader(text.splitlines()))

    async def close(self) -> None:
        await self.jobs.close()
        await self.bus.close()


@asynccontextmanager
async def opened(
    folder: Path,
    disk: Path | None = None,
    *,
    most_bytes: int = 10**9,
    reserve_bytes: int = 0,
    piece_rows: int = PIECE_ROWS,
) -> AsyncIterator[Works]:
    """The parts; the historian lies on a disk of its own, where one is given."""
    url = f"sqlite+aiosqlite:///{folder}/athanor.db"
    await upgrade(url)
    database = Database(url)
    place = disk or folder
    historian = TieredHistorian(place / "hot", FolderStore(place / "lake"), reserve_mb=64 if disk is None else 0)
    uploads = Uploads(folder / "uploads", most_bytes=most_bytes, reserve_bytes=reserve_bytes)
    works = Works(folder, database, historian, uploads, piece_rows)
    try:
        yield works
    finally:
        await works.close()
        await historian.close()
        await database.close()


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    async with opened(tmp_path) as running:
        yield running


WIDE = "时间,Bath furnace Temperature [degF],功率,Remark\n2026/3/1 8:05,2192,7.5,a\n2026/3/1 8:06,Bad,8.5,b\n,,,\n"


async def test_a_file_is_imported_as_it_was_found_to_be(works: Works) -> None:
    job = await works.run(WIDE)
    assert (job.state, job.kind, job.title, job.fraction, job.rows) == (
        JobState.SUCCEEDED, KIND, "history.csv", 1.0, 3,
    )  # fmt: skip
    table = await works.stored(TEMPERATURE, POWER)
    assert table["value"].to_pylist() == [pytest.approx(1200.0), 7.5, 8.5]
    assert table["time"][0].as_py() == datetime(2026, 3, 1, 0, 5, tzinfo=UTC)
    summary = job.summary
    assert (summary["samples"], summary["stored"], summary["tags"], summary["refused"]) == (
        3,
        3,
        2,
        {"not-a-number": 1},
    )
    assert (summary["first"], summary["last"]) == ("2026-03-01T00:05:00+00:00", "2026-03-01T00:06:00+00:00")
    assert summary["by_tag"] == {POWER: 2, TEMPERATURE: 1}
    [line] = works.report(job)
    assert (line["row"], line["column"], line["value"], line["reason"]) == (
        "3", "Bath furnace Temperature [degF]", "Bad", "not-a-number",
    )  # fmt: skip
    assert (line["tag"], line["meaning"]) == (TEMPERATURE, "The value is no number.")
    assert job.file_name == "history-refused.csv"


async def test_a_trial_stores_nothing_and_tells_the_same(works: Works) -> None:
    trial = await works.run(WIDE, trial=True)
    assert (trial.state, trial.kind, trial.summary["stored"]) == (JobState.SUCCEEDED, TRIAL_KIND, 0)
    assert (await works.stored(TEMPERATURE, POWER)).num_rows == 0
    assert await works.trail() == []
    real = await works.run(WIDE)
    same = ("rows", "samples", "empty", "uncertain", "refused", "examples", "first", "last", "by_tag")
    assert {key: trial.summary[key] for key in same} == {key: real.summary[key] for key in same}


async def test_importing_again_changes_nothing_and_a_corrected_file_replaces(works: Works) -> None:
    await works.run(WIDE)
    await works.run(WIDE)
    assert (await works.stored(POWER))["value"].to_pylist() == [7.5, 8.5]
    await works.run(WIDE.replace("8.5", "9.5"))
    assert (await works.stored(POWER))["value"].to_pylist() == [7.5, 9.5]


async def test_of_one_tag_and_time_the_later_row_counts_also_across_pieces(tmp_path: Path) -> None:
    async with opened(tmp_path, piece_rows=1) as works:
        rows = "".join(f"2026-03-01 08:00,{value}\n" for value in (1, 2, 3))
        await works.run("Time,Power\n" + rows)
        assert (await works.stored(POWER))["value"].to_pylist() == [3.0]


async def test_newer_values_become_current_and_listeners_hear_of_them(works: Works) -> None:
    await works.run("Time,Power\n2026-03-01 08:00,5\n2026-03-01 09:00,6\n")
    current = works.current.get(works.plant.id_of(POWER))
    assert current is not None
    assert (current.value, current.time) == (6.0, datetime(2026, 3, 1, 1, tzinfo=UTC))
    await works.run("Time,Power\n2026-02-01 08:00,1\n")
    still = works.current.get(works.plant.id_of(POWER))
    assert still is not None
    assert still.value == 6.0
    await works.bus.close()
    live = [event for event in works.events if event.topic == BATCH_TOPIC]
    assert [event.body["value"].to_pylist() for event in live] == [[6.0]]
    told = [event.body for event in works.events if event.topic == IMPORTED_TOPIC]
    assert [(one.rows, one.tags.tolist(), one.first) for one in told] == [
        (2, [works.plant.id_of(POWER)], datetime(2026, 3, 1, tzinfo=UTC)),
        (1, [works.plant.id_of(POWER)], datetime(2026, 2, 1, tzinfo=UTC)),
    ]


async def test_nobody_imports_into_tags_of_others(works: Works) -> None:
    file = await works.send(f"Tag,Time,Value\n{OTHERS},2026-03-01 08:00,5\n{POWER},2026-03-01 08:00,6\n")
    examined = await works.imports.examine(file, ANNA)
    job = await works.jobs.wait(
        works.imports.start(file, ANNA, examined, works.imports.plan(examined), is_trial=False), ANNA
    )
    assert job.summary["refused"] == {"unknown-tag": 1}
    assert (await works.stored(OTHERS)).num_rows == 0
    over = {"columns": {"Value": {"tag": OTHERS}}, "shape": "wide"}
    with pytest.raises(BadPlanError, match="no tag that you may see"):
        await works.run("Time,Value\n2026-03-01 08:00,1\n", over)


async def test_another_persons_file_is_not_there(works: Works) -> None:
    file = await works.send(WIDE)
    for ask in (works.imports.upload, works.imports.forget):
        with pytest.raises(NotFoundError):
            ask(file, BERT)
    with pytest.raises(NotFoundError):
        await works.imports.examine(file, BERT)


async def test_the_trail_says_who_imported_what(works: Works) -> None:
    await works.run(WIDE)
    begun, done = await works.trail()
    assert (begun.actor, begun.action, begun.subject, begun.address) == (
        "anna",
        "data.import-begun",
        "history.csv",
        "10.0.0.7",
    )
    assert (done.action, done.detail["outcome"]) == ("data.history-imported", "succeeded")
    assert (done.detail["rows"], done.detail["stored"], done.detail["refused"], done.detail["tags"]) == (3, 3, 1, 2)


async def test_what_is_open_is_asked_before_anything_begins(works: Works) -> None:
    for content, question in (
        ("Time,Power\n01/02/2026 08:00,1\n", Question.DAY_OR_MONTH),
        ('Time;Power\n2026-03-01 08:00;"1,234"\n', Question.DECIMAL),
        ("Power,Flow\n1,2\n3,4\n", Question.NO_TIME),
        ("Time,xyz\n2026-03-01 08:00,1\n", Question.NO_TAGS),
    ):
        file = await works.send(content)
        examined = await works.imports.examine(file, ANNA)
        assert question in examined.questions
        with pytest.raises(BadPlanError):
            works.imports.plan(examined)
    job = await works.run("Time,Power\n01/02/2026 08:00,1\n", {"time": {"layout": "dmy"}})
    assert job.summary["first"] == "2026-02-01T00:00:00+00:00"


async def test_the_preview_shows_first_rows_as_they_will_be_stored(works: Works) -> None:
    file = await works.send(WIDE)
    examined = await works.imports.examine(file, ANNA)
    shown = await works.imports.preview(file, ANNA, examined, works.imports.plan(examined))
    first, second = shown.rows
    assert (first.row, first.time) == (2, datetime(2026, 3, 1, 0, 5, tzinfo=UTC))
    assert [(one.tag.path, one.value) for one in first.readings] == [(TEMPERATURE, pytest.approx(1200.0)), (POWER, 7.5)]
    assert [(one.column, one.reason) for one in second.troubles] == [
        ("Bath furnace Temperature [degF]", "not-a-number")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
async def test_a_chinese_file_of_decimal_commas_below_titles_and_units(works: Works, encoding: str) -> None:
    text = (
        "冶炼厂日报;;\n导出时间：2026年4月1日;;\n"
        "日期;时刻;功率;烟气流量\n;;MW;Nm3/h\n"
        "2026年3月1日;8:05:00;1,5;1.234,5\n2026年3月1日;8:06:00;1,6;-\n"
    )
    job = await works.run(text.encode(encoding))
    assert job.summary["refused"] == {}
    assert (await works.stored(POWER))["value"].to_pylist() == [1500.0, 1600.0]
    table = await works.stored(FLOW)
    assert table["value"].to_pylist() == [1234.5]
    assert table["time"][0].as_py() == datetime(2026, 3, 1, 0, 5, tzinfo=UTC)


async def test_parquet_as_others_write_it(works: Works) -> None:
    sink = pa.BufferOutputStream()
    time = pa.array([datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(3)], pa.timestamp("ns", tz="UTC"))
    pq.write_table(pa.table({"time": time, POWER: [1.0, None, 3.0], "index": [0, 1, 2]}), sink)
    job = await works.run(sink.getvalue().to_pybytes(), name="history.parquet")
    assert (job.summary["samples"], job.summary["empty"]) == (2, 1)
    assert (await works.stored(POWER))["time"][0].as_py() == datetime(2026, 3, 1, tzinfo=UTC)


async def test_the_report_runs_no_formula(works: Works) -> None:
    job = await works.run("Tag,Time,Value\n=cmd|'/c calc'!A1,2026-03-01 08:00,-5\nPower,2026-03-01 08:00,1\n")
    [line] = works.report(job)
    assert (line["tag"], line["value"]) == ("'=cmd|'/c calc'!A1", "-5")


def long_file(rows: int) -> bytes:
    """A long file of three tags, a row a second."""
    start = datetime(2026, 3, 1)  # noqa: DTZ001 the clock on the wall
    tags = (TEMPERATURE, POWER, FLOW)
    lines = (f"{tags[row % 3]},{start + timedelta(seconds=row)},{row % 1000}.5" for row in range(rows))
    return ("Tag,Time,Value\n" + "\n".join(lines) + "\n").encode()


async def test_a_cancelled_import_keeps_what_it_stored_and_says_so(tmp_path: Path) -> None:
    rows = 600_000
    async with opened(tmp_path, piece_rows=100_000) as works:
        file = await works.send(long_file(rows))
        examined = await works.imports.examine(file, ANNA)
        job = works.imports.start(file, ANNA, examined, works.imports.plan(examined), is_trial=False)
        async with asyncio.timeout(30):
            while not works.jobs.get(job, ANNA).summary.get("stored"):  # noqa: ASYNC110 a job tells nobody what it stored
                await asyncio.sleep(0.002)
        works.jobs.cancel(job, ANNA)
        over = await works.jobs.wait(job, ANNA)
        assert over.state is JobState.CANCELLED
        assert 0 < over.summary["stored"] < rows
        assert (await works.stored(TEMPERATURE, POWER, FLOW)).num_rows == over.summary["stored"]
        assert (await works.trail())[-1].detail["outcome"] == "cancelled"
        assert works.imports.upload(file, ANNA).name == "history.csv"  # to try again


async def test_a_file_is_forgotten_once_it_is_imported(works: Works) -> None:
    file = await works.send(WIDE)
    examined = await works.imports.examine(file, ANNA)
    for is_trial in (True, False):
        works.imports.upload(file, ANNA)
        await works.jobs.wait(
            works.imports.start(file, ANNA, examined, works.imports.plan(examined), is_trial=is_trial), ANNA
        )
    with pytest.raises(NotFoundError):
        works.imports.upload(file, ANNA)
    assert list((works.folder / "uploads").iterdir()) == []


async def test_a_file_that_is_too_large_leaves_nothing_behind(tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    async with opened(tmp_path, most_bytes=10_000) as works:
        with pytest.raises(FileTooLargeError):
            await works.send(b"x" * 10_001)
        with pytest.raises(FileTooLargeError):  # whatever was announced
            await works.imports.receive("a.csv", ANNA, parts())
        assert list((tmp_path / "uploads").iterdir()) == []


async def test_a_disk_that_live_samples_need_takes_no_file(tmp_path: Path) -> None:
    async with opened(tmp_path, reserve_bytes=1 << 60) as works:
        with pytest.raises(NoRoomForFileError):
            await works.send(b"x")


async def test_files_go_after_a_day(tmp_path: Path) -> None:
    now = NOW
    uploads = Uploads(tmp_path / "uploads", most_bytes=100, reserve_bytes=0, now=lambda: now)

    async def parts() -> AsyncIterator[bytes]:
        yield b"x"

    upload = await uploads.receive("../../etc/passwd\x00", ANNA, parts())
    assert upload.name == "passwd"
    now += timedelta(hours=24)
    with uploads.held(upload):
        uploads.sweep()
        assert upload.path.exists()
    uploads.sweep()
    assert not upload.path.exists()


async def test_a_broken_file_ends_its_job_with_its_reason(works: Works) -> None:
    whole = long_file(3000)
    cut = whole + b'a,"' + b"x,y\n" * 30_000
    job = await works.run(cut)
    assert (job.state, job.error_code) == (JobState.FAILED, BadFileError.code)
    assert "never closed" in (job.error or "")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    with small_disk(tmp_path / "disk", 12) as folder:
        yield folder


async def test_a_full_disk_ends_the_import_with_what_was_stored_and_it_can_be_done_again(
    tmp_path: Path, disk: Path
) -> None:
    rows = 2_000_000
    noise = np.random.default_rng(7).normal(size=rows)
    time = pa.array(np.arange(rows) + 1_772_323_200_000_000).cast(pa.timestamp("us", "UTC"))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"time": time, POWER: noise}), sink)
    body = sink.getvalue().to_pybytes()
    async with opened(tmp_path, disk, piece_rows=400_000) as works:
        failed = await works.run(body, name="noise.parquet")
        assert (failed.state, failed.error_code) == (JobState.FAILED, "transfer.stopped")
        stored = failed.summary["stored"]
        assert 0 < stored < rows
        assert f"{stored:,} samples were stored" in (failed.error or "")
        assert "import the same file again" in (failed.error or "")
        assert (await works.stored(POWER)).num_rows == stored
        assert (await works.trail())[-1].detail["outcome"] == "failed"
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=200m", str(disk)], check=True)
        again = await works.run(body, name="noise.parquet")
        assert again.state is JobState.SUCCEEDED, again.error
        assert (await works.stored(POWER)).num_rows == rows
