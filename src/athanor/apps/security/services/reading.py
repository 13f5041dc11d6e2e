"""What an administrator reads of the trail: a page of it, one entry, the time line, an export."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from athanor.apps.security.services.acts import EXPORTED, FINDINGS_EXPORTED
from athanor.kernel.database.database import Database
from athanor.kernel.identity import trail
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.trail import Entry, Link, Wanted
from athanor.kernel.identity.trail_file import TrailForm, begin, written
from athanor.kernel.identity.user import User


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, the newest first; which of them are somebody's first sign-in from where they sat; how many in all.

    `total` is counted as far as `trail.COUNTED_MOST`.
    """

    entries: Sequence[Entry]
    new_addresses: frozenset[int]
    total: int


async def read_page(database: Database, viewer: User, wanted: Wanted, *, limit: int, before: int | None = None) -> Page:
    """A page of what the viewer may see; with `before` of what is older than the entry of that id."""
    async with database.reading() as session:
        entries = await trail.newest(session, wanted, viewer.tenants, limit=limit, before=before)
        return Page(
            entries,
            await trail.from_new_addresses(session, entries),
            await trail.count(session, wanted, viewer.tenants),
        )


async def read_entry(database: Database, viewer: User, number: int) -> Link:
    """One entry. Raises NotFoundError."""
    async with database.reading() as session:
        return await trail.one(session, number, viewer.tenants)


async def export(
    database: Database, viewer: User, wanted: Wanted, form: TrailForm, *, address: str
) -> AsyncIterator[bytes]:
    """A file of what the viewer may see, piece by piece; that it was taken is entered before the first.

    Entries that are made meanwhile are not in it.
    """
    async with database.reading() as session:
        until = await trail.head(session)
    async with database.session() as session:
        record(session, viewer.login, EXPORTED, str(form), address=address, detail=_told(wanted))
    yield begin(form)
    async for piece in trail.oldest(database, wanted, viewer.tenants, until=until):
        yield written(piece, form)


async def note_findings_export(database: Database, viewer: User, rows: int, *, address: str) -> None:
    """Enter that somebody takes the list of what to look at away."""
    async with database.session() as session:
        record(session, viewer.login, FINDINGS_EXPORTED, address=address, detail={"entries": rows})


def _told(wanted: Wanted) -> Mapping[str, Any]:
    """The filter as it stands in the trail: only what narrows."""
    return {
        "actor": wanted.actor,
        "actions": sorted(wanted.actions),
        "subject": wanted.subject,
        "address": wanted.address,
        "text": wanted.text,
        "from": None if wanted.start is None else wanted.start.isoformat(),
        "to": None if wanted.end is None else wanted.end.isoformat(),
    }
