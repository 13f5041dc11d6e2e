"""Reading the audit trail: by person, action, subject, period, address and text; the newest first, a page at a time.

Who belongs to an enterprise sees what that one's people did; the park's own people see everything.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import NOTHING
from athanor.kernel.identity.tables import AuditRow, UserRow

COUNTED_MOST = 10_000  # entries that are counted for a person who pages through them
SIGNED_IN = "identity.signed-in"
# Who acts without being a person. An enterprise that calls somebody so does not thereby see what these did.
PROCESSES = (
    "backup", "command line", "demo", "documents", "exchange", "forms", "historian", "jobs", "people", "retention",
    "schedule", "security", "system",
)  # fmt: skip
_PIECE = 1000  # entries read at a time
_LARGEST_ID = 2**63 - 1
_SEARCHED = (AuditRow.actor, AuditRow.action, AuditRow.subject, AuditRow.address, cast(AuditRow.detail, String))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody wants; what is empty or None leaves none out.

    Parameters
    ----------
    actor
        Exactly this login, edge, job or process.
    actions
        One of these.
    subject, address
        What these contain, in any case.
    text
        What any column contains, in any case.
    start, end
        Aware; the end is left out.
    """

    actor: str = ""
    actions: frozenset[str] = frozenset()
    subject: str = ""
    address: str = ""
    text: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in the trail."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    address: str
    detail: Mapping[str, Any]
    chain: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry and the chain that it was hung on to."""

    entry: Entry
    before: str


async def newest(
    session: AsyncSession, wanted: Wanted, tenants: frozenset[str] | None, *, limit: int, before: int | None = None
) -> Sequence[Entry]:
    """Entries, the newest first; with `before` those older than the entry of that id."""
    query = _query(select(AuditRow), wanted, tenants).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return [entry_of(row) for row in await session.scalars(query)]


async def count(
    session: AsyncSession, wanted: Wanted, tenants: frozenset[str] | None, *, most: int = COUNTED_MOST
) -> int:
    """How many there are, as far as `most`."""
    some = _query(select(AuditRow.id), wanted, tenants).limit(most).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def one(session: AsyncSession, number: int, tenants: frozenset[str] | None) -> Link:
    """One entry. Raises NotFoundError, also for one that the person may not see."""
    condition = and_(AuditRow.id == number, _seen_by(tenants))
    found = [link async for link in _links(session, condition)] if 0 < number <= _LARGEST_ID else []
    if not found:
        raise NotFoundError("entry", number)
    return found[0]


async def oldest(
    database: Database, wanted: Wanted, tenants: frozenset[str] | None, *, until: int | None = None
) -> AsyncIterator[Sequence[Link]]:
    """All of them in the order of the chain, in pieces; with `until` up to the entry of that id.

    Each piece is read in a view of its own: the trail only grows, so nothing is lost or doubled in between, and no
    reader of a long export holds up the database's tidying.
    """
    last_id = 0
    while True:
        conditions = [*_conditions(wanted, tenants), AuditRow.id > last_id]
        if until is not None:
            conditions.append(AuditRow.id <= until)
        async with database.reading() as session:
            piece = [link async for link in _links(session, and_(*conditions))]
        if not piece:
            return
        yield piece
        last_id = piece[-1].entry.id


async def last(session: AsyncSession, *actions: str) -> Entry | None:
    """The newest entry of one of these actions, whoever did it."""
    query = select(AuditRow).where(AuditRow.action.in_(actions)).order_by(AuditRow.id.desc()).limit(1)
    row = await session.scalar(query)
    return None if row is None else entry_of(row)


async def head(session: AsyncSession) -> int:
    """The id of the newest entry; 0 where there is none."""
    return await session.scalar(select(func.max(AuditRow.id))) or 0


async def from_new_addresses(session: AsyncSession, entries: Sequence[Entry]) -> frozenset[int]:
    """Which of these are the first sign-in of their person from where they sat then."""
    signed_in = [entry for entry in entries if entry.action == SIGNED_IN and entry.address]
    if not signed_in:
        return frozenset()
    query = (
        select(func.min(AuditRow.id))
        .where(
            AuditRow.action == SIGNED_IN,
            AuditRow.actor.in_({entry.actor for entry in signed_in}),
            AuditRow.address.in_({entry.address for entry in signed_in}),
        )
        .group_by(AuditRow.actor, AuditRow.address)
    )
    firsts = set(await session.scalars(query))
    return frozenset(entry.id for entry in signed_in if entry.id in firsts)


def entry_of(row: AuditRow) -> Entry:
    """What a row says."""
    return Entry(row.id, row.at, row.actor, row.action, row.subject, row.address, row.detail, row.chain)


async def _links(session: AsyncSession, condition: ColumnElement[bool]) -> AsyncIterator[Link]:
    earlier = aliased(AuditRow)
    # By order, not by id - 1: a transaction that was undone leaves a hole in PostgreSQL's numbers.
    before = (
        select(earlier.chain)
        .where(earlier.id < AuditRow.id)
        .order_by(earlier.id.desc())
        .limit(1)
        .correlate(AuditRow)
        .scalar_subquery()
    )
    query = select(AuditRow, before).where(condition).order_by(AuditRow.id).limit(_PIECE)
    for row, chain in await session.execute(query):
        yield Link(entry_of(row), chain or NOTHING)


def _query(query: Select[Any], wanted: Wanted, tenants: frozenset[str] | None) -> Select[Any]:
    return query.where(*_conditions(wanted, tenants))


def _conditions(wanted: Wanted, tenants: frozenset[str] | None) -> list[ColumnElement[bool]]:
    conditions = [_seen_by(tenants)]
    if wanted.actor:
        conditions.append(AuditRow.actor == wanted.actor)
    if wanted.actions:
        conditions.append(AuditRow.action.in_(sorted(wanted.actions)))
    if wanted.subject:
        conditions.append(AuditRow.subject.icontains(wanted.subject, autoescape=True))
    if wanted.address:
        conditions.append(AuditRow.address.icontains(wanted.address, autoescape=True))
    if wanted.text:
        conditions.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in _SEARCHED)))
    if wanted.start is not None:
        conditions.append(AuditRow.at >= wanted.start)
    if wanted.end is not None:
        conditions.append(AuditRow.at < wanted.end)
    return conditions


def _seen_by(tenants: frozenset[str] | None) -> ColumnElement[bool]:
    if tenants is None:
        return true()
    own = select(UserRow.login).where(UserRow.tenant.in_(sorted(tenants)), UserRow.login.not_in(PROCESSES))
    return AuditRow.actor.in_(own)
