"""A disk that runs out: said in time and once, and the oldest samples of the lowest class make room."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from shutil import disk_usage
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.clearing import DROPPED_TOPIC, Keeping
from athanor.kernel.historian.disk import DISK_LOW_TOPIC, DISK_RECOVERED_TOPIC, DiskLimits, DiskState, DiskWatch
from athanor.kernel.historian.gaps import NONE
from athanor.kernel.historian.port import STORED, HistorianFullError, microseconds
from athanor.kernel.historian.retention import RetentionClass, RetentionRules, TagClasses
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME

from .disks import Disk
from .samples import EVER, START, numbered

LOW, HIGH, UNNAMED, UNKNOWN = TagId(1), TagId(2), TagId(3), TagId(4)
FIRST = START.date() + timedelta(days=1)
DAYS = 4
SAMPLES = 100_000  # of a tag a day: about a megabyte that does not compress
LIMITS = DiskLimits(warn_mb=30, low_mb=20, reserve_mb=4)


def keeping(*, today: date, is_dropping: bool = True, tell: Callable[[str, Mapping[str, Any]], None]) -> Keeping:
    """Two classes of which the lower is the first; of another nobody says anything, and of a tag nobody knows one."""
    rules = RetentionRules((RetentionClass("low"), RetentionClass("high")), is_dropping, keep_days_when_full=2)
    classes = TagClasses({LOW: "low", HIGH: "high", UNNAMED: "unnamed"})
    return Keeping(rules, lambda: classes, LIMITS, tell, today=lambda: today)


def noise(day: date) -> pa.Table:
    """One day of every tag."""
    rng = np.random.default_rng(day.toordinal())
    midnight_us = microseconds(START) + 2 * 3_600_000_000 + (day - FIRST).days * 86_400_000_000
    time_us = midnight_us + np.arange(SAMPLES) * 800_000
    tags = (LOW, HIGH, UNNAMED, UNKNOWN)
    count = SAMPLES * len(tags)
    return pa.table(
        [
            pa.array(np.repeat(np.array(tags, np.int32), SAMPLES)),
            pa.array(np.tile(time_us, len(tags))).cast(TIME),
            pa.array(rng.random(count)),
            pa.nulls(count, pa.string()),
            pa.array(np.zeros(count, np.uint8)),
        ],
        schema=STORED,
    )


async def days_of(historian: TieredHistorian) -> dict[TagId, int]:
    """On how many days there are samples of each tag."""
    table = await historian.read([LOW, HIGH, UNNAMED, UNKNOWN], EVER)
    tag, day = table["tag"].to_numpy(), table["time"].cast(pa.int64()).to_numpy() // 86_400_000_000
    return {one: len(np.unique(day[tag == one])) for one in (LOW, HIGH, UNNAMED, UNKNOWN)}


Filled = Callable[..., TieredHistorian]


@pytest.fixture
async def told() -> list[tuple[str, Mapping[str, Any]]]:
    return []


@pytest.fixture
async def historian(disk: Disk, told: list[tuple[str, Mapping[str, Any]]]) -> "TieredHistorian":
    keep = keeping(today=FIRST + timedelta(days=DAYS), tell=lambda topic, body: told.append((topic, body)))
    historian = TieredHistorian(disk.folder / "hot", disk.folder / "lake", reserve_mb=4, keeping=keep)
    for day in range(DAYS):
        await historian.import_history(noise(FIRST + timedelta(days=day)))
    yield historian
    await historian.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the historian does every ten seconds, and minute, is done at once."""
    monkeypatch.setattr("athanor.kernel.historian.upkeep.IN_NEED_KEPT_S", 0)
    monkeypatch.setattr("athanor.kernel.historian.upkeep._LOOK_EVERY_S", 0.05)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread does by its own clock."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_a_disk_that_runs_out_is_said_once_and_so_is_its_recovery(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    free_mb = 100.0
    (tmp_path / "hot").mkdir()
    watch = DiskWatch(
        tmp_path / "hot",
        tmp_path,
        LIMITS,
        lambda topic, body: told.append((topic, body["state"])),
        lambda _: SimpleNamespace(total=200 << 20, free=int(free_mb * 1024**2)),
    )
    for megabytes, said in (
        (100, None),
        (29, (DISK_LOW_TOPIC, "warn")),
        (28, None),
        (19, (DISK_LOW_TOPIC, "low")),
        (20.5, None),  # hovering about the limit is not said again
        (19.5, None),
        (25, None),
        (3, (DISK_LOW_TOPIC, "full")),
        (30.5, None),
        (40, (DISK_RECOVERED_TOPIC, "enough")),
        (40, None),
        (29, (DISK_LOW_TOPIC, "warn")),
    ):
        free_mb = megabytes
        before = len(told)
        watch.look()
        assert told[before:] == ([] if said is None else [said])
    assert [disk.state for disk in watch.now()] == [DiskState.WARN], "one disk, since both folders are on it"


