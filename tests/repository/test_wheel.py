"""What `pip install` brings is the whole of it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .tree import ROOT, SOURCE, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Athanor's wheel, built from a copy of the repository's files with the build tools that are here."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for path in files():
        if path.is_relative_to(SOURCE) or path.parent == ROOT:
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"]
    built = subprocess.run([*pip, folder, copy], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("athanor/")}
    assert inside == {path.relative_to(SOURCE.parent).as_posix() for path in files() if path.is_relative_to(SOURCE)}


def test_the_wheel_brings_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "athanor = athanor.cli:main" in archive.read(entry_points).decode()
