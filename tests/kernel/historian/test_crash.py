"""Killed at any moment, the historian opens again by itself with all that it acknowledged, and nothing twice."""

import random
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from athanor.kernel.historian import delta
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE
from athanor.kernel.historian.tiered import TieredHistorian

from ..killing import killed_after, started
from .crashing import (
    FAST,
    IMPORTED,
    IMPORTED_TAGS,
    TAGS,
    expiring,
    write_and_expire_until_killed,
    write_until_killed,
)
from .samples import EVER, numbered, numbers_of, tag_ids

KILLS = 20  # of each seed: a hundred in all
HOURS = EVER.start_us + 3_600_000_000 * np.arange(24 * 100)
LONGEST_LIFE_S = 0.4  # of a process after its first acknowledgement
pytestmark = pytest.mark.usefixtures("children_find_tests")


def killed_while_opening(folder: Path, after_s: float) -> None:
    """Kill a process so soon that it may not even have opened the files."""
    process, heard = started(write_until_killed, folder, 10**6)
    with heard:
        process.join(after_s)
        process.kill()
        process.join()


def is_imported(number: int) -> bool:
    return number % 5 == 4


def check(table: pa.Table, acknowledged: set[int], unsaid: set[int], *, tags: int) -> None:
    """Every tag has each acknowledged batch once, and whole batches only."""
    found = numbers_of(table, table["tag"][0].as_py()) if table.num_rows else []
    assert acknowledged - set(found) == set(), "acknowledged batches are lost"
    assert set(found) - acknowledged <= unsaid, "batches are there that nobody wrote"
    assert found == sorted(set(found)), "batches are there twice"
    assert table.num_rows == len(found) * tags, "a batch is there in part"


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
async def test_killed_at_random_moments_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    moments = random.Random(seed)
    acknowledged: set[int] = set()
    unsaid: set[int] = set()  # written, perhaps durable, killed before it was said
    first = 0
    for _ in range(KILLS):
        acknowledged |= set(killed_after(moments.uniform(0, LONGEST_LIFE_S), write_until_killed, tmp_path, first))
        unsaid.add(max(acknowledged) + 1)
        first = max(acknowledged) + 2  # never write the same again: what is twice then is a fault
        historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
        live = await historian.read(tag_ids(TAGS), EVER)
        imported = await historian.read(tag_ids(IMPORTED_TAGS, first_tag=IMPORTED), EVER)
        newest = await historian.latest()
        counted = await historian.resample(tag_ids(TAGS), HOURS, Measure.COUNT, NONE)
        await historian.close()
        check(live, {one for one in acknowledged if not is_imported(one)}, unsaid, tags=TAGS)
        check(imported, {one for one in acknowledged if is_imported(one)}, unsaid, tags=IMPORTED_TAGS)
        assert numbers_of(newest, 0) == numbers_of(live, 0)[-1:]
        assert sum(counted["value"].to_pylist()) == live.num_rows, "rollups and samples differ"

    monkeypatch.setattr(delta, "_KEPT_FOR_READERS_H", 0)  # so that what compaction replaced goes at once
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    await historian.seal_now()
    every_tag = [*tag_ids(TAGS), *tag_ids(IMPORTED_TAGS, first_tag=IMPORTED)]
    expected = (await historian.read(every_tag, EVER)).num_rows
    await historian.close()
    lake = duckdb.from_arrow(DeltaTable(str(tmp_path / "lake" / "samples")).to_pyarrow_table())
    assert lake.aggregate("count(*), count(DISTINCT (tag, time))").fetchall() == [(expected, expected)]
    files = {Path(uri) for uri in DeltaTable(str(tmp_path / "lake" / "samples")).file_uris()}
    assert set((tmp_path / "lake" / "samples").glob("day=*/*.parquet")) == files, (
        "a crash left files that are not in the table"
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_while_samples_go_it_neither_loses_nor_doubles_what_they_came_to(
    tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    acknowledged: set[int] = set()
    unsaid: set[int] = set()
    for _ in range(KILLS):
        first = max(acknowledged, default=-2) + 2
        acknowledged |= set(
            killed_after(moments.uniform(0, LONGEST_LIFE_S), write_and_expire_until_killed, tmp_path, first)
        )
        unsaid.add(max(acknowledged) + 1)
        historian = expiring(tmp_path)
        await historian.seal_now()
        await historian.expire_now()
        stayed = await historian.read(tag_ids(FAST, first_tag=FAST), EVER)
        gone = await historian.read(tag_ids(FAST), EVER)
        sums = await historian.measures(tag_ids(2 * FAST), HOURS, [Measure.COUNT, Measure.SUM], NONE)
        await historian.close()
        check(stayed, acknowledged, unsaid, tags=FAST)
        assert gone.num_rows == 0
        numbers = numbers_of(stayed, FAST)
        values = np.array([numbered(number, tags=2 * FAST)["value"].to_numpy() for number in numbers])
        for measure, expected in ((Measure.COUNT, np.full(2 * FAST, len(numbers))), (Measure.SUM, values.sum(axis=0))):
            tag, value = sums[measure]["tag"].to_numpy(), sums[measure]["value"].to_numpy()
            np.testing.assert_allclose(np.bincount(tag, weights=value, minlength=2 * FAST), expected, rtol=1e-12)


async def test_killed_while_it_opens_it_opens_again(tmp_path: Path) -> None:
    acknowledged = killed_after(0.2, write_until_killed, tmp_path, 0)
    for after_s in (0.0, 0.01, 0.02, 0.05, 0.1):
        killed_while_opening(tmp_path, after_s)
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    found = numbers_of(await historian.read(tag_ids(1), EVER), 0)
    await historian.close()
    assert [one for one in acknowledged if not is_imported(one) and one not in found] == []
