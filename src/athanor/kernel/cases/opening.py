"""Opening cases: by a person, by an app, and by alarms whose priority asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.cases.flow import State, due_within
from athanor.kernel.cases.tables import CaseHistoryRow, CaseRow, CaseSourceRow


@dataclass(frozen=True, slots=True)
class Opening:
    """What a case begins with.

    Parameters
    ----------
    title
        By language.
    subject
        What it is about, such as `alarms.occurrence:12`; "" for what a person has seen.
    joins_within
        It joins an open case of the same asset, or of one below it, that something was added to so recently: what goes
        wrong together is dealt with together. None: it has a case of its own.
    respond_within
        How long it may take; None: by its priority.
    by
        Login, or "" for a rule or an app.
    """

    title: Mapping[str, str]
    tenant: str | None
    occurred_at: datetime
    subject: str = ""
    joins_within: timedelta | None = None
    path: str = ""
    priority: int = 3
    category: str = "process"
    respond_within: timedelta | None = None
    notified_at: datetime | None = None
    owner: str | None = None
    team: str = ""
    by: str = ""
    text: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


async def open_case(session: AsyncSession, one: Opening, now: datetime) -> tuple[CaseRow, bool]:
    """The case, and whether it is new: what is about something that has a case joins that.

    A closed case is joined by its own subject only.
    """
    found = await _case_of(session, one)
    if found is not None:
        if one.subject and not await _has(session, one.subject):
            _add_source(session, found, one)
            found.priority = min(found.priority, one.priority)
            found.revision += 1
            note(session, found, one.by, "joined", now, text=one.title.get("en", ""), detail={"subject": one.subject})
            await session.flush()
        return found, False
    row = CaseRow(
        tenant=one.tenant, title=dict(one.title), path=one.path, priority=one.priority, category=one.category,
        state=State.ASSIGNED if one.owner else State.OPEN, owner=one.owner, team=one.team,
        occurred_at=one.occurred_at, detected_at=now, notified_at=one.notified_at, acknowledged_at=None,
        resolved_at=None, verified_at=None, closed_at=None, due_at=now + due_within(one.priority, one.respond_within),
        escalated=0, disposition="", cause="", made_by=one.by, revision=1,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    if one.subject:
        _add_source(session, row, one)
    note(session, row, one.by, "opened", now, text=one.text, detail=dict(one.detail))
    await session.flush()
    return row, True


def note(
    session: AsyncSession,
    row: CaseRow,
    by: str,
    what: str,
    at: datetime,
    *,
    text: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Put something into a case's history."""
    session.add(
        CaseHistoryRow(tenant=row.tenant, case_id=row.id, at=at, by=by, what=what, text=text, detail=dict(detail or {}))
    )


def _add_source(session: AsyncSession, row: CaseRow, one: Opening) -> None:
    session.add(
        CaseSourceRow(tenant=row.tenant, case_id=row.id, subject=one.subject, title=dict(one.title), at=one.occurred_at)
    )


async def _has(session: AsyncSession, subject: str) -> bool:
    return await session.scalar(select(CaseSourceRow.id).where(CaseSourceRow.subject == subject)) is not None


async def _case_of(session: AsyncSession, one: Opening) -> CaseRow | None:
    if one.subject:
        query = select(CaseSourceRow.case_id).where(CaseSourceRow.subject == one.subject)
        case_id = await session.scalar(query)
        if case_id is not None:
            return await session.get(CaseRow, case_id, with_for_update=True)
    if one.joins_within is None or not one.path:
        return None
    asset = one.path.rpartition(".")[0] or one.path
    query = (
        select(CaseSourceRow.case_id)
        .join(CaseRow, CaseRow.id == CaseSourceRow.case_id)
        .where(CaseRow.path.startswith(f"{asset}.", autoescape=True) | (CaseRow.path == asset))
        .where(CaseSourceRow.at >= one.occurred_at - one.joins_within, CaseRow.state != State.CLOSED)
        .where(CaseRow.tenant == one.tenant if one.tenant is not None else CaseRow.tenant.is_(None))
        .order_by(CaseSourceRow.case_id)
        .limit(1)
    )
    case_id = await session.scalar(query)
    return None if case_id is None else await session.get(CaseRow, case_id, with_for_update=True)
