"""Killed at any moment, on a full disk, with its store away: a row never points at nothing."""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.documents.records import Filing, Wish
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import VersionRow
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import FilesFullError, FilesUnreachableError
from athanor.kernel.files.s3 import S3Files

from ..disks import small_disk
from ..files.object_store import ObjectStore
from ..killing import killed_after
from .crashing import store_at, work_until_killed
from .sending import OLGA, PDF, RULES, file, names_in, read

KILLS = 5


@pytest.fixture(params=["folder", "object store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str | None]:
    """Where files lie, and the endpoint of an object store."""
    if request.param == "folder":
        return str(tmp_path / "files"), None
    store: ObjectStore = request.getfixturevalue("object_store")
    return store.new_bucket(), store.endpoint


@pytest.mark.usefixtures("children_find_tests")
async def test_killed_at_random_moments_every_row_has_its_file_and_other_files_are_swept(
    tmp_path: Path, place: tuple[str, str | None]
) -> None:
    moments, url = random.Random(3), f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    acknowledged: set[int] = set()
    for _kill in range(KILLS):
        acknowledged |= set(killed_after(moments.uniform(0, 0.5), work_until_killed, url, *place))
    database, files = Database(url), store_at(*place)
    documents = Documents(database, files, RULES, now=lambda: datetime.now(UTC) + timedelta(days=2))
    async with database.reading() as session:
        versions = (await session.scalars(select(VersionRow))).all()
    assert acknowledged - {one.document_id for one in versions} == set(), "acknowledged documents are lost"
    left_over = len(await names_in(files)) - len(versions)
    assert (await documents.upkeep.sweep()).orphans == left_over
    for one in versions:
        assert hashlib.sha256(await read(documents, one)).hexdigest() == one.sha256
    assert sorted(await names_in(files)) == sorted(one.blob for one in versions)
    await files.close()
    await database.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 16) as folder:
        yield folder


async def upload_until_refused(documents: Documents) -> int:
    """How many documents are acknowledged before the disk is full."""
    for number in range(20):
        try:
            await documents.upload(OLGA, file("a.pdf", PDF, bytes(1_900_000)), Filing())
        except FilesFullError:
            return number
    raise AssertionError("nothing was refused")


async def test_a_full_disk_refuses_keeps_what_is_there_and_goes_on_once_there_is_room(
    disk: Path, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database, files = Database(url), FolderFiles(disk, reserve_mb=4)
    documents = Documents(database, files, RULES)
    kept = await upload_until_refused(documents)
    assert 4 <= kept <= 7
    found, total = await documents.find(OLGA, Wish())
    assert (total, len(await names_in(files))) == (kept, kept)
    assert list((disk / ".incoming").iterdir()) == []
    version = await documents.open(OLGA, found[0].document.id)
    assert len(await read(documents, version)) == len(PDF) + 1_900_000
    await files.delete(version.blob)
    await documents.upload(OLGA, file("b.pdf", PDF), Filing())
    await files.close()
    await database.close()


async def test_a_store_that_is_away_keeps_nothing_and_what_was_there_is_there_when_it_is_back(
    tmp_path: Path, object_store: ObjectStore
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database = Database(url)
    files = S3Files(object_store.new_bucket(), endpoint=object_store.endpoint, allow_http=True, timeout_s=0.5)
    documents = Documents(database, files, RULES)
    number = (await documents.upload(OLGA, file("a.pdf", PDF), Filing())).version.document_id
    object_store.always = (503, "ServiceUnavailable")
    with pytest.raises(FilesUnreachableError):
        await documents.upload(OLGA, file("b.pdf", PDF), Filing())
    with pytest.raises(FilesUnreachableError):
        await read(documents, await documents.open(OLGA, number))
    assert (await documents.find(OLGA, Wish()))[1] == 1  # the list needs no store
    object_store.behave()
    assert await read(documents, await documents.open(OLGA, number)) == PDF
    await database.close()
