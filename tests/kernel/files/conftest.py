"""An object store for the tests that need one."""

from collections.abc import Iterator

import pytest

from .object_store import KEY, SECRET, ObjectStore


@pytest.fixture(scope="session")
def running_store() -> Iterator[ObjectStore]:
    """The server, started once."""
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
