"""Whether a backup brings a plant back, tried: restored beside the data, opened as a server opens it, counted."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from athanor.kernel.backup.archive import Archive
from athanor.kernel.backup.creating import DATABASE, Tell, say_nothing
from athanor.kernel.backup.database import POSTGRESQL, count_sqlite
from athanor.kernel.backup.errors import DatabaseCopyError
from athanor.kernel.backup.manifest import Contents, Manifest
from athanor.kernel.backup.restoring import Wish, restore
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.historian.extent import Tier
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity import audit


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of it."""

    name: str  # of the backup
    faults: tuple[str, ...]  # none where all that should be there was
    samples: int
    restored_in_s: float  # until it could be asked: what the recovery time comes to here
    lost_s: float  # how long ago the backup was made: what would be lost if the house burned down now

    def summary(self) -> dict[str, Any]:
        """As a job's result."""
        return {
            "name": self.name,
            "samples": self.samples,
            "restored_in_s": round(self.restored_in_s, 1),
            "lost_s": round(self.lost_s),
            "faults": list(self.faults),
        }


async def try_restore(archive: Archive, manifest: Manifest, room: Path, tell: Tell = say_nothing) -> Trial:
    """Restore into a folder below `room`, which goes afterwards, and compare with what the backup says of itself.

    Keys stay sealed: nobody is asked for the passphrase. Raises DatabaseCopyError for a backup of PostgreSQL, which
    needs an empty database, and what `restore` raises.
    """
    if manifest.database == POSTGRESQL:
        raise DatabaseCopyError(
            "a backup of PostgreSQL is tried with `athanor backup restore` and the address of an empty database"
        )
    lost_s = (datetime.now(UTC) - manifest.as_of).total_seconds()
    began = monotonic()
    with tempfile.TemporaryDirectory(dir=room, prefix=".restore-trial-") as folder:
        place = Path(folder) / "data"
        await restore(archive, manifest, Wish(place, without_keys=True), tell)
        found, faults = await _opened(place)
        restored_in_s = monotonic() - began
    return Trial(
        manifest.name, (*_differences(found, manifest.contents), *faults), found.samples, restored_in_s, lost_s
    )


async def _opened(place: Path) -> tuple[Contents, list[str]]:
    """How much there is in a restored place, and what is wrong with the audit trail in it."""
    file = place / DATABASE["sqlite"]
    rows = (await asyncio.to_thread(count_sqlite, file)).rows
    url = f"sqlite+aiosqlite:///{file}"
    await upgrade(url)
    database = Database(url)
    try:
        verified = await audit.verify(database)
    finally:
        await database.close()
    historian = await asyncio.to_thread(TieredHistorian, place / "hot", place / "lake", reserve_mb=0)
    try:
        extents = await historian.extents()
    finally:
        await historian.close()
    samples = extents[Tier.HOT].rows + extents[Tier.LAKE].rows
    return Contents(samples=samples, rows=rows), [] if verified.fault is None else [f"audit trail: {verified.fault}"]


def _differences(found: Contents, wanted: Contents) -> list[str]:
    faults = [
        f"{table} has {found.rows.get(table)} rows and should have {count}"
        for table, count in wanted.rows.items()
        if found.rows.get(table) != count
    ]
    if found.samples != wanted.samples:
        faults.append(f"there are {found.samples} samples and should be {wanted.samples}")
    return faults
