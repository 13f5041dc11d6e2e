"""Databases to test on: SQLite always, PostgreSQL where ATHANOR_TEST_POSTGRESQL_URL names one that may be emptied."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade

POSTGRESQL_URL = os.environ.get("ATHANOR_TEST_POSTGRESQL_URL")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(
                not POSTGRESQL_URL,
                reason="set ATHANOR_TEST_POSTGRESQL_URL to an empty database (postgresql+asyncpg://…) to test on it",
            ),
        ),
    ]
)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    assert POSTGRESQL_URL is not None
    database = Database(POSTGRESQL_URL)
    async with database.session() as session:
        await session.execute(text("DROP SCHEMA public CASCADE"))
        await session.execute(text("CREATE SCHEMA public"))
    await database.close()
    return POSTGRESQL_URL


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with all tables, empty."""
    await upgrade(database_url)
    opened = Database(database_url)
    yield opened
    await opened.close()
