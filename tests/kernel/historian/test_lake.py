"""The lake is plain Delta: other engines read it without Athanor, and a damaged file is named."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE
from athanor.kernel.historian.lake import publish_tags
from athanor.kernel.historian.port import DamagedFileError, HistorianUnopenableError, Span
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import Plant, TagId
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.yaml_file import load_plant

from .samples import EVER, START, numbered, numbers_of, tag_ids

MANUAL = Path(__file__).parents[3] / "docs" / "historian.md"
PLANT = """
park: {id: test, name: {en: Test, zh_CN: 测试}, timezone: UTC}
tenants: [{id: copper, name: {en: Copper, zh_CN: 铜}}]
sites:
  - id: smelter
    tenant: copper
    name: {en: Smelter, zh_CN: 冶炼厂}
    tags:
      - {id: power, name: {en: Power, zh_CN: 功率}, unit: kW}
      - {id: flow, name: {en: Flow, zh_CN: 流量}, unit: t/h}
"""
TAGS = 3
FIRST_DAY = Span(START - timedelta(hours=22), START + timedelta(hours=2))


@pytest.fixture
async def sealed(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    """Four days, a file each, none of them hot."""
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    for number in range(0, 5000, 100):
        await historian.write(numbered(number, tags=TAGS))
    await historian.seal_now()
    yield historian
    await historian.close()


def plant_in(folder: Path) -> Plant:
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    return load_plant(folder / "plant.yaml")


def rows(table: pa.Table) -> list[tuple[object, ...]]:
    """Tag, time and value, as every engine can say them."""
    return sorted((row["tag"], row["time"].timestamp(), row["value"]) for row in table.to_pylist())


async def test_duckdb_polars_pandas_and_arrow_read_the_same_rows_as_the_historian(
    sealed: TieredHistorian, tmp_path: Path
) -> None:
    place = str(tmp_path / "lake" / "samples")
    expected = rows(await sealed.read(tag_ids(TAGS), EVER))
    assert len(expected) == 50 * TAGS
    table = DeltaTable(place)
    assert rows(table.to_pyarrow_table()) == expected
    assert rows(duckdb.read_parquet(table.file_uris()).to_arrow_table()) == expected
    assert rows(polars.read_delta(place).to_arrow()) == expected
    assert rows(polars.scan_delta(place).filter(polars.col("tag") == 1).collect().to_arrow()) == [
        row for row in expected if row[0] == 1
    ]
    frame = table.to_pandas().sort_values(["tag", "time"])
    assert [(int(one.tag), one.time.timestamp(), one.value) for one in frame.itertuples()] == expected


async def test_the_rollups_are_open_too(sealed: TieredHistorian, tmp_path: Path) -> None:
    await sealed.roll_up_now()
    place = str(tmp_path / "lake" / "rollups")
    of_days = polars.read_delta(place).filter(polars.col("step_s") == 86_400)
    assert of_days["count"].sum() == 50 * TAGS
    rollups = duckdb.read_parquet(DeltaTable(place).file_uris())
    assert rollups.filter("step_s = 86400").aggregate("sum(count), max(maximum)").fetchall() == [
        (50 * TAGS, of_days["maximum"].max())
    ]
    frame = DeltaTable(place).to_pandas()
    assert frame[frame.step_s == 86_400]["count"].sum() == 50 * TAGS


async def test_the_table_of_tags_beside_it_tells_what_the_ids_mean(sealed: TieredHistorian, tmp_path: Path) -> None:
    plant = RunningPlant(plant_in(tmp_path), 1, {"smelter.power": TagId(1), "smelter.flow": TagId(2)})
    publish_tags(FolderStore(tmp_path / "lake"), plant)
    publish_tags(FolderStore(tmp_path / "lake"), plant)
    tags = DeltaTable(str(tmp_path / "lake" / "tags"))
    assert tags.version() == 0, "what did not change is not written again"
    samples = duckdb.read_parquet(DeltaTable(str(tmp_path / "lake" / "samples")).file_uris()).set_alias("samples")
    names = duckdb.from_arrow(tags.to_pyarrow_table()).set_alias("tags")
    joined = samples.join(names, "samples.tag = tags.id").aggregate("path, unit, tenant, name_zh_CN, count(*)")
    assert sorted(joined.fetchall()) == [
        ("smelter.flow", "t/h", "copper", "流量", 50),
        ("smelter.power", "kW", "copper", "功率", 50),
    ]


def blocks(language: str) -> list[str]:
    """The manual's programs in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


