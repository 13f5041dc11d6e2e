"""Corrections on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database

from .works import Works


@pytest.fixture
async def works(database: Database, tmp_path: Path) -> AsyncIterator[Works]:
    """A works with a real historian, on each database."""
    opened = await Works.open(database, tmp_path / "samples")
    yield opened
    await opened.close()
