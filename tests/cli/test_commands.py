"""What the command line answers, and its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athanor import __version__
from athanor.bench import BENCHMARKS
from athanor.cli.commands import app

COMMANDS = ("demo", "serve", "edge", "doctor", "bench", "export", "edge-token", "password")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "athanor.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"\n[server]\nport = 0\n', encoding="utf-8")
    return file


def test_help_names_every_command() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    assert all(f"\n  {command}" in output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.strip() == __version__


def test_a_refusal_is_a_message_and_not_a_traceback(tmp_path: Path) -> None:
    bad = tmp_path / "athanor.toml"
    bad.write_text("servr = 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "athanor", "serve", "--config", str(bad)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "settings.bad" in done.stderr
    assert "server" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_finds_a_new_installation_well(config: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output.upper().replace("ATHANOR", "")


def test_the_doctor_fails_on_a_plant_file_that_is_not_there(tmp_path: Path, config: Path) -> None:
    config.write_text(f'data_dir = "{tmp_path}"\nplant_file = "{tmp_path / "none.yaml"}"\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert result.exit_code == 1
    assert "none.yaml" in result.output.replace("\n", "")


def test_an_edges_token_is_printed_once_and_never_the_same(config: Path) -> None:
    first, second = (
        CliRunner().invoke(app, ["edge-token", "edge-1", "--config", str(config)]).output for _ in range(2)
    )
    assert len(first.strip()) > 30
    assert first != second


def test_benchmarks_are_listed_and_an_unknown_one_is_refused() -> None:
    result = CliRunner().invoke(app, ["bench"])
    assert result.exit_code == 0
    assert all(name in result.output for name in BENCHMARKS)
    assert CliRunner().invoke(app, ["bench", "speed"]).exit_code == 2
