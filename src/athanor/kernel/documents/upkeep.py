"""What is done to documents by the clock: the search for viruses, retention, and the removal of what nothing needs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from athanor.kernel.database.database import Database
from athanor.kernel.documents import queries
from athanor.kernel.documents.receiving import FOLDER
from athanor.kernel.documents.records import RESTORED_WITHIN, Rules
from athanor.kernel.documents.scanning import Scanner
from athanor.kernel.documents.tables import DocumentRow, Scan, VersionRow
from athanor.kernel.errors import AthanorError
from athanor.kernel.files.port import Files
from athanor.kernel.identity.audit import record

_log = structlog.get_logger(__name__)

ABANDONED_AFTER = timedelta(days=1)  # a file whose row has not come by then has been left by a crash
_PIECE = 1 << 20
_AT_ONCE = 500  # rows
_ENOUGH_FAILURES = 3  # one after the other: then the scanner is away, and is asked again later


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    retired: int  # documents removed by retention
    purged: int  # documents that had been removed long ago and are gone now
    orphans: int  # files without a row


class Upkeep:
    """Works for every tenant; nobody looks on."""

    ACTOR = "documents"  # in the audit trail

    def __init__(
        self,
        database: Database,
        files: Files,
        rules: Rules,
        scanner: Scanner | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._files, self._rules, self._scanner, self._now = database, files, rules, scanner, now
        self._one_at_a_time = asyncio.Lock()
        self._is_failing = False
        self._failed: set[int] = set()  # versions

    async def scan_waiting(self) -> int:
        """Search what is in quarantine; returns how many versions came out of it, clean or not.

        What cannot be searched stays in quarantine, holds up nothing else, and is logged once.
        """
        done, failures = 0, 0
        async with self._one_at_a_time:
            for version in await self._waiting():
                try:
                    await self._judge(version)
                except AthanorError as error:
                    self._say_trouble(version, error)
                    failures += 1
                    if failures == _ENOUGH_FAILURES:
                        break
                else:
                    done, failures = done + 1, 0
                    self._failed.discard(version.id)
            if not failures and self._is_failing:
                self._is_failing = False
                _log.info("documents.scan-recovered")
        return done

    def _say_trouble(self, version: VersionRow, error: AthanorError) -> None:
        self._failed.add(version.id)
        if not self._is_failing:
            _log.warning("documents.scan-failed", document=version.document_id, code=error.code, reason=str(error))
        self._is_failing = True

    async def sweep(self) -> Swept:
        """Remove what retention says, forget what was removed long ago, and delete files that no row names."""
        return Swept(await self._retire(), await self._purge(), await self._delete_orphans())

    async def _waiting(self) -> list[VersionRow]:
        async with self._database.reading() as session:
            query = select(VersionRow).where(VersionRow.scan == Scan.PENDING).order_by(VersionRow.id).limit(_AT_ONCE)
            found = (await session.scalars(query)).all()
        return sorted(found, key=lambda version: version.id in self._failed)  # those that failed come last

    async def _judge(self, version: VersionRow) -> None:
        scan, finding = Scan.UNSCANNED, ""  # the scanner was taken out of the settings
        if self._scanner is not None:
            found = await self._scanner.scan(self._content(version))
            scan, finding = (Scan.CLEAN, "") if found is None else (Scan.INFECTED, found)
        async with self._database.session() as session:
            same = update(VersionRow).where(VersionRow.blob == version.blob, VersionRow.scan == Scan.PENDING)
            await session.execute(same.values(scan=scan, finding=finding))
            if scan is Scan.INFECTED:
                detail = {"number": version.number, "file": version.file_name, "finding": finding}
                record(session, self.ACTOR, "documents.found-infected", str(version.document_id), detail=detail)
                _log.warning("documents.found-infected", document=version.document_id, **detail)

    async def _content(self, version: VersionRow) -> AsyncIterator[bytes]:
        for start in range(0, version.size, _PIECE):
            yield await self._files.get_range(version.blob, start, _PIECE)

    async def _retire(self) -> int:
        async with self._database.session() as session:
            found = await queries.expired(session, self._rules, self._now())
            for one in found:
                days = self._rules.retention_days[one.document.retention or ""]
                one.document.removed_at, one.document.removed_by = self._now(), self.ACTOR
                one.document.removal = f"{one.document.retention}: {days} d"
                detail = {"title": one.document.title, "class": one.document.retention, "days": days}
                record(session, self.ACTOR, "documents.retired", str(one.document.id), detail=detail)
        return len(found)

    async def _purge(self) -> int:
        """Rows first: a row must never point at nothing. What a crash leaves in between, is an orphan."""
        async with self._database.session() as session:
            query = select(DocumentRow).where(DocumentRow.removed_at <= self._now() - RESTORED_WITHIN)
            gone = list((await session.scalars(query.limit(_AT_ONCE))).all())
            ids = [document.id for document in gone]
            blobs = set((await session.scalars(select(VersionRow.blob).where(VersionRow.document_id.in_(ids)))).all())
            await session.execute(delete(DocumentRow).where(DocumentRow.id.in_(ids)))
            for document in gone:
                record(session, self.ACTOR, "documents.purged", str(document.id), detail={"title": document.title})
        for blob in blobs:
            await self._files.delete(blob)
        return len(gone)

    async def _delete_orphans(self) -> int:
        before, deleted = self._now() - ABANDONED_AFTER, 0
        old: list[str] = []
        async for file in self._files.list_files(FOLDER):
            if file.stored_at < before:
                old.append(file.name)
            if len(old) >= _AT_ONCE:
                deleted += await self._delete_unnamed(old)
                old = []
        return deleted + await self._delete_unnamed(old)

    async def _delete_unnamed(self, names: list[str]) -> int:
        if not names:
            return 0
        async with self._database.reading() as session:
            named = set((await session.scalars(select(VersionRow.blob).where(VersionRow.blob.in_(names)))).all())
        for name in names:
            if name not in named:
                await self._files.delete(name)
        return len(set(names) - named)
