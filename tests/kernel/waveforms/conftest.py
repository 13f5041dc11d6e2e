"""Stores of waveforms: a folder with SQLite, and an object store with PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import Files
from athanor.kernel.files.s3 import S3Files
from athanor.kernel.waveforms.service import StoredWaveforms

from ..files.object_store import KEY, SECRET, ObjectStore


@pytest.fixture(scope="session")
def running_store() -> Iterator[ObjectStore]:
    started = ObjectStore()
    yield started
    started.stop()


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
async def files(
    request: pytest.FixtureRequest, engines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Files]:
    """An empty store of files."""
    opened: Files
    if engines == "embedded":
        opened = FolderFiles(tmp_path / "files")
    else:
        object_store: ObjectStore = request.getfixturevalue("running_store")
        object_store.behave()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        opened = S3Files(object_store.new_bucket(), endpoint=object_store.endpoint, allow_http=True)
    yield opened
    await opened.close()


@pytest.fixture
async def waveforms(files: Files, database: Database) -> AsyncIterator[StoredWaveforms]:
    """An empty store of waveforms."""
    opened = StoredWaveforms(files, database)
    yield opened
    await opened.close()
