"""Fixtures of the edge's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.edge.buffer import Buffer

from .peers import Edge, IngestServer


@pytest.fixture
async def buffer(tmp_path: Path) -> AsyncIterator[Buffer]:
    """An empty buffer."""
    opened = await Buffer.open(tmp_path / "buffer.sqlite", 100_000_000)
    yield opened
    await opened.close()


@pytest.fixture
async def edge(buffer: Buffer) -> AsyncIterator[Edge]:
    """An edge without sources and without uplink."""
    running = Edge(buffer)
    yield running
    await running.close()


@pytest.fixture
async def server() -> AsyncIterator[IngestServer]:
    """A server that takes everything in."""
    running = await IngestServer().start()
    yield running
    await running.stop()


@pytest.fixture
async def absent_server() -> AsyncIterator[IngestServer]:
    """A server that is not started yet: nobody listens at its address."""
    absent = IngestServer()
    yield absent
    await absent.stop()
