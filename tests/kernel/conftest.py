"""What processes of a test need."""

from pathlib import Path

import pytest


@pytest.fixture
def children_find_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process is to do until it is killed (`killing`) stands in a module of the tests, which it has to find."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
