"""`athanor export` writes what the historian holds, part by part, whole or not at all."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from athanor.cli.commands import app
from athanor.cli.export import Wanted
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.port import STORED
from athanor.kernel.settings import load_settings
from athanor.platform import open_platform

PLANT = """
park: {id: works, name: {en: Works}, timezone: UTC}
tenants: [{id: works, name: {en: Works}}]
sites:
  - id: hall
    tenant: works
    name: {en: Hall}
    tags:
      - {id: pressure, name: {en: Pressure}, unit: MPa}
      - {id: flow, name: {en: Flow}, unit: t/h}
      - {id: grade, name: {en: Grade}, unit: "1", kind: text}
"""
START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 72


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a stopped server that holds three days of two tags, one sample an hour, and one text."""
    folder = tmp_path_factory.mktemp("works")
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    file = folder / "athanor.toml"
    file.write_text(
        f'data_dir = "{folder / "data"}"\nplant_file = "{folder / "plant.yaml"}"\n[server]\nport = 1\n',
        encoding="utf-8",
    )
    asyncio.run(_fill(file))
    return file


async def _fill(config: Path) -> None:
    async with open_platform(load_settings(config)) as platform:
        pressure, flow, grade = platform.plant.ids_of(["hall.pressure", "hall.flow", "hall.grade"]).tolist()
        hours = [START + timedelta(hours=hour) for hour in range(HOURS)]
        numbers = pa.table(
            {
                "tag": pa.array([pressure] * HOURS + [flow] * HOURS, pa.int32()),
                "time": pa.array(hours * 2, STORED.field("time").type),
                "value": np.arange(2.0 * HOURS),
                "text": pa.nulls(2 * HOURS, pa.string()),
                "quality": np.zeros(2 * HOURS, np.uint8),
            }
        ).cast(STORED)
        text = pa.table(
            {"tag": [grade], "time": [START], "value": pa.nulls(1, pa.float64()), "text": ["A"], "quality": [0]}
        ).cast(STORED)
        await platform.historian.import_history(pa.concat_tables([numbers, text]))


def export(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", *arguments, "--config", str(config)])


def rows_of(file: Path) -> list[tuple[datetime, float]]:
    """Time and value of each row of a CSV file."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [(datetime.fromisoformat(row["Time (UTC)"]), float(row["Value"])) for row in csv.DictReader(lines)]


def test_all_samples_of_the_tags_that_a_pattern_matches(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    result = export(
        config, "hall.*", "--from", "2026-03-01T00:00+00:00", "--to", "2026-03-04T00:00Z", "--out", str(file)
    )
    assert result.exit_code == 0, result.output
    table = pq.read_table(file)
    assert table.num_rows == 2 * HOURS + 1
    assert set(table["tag"].to_pylist()) == {"hall.pressure", "hall.flow", "hall.grade"}
    assert [row["text"] for row in table.to_pylist() if row["tag"] == "hall.grade"] == ["A"]
    assert {row["unit"] for row in table.to_pylist() if row["tag"] == "hall.flow"} == {"t/h"}


def test_steps_begin_at_round_times_and_none_is_cut_at_midnight(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    span = ["--from", "2026-03-01T01:30Z", "--to", "2026-03-03T12:00Z"]
    result = export(config, "hall.flow", *span, "--step", "6h", "--out", str(file))
    assert result.exit_code == 0, result.output
    assert [time for time, _value in rows_of(file)] == [START + n * timedelta(hours=6) for n in range(10)]


def test_integrals_side_by_side_in_an_excel_file(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.xlsx"
    span = ["--from", "2026-03-01T00:00Z", "--to", "2026-03-03T00:00Z"]
    how = ["--step", "day", "--how", "integral", "--gaps", "linear 1h", "--shape", "wide"]
    result = export(config, "hall.flow", "hall.pressure", *span, *how, "--out", str(file))
    assert result.exit_code == 0, result.output
    sheet = openpyxl.load_workbook(file).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("Time (UTC)", "Flow [t] hall.flow", "Pressure [MPa·h] hall.pressure")
    assert rows[1][1:] == pytest.approx((sum(n + 0.5 for n in range(72, 96)), sum(n + 0.5 for n in range(24))))
    assert len(rows) == 3


def test_an_arrow_file_is_written_too(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.arrow"
    assert export(config, "hall.pressure", "--from", "2026-03-01T00:00Z", "--out", str(file)).exit_code == 0
    with pa.ipc.open_file(str(file)) as reader:
        assert reader.read_all().num_rows == HOURS


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["hall.flow", "--from", "1d", "--out", "x.docx"], "should end in one of"),
        (["hall.flow", "--from", "yesterday", "--out", "x.csv"], "'yesterday' is no time"),
        (["hall.flow", "--from", "2026-03-01", "--out", "x.csv"], "has no time zone"),
        (["hall.flow", "--from", "1d", "--step", "often", "--out", "x.csv"], "'often' is no step"),
        (["hall.flow", "--from", "1d", "--step", "1h", "--how", "medain", "--out", "x.csv"], "Did you mean 'mean'?"),
        (["hall.flow", "--from", "1d", "--shape", "square", "--out", "x.csv"], "'square' is no shape"),
        (["hall.flow", "--from", "1d", "--step", "1h", "--gaps", "hold", "--out", "x.csv"], "is no gap policy"),
        (["hall.flow", "--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z", "--out", "x.csv"], "is not before"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_reason(config: Path, arguments: list[str], reason: str) -> None:
    result = export(config, *arguments)
    assert isinstance(result.exception, AthanorError)
    assert reason in str(result.exception)


def test_an_unknown_tag_is_named_and_leaves_no_file(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("what was there before", encoding="utf-8")
    result = export(config, "hall.temperature", "--from", "1d", "--out", str(file))
    assert isinstance(result.exception, NotFoundError)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert file.read_text(encoding="utf-8") == "what was there before"


def test_a_length_of_time_ends_now() -> None:
    wanted = Wanted.of(["*"], "8h", None, None)
    assert wanted.span.end - wanted.span.start == timedelta(hours=8)
    assert abs(wanted.span.end - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_mean_does_not_depend_on_where_a_part_of_the_export_begins(config: Path, tmp_path: Path) -> None:
    values = []
    for name, start in (("long.csv", "2026-03-01T00:00Z"), ("short.csv", "2026-03-02T01:30Z")):
        span = ["--from", start, "--to", "2026-03-03T00:00Z"]
        assert export(config, "hall.flow", *span, "--step", "90m", "--out", str(tmp_path / name)).exit_code == 0
        values.append(dict(rows_of(tmp_path / name)))
    whole, part = values
    assert part == {time: value for time, value in whole.items() if time in part}
    assert len(part) == 15
