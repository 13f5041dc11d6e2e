"""The example of a third party's app: an ordinary pip package that Athanor finds by itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT, files

EXAMPLE = ROOT / "examples" / "hello-app"
NAVIGATION = """
import json
from athanor.kernel.apps.registry import load_apps
from athanor.web.frame import places

print(json.dumps([place.address for place in places(load_apps().apps)]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example, apart from the environment that the tests run in."""
    copy, folder = tmp_path_factory.mktemp("hello"), tmp_path_factory.mktemp("site-packages")
    for path in files():
        if path.is_relative_to(EXAMPLE):
            target = copy / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    pip = [sys.executable, "-m", "pip", "install", *options, folder, copy]
    answer = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


def python(*arguments: str | Path, beside: Path, cwd: Path = ROOT) -> str:
    """What a Python says that also finds the packages in a folder."""
    environment = os.environ | {"PYTHONPATH": str(beside)}
    answer = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_its_own_tests_pass_on_what_pip_installed(installed: Path) -> None:
    said = python("-m", "pytest", "-p", "no:cacheprovider", EXAMPLE / "tests", beside=installed, cwd=EXAMPLE)
    assert "3 passed" in said


def test_pip_brings_its_data_too(installed: Path) -> None:
    package = installed / "athanor_hello"
    assert (package / "manifest.toml").is_file()
    assert (package / "locale" / "zh_CN.po").is_file()


def test_it_stands_last_in_the_navigation(installed: Path) -> None:
    addresses = json.loads(python("-c", NAVIGATION, beside=installed).splitlines()[-1])
    assert addresses[0] == "/overview"
    assert addresses[-1] == "/hello"
