"""What is asked of the documents' tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.documents.records import ASSET, PATTERNS, Kind, Listed, Rules, Told, Wish
from athanor.kernel.documents.tables import DocumentRow, LinkRow, VersionRow
from athanor.kernel.errors import NotFoundError

_MOST_SAME = 10
_LARGEST_ID = 2**31 - 1  # that every database can look up
_NEWEST = and_(VersionRow.document_id == DocumentRow.id, VersionRow.number == DocumentRow.newest)
_SORTS: dict[str, Any] = {
    "title": func.lower(DocumentRow.title),
    "file": func.lower(VersionRow.file_name),
    "size": VersionRow.size,
    "type": VersionRow.media_type,
    "person": VersionRow.made_by,
    "changed": DocumentRow.changed_at,
}


async def find(session: AsyncSession, wish: Wish) -> tuple[list[Listed], int]:
    """The documents of a page, and how many there are in all."""
    conditions = list(_conditions(wish))
    total = await session.scalar(select(func.count(DocumentRow.id)).join(VersionRow, _NEWEST).where(*conditions))
    sort = _SORTS.get(wish.sort, DocumentRow.changed_at)
    order = sort.desc() if wish.is_descending else sort.asc()
    query = select(DocumentRow, VersionRow).join(VersionRow, _NEWEST).where(*conditions)
    found = (
        await session.execute(query.order_by(order, DocumentRow.id.desc()).offset(wish.offset).limit(wish.limit))
    ).all()
    return await _listed(session, [(one[0], one[1]) for one in found]), total or 0


def _conditions(wish: Wish) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        DocumentRow.removed_at.is_not(None) if wish.is_removed else DocumentRow.removed_at.is_(None)
    ]
    conditions += [DocumentRow.found_by.contains(word, autoescape=True) for word in wish.text.casefold().split()[:20]]
    if wish.kind is Kind.OTHER:
        conditions += [not_(VersionRow.media_type.like(one)) for some in PATTERNS.values() for one in some]
    elif wish.kind is not None:
        conditions.append(or_(*(VersionRow.media_type.like(one) for one in PATTERNS[wish.kind])))
    if wish.person is not None:
        conditions.append(VersionRow.made_by == wish.person)
    if wish.asset is not None:
        below = LinkRow.subject.startswith(f"{wish.asset}.", autoescape=True)
        conditions.append(_tied(LinkRow.kind == ASSET, or_(LinkRow.subject == wish.asset, below)))
    if wish.about is not None:
        conditions.append(_tied(LinkRow.kind == wish.about.kind, LinkRow.subject == wish.about.subject))
    return conditions


def _tied(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return DocumentRow.id.in_(select(LinkRow.document_id).where(*conditions))


async def _listed(session: AsyncSession, found: Sequence[tuple[DocumentRow, VersionRow]]) -> list[Listed]:
    links: dict[int, list[LinkRow]] = {document.id: [] for document, _version in found}
    if links:
        query = select(LinkRow).where(LinkRow.document_id.in_(list(links))).order_by(LinkRow.kind, LinkRow.subject)
        for link in await session.scalars(query):
            links[link.document_id].append(link)
    return [Listed(document, version, links[document.id]) for document, version in found]


async def document_of(session: AsyncSession, document_id: int, *, locked: bool = False) -> DocumentRow:
    """Raises NotFoundError, also for a document of another tenant."""
    query = select(DocumentRow).where(DocumentRow.id == document_id)
    is_possible = 0 < document_id <= _LARGEST_ID
    document = await session.scalar(query.with_for_update() if locked else query) if is_possible else None
    if document is None:
        raise NotFoundError("document", document_id)
    return document


async def version_of(session: AsyncSession, document_id: int, number: int | None) -> VersionRow:
    """A version, or the newest for None. Raises NotFoundError."""
    document = await document_of(session, document_id)
    wanted = document.newest if number is None else number
    query = select(VersionRow).where(VersionRow.document_id == document.id, VersionRow.number == wanted)
    version = await session.scalar(query)
    if version is None:
        raise NotFoundError("version", f"{document_id}/{wanted}")
    return version


async def told(session: AsyncSession, document_id: int, rules: Rules) -> Told:
    """A document whole. Raises NotFoundError."""
    document = await document_of(session, document_id)
    versions = await session.scalars(
        select(VersionRow).where(VersionRow.document_id == document_id).order_by(VersionRow.number.desc())
    )
    return Told(document, versions.all(), await links_of(session, document_id), goes_at(document, rules))


async def links_of(session: AsyncSession, document_id: int) -> Sequence[LinkRow]:
    """What a document is about."""
    query = select(LinkRow).where(LinkRow.document_id == document_id).order_by(LinkRow.kind, LinkRow.subject)
    return (await session.scalars(query)).all()


async def same_as(session: AsyncSession, version: VersionRow) -> Sequence[DocumentRow]:
    """Other documents whose newest version is the same file, and this one where an earlier version of it is."""
    ids = (
        select(DocumentRow.id)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(
            VersionRow.sha256 == version.sha256,
            VersionRow.id != version.id,
            or_(_NEWEST, DocumentRow.id == version.document_id),
            DocumentRow.removed_at.is_(None),
        )
    )
    query = select(DocumentRow).where(DocumentRow.id.in_(ids)).order_by(DocumentRow.id).limit(_MOST_SAME)
    return (await session.scalars(query)).all()


def goes_at(document: DocumentRow, rules: Rules) -> datetime | None:
    """When retention removes a document; None where never."""
    days = rules.retention_days.get(document.retention or "")
    return None if days is None else document.changed_at + timedelta(days=days)


async def expired(session: AsyncSession, rules: Rules, now: datetime) -> list[Listed]:
    """Documents that retention removes now, oldest first."""
    if not rules.retention_days:
        return []
    old = [
        and_(DocumentRow.retention == name, DocumentRow.changed_at <= now - timedelta(days=days))
        for name, days in rules.retention_days.items()
    ]
    query = select(DocumentRow, VersionRow).join(VersionRow, _NEWEST).where(DocumentRow.removed_at.is_(None), or_(*old))
    found = (await session.execute(query.order_by(DocumentRow.changed_at))).all()
    return await _listed(session, [(one[0], one[1]) for one in found])
