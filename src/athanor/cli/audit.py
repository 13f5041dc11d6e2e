"""`athanor audit`: the trail's chain followed, in the database or in a file, and the trail written to a file.

Both work while the server runs: the trail is only ever added to.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from athanor.apps.security.services.acts import EXPORTED
from athanor.cli.accounts import ACTOR
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity import audit, trail
from athanor.kernel.identity.audit import Verified
from athanor.kernel.identity.trail import Wanted
from athanor.kernel.identity.trail_file import begin, form_of, written
from athanor.kernel.settings import Settings


class BadAuditExportError(AthanorError):
    """The audit trail cannot be written to a file as it was asked for."""

    code = "cli.bad-audit-export"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was exported: {reason}.")


def period(start: str | None, end: str | None) -> Wanted:
    """The entries from one moment to another, ISO 8601, UTC where no offset is given. Raises BadAuditExportError."""
    since, until = (None if text is None else _moment(text) for text in (start, end))
    if since is not None and until is not None and since >= until:
        raise BadAuditExportError(f"the start ({since.isoformat()}) is not before the end ({until.isoformat()})")
    return Wanted(start=since, end=until)


async def verify(settings: Settings) -> Verified:
    """Follow the chain from the first entry to the last."""
    async with _database(settings) as database:
        return await audit.verify(database)


async def export(settings: Settings, wanted: Wanted, file: Path) -> int:
    """Write the trail to a file, which is there whole or not at all; how many entries. The export is itself entered.

    Raises BadTrailFileError, BadAuditExportError.
    """
    form = form_of(file)
    fresh = file.with_name(f".{file.name}.part")
    rows = 0
    async with _database(settings) as database:
        try:
            with await asyncio.to_thread(fresh.open, "wb") as sink:
                await _write(sink, begin(form))
                async for piece in trail.oldest(database, wanted, None):
                    await _write(sink, written(piece, form))
                    rows += len(piece)
            await asyncio.to_thread(fresh.replace, file)
        except OSError as error:
            raise BadAuditExportError(f"{file} cannot be written ({error.strerror})") from error
        finally:
            fresh.unlink(missing_ok=True)
        detail = {
            "entries": rows,
            "from": None if wanted.start is None else wanted.start.isoformat(),
            "to": None if wanted.end is None else wanted.end.isoformat(),
        }
        async with database.session() as session:
            audit.record(session, ACTOR, EXPORTED, str(form), detail=detail)
    return rows


async def _write(sink: BinaryIO, piece: bytes) -> None:
    await asyncio.to_thread(sink.write, piece)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadAuditExportError(f"{text!r} is no time; write it like 2026-05-04T07:30+08:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    await upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()
