"""`athanor import` brings a file into the data of a stopped server."""

import asyncio
import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from athanor.cli.commands import app
from athanor.cli.importing import pairs_of
from athanor.kernel.historian.port import Span
from athanor.kernel.settings import load_settings
from athanor.kernel.transfer.errors import BadFileError, BadPlanError
from athanor.kernel.units import IncompatibleUnitsError
from athanor.platform import open_platform

PLANT = """
park: {id: works, name: {en: Works}, timezone: Asia/Shanghai}
tenants: [{id: works, name: {en: Works}}]
sites:
  - id: hall
    tenant: works
    name: {en: Hall}
    tags:
      - {id: pressure, name: {en: Pressure}, unit: MPa}
      - {id: flow, name: {en: Flow}, unit: t/h}
"""
ALWAYS = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
WIDE = "Time,P1,Flow\n2026-03-01 08:00,15,1.5\n2026-03-01 08:01,16,x\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a server that was never started."""
    (tmp_path / "plant.yaml").write_text(PLANT, encoding="utf-8")
    file = tmp_path / "athanor.toml"
    file.write_text(
        f'data_dir = "{tmp_path / "data"}"\nplant_file = "{tmp_path / "plant.yaml"}"\n[server]\nport = 1\n',
        encoding="utf-8",
    )
    return file


@pytest.fixture
async def prepared(config: Path) -> Path:
    """The same, once its plant is stored."""
    async with open_platform(load_settings(config)):
        return config


def bring_in(config: Path, content: str, *arguments: str) -> Result:
    file = config.parent / "history.csv"
    file.write_text(content, encoding="utf-8")
    return CliRunner().invoke(app, ["import", str(file), *arguments, "--config", str(config)])


async def stored(config: Path) -> dict[str, list[float]]:
    """Values by tag."""
    async with open_platform(load_settings(config)) as platform:
        found = {}
        for path in ("hall.pressure", "hall.flow"):
            table = await platform.historian.read([platform.plant.id_of(path)], ALWAYS)
            found[path] = table["value"].to_pylist()
        return found


def test_a_file_is_tried_and_then_imported(prepared: Path) -> None:
    flags = ["--tag", "P1=hall.pressure", "--unit", "P1=bar"]
    trial = bring_in(prepared, WIDE, *flags, "--dry-run")
    assert trial.exit_code == 0, trial.output
    assert "2 rows read; 3 samples of 2 tags could be stored." in trial.output
    assert "1 refused, not-a-number" in trial.output
    report = prepared.parent / "refused.csv"
    real = bring_in(prepared, WIDE, *flags, "--report", str(report))
    assert real.exit_code == 0, real.output
    assert "3 samples of 2 tags stored." in real.output
    assert "From 2026-03-01T00:00:00+00:00" in real.output
    [line] = csv.DictReader(report.read_text(encoding="utf-8-sig").splitlines())
    assert (line["row"], line["value"]) == ("3", "x")
    assert [path.name for path in prepared.parent.glob("history*")] == ["history.csv"]  # nothing is left beside it


async def test_what_was_imported_is_there(prepared: Path) -> None:
    result = await asyncio.to_thread(
        bring_in, prepared, WIDE, "--tag", "P1=hall.pressure", "--unit", "P1=bar", "--zone", "UTC"
    )
    assert "2026-03-01T08:00:00+00:00" in result.output
    assert await stored(prepared) == {"hall.pressure": [1.5, 1.6], "hall.flow": [1.5]}


def test_a_plan_from_a_file_decides_and_the_rest_is_as_found(prepared: Path) -> None:
    plan = prepared.parent / "map.toml"
    plan.write_text(
        '[time]\nlayout = "dmy"\nzone = "UTC"\n[columns.P1]\ntag = "hall.pressure"\nunit = "kPa"\n', encoding="utf-8"
    )
    result = bring_in(prepared, "Time,P1\n01/02/2026 08:00,15\n", "--map", str(plan))
    assert result.exit_code == 0, result.output
    assert "From 2026-02-01T08:00:00+00:00" in result.output


def test_names_of_a_long_file_are_told_on_the_command_line(prepared: Path) -> None:
    rows = "Tag,Time,Value\nPT-1,2026-03-01 08:00,1\nhall.flow,2026-03-01 08:00,2\nFT-9,2026-03-01 08:00,3\n"
    result = bring_in(prepared, rows, "--tag", "PT-1=hall.pressure", "--unit", "PT-1=kPa")
    assert result.exit_code == 0, result.output
    assert "2 samples of 2 tags stored" in result.output
    assert "1 refused, unknown-tag" in result.output


@pytest.mark.parametrize(
    ("content", "arguments", "error", "reason"),
    [
        ("Time,Flow\n01/02/2026 08:00,1\n", [], BadPlanError, "day and month"),
        ("Time,xyz\n2026-03-01 08:00,1\n", [], BadPlanError, "Map columns to tags"),
        (WIDE, ["--tag", "P9=hall.pressure"], BadPlanError, "the file has no column 'P9'"),
        (WIDE, ["--unit", "P1=bar"], BadPlanError, "no tag"),
        (WIDE, ["--tag", "hall.pressure"], BadPlanError, "should be COLUMN=VALUE"),
        (WIDE, ["--tag", "P1=hall.nothing"], BadPlanError, "no tag that you may see"),
        (WIDE, ["--unit", "Flow=degC"], IncompatibleUnitsError, "measure different things"),
        (WIDE, ["--zone", "Mars"], BadPlanError, "no time zone 'Mars'"),
        (WIDE, ["--map", "nowhere.toml"], BadPlanError, "nowhere.toml"),
        ("%PDF-1.7", [], BadFileError, "it is a PDF"),
        ("", [], BadFileError, "it is empty"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(
    prepared: Path, content: str, arguments: list[str], error: type[Exception], reason: str
) -> None:
    result = bring_in(prepared, content, *arguments)
    assert isinstance(result.exception, error), result.output
    assert reason in str(result.exception)


def test_a_file_that_is_not_there_is_named(prepared: Path) -> None:
    result = CliRunner().invoke(app, ["import", "nowhere.csv", "--config", str(prepared)])
    assert isinstance(result.exception, BadPlanError)
    assert "there is no file nowhere.csv" in str(result.exception)


def test_a_column_may_have_an_equals_sign_in_its_name() -> None:
    assert pairs_of(["a=b=c", "kPa"], "--unit") == {"a=b": "c", "": "kPa"}
