"""`athanor audit`: the trail verified and exported from the command line."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athanor.cli.commands import app
from athanor.kernel.errors import AthanorError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A house whose trail has three entries."""
    file = tmp_path / "athanor.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"\n', encoding="utf-8")
    for edge in ("edge-1", "edge-2", "=edge"):
        assert CliRunner().invoke(app, ["edge-token", edge, "--config", str(file)]).exit_code == 0
    return file


def athanor(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *words, "--config", str(config)])
    if isinstance(result.exception, AthanorError):
        return 2, str(result.exception)
    return result.exit_code, result.output


def tamper(config: Path) -> None:
    database = sqlite3.connect(config.parent / "data" / "athanor.db")
    database.execute("DROP TRIGGER identity_audit_update")
    database.execute("UPDATE identity_audit SET subject = 'edge-9' WHERE subject = 'edge-2'")
    database.commit()
    database.close()


def test_a_trail_that_nobody_touched_is_verified(config: Path) -> None:
    status, said = athanor(config, "verify")
    assert (status, said.startswith("3 entries are as they were written.")) == (0, True)


def test_a_changed_entry_is_exit_status_one_and_named(config: Path) -> None:
    tamper(config)
    status, said = athanor(config, "verify")
    assert status == 1
    assert "Broken after 1 entries: entry 2 (" in said


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_an_exported_file_is_verified_without_the_database_and_names_the_same_head(config: Path, ending: str) -> None:
    _status, of_database = athanor(config, "verify")
    file = config.parent / f"trail.{ending}"
    assert athanor(config, "export", str(file))[0] == 0
    (config.parent / "data" / "athanor.db").unlink()
    status, of_file = athanor(config, "verify", str(file))
    assert (status, of_file) == (0, of_database)
    file.write_text(file.read_text(encoding="utf-8").replace("edge-2", "edge-3"), encoding="utf-8")
    status, said = athanor(config, "verify", str(file))
    assert status == 1
    assert "entry 2 was changed" in said


def test_an_export_is_itself_in_the_trail(config: Path) -> None:
    file = config.parent / "trail.jsonl"
    athanor(config, "export", str(file))
    assert "security.audit-exported" not in file.read_text(encoding="utf-8")
    athanor(config, "export", str(file))
    assert '"action":"security.audit-exported"' in file.read_text(encoding="utf-8")


def test_a_period_is_exported_and_a_bad_one_refused(config: Path) -> None:
    file = str(config.parent / "trail.csv")
    assert athanor(config, "export", file, "--from", "2020-01-01", "--to", "2020-02-01")[1].startswith("0 entries")
    assert athanor(config, "export", file, "--from", "2020-02-01", "--to", "2020-01-01")[0] == 2
    status, said = athanor(config, "export", file, "--from", "yesterday")
    assert (status, "is no time" in said) == (2, True)
    status, said = athanor(config, "export", str(config.parent / "trail.pdf"))
    assert (status, ".jsonl" in said) == (2, True)
    status, said = athanor(config, "export", str(config.parent / "none" / "trail.csv"))
    assert (status, "cannot be written" in said) == (2, True)