async def test_the_manuals_programs_read_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = Path("athanor-data")
    historian = TieredHistorian(data / "hot", data / "lake")
    for batch in (numbered(0, tags=TAGS), numbered(200, tags=TAGS), numbered(200, tags=TAGS + 1)):
        await historian.write(batch)
        await historian.seal_now()
    await historian.close()
    publish_tags(FolderStore(data / "lake"), RunningPlant(plant_in(tmp_path), 1, {"smelter.power": TagId(1)}))
    with_duckdb, with_polars, _ = blocks("python")
    exec(with_duckdb, {})  # noqa: S102 our own manual's
    exec(with_polars, {})  # noqa: S102
    assert "smelter.power" in capsys.readouterr().out
    once = blocks("sql")[-1].replace("2026-11-21", "2026-03-30")
    rows = duckdb.sql(once).aggregate("count(*), count(DISTINCT tag)").fetchall()
    assert rows == [(TAGS + 1, TAGS + 1)]


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "removed"])
async def test_a_damaged_file_is_named_and_the_rest_is_readable(
    sealed: TieredHistorian, tmp_path: Path, damage: str
) -> None:
    (file,) = (tmp_path / "lake" / "samples" / "day=2026-03-30").glob("*.parquet")
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        middle = len(content) // 2
        file.write_bytes(content[:middle] + (b"" if damage == "cut short" else bytes(len(content) - middle)))
    for ask in (
        sealed.read([TagId(1)], EVER),
        sealed.resample([TagId(1)], np.array([EVER.start_us, EVER.end_us]), Measure.COUNT, NONE),
        sealed.downsample([TagId(1)], EVER, 10),
    ):
        with pytest.raises(DamagedFileError, match=file.name):
            await ask
    assert numbers_of(await sealed.read([TagId(1)], FIRST_DAY), 1) == [0, 100]
    await sealed.write(numbered(9000, tags=TAGS))
    assert (await sealed.latest()).num_rows == TAGS
    file.write_bytes(content)
    assert len(numbers_of(await sealed.read([TagId(1)], EVER), 1)) == 51


async def test_a_file_that_is_cut_short_while_it_is_open_is_no_end_of_the_server(tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    for number in range(60):
        await historian.write(numbered(number, tags=2000))
    await historian.seal_now()
    assert (await historian.read([TagId(1)], EVER)).num_rows == 60
    (file,) = (tmp_path / "lake" / "samples").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[: 64 * 4096])
    with pytest.raises(DamagedFileError, match=file.name):
        await historian.read(tag_ids(2000), EVER)
    await historian.close()


async def test_a_folder_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "hot").write_bytes(b"this is no database" * 1000)
    with pytest.raises(HistorianUnopenableError, match="cannot be opened"):
        TieredHistorian(tmp_path / "hot", tmp_path / "lake")


async def test_a_damaged_log_of_the_lake_is_told(sealed: TieredHistorian, tmp_path: Path) -> None:
    await sealed.close()
    for entry in (tmp_path / "lake" / "samples" / "_delta_log").glob("*.json"):
        entry.write_text("{", encoding="utf-8")
    with pytest.raises(HistorianUnopenableError, match="put it back from a backup"):
        TieredHistorian(tmp_path / "hot", tmp_path / "lake")
