"""What was: occurrences and events, in pages. History is kept for ever, so nothing here reads all of it."""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from athanor.kernel.alarms.errors import BadPlaceError
from athanor.kernel.alarms.known import KnownRules, as_id
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.seeing import Placed, Sight, is_under
from athanor.kernel.alarms.tables import AlarmRow, CommentRow, EventRow, OccurrenceRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import microseconds, moment
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant

MOST = 1000  # rows of one page
_ROUNDS = 20  # queries for one page, where much of what is found is not the viewer's to see
_Row = TypeVar("_Row", bound=Placed)


class Phase(StrEnum):
    """Where an occurrence stands."""

    STANDING = "standing"  # not over yet
    ACTIVE = "active"  # its condition holds
    UNACKNOWLEDGED = "unacknowledged"  # not over, and nobody has acknowledged it
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find; what is None or empty leaves all.

    Parameters
    ----------
    under
        A node or tag: what is at or below it.
    since, until
        Raised, or happened, from the one on and before the other.
    text
        Part of the path or of the rule's name, in any language.
    phase, is_announced
        Of occurrences only.
    what
        Of events only.
    after
        `Page.next` of the page before.
    """

    under: str | None = None
    alarm: int | None = None
    rule: int | None = None
    priorities: Collection[int] = ()
    categories: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    phase: Phase | None = None
    is_announced: bool | None = None
    what: Collection[Trigger] = ()
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Occurred:
    """An occurrence: see `tables.OccurrenceRow`."""

    id: int
    alarm: int
    rule: int
    tenant: str | None
    path: str
    name: Mapping[str, str]
    priority: int
    category: str
    raised_at: datetime
    seen_at: datetime
    is_announced: bool
    is_late: bool
    value: float | None
    limit: float | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    cleared_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: see `tables.EventRow`."""

    id: int
    alarm: int
    rule: int
    occurrence: int | None
    tenant: str | None
    path: str
    name: Mapping[str, str]
    priority: int
    category: str
    what: Trigger
    from_state: State
    to_state: State
    at: datetime
    seen_at: datetime
    by: str
    reason: str
    value: float | None
    limit: float | None

    @property
    def raised_at(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote about an occurrence."""

    id: int
    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Some rows, the newest first; `next` is given as `Wanted.after` for those that follow, None at the end."""

    rows: Sequence[_Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An occurrence whole: what happened in it, the oldest first, and what was written about it."""

    occurrence: Occurred
    events: Sequence[Happened]
    comments: Sequence[Comment]


class History:
    """Occurrences and events as somebody may see them: their tenant's, and what others share with them."""

    def __init__(self, database: Database, plant: Callable[[], RunningPlant], rules: KnownRules) -> None:
        self._database, self._plant, self._rules = database, plant, rules

    async def occurrences(self, viewer: User, wanted: Wanted) -> Page[Occurred]:
        """Those that were raised, the newest first. Raises BadPlaceError."""
        sight = Sight(viewer, self._plant())
        visible = sight.rows(OccurrenceRow.tenant, OccurrenceRow.path, OccurrenceRow.raised_at)
        query = select(*_OCCURRENCE).where(visible, *_of_phase(wanted))
        if wanted.alarm is not None:
            query = query.where(OccurrenceRow.alarm_id == as_id(wanted.alarm))
        placed = _Columns(OccurrenceRow, OccurrenceRow.raised_at, OccurrenceRow.id)
        return await self._page(query, wanted, placed, self._occurred, sight)

    async def events(self, viewer: User, wanted: Wanted) -> Page[Happened]:
        """What happened, the newest first. Raises BadPlaceError."""
        sight = Sight(viewer, self._plant())
        visible = sight.rows(EventRow.tenant, AlarmRow.path, EventRow.at)
        query = select(*_EVENT).join(AlarmRow, AlarmRow.id == EventRow.alarm_id).where(visible)
        if wanted.alarm is not None:
            query = query.where(EventRow.alarm_id == as_id(wanted.alarm))
        if wanted.what:
            query = query.where(EventRow.what.in_([one.value for one in wanted.what]))
        placed = _Columns(AlarmRow, EventRow.at, EventRow.id)
        return await self._page(query, wanted, placed, self._happened, sight)

    async def occurrence(self, viewer: User, occurrence_id: int, *, most: int = MOST) -> Told:
        """One with its newest events and comments. Raises NotFoundError, also for one that they may not see."""
        sight = Sight(viewer, self._plant())
        async with self._database.reading() as session:
            query = select(*_OCCURRENCE).where(OccurrenceRow.id == as_id(occurrence_id))
            row = (await session.execute(query)).one_or_none()
            if row is None:
                raise NotFoundError("occurrence", occurrence_id)
            await self._rules.load(session, [row.rule_id])
            found = self._occurred(row)
            if not sight.covers(found):
                raise NotFoundError("occurrence", occurrence_id)
            happened = select(*_EVENT).join(AlarmRow, AlarmRow.id == EventRow.alarm_id)
            happened = happened.where(EventRow.occurrence_id == occurrence_id).order_by(EventRow.id.desc()).limit(most)
            events = [self._happened(one) for one in await session.execute(happened)]
            # What is written about an occurrence stays with those whose it is.
            comments = await _comments(session, occurrence_id, most) if sight.owns(found.tenant) else []
        return Told(found, events[::-1], comments)

    async def _page(
        self,
        query: Select[*tuple[Any, ...]],
        wanted: Wanted,
        placed: "_Columns",
        made: Callable[[Any], _Row],
        sight: Sight,
    ) -> Page[_Row]:
        """One page; asked for more where a share lends only some kinds of what was found."""
        limit = max(1, min(wanted.limit, MOST))
        rows: list[_Row] = []
        place = None if wanted.after is None else _place(wanted.after)
        async with self._database.reading() as session:
            query = query.where(*await _filters(session, wanted, placed))
            query = query.order_by(placed.at.desc(), placed.id.desc()).limit(limit + 1)
            for _ in range(_ROUNDS):
                later = query if place is None else query.where(placed.before(*place))
                found = (await session.execute(later)).all()
                await self._rules.load(session, {row.rule_id for row in found})
                for row in found:
                    if place is not None and len(rows) == limit:
                        return Page(rows, _cursor(*place))
                    place, one = (getattr(row, placed.at.key), row.id), made(row)
                    if sight.covers(one):
                        rows.append(one)
                if len(found) <= limit:
                    return Page(rows, None)
        return Page(rows, None if place is None else _cursor(*place))

    def _occurred(self, row: Any) -> Occurred:
        return Occurred(
            id=row.id,
            alarm=row.alarm_id,
            rule=row.rule_id,
            tenant=row.tenant,
            path=row.path,
            name=self._rules[row.rule_id].rule.name,
            priority=row.priority,
            category=row.category,
            raised_at=row.raised_at,
            seen_at=row.seen_at,
            is_announced=row.is_announced,
            is_late=row.is_late,
            value=row.value,
            limit=row.limit,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            cleared_at=row.cleared_at,
            ended_at=row.ended_at,
        )

    def _happened(self, row: Any) -> Happened:
        return Happened(
            id=row.id,
            alarm=row.alarm_id,
            rule=row.rule_id,
            occurrence=row.occurrence_id,
            tenant=row.tenant,
            path=row.path,
            name=self._rules[row.rule_id].rule.name,
            priority=row.priority,
            category=row.category,
            what=Trigger(row.what),
            from_state=State(row.from_state),
            to_state=State(row.to_state),
            at=row.at,
            seen_at=row.seen_at,
            by=row.by,
            reason=row.reason,
            value=row.value,
            limit=row.limit,
        )


_OCCURRENCE = tuple(OccurrenceRow.__table__.columns)
_EVENT = (*EventRow.__table__.columns, AlarmRow.path, AlarmRow.rule_id, AlarmRow.priority, AlarmRow.category)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the filters of a query look, and by what it is ordered."""

    of: type[OccurrenceRow] | type[AlarmRow]
    at: InstrumentedAttribute[datetime]
    id: InstrumentedAttribute[int]

    def before(self, at: datetime, row_id: int) -> ColumnElement[bool]:
        return or_(self.at < at, and_(self.at == at, self.id < row_id))


def _of_phase(wanted: Wanted) -> list[ColumnElement[bool]]:
    over = OccurrenceRow.ended_at
    phases: dict[Phase | None, list[ColumnElement[bool]]] = {
        None: [],
        Phase.STANDING: [over.is_(None)],
        Phase.ACTIVE: [over.is_(None), OccurrenceRow.cleared_at.is_(None)],
        Phase.UNACKNOWLEDGED: [over.is_(None), OccurrenceRow.acknowledged_at.is_(None)],
        Phase.ENDED: [over.is_not(None)],
    }
    announced = [] if wanted.is_announced is None else [OccurrenceRow.is_announced.is_(wanted.is_announced)]
    return [*phases[wanted.phase], *announced]


async def _filters(session: AsyncSession, wanted: Wanted, placed: _Columns) -> list[ColumnElement[bool]]:
    of, found = placed.of, []
    if wanted.under:
        found.append(is_under(of.path, wanted.under))
    if wanted.rule is not None:
        found.append(of.rule_id == as_id(wanted.rule))
    if wanted.priorities:
        found.append(of.priority.in_(sorted(wanted.priorities)))
    if wanted.categories:
        found.append(of.category.in_(sorted(wanted.categories)))
    if wanted.since is not None:
        found.append(placed.at >= wanted.since)
    if wanted.until is not None:
        found.append(placed.at < wanted.until)
    if text := wanted.text.strip():
        named = await _rules_named(session, text)
        found.append(or_(of.path.icontains(text, autoescape=True), of.rule_id.in_(named)))
    return found


async def _rules_named(session: AsyncSession, text: str) -> list[int]:
    """Rules with this in their name: there are few of them, and their names are JSON."""
    names = await session.execute(select(RuleRow.id, RuleRow.content["name"]))
    return [rule for rule, name in names if any(text.casefold() in one.casefold() for one in (name or {}).values())]


async def _comments(session: AsyncSession, occurrence_id: int, most: int) -> list[Comment]:
    query = select(CommentRow).where(CommentRow.occurrence_id == occurrence_id).order_by(CommentRow.id.desc())
    rows = (await session.scalars(query.limit(most))).all()
    return [Comment(row.id, row.by, row.at, row.text) for row in reversed(rows)]


def _cursor(at: datetime, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{microseconds(at)}.{row_id}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, int]:
    try:
        at_us, row_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(".")
        return moment(int(at_us)), int(row_id)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadPlaceError(cursor) from error
