"""A lake on an object store that is slow, refuses, breaks off or lies: retried, nothing lost, nothing doubled."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from deltalake import DeltaTable

from athanor.kernel.doctor import Finding, Verdict, check_lake
from athanor.kernel.historian.lease import Lease
from athanor.kernel.historian.port import (
    HistorianFullError,
    HistorianUnopenableError,
    LakeTakenError,
    LakeUnreachableError,
    Span,
)
from athanor.kernel.historian.store import ClaimedElsewhereError
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.settings import Settings

from .objectstore import Gateway, Trouble, lake_at
from .samples import EVER, START, numbered, numbers_of, tag_ids

TAGS = 3
TRIES = 7  # the first and its repeats


def is_log(method: str, path: str) -> bool:
    """The request that commits."""
    return method == "PUT" and "/samples/_delta_log/" in path


def is_file(method: str, path: str) -> bool:
    """A request that writes a file of samples."""
    return method == "PUT" and "/samples/day" in path


Opening = Callable[..., TieredHistorian]


@pytest.fixture
async def opened(gateway: Gateway, tmp_path: Path) -> AsyncIterator[Opening]:
    """Opens historians, and closes those that are left open."""
    historians = []

    def opened(
        hot: str = "hot", prefix: str | None = None, at: str = gateway.address, **options: Any
    ) -> TieredHistorian:
        historian = TieredHistorian(tmp_path / hot, lake_at(at, prefix, **{"timeout_s": 0.4, **options}))
        historians.append(historian)
        return historian

    yield opened
    gateway.trouble = Trouble()
    for historian in historians:
        await historian.close()


def prefix_of(historian: TieredHistorian) -> str:
    return historian._lake.store.url.split("/")[-2]


@pytest.fixture
async def historian(opened: Opening) -> TieredHistorian:
    """Two days sealed, on an object store that is reached by the gateway; a busy one may need some attempts."""
    historian = opened()
    for number in (0, 1, 200, 201):
        await historian.write(numbered(number, tags=TAGS))
    for _attempt in range(19):
        with suppress(HistorianFullError):
            await historian.seal_now()
            return historian
    await historian.seal_now()
    return historian


T = TypeVar("T")


async def until(ask: Callable[[], T], expected: type[Exception] | None = None) -> T | None:
    """What is answered once it is not refused any more; or, where an error is expected, once that comes."""
    refused_with = HistorianUnopenableError if expected is None else OSError
    while True:
        try:
            answer = await asyncio.to_thread(ask)
            if expected is None:
                return answer
        except refused_with:
            pass
        except Exception as error:
            if expected is None or not isinstance(error, expected):
                raise
            return None
        await asyncio.sleep(0.05)


def table_of(historian: TieredHistorian) -> DeltaTable:
    store = historian._lake.store
    return DeltaTable(store.url, storage_options=dict(store.options))


async def all_is_there_once(historian: TieredHistorian, numbers: list[int]) -> None:
    """In the historian and, sealed, for everybody who reads the table."""
    await historian.seal_now()
    assert numbers_of(await historian.read(tag_ids(TAGS), EVER), 1) == numbers
    table = table_of(historian)
    assert sorted(numbers_of(table.to_pyarrow_table(), 1)) == numbers


def no_other_files(historian: TieredHistorian) -> bool:
    """Whether all files there are in the table."""
    store = historian._lake.store
    there = {name for name in store.names() if name.endswith(".parquet") and not name.startswith("_")}
    return there == {file.name for file in historian._lake.files}


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(status=503, times=3),
        Trouble(status=500, times=1, concerns=is_log),
        Trouble(cut=True, times=2),
        Trouble(deaf=True, times=1, concerns=is_file),
        Trouble(delay_s=0.7, times=1),
        Trouble(delay_s=0.1),
    ],
    ids=["503", "500 at the commit", "cut", "deaf to a file", "one slow", "all slow"],
)
async def test_what_passes_by_itself_nobody_notices(
    historian: TieredHistorian, gateway: Gateway, trouble: Trouble
) -> None:
    gateway.trouble = trouble
    await historian.write(numbered(5, tags=TAGS))
    await historian.seal_now()
    assert trouble.times in (0, None), "the trouble was met"
    gateway.trouble = Trouble()
    await all_is_there_once(historian, [0, 1, 5, 200, 201])
    assert no_other_files(historian)


@pytest.mark.parametrize("what", ["refuses", "503", "cuts", "is silent"])
async def test_while_the_store_is_away_nothing_is_lost_and_it_recovers_by_itself(
    historian: TieredHistorian, gateway: Gateway, opened: Opening, what: str
) -> None:
    await historian.write(numbered(5, tags=TAGS))
    if what == "refuses":
        gateway.close()
    gateway.trouble = {
        "refuses": Trouble(),
        "503": Trouble(status=503),
        "cuts": Trouble(cut=True),
        "is silent": Trouble(delay_s=1.0),
    }[what]
    with pytest.raises(HistorianFullError, match="see that the object store answers"):
        await historian.seal_now()
    await historian.write(numbered(306, tags=TAGS))
    assert numbers_of(await historian.latest(), 1) == [306]
    for minute in (5, 306):
        hot = Span(START + timedelta(minutes=minute), START + timedelta(minutes=minute + 1))
        assert numbers_of(await historian.read(tag_ids(TAGS), hot), 1) == [minute]
    gateway.trouble = Trouble()
    if what == "refuses":
        gateway.open()
    await all_is_there_once(historian, [0, 1, 5, 200, 201, 306])
    await historian.close()
    again = opened(prefix=prefix_of(historian))
    await all_is_there_once(again, [0, 1, 5, 200, 201, 306])
    assert no_other_files(again)


async def test_a_commit_whose_answer_is_lost_is_found_in_the_log(historian: TieredHistorian, gateway: Gateway) -> None:
    before = table_of(historian).version()
    await historian.write(numbered(5, tags=TAGS))
    gateway.trouble = Trouble(deaf=True, concerns=is_log)
    await historian.seal_now()
    assert table_of(historian).version() == before + 1
    await all_is_there_once(historian, [0, 1, 5, 200, 201])
    assert no_other_files(historian)


async def test_a_commit_that_was_given_up_and_arrives_after_all_finds_its_place_taken(
    historian: TieredHistorian, gateway: Gateway
) -> None:
    await historian.write(numbered(5, tags=TAGS))
    gateway.trouble = Trouble(late_s=5.0, concerns=is_log, times=TRIES)
    with pytest.raises(HistorianFullError):
        await historian.seal_now()
    assert no_other_files(historian)
    gateway.wait_for_late()
    assert sorted(numbers_of(table_of(historian).to_pyarrow_table(), 1)) == [0, 1, 200, 201]
    await all_is_there_once(historian, [0, 1, 5, 200, 201])


async def test_a_commit_of_which_nothing_can_be_known_is_kept_until_it_can(
    historian: TieredHistorian, gateway: Gateway
) -> None:
    await historian.write(numbered(5, tags=TAGS))
    gateway.trouble = Trouble(late_s=2.5, concerns=is_log)
    with pytest.raises(HistorianFullError):
        await historian.seal_now()
    gateway.wait_for_late()
    gateway.trouble = Trouble()
    assert sorted(numbers_of(table_of(historian).to_pyarrow_table(), 1)) == [0, 1, 5, 200, 201]
    await all_is_there_once(historian, [0, 1, 5, 200, 201])
    assert no_other_files(historian)


async def test_what_cannot_be_reached_is_said_and_is_no_damage(
    historian: TieredHistorian, gateway: Gateway, opened: Opening
) -> None:
    await historian.write(numbered(300, tags=TAGS))
    gateway.close()
    with pytest.raises(LakeUnreachableError, match=r"s3://park/.*\.parquet of sealed samples cannot be reached"):
        await historian.read([TagId(1)], EVER)
    assert numbers_of(await historian.read([TagId(1)], Span(START + timedelta(hours=4), EVER.end)), 1) == [300]
    gateway.open()
    assert numbers_of(await historian.read([TagId(1)], EVER), 1) == [0, 1, 200, 201, 300]


async def test_a_start_without_the_store_is_refused_and_harms_nothing(
    historian: TieredHistorian, gateway: Gateway, opened: Opening
) -> None:
    await historian.write(numbered(5, tags=TAGS))
    await historian.close()
    gateway.close()
    with pytest.raises(HistorianUnopenableError, match="error sending request"):
        opened(prefix=prefix_of(historian))
    gateway.open()
    again = opened(prefix=prefix_of(historian))
    await all_is_there_once(again, [0, 1, 5, 200, 201])


async def test_a_store_that_heeds_no_conditions_is_refused(gateway: Gateway, opened: Opening) -> None:
    gateway.trouble = Trouble(drop=("if-none-match", "if-match"))
    with pytest.raises(HistorianUnopenableError, match="in spite of If-None-Match"):
        opened()


async def test_a_second_writer_is_refused_and_told_who_writes(
    historian: TieredHistorian, gateway: Gateway, opened: Opening
) -> None:
    with pytest.raises(HistorianUnopenableError, match=rf"process {os.getpid()} on .* writes here"):
        opened("another machine", prefix_of(historian))
    await historian.write(numbered(5, tags=TAGS))
    await all_is_there_once(historian, [0, 1, 5, 200, 201])
    await historian.close()
    await opened("another machine", prefix_of(historian)).close()


async def test_after_a_crash_the_same_server_starts_at_once_and_another_one_later(
    gateway: Gateway, tmp_path: Path
) -> None:
    store = lake_at(gateway.address, lease_s=0.8)
    gone = Lease(store._objects, store._key("lease.json"), "the lease", tmp_path / "hot", length_s=0.8)
    gone._released.set()  # it stops without a word
    gone._local.release()
    with pytest.raises(ClaimedElsewhereError):
        store.claim(tmp_path / "another machine")
    store.claim(tmp_path / "hot").release()
    store.claim(tmp_path / "another machine").release()


async def test_who_lost_the_lake_commits_no_more_and_keeps_its_samples(gateway: Gateway, opened: Opening) -> None:
    first = opened("first", lease_s=0.8)
    prefix = prefix_of(first)
    await first.write(numbered(1, tags=TAGS))
    await first.seal_now()
    await first.write(numbered(2, tags=TAGS))
    gateway.close()
    second = await until(lambda: opened("second", prefix, gateway.target))
    assert second is not None
    await second.write(numbered(3, tags=TAGS))
    await second.seal_now()
    gateway.open()
    await until(first._lake.store.check_claim, LakeTakenError)
    with pytest.raises(LakeTakenError, match=r"written by another server by now \(process \d+ on"):
        await first.seal_now()
    assert numbers_of(await first.read([TagId(1)], EVER), 1) == [1, 2]
    await first.close()
    await all_is_there_once(second, [1, 3])
    await second.close()
    first = opened("first", prefix)
    await all_is_there_once(first, [1, 2, 3])


async def test_the_doctor_says_whether_the_store_answers(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = {"endpoint": gateway.address, "allow_http": True, "timeout_s": 0.3}

    async def finding(url: str) -> Finding:
        (found,) = await check_lake(Settings(lake_url=url, s3=reached))
        return found

    assert (await finding("s3://park/lake")).verdict is Verdict.OK
    gone = await finding("s3://nowhere/lake")
    assert (gone.verdict, "NoSuchBucket" in gone.what) == (Verdict.FAIL, True)
    gateway.close()
    assert "error sending request" in (await finding("s3://park/lake")).what
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "AWS_SECRET_ACCESS_KEY are not set" in (await finding("s3://park/lake")).what
    assert await check_lake(Settings(lake_url="file:///srv/lake")) == []
