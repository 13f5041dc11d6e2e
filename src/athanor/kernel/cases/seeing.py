"""What cases there are for a viewer: lists, one whole, counts, and how long things took."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select

from athanor.kernel.cases.flow import State
from athanor.kernel.cases.records import Case, Counts, Dossier, case_of, entry_of, source_of, task_of
from athanor.kernel.cases.tables import CaseHistoryRow, CaseRow, CaseSourceRow, CaseTaskRow
from athanor.kernel.cases.working import seen_by
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.identity.user import User

_MOST = 1000
_OVER = (State.RESOLVED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases are asked for; what is left out asks nothing."""

    states: Sequence[State] = ()
    owner: str | None = None
    priority: int | None = None  # and more urgent ones
    category: str = ""
    under: str = ""  # a node
    text: str = ""
    is_overdue: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases, the most pressing first, and how many there are."""

    cases: Sequence[Case]
    total: int


@dataclass(frozen=True, slots=True)
class Span:
    """How long one part of dealing with cases took. [s]"""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """From what happened to its closing, part by part; of cases that were opened in a period."""

    cases: int
    closed: int
    overdue: int
    escalated: int
    detect: Span
    notify: Span
    acknowledge: Span
    dispose: Span
    close: Span


class Seeing:
    """Reading cases."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def page(self, viewer: User, wanted: Filter, *, start: int = 0, most: int = 50) -> Page:
        """Those that match, from number `start` on: open ones first, then by priority and when they are due."""
        where = self._where(viewer, wanted)
        query = (
            select(CaseRow)
            .where(*where)
            .order_by(
                CaseRow.state == State.CLOSED, CaseRow.priority, CaseRow.due_at, CaseRow.id.desc()
            )
            .offset(start)
            .limit(min(most, _MOST))
        )  # fmt: skip
        async with self._database.reading() as session:
            total = await session.scalar(select(func.count(CaseRow.id)).where(*where)) or 0
            return Page([case_of(row) for row in (await session.scalars(query)).all()], total)

    async def get(self, viewer: User, case_id: int) -> Dossier:
        """All of one case. Raises NotFoundError."""
        async with self._database.reading() as session:
            row = await session.scalar(_mine(select(CaseRow).where(CaseRow.id == case_id), viewer))
            if row is None:
                raise NotFoundError("case", case_id)
            is_guest = viewer.tenants is not None and row.tenant not in viewer.tenants
            tasks = select(CaseTaskRow).where(CaseTaskRow.case_id == case_id).order_by(CaseTaskRow.id)
            sources = select(CaseSourceRow).where(CaseSourceRow.case_id == case_id).order_by(CaseSourceRow.at)
            history = select(CaseHistoryRow).where(CaseHistoryRow.case_id == case_id).order_by(CaseHistoryRow.id)
            return Dossier(
                case_of(row),
                [source_of(one) for one in (await session.scalars(sources.limit(_MOST))).all()],
                [task_of(one) for one in (await session.scalars(tasks.limit(_MOST))).all()],
                [entry_of(one) for one in (await session.scalars(history.limit(_MOST))).all()],
                is_guest,
            )

    async def of_subject(self, viewer: User, subject: str) -> Case | None:
        """The case that is about it, if there is one and the viewer sees it."""
        query = select(CaseRow).join(CaseSourceRow, CaseSourceRow.case_id == CaseRow.id)
        async with self._database.reading() as session:
            row = await session.scalar(_mine(query.where(CaseSourceRow.subject == subject), viewer))
            return None if row is None else case_of(row)

    async def counts(self, viewer: User) -> Counts:
        """How many are not closed, the viewer's, overdue, escalated, to be verified."""
        now = self._now()
        open_ = CaseRow.state != State.CLOSED
        overdue = CaseRow.state.not_in(_OVER) & (CaseRow.due_at < now)

        def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
            return func.count(CaseRow.id).filter(condition)

        query = select(
            number(open_),
            number(open_ & (CaseRow.owner == viewer.login)),
            number(overdue),
            number(open_ & (CaseRow.escalated > 0)),
            number(CaseRow.state == State.RESOLVED),
        ).select_from(CaseRow)
        async with self._database.reading() as session:
            return Counts(*(await session.execute(_mine(query, viewer))).one())

    async def times(self, viewer: User, since: datetime, until: datetime) -> Times:
        """How long it took from what happened to each step of dealing with it, of cases opened in [since, until)."""
        where = self._where(viewer, Filter(since=since, until=until))
        async with self._database.reading() as session:
            rows = [case_of(row) for row in (await session.scalars(select(CaseRow).where(*where))).all()]
        now = self._now()
        return Times(
            len(rows),
            sum(row.closed_at is not None for row in rows),
            sum(row.is_overdue(now) or _was_overdue(row) for row in rows),
            sum(row.escalated > 0 for row in rows),
            _span([(row.occurred_at, row.detected_at) for row in rows]),
            _span([(row.occurred_at, row.notified_at) for row in rows]),
            _span([(row.occurred_at, row.acknowledged_at) for row in rows]),
            _span([(row.occurred_at, row.resolved_at) for row in rows]),
            _span([(row.occurred_at, row.closed_at) for row in rows]),
        )

    async def owners(self, tenant: str | None) -> Mapping[str, str]:
        """Who could be given a case of this enterprise: names by login, its own people before the park's."""
        query = select(UserRow).where(UserRow.disabled_at.is_(None))
        whose = UserRow.tenant.is_(None) if tenant is None else (UserRow.tenant == tenant) | UserRow.tenant.is_(None)
        async with self._database.reading() as session:
            rows = (await session.scalars(query.where(whose).order_by(UserRow.tenant.is_(None), UserRow.login))).all()
            return {row.login: row.name or row.login for row in rows}

    def _where(self, viewer: User, wanted: Filter) -> list[ColumnElement[bool]]:
        asked: list[tuple[object, Callable[[], ColumnElement[bool]]]] = [
            (wanted.states, lambda: CaseRow.state.in_(wanted.states)),
            (wanted.owner, lambda: CaseRow.owner == wanted.owner),
            (wanted.priority, lambda: CaseRow.priority <= wanted.priority),
            (wanted.category, lambda: CaseRow.category == wanted.category),
            (wanted.under, lambda: _is_under(wanted.under)),
            (wanted.text.strip(), lambda: _holds(wanted.text.strip())),
            (wanted.is_overdue, lambda: CaseRow.state.not_in(_OVER) & (CaseRow.due_at < self._now())),
            (wanted.since, lambda: CaseRow.detected_at >= wanted.since),
            (wanted.until, lambda: CaseRow.detected_at < wanted.until),
        ]
        where = [condition() for given, condition in asked if given]
        seen = seen_by(viewer)
        return where if seen is None else [*where, seen]


def _is_under(node: str) -> ColumnElement[bool]:
    return (CaseRow.path == node) | CaseRow.path.startswith(f"{node}.", autoescape=True)


def _holds(text: str) -> ColumnElement[bool]:
    """Its number, or a part of a source's path or of what was said in it."""
    words = select(CaseHistoryRow.case_id).where(CaseHistoryRow.text.icontains(text, autoescape=True))
    found = CaseRow.path.icontains(text, autoescape=True) | CaseRow.id.in_(words)
    number = text.removeprefix("#")
    return found | (CaseRow.id == int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else found


def _mine(query: Any, viewer: User) -> Any:  # any Select: its types count the columns
    seen = seen_by(viewer)
    return query if seen is None else query.where(seen)


def _was_overdue(row: Case) -> bool:
    return row.due_at is not None and row.resolved_at is not None and row.resolved_at > row.due_at


def _span(pairs: Sequence[tuple[datetime, datetime | None]]) -> Span:
    took = sorted((end - start) / timedelta(seconds=1) for start, end in pairs if end is not None)
    if not took:
        return Span(0, None, None)
    return Span(len(took), median(took), took[min(len(took) - 1, int(0.9 * len(took)))])
