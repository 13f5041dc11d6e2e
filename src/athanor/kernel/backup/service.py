"""Backups of a running server: as a job for whoever asks, and as a function for a schedule."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from athanor.kernel.backup import keys
from athanor.kernel.backup.archive import archive_at
from athanor.kernel.backup.creating import KEYS_SEALED, Source, Tell, create, say_nothing
from athanor.kernel.backup.errors import DestinationError, NoBackupError
from athanor.kernel.backup.manifest import Manifest
from athanor.kernel.backup.telemetry import log_at_rest
from athanor.kernel.backup.trial import Trial, try_restore
from athanor.kernel.database.database import Database
from athanor.kernel.files.port import Files
from athanor.kernel.historian.store import Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.kernel.settings import Settings

KIND = "kernel.backup"  # of the jobs
CREATED, TRIED = "backup.created", "backup.tried"  # in the audit trail


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backup is asked for."""

    place: str | None = None  # the one in the settings, where left out
    proof: str = ""  # of `challenge_for(place)`, for any other place
    keep: int | None = None  # so many of the newest, this one included; all where left out
    keys: bytes | None = None  # of the server, sealed; with the environment's passphrase where left out
    keys_in_clear: bool = False


class Backups:
    """Makes backups of the server that it runs in."""

    def __init__(
        self, settings: Settings, database: Database, historian: TieredHistorian, lake: Store, files: Files
    ) -> None:
        self._settings = settings
        self._database = database
        self._source = Source(settings, lake, files, historian.log_now)

    @property
    def destination(self) -> str | None:
        """Where backups go that name no other place."""
        return self._settings.backup.destination

    def start(self, jobs: Jobs, owner: User, wish: Wanted, address: str = "") -> str:
        """Make one as a job; returns its id. Raises DestinationError for a place that was not proven to be wished."""
        place = self._place(wish)

        async def work(progress: Progress) -> JobResult:
            def tell(stage: str, share: float | None) -> None:
                progress.check_cancelled()
                progress.tell(stage=stage, fraction=share)

            manifest = await self._make(place, wish, owner.login, address, tell)
            return JobResult(manifest.summary())

        return jobs.start(KIND, place, owner, work)

    async def make_scheduled(self) -> Manifest:
        """Make one where the settings say, with the passphrase of the environment; old ones go. For a schedule.

        Raises DestinationError, NoPassphraseError, DatabaseCopyError, NotHeldStillError.
        """
        wish = Wanted(keep=self._settings.backup.keep)
        return await self._make(self._place(wish), wish, "backup", "", say_nothing)

    async def try_newest(self, tell: Tell = say_nothing) -> Trial:
        """Whether the newest backup in that place brings a plant back (`try_restore`). Raises NoBackupError too."""
        place = self._place(Wanted())
        archive = archive_at(place, self._settings)
        manifests = await asyncio.to_thread(archive.manifests)
        if not manifests:
            raise NoBackupError(place)
        trial = await try_restore(archive, manifests[-1], self._settings.data_dir, tell)
        async with self._database.session() as session:
            record(session, "backup", TRIED, trial.name, detail=trial.summary())
        return trial

    async def summaries(self) -> list[dict[str, Any]]:
        """The backups in the place that the settings name, oldest first. Raises DestinationError."""
        if self.destination is None:
            return []
        archive = archive_at(self.destination, self._settings)
        return [manifest.summary() for manifest in await asyncio.to_thread(archive.manifests)]

    def _place(self, wish: Wanted) -> str:
        if wish.place is None:
            if self.destination is None:
                raise DestinationError("backup.destination", "the settings name no place for backups")
            return self.destination
        instance = Instance.known(self._settings.data_dir)
        if instance is None or not instance.is_proof(challenge_for(wish.place), wish.proof):
            raise DestinationError(wish.place, "only who owns the server's files may name another place than settings")
        return wish.place

    async def _make(self, place: str, wish: Wanted, actor: str, address: str, tell: Tell) -> Manifest:
        archive = archive_at(place, self._settings)
        kept = await asyncio.to_thread(kept_keys, self._settings.data_dir, wish)
        manifest = await create(self._source, archive, kept, tell, keep=wish.keep)
        async with self._database.session() as session:
            detail = {"place": place, "samples": manifest.contents.samples, "bytes": manifest.size}
            record(session, actor, CREATED, manifest.name, address=address, detail=detail)
        return manifest


def kept_keys(data_dir: Path, wish: Wanted) -> dict[str, bytes]:
    """The keys as they go into a backup. Raises NoPassphraseError."""
    if wish.keys_in_clear:
        return keys.in_clear(data_dir)
    return {KEYS_SEALED: wish.keys or keys.from_environment(data_dir)}


def challenge_for(place: str) -> str:
    """What is to be proven by who names a place: that they can read the server's secret."""
    return f"backup to {hashlib.sha256(place.encode()).hexdigest()}"


def at_rest(settings: Settings, lake: Store, files: Files) -> Source:
    """What a server that does not run has left; whoever calls has claimed its hot tail."""
    return Source(settings, lake, files, lambda: log_at_rest(settings.data_dir / "hot"))


def absolute(place: str) -> str:
    """A place as the server understands it, whose working folder may be another."""
    return place if "://" in place else os.path.abspath(Path(place).expanduser())  # noqa: PTH100 it need not exist
