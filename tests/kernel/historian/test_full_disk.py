"""A disk that is full: refused, not lost; reads go on; writing resumes as soon as there is room."""

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from athanor.kernel.historian.hotlog import HotLog
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.tiered import TieredHistorian

from .disks import Disk
from .samples import EVER, numbered, numbers_of, tag_ids

TAGS = 20_000


async def test_a_disk_below_its_reserve_refuses_writes_and_answers_reads(disk: Disk) -> None:
    historian = TieredHistorian(disk.folder / "hot", disk.folder / "lake", reserve_mb=16)
    await historian.write(numbered(0, tags=10))
    disk.leave(15)
    with pytest.raises(HistorianFullError, match=r"the disk has 1[45] MB left"):
        await historian.write(numbered(1, tags=10))
    assert numbers_of(await historian.read(tag_ids(10), EVER), 3) == [0]
    assert (await historian.latest()).num_rows == 10
    disk.free_up()
    await historian.write(numbered(2, tags=10))
    assert numbers_of(await historian.read(tag_ids(10), EVER), 3) == [0, 2]
    await historian.close()


@pytest.mark.parametrize("left_mb", [4, 22, 26])  # less than the log takes ahead at a time, and more
async def test_what_was_acknowledged_outlives_a_disk_that_fills_up_while_writing(disk: Disk, left_mb: int) -> None:
    historian = TieredHistorian(disk.folder / "hot", disk.folder / "lake", reserve_mb=0)
    disk.leave(left_mb)
    acknowledged = []
    with suppress(HistorianFullError):
        for number in range(1000):
            await historian.write(numbered(number, tags=TAGS))
            acknowledged.append(number)
    assert 0 < len(acknowledged) < 1000
    last = len(acknowledged)
    assert numbers_of(await historian.read(tag_ids(2), EVER), 1) == acknowledged
    assert (await historian.latest()).num_rows == TAGS
    disk.free_up()
    await historian.write(numbered(last + 1, tags=TAGS))
    assert numbers_of(await historian.read(tag_ids(2), EVER), 1) == [*acknowledged, last + 1]
    await historian.close()
    again = TieredHistorian(disk.folder / "hot", disk.folder / "lake")
    assert numbers_of(await again.read(tag_ids(2), EVER), 1) == [*acknowledged, last + 1]
    await again.close()


async def test_a_lake_without_room_takes_nothing_and_leaves_nothing(disk: Disk, tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", disk.folder)
    expected = list(range(0, 3000, 240))  # over three days, of which the first fits
    for number in expected:
        await historian.write(numbered(number, tags=TAGS))
    disk.leave(0.2)
    before = {path for path in disk.folder.rglob("*") if path.is_file()}
    with pytest.raises(HistorianFullError):
        await historian.seal_now()
    with pytest.raises(HistorianFullError):
        await historian.import_history(pa.Table.from_batches([numbered(n, tags=TAGS) for n in range(5000, 9000, 400)]))
    assert {path for path in disk.folder.rglob("*") if path.is_file()} == before
    assert numbers_of(await historian.read(tag_ids(2), EVER), 1) == expected
    disk.free_up()
    await historian.write(numbered(3000, tags=TAGS))
    await historian.seal_now()
    assert numbers_of(await historian.read(tag_ids(2), EVER), 1) == [*expected, 3000]
    await historian.close()


async def test_a_full_disk_while_a_sealed_generation_is_dropped_leaves_it_as_it_was(disk: Disk) -> None:
    tail = HotLog(disk.folder / "hot", next_order=1, reserve_mb=0)
    for number in range(10):
        tail.append([numbered(number, tags=TAGS)])
    tail.roll()
    disk.leave(0.01)
    (closed, _) = before = tail.generations
    with pytest.raises(HistorianFullError):
        tail.forget(closed)
    assert tail.generations == before
    disk.free_up()
    tail.forget(closed)
    tail.append([numbered(1001, tags=3)])
    tail.close()
    again = HotLog(disk.folder / "hot", next_order=1)
    assert [generation.rows for generation in again.generations] == [3]
    assert again.latest().num_rows == TAGS
    again.close()