async def test_where_the_disk_is_short_the_oldest_day_of_the_lowest_class_goes_first(
    historian: TieredHistorian, disk: Disk, told: list[tuple[str, Mapping[str, Any]]]
) -> None:
    edges = np.arange(microseconds(START) + 2 * 3_600_000_000, microseconds(START) + 98 * 3_600_000_000, 3_600_000_000)
    before = await historian.resample([LOW, HIGH], edges, Measure.SUM, NONE)
    disk.leave(20.1)
    await historian.make_room_now()
    assert await days_of(historian) == {LOW: 4, HIGH: 4, UNNAMED: 4, UNKNOWN: 4}
    assert [topic for topic, _ in told] == [DISK_LOW_TOPIC]
    disk.leave(19.5)
    await historian.make_room_now()
    assert await days_of(historian) == {LOW: 3, HIGH: 4, UNNAMED: 4, UNKNOWN: 4}
    (dropped,) = [body for topic, body in told if topic == DROPPED_TOPIC]
    assert (dropped["reason"], dropped["classes"]["low"]["from"]) == ("disk-low", FIRST.isoformat())
    assert dropped["classes"]["low"]["samples"] == SAMPLES
    await historian.make_room_now()
    assert (await days_of(historian))[LOW] == 3, "what is on its way out counts as gone"
    after = await historian.resample([LOW, HIGH], edges, Measure.SUM, NONE)
    np.testing.assert_allclose(after["value"].to_numpy(), before["value"].to_numpy(), rtol=1e-12)


async def test_the_last_days_and_tags_of_no_class_stay_and_writes_are_then_refused(
    quick: None, historian: TieredHistorian, disk: Disk, told: list[tuple[str, Mapping[str, Any]]]
) -> None:
    disk.leave(10)
    await until(lambda: sum(topic == DROPPED_TOPIC for topic, _ in told) == 6)
    assert await days_of(historian) == {LOW: 2, HIGH: 2, UNNAMED: 2, UNKNOWN: 4}
    order = [next(iter(body["classes"])) for topic, body in told if topic == DROPPED_TOPIC]
    assert order == ["low", "low", "high", "high", "unnamed", "unnamed"]
    disk.leave(3)
    with pytest.raises(HistorianFullError, match=r"the disk has [23] MB left"):
        await historian.write(numbered(1, tags=5))
    assert (await historian.latest()).num_rows == 4
    disk.free_up()
    await historian.write(numbered(1, tags=5))


async def test_nothing_is_dropped_where_nothing_may_be(disk: Disk) -> None:
    keep = keeping(today=FIRST + timedelta(days=DAYS), is_dropping=False, tell=lambda _topic, _body: None)
    historian = TieredHistorian(disk.folder / "hot", disk.folder / "lake", keeping=keep)
    await historian.import_history(noise(FIRST))
    disk.leave(10)
    await historian.make_room_now()
    assert await days_of(historian) == {LOW: 1, HIGH: 1, UNNAMED: 1, UNKNOWN: 1}
    await historian.close()


async def test_room_that_was_made_is_free_by_itself(quick: None, historian: TieredHistorian, disk: Disk) -> None:
    disk.leave(19.5)
    await until(lambda: disk_usage(disk.folder).free >= 20 << 20)
    assert (await days_of(historian))[HIGH] == 4


async def test_what_cannot_be_written_anew_stays_whole(
    historian: TieredHistorian, disk: Disk, told: list[tuple[str, Mapping[str, Any]]]
) -> None:
    disk.leave(6)  # less than a day takes, above the reserve
    await historian.make_room_now()
    assert await days_of(historian) == {LOW: 4, HIGH: 4, UNNAMED: 4, UNKNOWN: 4}
    assert [topic for topic, _ in told] == [DISK_LOW_TOPIC]


async def test_a_disk_that_is_full_while_samples_go_leaves_all_as_it_was(disk: Disk) -> None:
    rules = RetentionRules((RetentionClass("low", raw_days=1), RetentionClass("high")), drop_oldest_when_full=False)
    classes = TagClasses({LOW: "low", HIGH: "high"})
    keep = Keeping(rules, lambda: classes, today=lambda: FIRST + timedelta(days=5))
    historian = TieredHistorian(disk.folder / "hot", disk.folder / "lake", keeping=keep)
    await historian.import_history(noise(FIRST))
    await historian.roll_up_now()
    hours = np.arange(microseconds(START), microseconds(START) + 48 * 3_600_000_000, 3_600_000_000)
    before = await historian.resample([LOW, HIGH], hours, Measure.SUM, NONE)
    for left_mb in (0.01, 0.2, 1):  # for nothing, for the rollups of what goes, and for some of what stays
        disk.leave(left_mb)
        with pytest.raises(HistorianFullError):
            await historian.expire_now()
        assert await days_of(historian) == {LOW: 1, HIGH: 1, UNNAMED: 1, UNKNOWN: 1}
        after = await historian.resample([LOW, HIGH], hours, Measure.SUM, NONE)
        np.testing.assert_allclose(after["value"].to_numpy(), before["value"].to_numpy(), rtol=1e-12)
    disk.free_up()
    await historian.expire_now()
    assert await days_of(historian) == {LOW: 0, HIGH: 1, UNNAMED: 1, UNKNOWN: 1}
    after = await historian.resample([LOW, HIGH], hours, Measure.SUM, NONE)
    np.testing.assert_allclose(after["value"].to_numpy(), before["value"].to_numpy(), rtol=1e-12)
    await historian.close()
