"""Making a backup while the server runs: nothing waits for it but, for a moment, writers of the database.

What never changes once it is written (the lake's files, waveforms, documents) is copied first, which takes long. Then
the moment is taken: the database's snapshot, the log of the hot tail and the versions of the lake's tables, while
writers of the database are held off. Then follows what came since the first pass. Where a file of the moment was
replaced before it was copied, another moment is taken.
"""

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import orjson
import structlog
from deltalake.exceptions import DeltaError

from athanor import __version__
from athanor.kernel.backup import telemetry
from athanor.kernel.backup.archive import Archive, SourceGoneError
from athanor.kernel.backup.database import Instant, copy_sqlite, instant, kind_of
from athanor.kernel.backup.errors import DestinationError, NotHeldStillError
from athanor.kernel.backup.manifest import Contents, Entry, Manifest
from athanor.kernel.backup.telemetry import HistorianNow, LakeFile, LogReader
from athanor.kernel.files.port import FileEntry, FileMissingError, Files
from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.historian.hotlog import LogFile, replayed
from athanor.kernel.historian.store import Store
from athanor.kernel.settings import Settings

_log = structlog.get_logger(__name__)

DATABASE = {"sqlite": "athanor.db", "postgresql": "athanor.dump"}
QUARANTINE = "quarantine.sqlite"
KEYS_SEALED = "keys.sealed"
_MOMENTS = 5  # that are tried
_PIECE = 4 * 1024 * 1024  # [B] of a stored file

