"""docs/requirements.toml is true: what it calls done has a test, and a page where a person sees it."""

import ast
import importlib
import re
import tomllib
from functools import cache
from typing import Any

import pytest

from athanor.kernel.apps.app import App
from athanor.kernel.apps.manifest import read_manifest

from .tree import ROOT, SOURCE, manifests

SYSTEMS = "AL|AS|CA|CB|CL|CO|DG|EC|EM|EN|ES|EV|GI|GR|HS|IC|LG|NF|OM|PC|PE|PG|PM|QM|SC|SE|SU|VA|VS"
CATALOGUE = ROOT.parent / "shared" / "REQUIREMENTS.md"  # lies beside a checkout where the project is planned
DONE: dict[str, Any] = tomllib.loads((ROOT / "docs" / "requirements.toml").read_text(encoding="utf-8"))
EACH = pytest.mark.parametrize("requirement", DONE)


@cache
def addresses() -> frozenset[str]:
    """The address of every page that an app of ours declares."""
    found: set[str] = set()
    for path in manifests():
        if path.is_relative_to(SOURCE):
            app = App(read_manifest(path))
            importlib.import_module(f"athanor.apps.{path.parent.name}").setup(app)
            found.update(page.path for page in app.pages)
    return frozenset(found)


def functions_in(name: str) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@EACH
def test_it_is_one_of_the_requirements(requirement: str) -> None:
    assert re.fullmatch(rf"(?:{SYSTEMS})-\d\d", requirement)
    if CATALOGUE.is_file():
        assert f"\n| {requirement} |" in CATALOGUE.read_text(encoding="utf-8")


@EACH
def test_it_says_what_is_done_by_which_tests_and_where_to_look(requirement: str) -> None:
    assert set(DONE[requirement]) - {"partial"} == {"what", "tests", "page"}
    assert DONE[requirement]["tests"]
    assert DONE[requirement].get("partial", "something") != ""


@EACH
def test_the_tests_that_show_it_exist(requirement: str) -> None:
    for test in DONE[requirement]["tests"]:
        file, _, function = test.partition("::")
        assert function in functions_in(file)


@EACH
def test_the_page_where_a_person_sees_it_exists(requirement: str) -> None:
    page = DONE[requirement]["page"]
    assert page in addresses() or (ROOT / page).is_file()
