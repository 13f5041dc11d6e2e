"""What the historian's tests may ask for: an object store, and a gateway to it that gives trouble."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from athanor.kernel.historian.s3 import ACCESS_KEY, SECRET_KEY, S3Store
from athanor.kernel.historian.store import FolderStore, Store

from .disks import disk
from .objectstore import Gateway, gateway_to, lake_at, object_store

__all__ = ["disk"]


@pytest.fixture(scope="session")
def object_store_address() -> Iterator[str]:
    """Of a server with one bucket, for the whole run."""
    with object_store() as address:
        yield address


@pytest.fixture
def s3_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment of a server has."""
    monkeypatch.setenv(ACCESS_KEY, "keeper")
    monkeypatch.setenv(SECRET_KEY, "of-the-park")


@pytest.fixture
def s3_store(object_store_address: str, s3_keys: None) -> S3Store:
    """An empty place in an object store."""
    return lake_at(object_store_address)


@pytest.fixture
def gateway(object_store_address: str, s3_keys: None) -> Iterator[Gateway]:
    """A way to the object store that can be made to give trouble."""
    with gateway_to(object_store_address) as gateway:
        yield gateway


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty place of each kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "lake")
    return request.getfixturevalue("s3_store")  # type: ignore[no-any-return]
