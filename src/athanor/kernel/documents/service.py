"""Documents as people use them: kept in versions, found, tied, removed and restored.

Who may do what is checked by routes and pages; whose a document is, here: each person's own tenant, and everybody's
for the park's people.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.documents import queries
from athanor.kernel.documents.contents import HEAD_BYTES
from athanor.kernel.documents.errors import DocumentChangeError, InfectedError, QuarantinedError
from athanor.kernel.documents.receiving import Kept, keep
from athanor.kernel.documents.records import (
    RESTORED_WITHIN,
    Filing,
    Incoming,
    Listed,
    Rules,
    Stored,
    Subject,
    Told,
    Wish,
)
from athanor.kernel.documents.scanning import Scanner
from athanor.kernel.documents.tables import DocumentRow, LinkRow, Scan, VersionRow
from athanor.kernel.documents.upkeep import Swept, Upkeep
from athanor.kernel.files.port import FileMissingError, Files
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User

_PIECE = 1 << 20  # bytes read at a time
_LONGEST_TITLE, _LONGEST_LABEL, _MOST_LABELS, _MOST_SUBJECTS = 200, 60, 20, 200
_LONGEST_TEXT = 2000


class Documents:
    """The documents of a park.

    A file is in the store before its row is kept. Where the row is not, nobody can be sure whether a database that
    went away kept it after all; so the file stays until a sweep finds that no row names it.
    """

    def __init__(
        self,
        database: Database,
        files: Files,
        rules: Rules,
        scanner: Scanner | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Both are used, and closed by whoever opened them. Without a scanner nothing is quarantined."""
        self.rules = rules
        self.upkeep = Upkeep(database, files, rules, scanner, now=now)
        self._database, self._files, self._now = database, files, now
        self._is_scanning = scanner is not None
        self._scans: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        """Stop searching for viruses; what waits is searched after the next start."""
        for task in list(self._scans):
            task.cancel()
        await asyncio.gather(*self._scans, return_exceptions=True)

    # ---- looking

    async def find(self, viewer: User, wish: Wish) -> tuple[list[Listed], int]:
        """The documents of a page, and how many there are in all."""
        async with self._seen_by(viewer).reading() as session:
            return await queries.find(session, wish)

    async def of(self, viewer: User, kind: str, subject: str, *, limit: int = 100) -> list[Listed]:
        """The documents that are about something, newest first."""
        return (await self.find(viewer, Wish(about=Subject(kind, subject), limit=limit)))[0]

    async def told(self, viewer: User, document_id: int) -> Told:
        """A document whole. Raises NotFoundError."""
        async with self._seen_by(viewer).reading() as session:
            return await queries.told(session, document_id, self.rules)

    async def expired(self, viewer: User) -> list[Listed]:
        """What the next sweep removes."""
        async with self._seen_by(viewer).reading() as session:
            return await queries.expired(session, self.rules, self._now())

    async def note_export(self, viewer: User, rows: int, *, address: str = "") -> None:
        """Note that a list of documents leaves."""
        async with self._database.session() as session:
            record(session, viewer.login, "documents.list-exported", address=address, detail={"rows": rows})

    # ---- reading

    async def open(
        self,
        viewer: User,
        document_id: int,
        number: int | None = None,
        *,
        from_quarantine: bool = False,
        address: str = "",
    ) -> VersionRow:
        """A version that may be read now; the newest for no number. Noted where it comes from quarantine.

        Raises NotFoundError, QuarantinedError and InfectedError: the last for everybody, whatever they may.
        """
        async with self._seen_by(viewer).reading() as session:
            version = await queries.version_of(session, document_id, number)
        if version.scan == Scan.INFECTED:
            await self._note(viewer, "documents.infected-refused", version, address)
            raise InfectedError(version.file_name, version.finding)
        if version.scan == Scan.PENDING:
            if not (from_quarantine and viewer.may("documents.administer")):
                raise QuarantinedError(version.file_name)
            await self._note(viewer, "documents.taken-from-quarantine", version, address)
        return version

    async def content(self, version: VersionRow, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a version that was opened, from `start` up to but without `stop`."""
        end = version.size if stop is None else min(stop, version.size)
        while start < end:
            piece = await self._files.get_range(version.blob, start, min(_PIECE, end - start))
            if not piece:
                raise FileMissingError(version.blob, "the store of files as long as it was")
            yield piece
            start += len(piece)

    async def head(self, version: VersionRow) -> bytes:
        """The first HEAD_BYTES of a version that was opened."""
        return await self._files.get_range(version.blob, 0, HEAD_BYTES)

    # ---- taking in

    async def upload(self, viewer: User, incoming: Incoming, filing: Filing, *, address: str = "") -> Stored:
        """Keep a new document. Raises what `keep` raises, and DocumentChangeError; then nothing is kept."""
        labels, retention = checked_labels(filing.labels), self._checked_class(filing.retention)
        title = _checked_title(filing.title) if filing.title.strip() else ""
        kept = await keep(self._files, incoming, self.rules)
        tenant = filing.tenant if viewer.tenant is None else viewer.tenant
        at = self._now()
        document = DocumentRow(
            tenant=tenant,
            title=title or kept.name,
            labels=list(labels),
            retention=retention,
            newest=1,
            made_by=viewer.login,
            made_at=at,
            changed_at=at,
            found_by="",
        )
        async with self._seen_by(viewer).session() as session:
            session.add(document)
            await session.flush()
            version = self._version(document, 1, kept, viewer, "", at)
            links = [_link(document, one, viewer, at) for one in filing.subjects[:_MOST_SUBJECTS]]
            session.add_all([version, *links])
            document.found_by = _found_by(document, version, links)
            await session.flush()
            _record(session, viewer, "documents.uploaded", document, address, file=kept.name, sha256=kept.sha256)
            same = await queries.same_as(session, version)
        self._scan_soon()
        return Stored(version, same)

    async def add_version(
        self, viewer: User, document_id: int, incoming: Incoming, *, comment: str = "", address: str = ""
    ) -> Stored:
        """Keep a new version; of two that come at once both are kept, one after the other. Raises as `upload`."""
        async with self._seen_by(viewer).reading() as session:
            _check_present(await queries.document_of(session, document_id))
        kept = await keep(self._files, incoming, self.rules)
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            _check_present(document)
            version = self._version(document, document.newest + 1, kept, viewer, comment[:_LONGEST_TEXT], self._now())
            await self._append(session, document, version)
            _record(
                session,
                viewer,
                "documents.version-uploaded",
                document,
                address,
                number=version.number,
                file=kept.name,
                sha256=kept.sha256,
            )
            same = await queries.same_as(session, version)
        self._scan_soon()
        return Stored(version, same)

    async def go_back(self, viewer: User, document_id: int, number: int, *, address: str = "") -> VersionRow:
        """Let an earlier version be the newest again, as a new one of the same file. Raises InfectedError."""
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            _check_present(document)
            old = await queries.version_of(session, document_id, number)
            if old.scan == Scan.INFECTED:
                raise InfectedError(old.file_name, old.finding)
            if old.number == document.newest:
                raise DocumentChangeError(f"version {number} is the newest already.")
            kept = Kept(old.file_name, old.blob, old.media_type, old.size, old.sha256)
            version = self._version(document, document.newest + 1, kept, viewer, "", self._now())
            version.scan = old.scan
            await self._append(session, document, version)
            _record(session, viewer, "documents.went-back", document, address, number=version.number, to=number)
        return version

    # ---- filing

    async def change(
        self,
        viewer: User,
        document_id: int,
        *,
        title: str,
        labels: Sequence[str],
        retention: str | None,
        address: str = "",
    ) -> None:
        """File a document anew. Raises DocumentChangeError."""
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            _check_present(document)
            before = {"title": document.title, "labels": document.labels, "retention": document.retention}
            document.title, document.labels = _checked_title(title), checked_labels(labels)
            document.retention = self._checked_class(retention)
            await self._refile(session, document)
            after = {"title": document.title, "labels": document.labels, "retention": document.retention}
            _record(session, viewer, "documents.changed", document, address, before=before, after=after)

    async def tie(self, viewer: User, document_id: int, subject: Subject, *, address: str = "") -> None:
        """Say that a document is about something; said already, nothing happens."""
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            _check_present(document)
            links = await queries.links_of(session, document_id)
            if any((link.kind, link.subject) == (subject.kind, subject.subject) for link in links):
                return
            if len(links) >= _MOST_SUBJECTS:
                raise DocumentChangeError(f"it is about {_MOST_SUBJECTS} things already; untie some, or tie an area.")
            session.add(_link(document, subject, viewer, self._now()))
            await session.flush()
            await self._refile(session, document)
            _record(session, viewer, "documents.tied", document, address, kind=subject.kind, to=subject.subject)

    async def untie(self, viewer: User, document_id: int, kind: str, subject: str, *, address: str = "") -> None:
        """Take that back."""
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            gone = delete(LinkRow).where(
                LinkRow.document_id == document_id, LinkRow.kind == kind, LinkRow.subject == subject
            )
            await session.execute(gone)
            await self._refile(session, document)
            _record(session, viewer, "documents.untied", document, address, kind=kind, to=subject)

    async def remove(self, viewer: User, document_id: int, *, reason: str, address: str = "") -> None:
        """Take a document out of use; for RESTORED_WITHIN it can be restored. Raises DocumentChangeError."""
        if not reason.strip():
            raise DocumentChangeError("say why it is removed.")
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            _check_present(document)
            document.removed_at, document.removed_by = self._now(), viewer.login
            document.removal = reason.strip()[:_LONGEST_TEXT]
            _record(session, viewer, "documents.removed", document, address, reason=document.removal)

    async def restore(self, viewer: User, document_id: int, *, address: str = "") -> None:
        """Take a removed document into use again. Raises DocumentChangeError after RESTORED_WITHIN."""
        async with self._seen_by(viewer).session() as session:
            document = await queries.document_of(session, document_id, locked=True)
            if document.removed_at is None:
                raise DocumentChangeError("it was not removed.")
            if self._now() - document.removed_at > RESTORED_WITHIN:
                raise DocumentChangeError(f"it was removed more than {RESTORED_WITHIN.days} days ago.")
            if document.removed_by == self.upkeep.ACTOR:
                document.retention = None  # else the next sweep would remove it again
            document.removed_at = document.removed_by = document.removal = None
            _record(session, viewer, "documents.restored", document, address)

    async def sweep(self, viewer: User, *, address: str = "") -> Swept:
        """Do now what is otherwise done by the clock, for every tenant."""
        async with self._database.session() as session:
            record(session, viewer.login, "documents.sweep-asked", address=address)
        return await self.upkeep.sweep()

    # ---- within

    def _seen_by(self, viewer: User) -> Database:
        return self._database if viewer.tenants is None else SeenDatabase(self._database, viewer.tenants)

    def _version(
        self, document: DocumentRow, number: int, kept: Kept, viewer: User, comment: str, at: datetime
    ) -> VersionRow:
        return VersionRow(
            tenant=document.tenant,
            document_id=document.id,
            number=number,
            file_name=kept.name,
            media_type=kept.media_type,
            size=kept.size,
            sha256=kept.sha256,
            blob=kept.blob,
            made_by=viewer.login,
            made_at=at,
            comment=comment,
            scan=Scan.PENDING if self._is_scanning else Scan.UNSCANNED,
            finding="",
        )

    async def _append(self, session: AsyncSession, document: DocumentRow, version: VersionRow) -> None:
        session.add(version)
        document.newest, document.changed_at = version.number, version.made_at
        await session.flush()
        await self._refile(session, document)

    async def _refile(self, session: AsyncSession, document: DocumentRow) -> None:
        newest = (
            await session.scalars(
                select(VersionRow).where(VersionRow.document_id == document.id, VersionRow.number == document.newest)
            )
        ).one()
        document.found_by = _found_by(document, newest, await queries.links_of(session, document.id))

    def _checked_class(self, retention: str | None) -> str | None:
        if not retention:
            return None
        if retention not in self.rules.retention_days:
            known = ", ".join(self.rules.retention_days) or "none"
            raise DocumentChangeError(f"there is no class of retention {retention!r}; there are: {known}.")
        return retention

    async def _note(self, viewer: User, action: str, version: VersionRow, address: str) -> None:
        async with self._database.session() as session:
            subject, detail = str(version.document_id), {"number": version.number, "file": version.file_name}
            record(session, viewer.login, action, subject, address=address, detail=detail)

    def _scan_soon(self) -> None:
        if self._is_scanning:
            task: asyncio.Task[object] = asyncio.create_task(self.upkeep.scan_waiting(), name="documents:scan")
            self._scans.add(task)
            task.add_done_callback(self._scans.discard)


def checked_labels(labels: Sequence[str]) -> list[str]:
    """Labels without repeats and empty ones. Raises DocumentChangeError."""
    plain = [label for label in dict.fromkeys(_one_line(label) for label in labels) if label]
    if len(plain) > _MOST_LABELS:
        raise DocumentChangeError(f"{len(plain)} labels are more than {_MOST_LABELS}.")
    if long := next((label for label in plain if len(label) > _LONGEST_LABEL), None):
        raise DocumentChangeError(f"the label {long[:_LONGEST_LABEL]!r}… is longer than {_LONGEST_LABEL} characters.")
    return plain


def _checked_title(title: str) -> str:
    plain = _one_line(title)
    if not plain:
        raise DocumentChangeError("give it a title.")
    if len(plain) > _LONGEST_TITLE:
        raise DocumentChangeError(f"the title is longer than {_LONGEST_TITLE} characters.")
    return plain


def _one_line(text: str) -> str:
    """A text without signs that cannot be seen, and with single spaces."""
    seen = "".join(one for one in unicodedata.normalize("NFC", text) if one.isprintable() or one.isspace())
    return " ".join(seen.split())


def _check_present(document: DocumentRow) -> None:
    if document.removed_at is not None:
        raise DocumentChangeError("it was removed; restore it first.")


def _link(document: DocumentRow, subject: Subject, viewer: User, at: datetime) -> LinkRow:
    return LinkRow(
        tenant=document.tenant,
        document_id=document.id,
        kind=subject.kind,
        subject=subject.subject,
        words=subject.words,
        made_by=viewer.login,
        made_at=at,
    )


def _found_by(document: DocumentRow, newest: VersionRow, links: Sequence[LinkRow]) -> str:
    people = {document.made_by, newest.made_by}
    parts = [document.title, *document.labels, newest.file_name, newest.media_type, *sorted(people)]
    parts += [f"{link.subject}\n{link.words}" for link in links]
    return "\n".join(parts).casefold()


def _record(
    session: AsyncSession, viewer: User, action: str, document: DocumentRow, address: str, **detail: object
) -> None:
    detail = {"title": document.title, "tenant": document.tenant} | detail
    record(session, viewer.login, action, str(document.id), address=address, detail=detail)