Tell = Callable[[str, float | None], None]  # stage, and the share of it that is done; ends it all by raising


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up, and how it is looked at."""

    settings: Settings
    lake: Store
    files: Files
    log_now: Callable[[], Sequence[LogFile]]  # from any thread


async def create(
    source: Source, archive: Archive, keys: dict[str, bytes], tell: Tell, *, keep: int | None = None
) -> Manifest:
    """Make a backup; with `keep`, only so many of the newest stay then.

    `keys` are files of the data folder or, as KEYS_SEALED, all of them encrypted. Raises DestinationError,
    DatabaseCopyError, NotHeldStillError, leaving earlier backups as they were.
    """
    with _work_folder(source.settings.data_dir) as work, archive.writing(work):
        await asyncio.to_thread(archive.sweep)
        earlier = await asyncio.to_thread(archive.manifests)
        making = _Making(source, archive, earlier, tell, work)
        try:
            manifest = await making.make(keys)
        except BaseException:
            with suppress(DestinationError):
                await asyncio.to_thread(archive.sweep)
            raise
        if keep is not None:
            await asyncio.to_thread(archive.drop, [one.name for one in earlier][: len(earlier) + 1 - keep])
    newest = manifest.contents.newest_sample_at
    _log.info("backup.created", place=archive.place, **(manifest.summary() | {"newest_sample_at": str(newest)}))
    return manifest


@contextmanager
def _work_folder(data_dir: Path) -> Iterator[Path]:
    """A folder for what is copied on the way, of one backup at a time. Raises DestinationError."""
    work = data_dir / ".backup"
    try:
        claim = FolderClaim(work)
    except OSError as error:
        raise DestinationError(str(work), "another backup of this server is being made") from error
    try:
        for left in work.iterdir():
            if left.is_file() and left.name != "lock":
                left.unlink()
        yield work
    finally:
        claim.release()


class _Making:
    """One backup as it comes to be."""

    def __init__(self, source: Source, archive: Archive, earlier: Sequence[Manifest], tell: Tell, work: Path) -> None:
        self._source, self._archive, self._tell, self._work = source, archive, tell, work
        self._began_at = datetime.now(UTC)
        self._name = _free_name(self._began_at, {*(one.name for one in earlier), *archive.unreadable()})
        there = set(archive.store.names("data"))
        self._known = {  # what earlier backups have, and needs no second copy
            (entry.path, entry.stamp): entry
            for manifest in earlier
            for entry in manifest.entries
            if entry.stamp and entry.stored_as in there
        }
        self._copied = 0
        self._added: set[str] = set()
        self._newest_open: datetime | None = None  # sample in the log

    async def make(self, keys: dict[str, bytes]) -> Manifest:
        """Copy everything; the manifest is there on return."""
        await asyncio.to_thread(self._copy_ahead)
        early = await self._copy_files("files", {})
        gone = ""
        for _moment in range(_MOMENTS):
            try:
                return await self._at_a_moment(early, keys)
            except SourceGoneError as error:
                gone = str(error)
                _log.info("backup.another-moment", reason=gone)
        raise NotHeldStillError(gone)

    async def _at_a_moment(self, early: dict[str, Entry], keys: dict[str, bytes]) -> Manifest:
        settings = self._source.settings
        as_of = datetime.now(UTC)
        async with instant(settings.database_url, self._look) as moment:
            now: HistorianNow = moment.found
            try:
                log, hot_rows = await asyncio.to_thread(self._copy_log, now)
                database, counted = await self._copy_database(moment)
                lake, samples = await asyncio.to_thread(self._copy_lake, now.versions)
            finally:
                now.close()
        files = await self._copy_files("later files", early)
        rest = await asyncio.to_thread(self._copy_rest, keys)
        sealed_rows = sum(file.rows for file in samples.files)
        open_rows = {order: rows for order, rows in hot_rows.items() if order > samples.sealed_order}
        newest = telemetry.newest([*(file.newest_at for file in samples.files), self._newest_open])
        manifest = Manifest(
            name=self._name,
            version=__version__,
            began_at=self._began_at,
            ended_at=datetime.now(UTC),
            as_of=as_of,
            database=kind_of(settings.database_url),
            contents=Contents(
                sealed_rows + sum(open_rows.values()), newest, counted.rows, len(files), counted.revision
            ),
            entries=(*database, *log, *lake, *files.values(), *rest),
            copied_bytes=self._copied,
        )
        await asyncio.to_thread(self._archive.finish, manifest)
        return manifest

    def _look(self) -> HistorianNow:
        log = self._source.log_now()
        return HistorianNow(log, telemetry.versions_of(self._source.lake))

    def _copy_ahead(self) -> None:
        """What is in the lake by now, so that little is left to copy when the moment has been taken."""
        for table, version in telemetry.versions_of(self._source.lake).items():
            with suppress(SourceGoneError):  # replaced meanwhile: the moment will know by what
                self._copy_table(table, version)

    def _copy_log(self, now: HistorianNow) -> tuple[list[Entry], dict[int, int]]:
        """The log, and the samples in each of its generations by their order."""
        entries: list[Entry] = []
        rows: dict[int, int] = {}
        self._newest_open = None
        for file in now.log:
            entries.append(self._add(f"hot/{file.name}", LogReader(file)))
            if file.name.endswith(".log"):
                copy = self._work / file.name
                copy.write_bytes(LogReader(file).read())
                generation = replayed(copy)
                copy.unlink()
                rows[generation.order] = generation.rows
                if generation.rows:
                    newest_us = int(generation.columns.time_us[: generation.rows].max())
                    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=newest_us)
                    self._newest_open = telemetry.newest([self._newest_open, at])
        return entries, rows

    async def _copy_database(self, moment: Instant[Any]) -> tuple[list[Entry], Any]:
        self._tell("database", None)
        name = DATABASE[kind_of(self._source.settings.database_url)]
        copy = self._work / name
        copy.unlink(missing_ok=True)  # of a moment before
        counted = await moment.copy(copy)
        return [await asyncio.to_thread(self._add_path, name, copy)], counted

    def _copy_lake(self, versions: Any) -> tuple[list[Entry], "_Samples"]:
        entries: list[Entry] = []
        samples = _Samples([], -1)
        for table, version in versions.items():
            copied, found = self._copy_table(table, version)
            entries += copied
            samples = found if table == telemetry.SAMPLES else samples
        return entries, samples

    def _copy_table(self, table: str, version: int) -> tuple[list[Entry], "_Samples"]:
        """All of a table's version. Raises SourceGoneError."""
        lake = self._source.lake
        try:
            delta = telemetry.table_of(lake, table, version)
            files = telemetry.data_files(delta, table)
            stamp = str(delta.metadata().id)  # under one id, what has a name never changes
            log = telemetry.log_entries(lake, table, version)
            aside = telemetry.set_aside(lake, table)
        except (OSError, DeltaError) as error:
            raise SourceGoneError(OSError(str(error))) from error
        entries = [self._add_object(name, stamp) for name in log]
        entries += [self._add_object(name, "") for name in aside]
        for done, file in enumerate(files):
            self._tell(f"lake {table}", done / len(files))
            entries.append(self._add_object(file.name, stamp))
        return entries, _Samples(files, telemetry.sealed_order(delta) if table == telemetry.SAMPLES else -1)

    def _add_object(self, name: str, stamp: str) -> Entry:
        path = f"lake/{name}"
        known = self._known.get((path, stamp)) if stamp else None
        if known is not None:
            return known
        try:
            source = self._source.lake.open(name)
        except OSError as error:
            raise SourceGoneError(error) from error
        with source:
            return self._add(path, source, stamp)

    async def _copy_files(self, stage: str, early: dict[str, Entry]) -> dict[str, Entry]:
        """Waveforms, pictures and documents: those that are there now, and those that an earlier pass found.

        An entry of the database leads to its file, and is gone before its file goes: what the first pass has and the
        second has not may still have been led to at the moment in between.
        """
        listed = [one async for one in self._source.files.list_files()]
        entries = dict(early)
        for done, one in enumerate(listed):
            self._tell(stage, done / len(listed))
            entry = await asyncio.to_thread(self._add_file, one, asyncio.get_running_loop())
            if entry is not None:
                entries[entry.path] = entry
        return entries

    def _add_file(self, one: FileEntry, loop: asyncio.AbstractEventLoop) -> Entry | None:
        """None for one that was deleted meanwhile."""
        path, stamp = f"files/{one.name}", f"{one.size} {one.stored_at.isoformat()}"
        known = self._known.get((path, stamp))
        if known is not None:
            return known
        try:
            return self._add(path, _StoredFile(self._source.files, one, loop), stamp)
        except SourceGoneError:
            return None

    def _copy_rest(self, keys: dict[str, bytes]) -> list[Entry]:
        settings = self._source.settings
        entries = [self._add(name, io.BytesIO(body)) for name, body in keys.items()]
        entries.append(self._add("settings.json", io.BytesIO(_told(settings))))
        if settings.plant_file is not None and settings.plant_file.exists():
            entries.append(self._add_path("plant.yaml", settings.plant_file))
        quarantine = settings.data_dir / QUARANTINE
        if quarantine.exists():
            copy = self._work / QUARANTINE
            copy.unlink(missing_ok=True)
            copy_sqlite(quarantine, copy)
            entries.append(self._add_path(QUARANTINE, copy))
        return entries

    def _add_path(self, path: str, place: Path) -> Entry:
        with place.open("rb") as file:
            return self._add(path, file)

    def _add(self, path: str, source: IO[bytes] | io.RawIOBase, stamp: str = "") -> Entry:
        if path in self._added:  # of a moment before, or replaced since the first pass
            self._archive.remove(path, self._name)
        self._added.add(path)
        entry = self._archive.add(path, self._name, source, stamp=stamp)  # type: ignore[arg-type]
        self._copied += entry.size
        if stamp:
            self._known[path, stamp] = entry
        return entry


