"""A backup of a house at work: what is in it, what comes back, and what harm is found."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from athanor.kernel.backup import restoring
from athanor.kernel.backup.archive import Archive
from athanor.kernel.backup.creating import KEYS_SEALED, create, say_nothing
from athanor.kernel.backup.errors import (
    BackupDamagedError,
    BackupNewerError,
    DatabaseCopyError,
    DestinationError,
    NoBackupError,
    NotEmptyError,
    WrongPassphraseError,
)
from athanor.kernel.backup.manifest import Entry, Manifest
from athanor.kernel.backup.restoring import Wish
from athanor.kernel.backup.service import at_rest
from athanor.kernel.backup.trial import try_restore
from athanor.kernel.backup.verifying import verify
from athanor.kernel.database.database import Database
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.historian.s3 import S3Store
from athanor.kernel.historian.store import FolderStore
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity import audit
from athanor.kernel.identity.service import Identity
from athanor.kernel.jobs.port import JobCancelledError
from athanor.kernel.vault import Vault

from ..disks import small_disk
from ..historian.conftest import object_store_address, s3_keys, s3_store
from ..historian.samples import EVER, numbers_of, tag_ids
from .conftest import PASSPHRASE, PASSWORD, TAGS, House

__all__ = ["object_store_address", "s3_keys", "s3_store"]


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # which is not what it is about


async def restored(
    archive: Archive, manifest: Manifest, place: Path, database_url: str | None = None, **wish: Any
) -> list[str]:
    wished = Wish(place, database_url, **({"passphrase": PASSPHRASE} | wish))
    return list(await restoring.restore(archive, manifest, wished))


async def numbers_in(place: Path) -> list[int]:
    """The samples of one tag that a restored house has; every tag has the same."""
    historian = TieredHistorian(place / "hot", place / "lake", reserve_mb=0)
    table = await historian.read(tag_ids(TAGS), EVER)
    newest = await historian.latest()
    await historian.close()
    numbers = numbers_of(table, 3)
    assert table.num_rows == TAGS * len(numbers)
    assert newest["value"].cast("int32", safe=False).to_pylist() == [numbers[-1]] * TAGS
    return numbers


@pytest.fixture
async def other_database(house: House, tmp_path: Path) -> Any:
    """Where the database of a restored house lies; for PostgreSQL it is empty."""
    url = house.database.url
    if url.get_backend_name() == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/new/athanor.db"
        return
    name = f"athanor_test_{uuid4().hex}"
    server = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


async def test_what_was_acknowledged_before_comes_back_while_more_kept_coming(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    stop = asyncio.Event()
    sending = asyncio.create_task(house.send_until(stop))
    await asyncio.sleep(0.2)
    acknowledged = list(house.sent)
    manifest = await house.backup(archive)
    stop.set()
    await sending
    assert await asyncio.to_thread(verify, archive, manifest) == []

    new = tmp_path / "new"
    assert await restored(archive, manifest, new, other_database) == []
    numbers = await numbers_in(new)
    assert numbers == list(range(len(numbers)))  # each once, none left out
    assert len(acknowledged) <= len(numbers) <= len(house.sent)
    assert manifest.contents.samples == TAGS * len(numbers)

    database = Database(other_database)
    identity = Identity(database, Vault.at(new))
    assert (await audit.verify(database)).is_whole
    assert await identity.sessions.sign_in("anna", PASSWORD)
    await database.close()
    files = FolderFiles(new / "files")
    assert await files.get("documents/plan.pdf") == b"how to tap" * 1000
    found = [one.name async for one in files.list_files()]
    await files.close()
    assert len(found) == manifest.contents.files
    for key in ("vault.key", "instance.key"):
        assert (new / key).read_bytes() == (house.settings.data_dir / key).read_bytes()
        assert (new / key).stat().st_mode & 0o077 == 0
    assert not (new / KEYS_SEALED).exists()
    assert (new / "plant.yaml").read_text() == "site: {}\n"


async def test_the_database_is_of_one_moment_with_the_samples(house: House, archive: Archive) -> None:
    """Whoever writes a row and then a sample never finds the sample in a backup and the row not."""
    async with house.database.session() as session:
        await session.execute(text("CREATE TABLE plant_numbers (number INTEGER)"))

    async def write(stop: asyncio.Event) -> None:
        number = 1000
        while not stop.is_set():
            async with house.database.session() as session:
                await session.execute(text("INSERT INTO plant_numbers VALUES (:number)"), {"number": number})
            await house.send(number)
            number += 1

    stop = asyncio.Event()
    writing = asyncio.create_task(write(stop))
    manifests = []
    for _ in range(3):
        manifests.append(await house.backup(archive))
        await asyncio.sleep(0.05)
    stop.set()
    await writing
    for manifest in manifests:
        rows, samples = manifest.contents.rows["plant_numbers"], manifest.contents.samples // TAGS - 130
        assert rows - 1 <= samples <= rows


@ON_SQLITE
async def test_a_second_backup_copies_only_what_is_new(house: House, archive: Archive) -> None:
    await house.send(*range(130, 330))
    await house.historian.seal_now()
    await house.historian.compact_now()
    await house.historian.roll_up_now()
    first = await house.backup(archive)
    await house.send(330)
    second = await house.backup(archive)
    lake = sum(entry.size for entry in second.entries if entry.path.startswith(("lake/", "files/")))
    assert first.copied_bytes >= first.size
    assert second.copied_bytes < second.size - lake + 1000
    assert await asyncio.to_thread(verify, archive, second) == []


@ON_SQLITE
async def test_only_so_many_stay_and_what_they_share_stays_with_them(house: House, archive: Archive) -> None:
    names = [(await house.backup(archive, keep=2)).name for _ in range(4)]
    left = archive.manifests()
    assert [one.name for one in left] == names[-2:]
    for manifest in left:
        assert await asyncio.to_thread(verify, archive, manifest) == []
    known = {entry.stored_as for manifest in left for entry in manifest.entries}
    assert set(archive.store.names("data")) == known


def one_of(manifest: Manifest, beginning: str, ending: str = "") -> Entry:
    return next(one for one in manifest.entries if one.path.startswith(beginning) and one.path.endswith(ending))


def flip(place: Path) -> None:
    body = bytearray(place.read_bytes())
    body[len(body) // 2] ^= 1
    place.write_bytes(body)


def cut(place: Path) -> None:
    os.truncate(place, place.stat().st_size // 2)


HARM = ((flip, "is not what was written"), (cut, "bytes and should have"), (Path.unlink, "is missing"))


@ON_SQLITE
@pytest.mark.parametrize("what", ["athanor.", "lake/samples/day=", "hot/0", "files/", "lake/samples/_delta_log/"])
async def test_harm_is_named_and_nothing_is_restored(
    house: House, archive: Archive, tmp_path: Path, other_database: str, what: str
) -> None:
    manifest = await house.backup(archive)
    entry = one_of(manifest, what)
    place = Path(archive.store.place(entry.stored_as))
    body = await asyncio.to_thread(place.read_bytes)
    for harm, said in HARM:
        harm(place)
        (fault,) = await asyncio.to_thread(verify, archive, manifest)
        assert fault.startswith(entry.path)
        assert said in fault
        with pytest.raises(BackupDamagedError, match=said):
            await restored(archive, manifest, tmp_path / "new", other_database)
        assert list((tmp_path / "new").iterdir()) == []
        await asyncio.to_thread(place.write_bytes, body)


@ON_SQLITE
async def test_what_is_whole_of_a_damaged_backup_can_be_wished_for(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    manifest = await house.backup(archive)
    entry = one_of(manifest, "lake/samples/day=")
    flip(Path(archive.store.place(entry.stored_as)))
    left_out = await restored(archive, manifest, tmp_path / "new", other_database, what_is_whole=True)
    assert left_out == [f"{entry.path} is not what was written"]
    historian = TieredHistorian(tmp_path / "new" / "hot", tmp_path / "new" / "lake", reserve_mb=0)
    damaged = await historian.damaged_files()
    assert [error.path for error in damaged] == [str(tmp_path / "new" / entry.path)]
    await historian.close()


@ON_SQLITE
async def test_a_manifest_that_was_cut_short_makes_no_backup(house: House, archive: Archive) -> None:
    whole, broken = await house.backup(archive), await house.backup(archive)
    cut(Path(archive.place) / f"{broken.name}.json")
    assert [one.name for one in archive.manifests()] == [whole.name]
    assert archive.unreadable() == [broken.name]
    with pytest.raises(NoBackupError):
        archive.manifest(broken.name)
    third = await house.backup(archive)  # and nothing of the others is swept away
    assert await asyncio.to_thread(verify, archive, third) == []
    assert await asyncio.to_thread(verify, archive, whole) == []


@ON_SQLITE
async def test_a_full_disk_leaves_no_backup_and_the_earlier_one_whole(house: House, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 2) as folder:
        archive = Archive(FolderStore(folder))
        first = await house.backup(archive)
        await house.files.put("documents/long.pdf", os.urandom(4_000_000))
        with pytest.raises(DestinationError, match="No space left"):
            await house.backup(archive)
        assert [one.name for one in archive.manifests()] == [first.name]
        assert await asyncio.to_thread(verify, archive, first) == []
        known = {entry.stored_as for entry in first.entries}
        assert set(archive.store.names("data")) == known  # what was copied for nothing is gone


@ON_SQLITE
async def test_one_that_ended_half_way_is_none_and_is_swept_by_the_next(house: House, archive: Archive) -> None:
    stages = []

    def end_at_the_lake(stage: str, _share: float | None) -> None:
        stages.append(stage)
        if stage == "database":
            raise JobCancelledError

    with pytest.raises(JobCancelledError):
        await create(house.source, archive, {}, end_at_the_lake)
    assert stages[-1] == "database"
    assert archive.manifests() == []
    manifest = await house.backup(archive)
    assert set(archive.store.names("data")) == {entry.stored_as for entry in manifest.entries}


@ON_SQLITE
async def test_a_place_that_is_not_empty_is_left_alone(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    manifest = await house.backup(archive)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").write_text("do not touch")
    with pytest.raises(NotEmptyError, match="not empty"):
        await restored(archive, manifest, tmp_path / "new", other_database)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.txt"]


@ON_SQLITE
async def test_a_restoration_that_was_cut_off_is_begun_anew(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    manifest = await house.backup(archive)
    (tmp_path / "new" / ".restoring" / "hot").mkdir(parents=True)
    assert await restored(archive, manifest, tmp_path / "new", other_database) == []
    assert await numbers_in(tmp_path / "new") == house.sent


async def test_a_backup_of_a_later_version_is_refused(house: House, archive: Archive, tmp_path: Path) -> None:
    async with house.database.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    manifest = await house.backup(archive)
    with pytest.raises(BackupNewerError, match=manifest.version):
        await restored(archive, manifest, tmp_path / "new")
    with pytest.raises(BackupNewerError):
        await asyncio.to_thread(verify, archive, manifest)


async def test_keys_open_only_with_their_passphrase(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    manifest = await house.backup(archive)
    key = (house.settings.data_dir / "vault.key").read_bytes()
    for entry in manifest.entries:
        with archive.open(entry) as file:
            assert key not in bytes(file.read())
    with pytest.raises(WrongPassphraseError):
        await restored(archive, manifest, tmp_path / "new", other_database, passphrase="another one")
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(WrongPassphraseError):
        await restored(archive, manifest, tmp_path / "new", other_database, passphrase=None)
    assert await restored(archive, manifest, tmp_path / "new", other_database, without_keys=True) == []
    assert not (tmp_path / "new" / "vault.key").exists()


@ON_SQLITE
async def test_a_server_that_stopped_is_backed_up_without_being_opened(
    house: House, archive: Archive, tmp_path: Path, other_database: str
) -> None:
    await house.historian.close()
    source = at_rest(house.settings, house.lake, house.files)
    manifest = await create(source, archive, {}, say_nothing)
    assert manifest.contents.samples == TAGS * 130
    assert await restored(archive, manifest, tmp_path / "new", other_database) == []
    assert await numbers_in(tmp_path / "new") == house.sent


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_comes_back_only_into_an_empty_database(
    house: House, archive: Archive, tmp_path: Path
) -> None:
    manifest = await house.backup(archive)
    url = house.database.url.render_as_string(hide_password=False)
    with pytest.raises(NotEmptyError):
        await restored(archive, manifest, tmp_path / "new", url)
    with pytest.raises(DatabaseCopyError, match="name an empty database"):
        await restored(archive, manifest, tmp_path / "new")


@ON_SQLITE
async def test_an_object_store_holds_backups_too(
    house: House, tmp_path: Path, other_database: str, s3_store: S3Store
) -> None:
    archive = Archive(s3_store)
    await house.backup(archive)
    await house.send(130)
    manifest = await house.backup(archive, keep=1)
    assert [one.name for one in archive.manifests()] == [manifest.name]
    assert await asyncio.to_thread(verify, archive, manifest) == []
    assert await restored(archive, manifest, tmp_path / "new", other_database) == []
    assert await numbers_in(tmp_path / "new") == house.sent


async def test_a_trial_restores_beside_the_data_counts_and_leaves_nothing(
    house: House, archive: Archive, tmp_path: Path
) -> None:
    manifest = await house.backup(archive)
    room = tmp_path / "room"
    room.mkdir()
    if manifest.database != "sqlite":
        with pytest.raises(DatabaseCopyError, match="empty database"):
            await try_restore(archive, manifest, room)
        return
    trial = await try_restore(archive, manifest, room)
    assert (trial.faults, trial.samples) == ((), manifest.contents.samples)
    assert trial.restored_in_s > 0
    assert trial.lost_s > 0
    lacking = replace(manifest, contents=replace(manifest.contents, samples=manifest.contents.samples + 1))
    assert (await try_restore(archive, lacking, room)).faults == (
        f"there are {trial.samples} samples and should be {trial.samples + 1}",
    )
    assert list(room.iterdir()) == []
