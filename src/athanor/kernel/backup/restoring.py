"""Bringing a backup back into a new place: all of it, or nothing, or knowingly what is whole of it."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from athanor.kernel.backup import keys
from athanor.kernel.backup.archive import Archive, checked
from athanor.kernel.backup.creating import DATABASE, KEYS_SEALED, Tell, say_nothing
from athanor.kernel.backup.database import POSTGRESQL, restore_postgresql
from athanor.kernel.backup.errors import (
    BackupDamagedError,
    DatabaseCopyError,
    DestinationError,
    NotEmptyError,
    WrongPassphraseError,
)
from athanor.kernel.backup.manifest import Entry, Manifest
from athanor.kernel.backup.verifying import check_version
from athanor.kernel.durable import flush

_log = structlog.get_logger(__name__)

_DRAFT = ".restoring"  # in the new place, until everything is there


@dataclass(frozen=True, slots=True)
class Wish:
    """How to restore."""

    data_dir: Path
    database_url: str | None = None  # of an empty database on PostgreSQL, for a backup from one
    passphrase: str | None = None  # of the keys; none are needed where they are in clear
    without_keys: bool = False  # leave out those that are encrypted
    what_is_whole: bool = False


async def restore(archive: Archive, manifest: Manifest, wish: Wish, tell: Tell = say_nothing) -> Sequence[str]:
    """Restore into a folder that is new or empty; returns what was damaged and left out, if that was wished.

    Raises BackupNewerError, NotEmptyError, BackupDamagedError, WrongPassphraseError, DatabaseCopyError,
    DestinationError, leaving the folder empty.
    """
    check_version(manifest)
    if manifest.database == POSTGRESQL and wish.database_url is None:
        raise DatabaseCopyError("the backup is of PostgreSQL; name an empty database on such a server")
    if wish.passphrase is None and not wish.without_keys and any(one.path == KEYS_SEALED for one in manifest.entries):
        raise WrongPassphraseError(manifest.name)
    _check_empty(wish.data_dir)
    draft = wish.data_dir / _DRAFT
    try:
        faults = await asyncio.to_thread(_fetch_all, archive, manifest, draft, tell)
        if faults and not (wish.what_is_whole and _can_do_without(faults, manifest)):
            raise BackupDamagedError(manifest.name, list(faults.values()))
        await asyncio.to_thread(_open_keys, draft, wish, manifest.name)
        dump = draft / DATABASE[POSTGRESQL]
        if manifest.database == POSTGRESQL:
            await restore_postgresql(wish.database_url or "", dump)
            dump.unlink()
        await asyncio.to_thread(_put_in_place, draft)
    except OSError as error:
        raise DestinationError(str(wish.data_dir), error) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    _log.info("backup.restored", backup=manifest.name, data_dir=str(wish.data_dir), left_out=len(faults))
    return list(faults.values())


def _check_empty(place: Path) -> None:
    """Raises NotEmptyError; what an interrupted restoration left is no content."""
    if place.exists() and (not place.is_dir() or any(one.name != _DRAFT for one in place.iterdir())):
        raise NotEmptyError(str(place))
    shutil.rmtree(place / _DRAFT, ignore_errors=True)


def _fetch_all(archive: Archive, manifest: Manifest, draft: Path, tell: Tell) -> dict[str, str]:
    """Every file into the draft, except those that are damaged: what is wrong with these, by path."""
    faults: dict[str, str] = {}
    done, size = 0, manifest.size or 1
    draft.mkdir(parents=True)
    for entry in manifest.entries:
        tell("restore", done / size)
        fault = _fetch(archive, entry, draft / entry.path)
        if fault is not None:
            faults[entry.path] = fault
        done += entry.size
    return faults


def _fetch(archive: Archive, entry: Entry, target: Path) -> str | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        os.fchmod(file.fileno(), 0o600 if target.suffix == ".key" else 0o640)
        fault = checked(archive, entry, file.write)
        file.flush()
        os.fsync(file.fileno())
    if fault is not None:
        target.unlink()
    return fault


def _can_do_without(faults: dict[str, str], manifest: Manifest) -> bool:
    """Without the database, or the log that says which files a table is made of, there is nothing to open."""
    needed = {DATABASE[manifest.database]}
    return not any(path in needed or "/_delta_log/" in path for path in faults)


def _open_keys(draft: Path, wish: Wish, backup: str) -> None:
    sealed = draft / KEYS_SEALED
    if not sealed.exists():
        return
    if wish.passphrase is not None and not wish.without_keys:
        for name, body in keys.opened(sealed.read_bytes(), wish.passphrase, backup).items():
            with os.fdopen(os.open(draft / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
    sealed.unlink()


def _put_in_place(draft: Path) -> None:
    """Move what was fetched to where the server looks for it; the database last, without which there is nothing."""
    last = DATABASE["sqlite"]
    for one in sorted(draft.iterdir(), key=lambda path: path.name == last):
        one.rename(draft.parent / one.name)
    flush(draft.parent)
