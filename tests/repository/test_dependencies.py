"""What we depend on is declared once, pinned once, and comes from wherever the user's pip is told to look."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .tree import ROOT, pyproject

DECLARED = [
    *pyproject()["project"]["dependencies"],
    *(need for extra in pyproject()["project"]["optional-dependencies"].values() for need in extra),
]


def pins() -> dict[str, str]:
    """Pinned versions by normalised name."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_a_constraint_is_a_name_and_a_version_and_nothing_else() -> None:
    strange = [pin for pin in pins().items() if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", "==".join(pin))]
    assert strange == []


@pytest.mark.parametrize("declared", DECLARED)
def test_every_dependency_is_pinned_to_a_version_that_it_allows(declared: str) -> None:
    requirement = Requirement(declared)
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])
