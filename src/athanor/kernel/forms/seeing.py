"""Which entries somebody sees: those they made, decide or decided, and all of their tenant who administer forms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.errors import NotFoundError
from athanor.kernel.forms.building import BUILD, Definitions
from athanor.kernel.forms.deciders import DECIDE, People, read_people
from athanor.kernel.forms.definition import Definition, Who
from athanor.kernel.forms.flow import State, needed_steps
from athanor.kernel.forms.records import Asked, Dossier, Entry, asked_of, decisions_of, entry_of, history_of
from athanor.kernel.forms.tables import DecisionRow, EntryRow, WaitingRow
from athanor.kernel.identity.user import User

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Waits:
    """An entry that waits for the viewer, and for which step."""

    entry: Entry
    asked: Asked


@dataclass(frozen=True, slots=True)
class Found:
    """The newest entries of a list, at most MOST_LISTED, and how many there are."""

    entries: Sequence[Entry]
    total: int


class Seeing:
    """What entries there are for a viewer."""

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions

    async def get(self, viewer: User, entry_id: int) -> Dossier:
        """All of one entry. Raises NotFoundError, also for one that is not theirs to see."""
        async with self._seen(viewer).reading() as session:
            row = await session.get(EntryRow, entry_id)
            if row is None:
                raise NotFoundError("entry", entry_id)
            definition = await self._definitions.version(session, row.definition_id, row.version)
            people = await read_people(session)
            await check_sees(session, viewer, row, definition, people)
            asked = await asked_of(session, row, definition, people)
            history = await history_of(session, row.id)
            state = State(row.state)
            is_author = row.author == viewer.login
            logins = {row.author, *(one.by for one in history), *(login for one in asked for login in one.deciders)}
            return Dossier(
                entry_of(row, definition),
                [replace(one, is_mine=_is_asked(viewer, one)) for one in asked],
                await decisions_of(session, row.id),
                history,
                {login: people.name_of(login) for login in logins if login},
                may_change=is_author and state.is_authors,
                may_withdraw=not state.is_over and (is_author or viewer.may(BUILD)),
            )

    async def waiting(self, viewer: User) -> Sequence[Waits]:
        """What waits for the viewer's decision, the longest waiting first."""
        mine = or_(
            WaitingRow.who.in_((Who.POST, Who.AUTHOR)),
            (WaitingRow.who == Who.ROLE) & WaitingRow.name.in_(viewer.roles),
            (WaitingRow.who == Who.PERSON) & (WaitingRow.name == viewer.login),
            WaitingRow.escalated_to.in_(viewer.roles),
        )
        asked_ones = select(WaitingRow.entry_id).where(mine)
        query = select(EntryRow).where(EntryRow.id.in_(asked_ones)).order_by(EntryRow.id).limit(MOST_LISTED)
        found: list[Waits] = []
        async with self._seen(viewer).reading() as session:
            people = await read_people(session)
            for row in (await session.scalars(query)).all():
                definition = await self._definitions.version(session, row.definition_id, row.version)
                asked = await asked_of(session, row, definition, people)
                found += [
                    Waits(entry_of(row, definition), replace(one, is_mine=True))
                    for one in asked
                    if _is_asked(viewer, one)
                ]
        return sorted(found, key=lambda one: one.asked.asked_at)

    async def made(self, viewer: User) -> Found:
        """What the viewer filled in, or is filling in."""
        return await self._found(viewer, [EntryRow.author == viewer.login])

    async def all(self, viewer: User, form_id: int | None = None) -> Found:
        """Every entry that the viewer sees, of one form or of all."""
        conditions: list[ColumnElement[bool]] = [] if form_id is None else [EntryRow.definition_id == form_id]
        if not viewer.may(BUILD):
            waiting = {one.entry.id for one in await self.waiting(viewer)}
            decided = select(DecisionRow.entry_id).where(DecisionRow.by == viewer.login)
            theirs = or_(EntryRow.author == viewer.login, EntryRow.id.in_(decided), EntryRow.id.in_(waiting))
            conditions.append(theirs)
        return await self._found(viewer, conditions)

    async def _found(self, viewer: User, conditions: Sequence[ColumnElement[bool]]) -> Found:
        newest = select(EntryRow).where(*conditions).order_by(EntryRow.changed_at.desc(), EntryRow.id.desc())
        async with self._seen(viewer).reading() as session:
            total = await session.scalar(select(func.count(EntryRow.id)).where(*conditions))
            rows = (await session.scalars(newest.limit(MOST_LISTED))).all()
            entries = [
                entry_of(row, await self._definitions.version(session, row.definition_id, row.version)) for row in rows
            ]
            return Found(entries, total or 0)

    def _seen(self, viewer: User) -> Database:
        return self._database if viewer.tenants is None else SeenDatabase(self._database, viewer.tenants)


async def check_sees(
    session: AsyncSession, viewer: User, row: EntryRow, definition: Definition, people: People
) -> None:
    """Raises NotFoundError for an entry that is not the viewer's to see.

    Whom a step of it asks, asked or will ask sees it, so that who comes second learns how it was decided.
    """
    if row.author == viewer.login or viewer.may(BUILD):
        return
    decided = select(DecisionRow.id).where(DecisionRow.entry_id == row.id, DecisionRow.by == viewer.login).limit(1)
    if await session.scalar(decided):
        return
    person = people.by_login.get(viewer.login)
    if row.round and person is not None and viewer.may(DECIDE):
        needed = needed_steps(definition, row.entered)
        roles = {one.step.id: one.escalated_to for one in await asked_of(session, row, definition, people)}
        if any(people.may_decide(step, person, row.author, row.tenant, roles.get(step.id)) for step in needed):
            return
    raise NotFoundError("entry", row.id)


def _is_asked(viewer: User, asked: Asked) -> bool:
    return viewer.login in asked.deciders and (asked.step.who is Who.AUTHOR or viewer.may(DECIDE))
