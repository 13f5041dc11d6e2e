"""Servers for tests: one that many ask, and fresh ones for those who do them harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .running import RunningServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that only answers questions."""
    running = RunningServer(tmp_path_factory.mktemp("server"))
    running.prepare()
    running.start()
    yield running
    running.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server of the test's own, not yet started."""
    running = RunningServer(tmp_path)
    running.prepare()
    yield running
    running.end()
