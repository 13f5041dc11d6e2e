"""The scripts behind `make` say what is wrong in one clear line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT

NEEDS_A_SERVER = "def test_that_needs_a_server({fixture}): ...\n"


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """An environment with the shell's own programs, a python3 that is too old, and no way to install a thing."""
    for program in ("bash", "dirname"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi\n')
    python.chmod(0o755)
    return {"PATH": str(tmp_path)}


def run(script: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one of our scripts to its end."""
    command = [str(ROOT / "scripts" / script), *arguments]
    bash = shutil.which("bash") or "bash"
    return subprocess.run([bash, *command], env=env, capture_output=True, text=True, check=False)


def test_a_python_that_is_too_old_is_named_with_the_cure(bare_machine: dict[str, str], tmp_path: Path) -> None:
    answer = run("create-venv", str(tmp_path / "venv"), env=bare_machine)
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "Athanor needs Python 3.11 or newer; python3 here is: Python 3.9.2.",
        "Install one, then run this again: sudo apt-get install --no-install-recommends python3 python3-venv",
    ]


def test_missing_test_tools_stop_nobody_at_a_desk(bare_machine: dict[str, str]) -> None:
    answer = run("install-test-tools", env=bare_machine)
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-1].startswith(
        "They were not installed, so tests that need them are skipped. To enable them: "
        "sudo apt-get install --no-install-recommends chromium "
    )


def test_missing_test_tools_stop_continuous_integration(bare_machine: dict[str, str]) -> None:
    assert run("install-test-tools", env=bare_machine | {"CI": "true"}).returncode == 1


@pytest.mark.parametrize("fixture", ["require_mosquitto", "postgresql_url"])
@pytest.mark.parametrize(("everything", "outcome"), [("0", "1 skipped"), ("1", "1 error")])
def test_a_missing_server_skips_a_test_at_a_desk_and_fails_it_in_continuous_integration(
    bare_machine: dict[str, str], tmp_path: Path, fixture: str, everything: str, outcome: str
) -> None:
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    for place in ("/usr/sbin", "/usr/lib/postgresql"):
        conftest = conftest.replace(place, str(tmp_path))
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_server.py").write_text(NEEDS_A_SERVER.format(fixture=fixture))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--override-ini=asyncio_mode=auto", tmp_path]
    environment = bare_machine | {"ATHANOR_TEST_REQUIRE_ALL": everything}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    assert outcome in said
