"""Whether a backup is what it was when it was made: every file by its checksum, the database and the lake by reading.

Nothing is changed, in the backup or anywhere else; what has to lie in a folder to be read is copied to a temporary one.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from athanor.kernel.backup import telemetry
from athanor.kernel.backup.archive import Archive, checked
from athanor.kernel.backup.creating import DATABASE, Tell, say_nothing
from athanor.kernel.backup.database import check_dump, count_sqlite
from athanor.kernel.backup.errors import BackupNewerError
from athanor.kernel.backup.manifest import FORMAT, Entry, Manifest
from athanor.kernel.database.migrating import is_known
from athanor.kernel.historian.hotlog import replayed


def check_version(manifest: Manifest) -> None:
    """Raises BackupNewerError where this version does not know how the backup's keeps things."""
    revision = manifest.contents.revision
    if manifest.format > FORMAT or (revision and not is_known(revision)):
        raise BackupNewerError(manifest.name, manifest.version)


def verify(archive: Archive, manifest: Manifest, tell: Tell = say_nothing) -> list[str]:
    """What is wrong with a backup, a line for each fault; none where it is whole. Raises BackupNewerError."""
    check_version(manifest)
    faults = []
    for done, entry in enumerate(manifest.entries):
        tell("checksums", done / len(manifest.entries))
        if (fault := checked(archive, entry, lambda _piece: None)) is not None:
            faults.append(fault)
    return faults or [*_database_faults(archive, manifest), *_telemetry_faults(archive, manifest)]


def _database_faults(archive: Archive, manifest: Manifest) -> Iterator[str]:
    name = DATABASE[manifest.database]
    with tempfile.TemporaryDirectory(prefix="athanor-") as folder:
        copy = Path(folder) / name
        entry = next((one for one in manifest.entries if one.path == name), None)
        if entry is None:
            yield f"{name} is missing"
            return
        _fetch(archive, entry, copy)
        if manifest.database != "sqlite":
            if (fault := check_dump(copy)) is not None:
                yield f"{name}: {fault}"
            return
        try:
            rows = count_sqlite(copy).rows
        except sqlite3.Error as error:
            yield f"{name}: {error}"
            return
        yield from (
            f"{name}: {table} has {rows.get(table)} rows and should have {count}"
            for table, count in manifest.contents.rows.items()
            if rows.get(table) != count
        )


def _telemetry_faults(archive: Archive, manifest: Manifest) -> Iterator[str]:
    """The tables by their logs, every Parquet file by its footer, the hot log by reading it; samples are counted."""
    entries = {entry.path: entry for entry in manifest.entries}
    samples, sealed_order = 0, -1
    with tempfile.TemporaryDirectory(prefix="athanor-") as folder:
        for path, entry in entries.items():
            if "/_delta_log/" in path:
                _fetch(archive, entry, Path(folder) / path)
        for table in sorted(one.name for one in (Path(folder) / "lake").glob("*")):
            try:
                delta = DeltaTable(str(Path(folder) / "lake" / table))
                files = telemetry.data_files(delta, table)
            except (OSError, DeltaError) as error:
                yield f"lake/{table}: {error}"
                continue
            for file in files:
                yield from _file_faults(archive, entries.get(f"lake/{file.name}"), file.name, file.rows)
            if table == telemetry.SAMPLES:
                samples += sum(file.rows for file in files)
                sealed_order = telemetry.sealed_order(delta)
        for path, entry in entries.items():
            if path.startswith("hot/") and path.endswith(".log"):
                copy = Path(folder) / Path(path).name
                _fetch(archive, entry, copy)
                generation = replayed(copy)
                copy.unlink()
                samples += generation.rows if generation.order > sealed_order else 0
    if samples != manifest.contents.samples:
        yield f"it has {samples} samples and should have {manifest.contents.samples}"


def _file_faults(archive: Archive, entry: Entry | None, name: str, rows: int) -> Iterator[str]:
    if entry is None:
        yield f"lake/{name} is missing"
        return
    try:
        with archive.open(entry) as file:
            found = pq.ParquetFile(file).metadata.num_rows
    except (OSError, pa.ArrowException) as error:
        yield f"lake/{name}: {error}"
        return
    if rows and found != rows:
        yield f"lake/{name} has {found} rows and should have {rows}"


def _fetch(archive: Archive, entry: Entry, target: Path) -> None:
    """A file of a backup to a folder; whole, since its checksum was right a moment ago."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        checked(archive, entry, file.write)
