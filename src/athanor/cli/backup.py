"""`athanor backup`: made by the running server or, when none runs, of what it left; looked at, and brought back."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from athanor.cli.historian import RefusedError
from athanor.cli.running import session_with, trust_of, url_of
from athanor.kernel.backup import keys
from athanor.kernel.backup.archive import archive_at
from athanor.kernel.backup.creating import create
from athanor.kernel.backup.errors import DestinationError
from athanor.kernel.backup.manifest import Manifest
from athanor.kernel.backup.restoring import Wish
from athanor.kernel.backup.restoring import restore as bring_back
from athanor.kernel.backup.service import Wanted, absolute, at_rest, challenge_for, kept_keys
from athanor.kernel.backup.verifying import verify as check
from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.identity.instance import Instance
from athanor.kernel.settings import Settings
from athanor.platform import files_store, lake_store

_WITHIN_S = 60.0
_ASK_EVERY_S = 0.3
_OVER = ("succeeded", "failed", "cancelled")

Summary = dict[str, Any]
Tell = Callable[[str, float | None], None]


def passphrase_from_environment() -> str | None:
    """What ATHANOR_BACKUP_PASSPHRASE says."""
    return os.environ.get(keys.PASSPHRASE) or None


async def make(settings: Settings, place: str | None, passphrase: str | None, keep: int | None, tell: Tell) -> Summary:
    """Make a backup; without a passphrase the keys go into it in clear. Returns what is in it.

    Raises DestinationError, RefusedError, DatabaseCopyError.
    """
    where = absolute(place) if place is not None else settings.backup.destination
    if where is None:
        raise DestinationError("backup.destination", "no place was given, and the settings name none")
    sealed = None if passphrase is None else await asyncio.to_thread(keys.sealed, settings.data_dir, passphrase)
    async with session_with(settings) as session:
        if session is not None:
            return await _by_server(settings, session, where, sealed, keep, tell)
    return await _at_rest(settings, where, Wanted(keys=sealed, keys_in_clear=sealed is None, keep=keep), tell)


async def _by_server(
    settings: Settings, session: str, where: str, sealed: bytes | None, keep: int | None, tell: Tell
) -> Summary:
    instance = Instance.at(settings.data_dir)
    wish = {
        "place": where,
        "proof": instance.proof(challenge_for(where)),
        "keep": keep,
        "keys": None if sealed is None else sealed.decode(),
        "keys_in_clear": sealed is None,
    }
    async with httpx.AsyncClient(
        base_url=url_of(settings), verify=trust_of(settings), trust_env=False, timeout=_WITHIN_S
    ) as client:
        client.cookies.set("athanor_session", session)
        job = await _asked(client, "POST", "/api/v1/backups", wish)
        while job["state"] not in _OVER:
            tell(job["stage"], job["fraction"])
            await asyncio.sleep(_ASK_EVERY_S)
            job = await _asked(client, "GET", f"/api/v1/jobs/{job['id']}")
    if job["state"] != "succeeded":
        raise RefusedError(job["error"] or job["state"])
    return dict(job["summary"])


async def _asked(client: httpx.AsyncClient, method: str, address: str, body: Any = None) -> Summary:
    try:
        answer = await client.request(method, address, json=body)
    except httpx.HTTPError as error:
        raise RefusedError(error) from error
    if answer.is_error:
        raise RefusedError(answer.json()["detail"]["message"])
    return dict(answer.json())


async def _at_rest(settings: Settings, where: str, wish: Wanted, tell: Tell) -> Summary:
    """Of what a server left that does not run; nothing of it is changed, and none can start meanwhile."""
    try:
        claim = FolderClaim(settings.data_dir / "hot")
    except OSError as error:
        reason = "a server has the data open, and did not answer as the one of these settings"
        raise DestinationError(where, reason) from error
    try:
        files = files_store(settings)
        try:
            source = at_rest(settings, lake_store(settings), files)
            archive = archive_at(where, settings)
            manifest = await create(source, archive, kept_keys(settings.data_dir, wish), tell, keep=wish.keep)
        finally:
            await files.close()
    finally:
        claim.release()
    return manifest.summary()


def manifests(settings: Settings, place: str | None) -> tuple[list[Manifest], list[str]]:
    """The backups that are there, and the names of those whose manifest is not whole. Raises DestinationError."""
    archive = archive_at(_place(settings, place), settings)
    return archive.manifests(), archive.unreadable()


def verify(settings: Settings, place: str | None, name: str | None, tell: Tell) -> tuple[Manifest, list[str]]:
    """One backup and what is wrong with it. Raises NoBackupError, BackupNewerError, DestinationError."""
    archive = archive_at(_place(settings, place), settings)
    manifest = archive.manifest(name)
    return manifest, check(archive, manifest, tell)


async def restore(settings: Settings, place: str, name: str | None, wish: Wish, tell: Tell) -> tuple[Manifest, Any]:
    """Bring one back; returns it and what was left out. Raises what `restoring.restore` does."""
    archive = archive_at(_place(settings, place), settings)
    manifest = await asyncio.to_thread(archive.manifest, name)
    return manifest, await bring_back(archive, manifest, wish, tell)


def _place(settings: Settings, place: str | None) -> str:
    where = absolute(place) if place is not None else settings.backup.destination
    if where is None:
        raise DestinationError("backup.destination", "no place was given, and the settings name none")
    if "://" not in where and not Path(where).is_dir():
        raise DestinationError(where, "there is no such folder")
    return where


def show(summary: Summary, console: Console) -> None:
    """What is in a backup, how long it took, and what would be lost with it."""
    console.print(
        f"Backup {summary['name']}: {summary['samples']:,} samples, {summary['rows']:,} rows, "
        f"{summary['files']:,} files, {summary['bytes'] / 1e6:,.1f} MB, "
        f"of which {summary['copied_bytes'] / 1e6:,.1f} MB are new.",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"It took {summary['seconds']:,.1f} s. {_age(summary)}", markup=False, soft_wrap=True)


def _age(summary: Summary) -> str:
    if summary["newest_sample_at"] is None:
        return "It holds no samples."
    age = timedelta(seconds=round(summary["newest_sample_age_s"]))
    return f"Its newest sample is of {summary['newest_sample_at']}, {age} before it was begun."
