"""Compaction makes few files of many, changes no answer, and may be interrupted anywhere."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian import compaction, delta
from athanor.kernel.historian.compaction import FAN_IN, PAST_DAY_FILES, runs_to_compact
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.historian.worklog import ClosingError

from .samples import EVER, numbered, tag_ids

TODAY = date(2026, 3, 30)
TAGS = 300


def file(order: int, rows: int, day: date = TODAY) -> SealedFile:
    return SealedFile(f"{order}.parquet", order, day, rows, 0, 1, 0, 1)


def orders(runs: list[list[SealedFile]]) -> list[list[int]]:
    return [[one.order for one in run] for run in runs]


def test_neighbours_of_one_size_become_one() -> None:
    files = [file(order, 2_000_000) for order in range(1, FAN_IN + 1)]
    assert orders(runs_to_compact(files, before_order=99, today=TODAY)) == [list(range(1, FAN_IN + 1))]
    assert runs_to_compact(files[1:], before_order=99, today=TODAY) == []


def test_a_large_file_between_parts_two_runs() -> None:
    small = [file(order, 2_000_000) for order in range(1, FAN_IN + 1)]
    large = file(5, 300_000_000)
    files = [*small[:4], large, *small[5:]]
    assert runs_to_compact(files, before_order=99, today=TODAY) == []


def test_a_day_that_is_over_becomes_one_whatever_the_sizes() -> None:
    past = TODAY - timedelta(days=2)
    files = [file(order, 10**order, past) for order in range(1, PAST_DAY_FILES + 1)]
    assert orders(runs_to_compact(files, before_order=99, today=TODAY)) == [[1, 2, 3, 4]]
    assert runs_to_compact(files[1:], before_order=99, today=TODAY) == []


def test_two_halves_of_a_day_that_is_over_become_one_and_a_few_late_samples_wait() -> None:
    past = TODAY - timedelta(days=2)
    halves = [file(1, 1_000_000, past), file(2, 900_000, past)]
    assert orders(runs_to_compact(halves, before_order=99, today=TODAY)) == [[1, 2]]
    late = [file(1, 1_000_000, past), file(2, 900, past)]
    assert runs_to_compact(late, before_order=99, today=TODAY) == []


def test_files_written_after_what_is_still_hot_stay_apart() -> None:
    files = [file(order, 2_000_000) for order in range(1, FAN_IN + 4)]
    assert orders(runs_to_compact(files, before_order=FAN_IN + 1, today=TODAY)) == [list(range(1, FAN_IN + 1))]
    assert runs_to_compact(files, before_order=FAN_IN, today=TODAY) == []


@given(st.lists(st.integers(1, 600_000_000), max_size=40), st.integers(0, 3))
def test_no_run_is_too_large_and_none_shares_a_file(rows: list[int], age_days: int) -> None:
    files = [file(order, count, TODAY - timedelta(days=age_days)) for order, count in enumerate(rows)]
    runs = runs_to_compact(files, before_order=10**9, today=TODAY)
    chosen = [one.order for run in runs for one in run]
    assert len(chosen) == len(set(chosen))
    assert all(len(run) > 1 for run in runs)
    assert all(sum(one.rows for one in run) <= compaction.MOST_ROWS for run in runs)


def lake_in(folder: Path) -> Lake:
    return Lake(FolderStore(folder / "lake"))


def files_of(folder: Path) -> set[Path]:
    return {folder / "lake" / "samples" / one.name for one in lake_in(folder).files}


@pytest.fixture
async def historian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TieredHistorian:
    monkeypatch.setattr(compaction, "_SLICE_ROWS", 1000)  # so that a merge takes several slices
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    rng = np.random.default_rng(5)
    for number in range(FAN_IN + 3):
        await historian.write(numbered(number, tags=TAGS))
        again = numbered(number, tags=TAGS)
        corrected = pa.array(rng.random(TAGS))
        await historian.write(again.set_column(2, again.schema.field("value"), corrected).slice(50, 100))
        await historian.seal_now()
    return historian


async def test_no_answer_changes_and_the_files_become_few(historian: TieredHistorian, tmp_path: Path) -> None:
    before = await historian.read(tag_ids(TAGS), EVER)
    newest = await historian.latest()
    files = len(lake_in(tmp_path).files)
    await historian.compact_now()
    after = lake_in(tmp_path).files
    assert len(after) < files
    assert (await historian.read(tag_ids(TAGS), EVER)).equals(before)
    assert (await historian.latest()).equals(newest)
    await historian.close()
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    assert (await again.read(tag_ids(TAGS), EVER)).equals(before)
    await again.close()


async def test_a_correction_after_compaction_still_wins(historian: TieredHistorian) -> None:
    await historian.compact_now()
    late = numbered(3, tags=TAGS)
    await historian.write(late)
    for _ in range(2):
        table = await historian.read(tag_ids(TAGS), EVER)
        third = table.filter(pa.compute.equal(table["time"], late["time"][0]))
        assert third["value"].to_pylist() == late["value"].to_pylist()
        await historian.seal_now()
        await historian.compact_now()
    await historian.close()


async def test_replaced_files_stay_for_who_reads_them_until_their_hour_is_over_also_over_a_restart(
    historian: TieredHistorian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await historian.compact_now()
    await historian.close()
    on_disk = set((tmp_path / "lake" / "samples").rglob("*.parquet"))
    assert on_disk > files_of(tmp_path)
    left_by_a_crash = tmp_path / "lake" / "samples" / "day=2026-03-29" / "000000000001-cafe.parquet"
    left_by_a_crash.write_bytes(b"")
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    assert set((tmp_path / "lake" / "samples").rglob("*.parquet")) == on_disk
    await again.close()
    monkeypatch.setattr(delta, "_KEPT_FOR_READERS_H", 0)
    TieredHistorian(tmp_path / "hot", tmp_path / "lake")._close()
    assert set((tmp_path / "lake" / "samples").rglob("*.parquet")) == files_of(tmp_path)


async def test_closing_does_not_wait_for_a_long_merge(historian: TieredHistorian, tmp_path: Path) -> None:
    before = len(lake_in(tmp_path).files)
    historian._upkeep._stopping.set()
    with pytest.raises(ClosingError):
        await historian.compact_now()
    historian._upkeep._stopping.clear()
    assert len(lake_in(tmp_path).files) == before
    unlisted = set((tmp_path / "lake" / "samples").rglob("*.parquet")) - files_of(tmp_path)
    assert unlisted == set()
    await historian.close()
