"""A Delta table whose files we write: each change is one commit, and its log tells what a query needs to know."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from athanor.kernel.historian.delta import DeltaFiles, NewFile, TableLayout
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.store import FolderStore

LAYOUT = TableLayout(
    name="hours",
    schema=pa.schema(
        [
            pa.field("tag", pa.int32(), nullable=False),
            pa.field("time", pa.timestamp("us", "UTC"), nullable=False),
            pa.field("mean", pa.float64()),
        ]
    ),
    partition_by=pa.schema([pa.field("step", pa.int32(), nullable=False), pa.field("day", pa.date32())]),
    bounded=("tag", "time", "mean"),
)
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = {"step": 3600, "day": date(2026, 3, 29)}


def rows(*means: float | None) -> pa.Table:
    return pa.table([[7 + n for n in range(len(means))], [NOON] * len(means), means], schema=LAYOUT.schema)


@pytest.fixture
def hours(tmp_path: Path) -> DeltaFiles:
    return DeltaFiles(FolderStore(tmp_path / "hours"), LAYOUT)


def test_the_log_tells_partition_rows_and_bounds_of_each_file(hours: DeltaFiles) -> None:
    hours.change(add=[NewFile("one", DAY, [rows(), rows(2.5, None), rows(-1.0)])])
    (file,) = hours.files.values()
    assert file.name.startswith("step=3600/day=2026-03-29/one-")
    assert (file.rows, file.partition) == (3, DAY)
    assert file.least == {"tag": 7, "time": NOON, "mean": -1.0}
    assert file.greatest == {"tag": 8, "time": NOON, "mean": 2.5}
    assert file.size == (Path(hours.store.url) / file.name).stat().st_size
    again = DeltaFiles(hours.store, LAYOUT)
    assert again.files == hours.files
    table = DeltaTable(hours.store.url).to_pyarrow_table()
    assert sorted(table["mean"].to_pylist(), key=str) == [-1.0, 2.5, None]
    assert set(table["step"].to_pylist()) == {3600}


def test_files_come_and_go_in_one_commit(hours: DeltaFiles) -> None:
    hours.change(add=[NewFile("one", DAY, [rows(1.0)]), NewFile("two", DAY, [rows(2.0)])])
    version = DeltaTable(hours.store.url).version()
    hours.change(add=[NewFile("three", DAY, [rows(3.0)])], remove=list(hours.files), notes={"test": 42})
    assert [file.least["mean"] for file in hours.files.values()] == [3.0]
    assert DeltaTable(hours.store.url).version() == version + 1
    assert hours.noted("test") == 42
    assert hours.noted("other") is None


@pytest.mark.parametrize("data_change", [True, False])
def test_a_change_says_whether_rows_changed(hours: DeltaFiles, *, data_change: bool) -> None:
    hours.change(add=[NewFile("one", DAY, [rows(1.0)])])
    hours.change(add=[NewFile("two", DAY, [rows(1.0)])], remove=list(hours.files), data_change=data_change)
    entry = (Path(hours.store.url) / "_delta_log" / f"{2:020d}.json").read_text(encoding="utf-8")
    said = "true" if data_change else "false"
    assert entry.count(f'"dataChange":{said}') == 2


def test_what_fails_in_the_middle_changes_nothing_and_leaves_nothing(hours: DeltaFiles) -> None:
    def breaks() -> object:
        yield rows(1.0)
        raise OSError(28, "No space left on device")

    before = DeltaTable(hours.store.url).version()
    with pytest.raises(HistorianFullError, match="No space left"):
        hours.change(add=[NewFile("one", DAY, [rows(1.0)]), NewFile("two", DAY, breaks())])  # type: ignore[arg-type]
    assert DeltaTable(hours.store.url).version() == before
    assert [name for name in hours.store.names() if name.endswith(".parquet")] == []


def test_a_change_of_nothing_is_no_commit(hours: DeltaFiles) -> None:
    before = DeltaTable(hours.store.url).version()
    hours.change(add=[NewFile("one", DAY, [rows()])])
    assert DeltaTable(hours.store.url).version() == before
