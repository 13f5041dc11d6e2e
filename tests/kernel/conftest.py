"""Databases to test on, SQLite always and PostgreSQL where it is installed; and what processes of a test need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with all tables, empty."""
    await upgrade(database_url)
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def children_find_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process is to do until it is killed (`killing`) stands in a module of the tests, which it has to find."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