@dataclass(frozen=True, slots=True)
class _Samples:
    files: Sequence[LakeFile]
    sealed_order: int


class _StoredFile(io.RawIOBase):
    """A file of the store of files, read piece by piece from a thread."""

    def __init__(self, files: Files, one: FileEntry, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._files, self._one, self._loop, self._at = files, one, loop, 0

    def read(self, size: int | None = -1) -> bytes:  # noqa: ARG002 pieces are ours: a request each
        """The next piece. Raises OSError where the file is gone."""
        if self._at >= self._one.size:
            return b""
        work = self._files.get_range(self._one.name, self._at, _PIECE)
        try:
            piece = asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except FileMissingError as error:
            raise OSError(str(error)) from error
        self._at += len(piece)
        if not piece:
            raise OSError(f"{self._one.name} ends early")
        return piece


def _free_name(at: datetime, taken: set[str]) -> str:
    name = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}Z"
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 1000))) if one not in taken)


def _told(settings: Settings) -> bytes:
    """The settings for a person to look at: what differs from the defaults, without secrets."""
    told = settings.model_dump(mode="json", exclude_defaults=True)
    scheme, separator, rest = str(told.get("database_url", "")).partition("://")
    if "@" in rest:
        told["database_url"] = f"{scheme}{separator}…@{rest.rpartition('@')[2]}"
    return orjson.dumps(told, option=orjson.OPT_INDENT_2)


def say_nothing(_stage: str, _share: float | None) -> None:
    """For those who do not wait for it."""
