"""What a server keeps, at work, and backups of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from athanor.kernel.backup.archive import Archive
from athanor.kernel.backup.creating import KEYS_SEALED, Source, create, say_nothing
from athanor.kernel.backup.keys import sealed
from athanor.kernel.backup.manifest import Manifest
from athanor.kernel.database.database import Database
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.service import Identity
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.settings import Settings
from athanor.kernel.vault import Vault

from ..historian.samples import numbered

PASSPHRASE = "pour the slag off first"
PASSWORD = "correct horse battery"
TAGS = 20


@dataclass
class House:
    """A server's parts, open; `send` is what an edge does."""

    settings: Settings
    database: Database
    historian: TieredHistorian
    files: FolderFiles
    lake: Store
    sent: list[int] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return Source(self.settings, self.lake, self.files, self.historian.log_now)

    async def send(self, *numbers: int) -> None:
        for number in numbers:
            await self.historian.write(numbered(number, tags=TAGS))
            self.sent.append(number)

    async def send_until(self, stop: asyncio.Event) -> None:
        """Samples and documents, on and on, and seals between."""
        number = len(self.sent)
        while not stop.is_set():
            await self.send(number)
            if number % 10 == 0:
                await self.historian.seal_now()
                await self.files.put(f"documents/{number}.pdf", b"%d" % number)
            number += 1

    async def backup(self, archive: Archive, *, keep: int | None = None) -> Manifest:
        kept = {KEYS_SEALED: sealed(self.settings.data_dir, PASSPHRASE)}
        return await create(self.source, archive, kept, say_nothing, keep=keep)


@pytest.fixture
async def house(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """With a person, a quarantine, keys, sealed and unsealed samples, and a document."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    settings = Settings(data_dir=data_dir, database_url=database_url, plant_file=tmp_path / "plant.yaml")
    (tmp_path / "plant.yaml").write_text("site: {}\n")
    Instance.at(data_dir)
    identity = Identity(database, Vault.at(data_dir))
    await identity.accounts.create("anna", Profile("Anna", ("administrator",), None), PASSWORD, actor="test")
    Quarantine(data_dir / "quarantine.sqlite").close()
    files = FolderFiles(data_dir / "files", reserve_mb=0)
    await files.put("documents/plan.pdf", b"how to tap" * 1000)
    lake = FolderStore(data_dir / "lake")
    historian = TieredHistorian(data_dir / "hot", lake, reserve_mb=0)
    opened = House(settings, database, historian, files, lake)
    await opened.send(*range(100))
    await historian.seal_now()
    await historian.roll_up_now()
    await opened.send(*range(100, 130))
    yield opened
    await historian.close()
    await files.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty place for backups."""
    return Archive(FolderStore(tmp_path / "backups"))
