"""Documents on a folder with SQLite, and on an object store with PostgreSQL; people of two tenants and of the park."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.documents.service import Documents
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import Files
from athanor.kernel.files.s3 import S3Files

from ..files.object_store import KEY, SECRET, ObjectStore
from .sending import RULES


@pytest.fixture(scope="session")
def running_store() -> Iterator[ObjectStore]:
    started = ObjectStore()
    yield started
    started.stop()


@pytest.fixture
def object_store(running_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The server, and credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    running_store.behave()
    return running_store


@pytest.fixture(params=["embedded", "grown-up"])
def engines(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engines: str, tmp_path: Path) -> str:
    """An empty database."""
    if engines == "embedded":
        return f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def files(request: pytest.FixtureRequest, engines: str, tmp_path: Path) -> AsyncIterator[Files]:
    """An empty store of files."""
    opened: Files
    if engines == "embedded":
        opened = FolderFiles(tmp_path / "files")
    else:
        store: ObjectStore = request.getfixturevalue("object_store")
        opened = S3Files(store.new_bucket(), endpoint=store.endpoint, allow_http=True, timeout_s=1)
    yield opened
    await opened.close()


@pytest.fixture
async def documents(files: Files, database: Database) -> AsyncIterator[Documents]:
    """No documents yet, and no scanner."""
    opened = Documents(database, files, RULES)
    yield opened
    await opened.close()
