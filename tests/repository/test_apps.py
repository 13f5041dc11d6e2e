"""Every app is of the same shape: ours and the one that shows strangers how."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from athanor.kernel.apps.manifest import read_manifest

from .tree import SOURCE, manifests, named, pyproject

APPS = pytest.mark.parametrize("app", [path.parent for path in manifests()], ids=named)
LANGUAGES = {"en", "zh_CN"}


def texts(folder: Path) -> Iterator[str]:
    """What an app says to people: the literals that it passes through `_()`."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                text = node.args[0]
                assert isinstance(text, ast.Constant), f"{path}:{node.lineno} passes _() something that is no literal"
                yield text.value


def translated(folder: Path) -> set[str]:
    """The texts that a folder's Chinese catalogue answers."""
    with (folder / "locale" / "zh_CN.po").open("rb") as file:
        return {str(message.id) for message in read_po(file) if message.string and not message.fuzzy}


@APPS
def test_its_manifest_can_be_read_and_names_its_folder(app: Path) -> None:
    manifest = read_manifest(app / "manifest.toml")
    assert manifest.id == app.name.removeprefix("athanor_")
    assert set(manifest.title) == set(manifest.summary) == LANGUAGES


@APPS
def test_every_text_of_it_is_translated(app: Path) -> None:
    assert set(texts(app)) - translated(app) - translated(SOURCE / "web") == set()


@APPS
def test_it_tells_its_users_what_they_get(app: Path) -> None:
    readme = app / "README.md" if (app / "README.md").exists() else app.parents[1] / "README.md"
    assert readme.read_text(encoding="utf-8").startswith("# ")


def test_our_apps_come_in_by_the_door_that_strangers_use() -> None:
    folders = {path.parent.name for path in manifests() if path.is_relative_to(SOURCE)}
    declared = pyproject()["project"]["entry-points"]["athanor.apps"]
    assert declared == {name: f"athanor.apps.{name}" for name in folders}
