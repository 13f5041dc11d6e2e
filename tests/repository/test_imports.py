"""Who imports whom."""

import subprocess
import sys
from pathlib import Path

from .tree import ROOT


def test_every_import_contract_holds() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
