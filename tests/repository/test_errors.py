"""Every error has a name of its own that a person can look up."""

import re
import runpy
from typing import Any

import pytest

from .tree import ROOT, SOURCE


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What `scripts/list_errors.py` defines."""
    return runpy.run_path(str(ROOT / "scripts" / "list_errors.py"))


@pytest.fixture(scope="module")
def errors(script: dict[str, Any]) -> list[Any]:
    """Every class below AthanorError."""
    found: list[Any] = script["error_classes"](SOURCE)
    return found


def test_every_error_class_gives_its_own_code(errors: list[Any]) -> None:
    unnamed = [error.name for error in errors if not re.fullmatch(r"[a-z]+\.[a-z0-9-]+", error.code or "")]
    assert unnamed == []


def test_no_two_errors_share_a_code(errors: list[Any]) -> None:
    codes = [error.code for error in errors]
    assert sorted(set(codes)) == codes


def test_every_error_says_what_it_means(errors: list[Any]) -> None:
    assert [error.name for error in errors if not error.meaning] == []


def test_the_manual_lists_every_error_as_the_code_has_it(script: dict[str, Any], errors: list[Any]) -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == script["page"](errors), "docs/errors.md is old: run `make pages`."
