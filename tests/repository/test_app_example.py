"""The app that docs/apps.md builds is a real one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from athanor.kernel.apps.manifest import read_manifest

from .tree import ROOT, code_blocks

PAGE = ROOT / "docs" / "apps.md"
SETUP = """
from pathlib import Path
import athanor_peaks
from athanor.kernel.apps.app import App
from athanor.kernel.apps.manifest import read_manifest

app = App(read_manifest(Path(athanor_peaks.__file__).with_name("manifest.toml")))
athanor_peaks.setup(app)
print([page.path for page in app.pages], [route.path for router, _ in app.routers for route in router.routes])
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file of the page, each under the name in its first line."""
    folder = tmp_path_factory.mktemp("peaks")
    for code in [code for language in ("toml", "python", "po") for code in code_blocks(PAGE, language)]:
        first, _, rest = code.partition("\n")
        if first.startswith("# "):
            path = folder / first.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rest, encoding="utf-8")
    return folder


def python(*arguments: str, cwd: Path) -> str:
    """What a Python says that finds the package."""
    command = [sys.executable, *arguments]
    environment = os.environ | {"PYTHONPATH": str(cwd)}
    answer = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_its_manifest_names_it(package: Path) -> None:
    assert read_manifest(package / "athanor_peaks" / "manifest.toml").id == "peaks"


def test_it_declares_its_page_and_its_route(package: Path) -> None:
    assert python("-c", SETUP, cwd=package) == "['/peaks'] ['/today']\n"


def test_its_own_tests_pass(package: Path) -> None:
    assert "2 passed" in python("-m", "pytest", cwd=package)


def test_its_catalogue_can_be_read(package: Path) -> None:
    with (package / "athanor_peaks" / "locale" / "zh_CN.po").open("rb") as file:
        assert {message.id: message.string for message in read_po(file)}["Peaks"] == "最大需量"
