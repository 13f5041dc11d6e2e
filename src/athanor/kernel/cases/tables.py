"""The tables of cases. History is never changed: it is the record."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.database.tenancy import TenantOwned

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class CaseRow(TenantOwned, Base):
    """Something that has to be dealt with: opened by an alarm, an app or a person, closed by a disposition."""

    __tablename__ = "cases_cases"
    __table_args__ = (Index("ix_cases_cases_state_due_at", "state", "due_at"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[dict[str, Any]] = mapped_column(JSON)  # by language
    path: Mapped[str] = mapped_column(index=True)  # tag or node concerned; "" for none
    priority: Mapped[int]  # a rule.Priority
    category: Mapped[str]
    state: Mapped[str] = mapped_column(String(20), index=True)  # flow.State
    owner: Mapped[str | None] = mapped_column(index=True)  # login
    team: Mapped[str]  # department that it was given to; "" for none
    occurred_at: Mapped[datetime]  # source time of the first of what it is about
    detected_at: Mapped[datetime]
    notified_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    escalated: Mapped[int]  # how often it was given further up
    disposition: Mapped[str]  # a flow.Disposition; "" until then
    cause: Mapped[str]
    made_by: Mapped[str]  # login; "" for a rule or an app
    revision: Mapped[int]


class CaseSourceRow(TenantOwned, Base):
    """What a case is about. The database lets one thing be in one case only."""

    __tablename__ = "cases_sources"
    __table_args__ = (UniqueConstraint("subject"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases_cases.id"), index=True)
    subject: Mapped[str] = mapped_column(String(300))  # `alarms.occurrence:12`
    title: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]


class CaseTaskRow(TenantOwned, Base):
    """A task within a case, for a person or a department, also of another body."""

    __tablename__ = "cases_tasks"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases_cases.id"), index=True)
    title: Mapped[str] = mapped_column(String(400))
    body: Mapped[str]  # department, enterprise or authority that does it
    owner: Mapped[str | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None]
    escalated: Mapped[int]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    result: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class CaseHistoryRow(TenantOwned, Base):
    """What happened to a case, and what was said in it."""

    __tablename__ = "cases_history"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases_cases.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    what: Mapped[str]  # opened, assigned, said, evidence, resolved …
    text: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
