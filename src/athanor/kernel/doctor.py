"""Examining an installation: what would keep Athanor from running well, and what to do about it.

Nothing is changed; each check looks at one thing and can be run by itself.
"""

import asyncio
import errno
import platform
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from athanor.kernel.database.database import Database, reason_of
from athanor.kernel.database.migrating import newest_revision, revision_of
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.s3 import S3Store
from athanor.kernel.plant.yaml_file import load_plant
from athanor.kernel.settings import BadSettingsError, Settings, folder_of, load_settings

LITTLE_DISK_GB = 10
TOO_LITTLE_DISK_GB = 1
HOT_SAMPLE_BYTES = 150  # one generation that takes samples, one that is sorted for sealing
MEMORY_BESIDE_HISTORIAN_MB = 512  # what the server itself takes
CLOCK_SKEW = timedelta(minutes=2)
WRITTEN_ON = datetime(2025, 1, 1, tzinfo=UTC)  # no clock that is right shows an earlier time
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35)


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"  # runs, but not for long or not well
    FAIL = "fail"  # does not start


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw."""

    check: str  # stable: configuration, port, disk, clock, database, lake, plant, edge, versions, memory
    verdict: Verdict
    what: str
    cure: str = ""  # empty where all is well


def read_configuration(path: Path | None = None) -> tuple[Settings | None, list[Finding]]:
    """The settings, if they can be used, and what is wrong with them if not."""
    try:
        settings = load_settings(path)
    except BadSettingsError as error:
        cure = "Correct it; docs/settings.md lists all settings."
        return None, [Finding("configuration", Verdict.FAIL, fault, cure) for fault in error.faults]
    return settings, [Finding("configuration", Verdict.OK, "Every setting is known and possible.")]


async def examine(settings: Settings) -> list[Finding]:
    """All checks. Takes a second or two; a database that does not answer, some more."""
    return [
        check_port(settings.server.host, settings.server.port),
        *(check_folder(folder) for folder in folders_of(settings)),
        check_clock(datetime.now(UTC), [path for path in (sqlite_file(settings),) if path]),
        await check_database(settings),
        *await check_lake(settings),
        check_plant(settings.plant_file),
        check_edge(settings.edge.config),
        check_versions(),
        check_memory(settings.historian.seal_rows, psutil.virtual_memory().available / 2**20),
    ]


def check_port(host: str, port: int) -> Finding:
    """Whether the server could listen there now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return Finding("port", Verdict.FAIL, f"{host}:{port} cannot be listened on: {_why(error, port)}.", _cure(error))
    return Finding("port", Verdict.OK, f"{host}:{port} is free.")


def _why(error: OSError, port: int) -> str:
    if error.errno != errno.EADDRINUSE:
        return error.strerror or str(error)
    return f"{_holder(port)} has it"


