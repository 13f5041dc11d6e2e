"""The scripts behind `make` say what is wrong in one clear line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT

SKIPPING = "import pytest\n\ndef test_that_skips():\n    pytest.skip('no browser')\n"


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


@pytest.mark.parametrize(("everything", "exit_code"), [("0", 0), ("1", 1)])
def test_a_skipped_test_fails_where_everything_must_run(tmp_path: Path, everything: str, exit_code: int) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", tmp_path]
    environment = os.environ | {"ATHANOR_TEST_REQUIRE_ALL": everything}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == exit_code