def _cure(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Stop that program (it may be Athanor itself), or set another server.port."
    if error.errno == errno.EACCES:
        return "Set a server.port above 1023, or put a web server in front."
    return "Set server.host to an address of this machine, or to 127.0.0.1."


def _holder(port: int) -> str:
    """The program that listens on a port, as far as this user may see."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:  # it has just ended, or is another user's
                return f"process {connection.pid}"
    return "another program"


def folders_of(settings: Settings) -> list[Path]:
    """Every local folder that is written to, each once."""
    urls = [url for url in (settings.lake_url, settings.files_url) if url.startswith("file:")]
    folders = [settings.data_dir, *map(folder_of, urls)]
    database = sqlite_file(settings)
    if database is not None:
        folders.append(database.parent)
    return list(dict.fromkeys(folder.absolute() for folder in folders))


def sqlite_file(settings: Settings) -> Path | None:
    """The file of an embedded database."""
    url = make_url(settings.database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def check_folder(folder: Path) -> Finding:
    """Whether it can be written to, or made, and has room."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"athanor")
    except OSError as error:
        return Finding(
            "disk",
            Verdict.FAIL,
            f"{folder} cannot be written to: {place}: {error.strerror}.",
            "Give the user that runs Athanor the right to write there, or set another folder.",
        )
    return room_in(folder, shutil.disk_usage(place).free / 1e9)


def room_in(folder: Path, free_gb: float) -> Finding:
    """What so much free room means for a folder that can be written to."""
    what = f"{folder} has {free_gb:.1f} GB free."
    cure = "Free room, or move the folder to a larger disk."
    if free_gb < TOO_LITTLE_DISK_GB:
        return Finding("disk", Verdict.FAIL, what, cure)
    if free_gb < LITTLE_DISK_GB:
        return Finding("disk", Verdict.WARN, what, cure)
    return Finding("disk", Verdict.OK, what)


async def check_lake(settings: Settings) -> list[Finding]:
    """Whether the object store answers that the lake lies in; nothing where it lies in a folder."""
    if not settings.lake_url.startswith("s3:"):
        return []
    cure = (
        "Check lake_url, [s3] in the settings, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and the way to the store."
    )
    try:
        await asyncio.to_thread(S3Store(settings.lake_url, **settings.s3.for_adapters()).check)
    except (AthanorError, OSError) as error:
        return [Finding("lake", Verdict.FAIL, f"{settings.lake_url} does not answer: {error}", cure)]
    return [Finding("lake", Verdict.OK, f"{settings.lake_url} answers.")]


def check_clock(now: datetime, written: Sequence[Path]) -> Finding:
    """Whether the time is possible: not before Athanor was written, nor before its own files were."""
    cure = "Set the clock, and have it kept by a time server (NTP): samples are judged by it."
    if now < WRITTEN_ON:
        return Finding("clock", Verdict.FAIL, f"The clock shows {now:%Y-%m-%d %H:%M} UTC, which is past.", cure)
    for path in written:
        if not path.exists():
            continue
        changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if changed_at > now + CLOCK_SKEW:
            what = f"The clock shows {now:%Y-%m-%d %H:%M} UTC, but {path} was written at {changed_at:%Y-%m-%d %H:%M}."
            return Finding("clock", Verdict.WARN, what, cure)
    return Finding("clock", Verdict.OK, f"The clock shows {now:%Y-%m-%d %H:%M} UTC.")


async def check_database(settings: Settings) -> Finding:
    """Whether it opens, is whole, and is no newer than the code."""
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return Finding("database", Verdict.OK, f"{file} is not there yet; the first start makes it.")
    try:
        database = Database(settings.database_url)
        try:
            revision = await revision_of(database)
            damage = await _damage(database) if file is not None else None
        finally:
            await database.close()
    except AthanorError as error:
        what, _, cure = str(error).partition(". ")
        return Finding("database", Verdict.FAIL, f"{what}.", cure)
    if damage is not None:
        return Finding("database", Verdict.FAIL, f"{file} is damaged: {damage}.", "Restore it from a backup.")
    if revision == newest_revision():
        return Finding("database", Verdict.OK, f"The database opens and is at revision {revision}.")
    what = f"The database opens; the next start brings it from revision {revision} to {newest_revision()}."
    return Finding("database", Verdict.OK, what)


async def _damage(database: Database) -> str | None:
    """What SQLite finds wrong with its file; None for nothing."""
    try:
        async with database.reading() as session:
            result = await session.scalar(text("PRAGMA quick_check(1)"))
    except DBAPIError as error:
        return reason_of(error)
    return None if result == "ok" else str(result)


def check_plant(file: Path | None) -> Finding:
    """Whether the plant file describes a plant."""
    if file is None:
        return Finding("plant", Verdict.OK, "No plant_file is set; the stored plant runs, if there is one.")
    try:
        plant = load_plant(file)
    except AthanorError as error:
        return Finding("plant", Verdict.FAIL, str(error), "Correct the file; docs/plant-model.md shows a complete one.")
    return Finding("plant", Verdict.OK, f"{file} describes {len(plant.nodes)} assets with {len(plant.tags)} tags.")


def check_edge(file: Path | None) -> Finding:
    """Whether the edge's file is there."""
    if file is None:
        return Finding("edge", Verdict.OK, "No edge.config is set; the server starts no edge of its own.")
    if not file.is_file():
        return Finding(
            "edge", Verdict.FAIL, f"The edge's file {file} is not there.", "Correct edge.config, or unset it."
        )
    return Finding("edge", Verdict.OK, f"The edge's file {file} is there.")


def check_versions() -> Finding:
    """Whether the interpreter and the engines are new enough."""
    python = tuple(int(part) for part in platform.python_version_tuple()[:2])
    what = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, PyArrow {version('pyarrow')}."
    if python < OLDEST_PYTHON or sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Finding("versions", Verdict.FAIL, what, "Install Python 3.11 or later, with SQLite 3.35 or later.")
    return Finding("versions", Verdict.OK, what)


def check_memory(seal_rows: int, available_mb: float) -> Finding:
    """Whether what is free now is enough for the server with the historian's hot tail."""
    needed_mb = round(seal_rows * HOT_SAMPLE_BYTES / 2**20) + MEMORY_BESIDE_HISTORIAN_MB
    what = f"{available_mb:.0f} MB of memory are free; {needed_mb} MB may be needed."
    if available_mb < needed_mb:
        return Finding("memory", Verdict.WARN, what, "Stop other programs, or set a smaller historian.seal_rows.")
    return Finding("memory", Verdict.OK, what)
