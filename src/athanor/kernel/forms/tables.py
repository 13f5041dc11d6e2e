"""The tables of forms. Versions, decisions and history are never changed: they are the record."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.database.tenancy import TenantOwned

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class DefinitionRow(Base):
    """A form: as it is being built, and which version holds. The park's own are for every tenant to fill in.

    Not `TenantOwned`, since every tenant reads the park's: `building.Definitions` says who sees and changes which.
    """

    __tablename__ = "forms_definitions"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[str | None] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(80), index=True)  # what programs know it by
    draft: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `Definition`, as it is being built
    revision: Mapped[int]  # of the draft, so that two who build do not overwrite each other
    version: Mapped[int]  # the newest published; 0 for none
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]  # not for new entries any more


class VersionRow(Base):
    """What a form is or was."""

    __tablename__ = "forms_versions"
    __table_args__ = (UniqueConstraint("definition_id", "number"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("forms_definitions.id"))
    number: Mapped[int]  # 1, 2, …
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `Definition`
    published_by: Mapped[str]
    published_at: Mapped[datetime]


class EntryRow(TenantOwned, Base):
    """A form that somebody fills in or has filled in, with the version it began with."""

    __tablename__ = "forms_entries"
    __table_args__ = (Index("ix_forms_entries_author_state", "author", "state"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("forms_definitions.id"), index=True)
    version: Mapped[int]
    author: Mapped[str]  # login
    subject: Mapped[str]  # what another app fills it in for, such as `permits.permit:12`
    state: Mapped[str]  # a flow.State
    round: Mapped[int]  # how often it was sent
    entered: Mapped[dict[str, Any]] = mapped_column(JSON)  # values by field; see `validation`
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class WaitingRow(TenantOwned, Base):
    """A step that is asked now. Follows from entry and decisions; kept so that it is found by whom it waits for."""

    __tablename__ = "forms_waiting"
    __table_args__ = (UniqueConstraint("entry_id", "step"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("forms_entries.id"))
    step: Mapped[str]
    who: Mapped[str]  # as the step says: role, person, post, author
    name: Mapped[str]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    reminded_at: Mapped[datetime | None]
    escalated_to: Mapped[str | None]  # role that may decide it too, since it is overdue


class DecisionRow(TenantOwned, Base):
    """What somebody decided at a step. The database lets no step of a round be decided twice."""

    __tablename__ = "forms_decisions"
    __table_args__ = (UniqueConstraint("entry_id", "round", "step"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("forms_entries.id"))
    round: Mapped[int]
    step: Mapped[str]
    verdict: Mapped[str]  # a flow.Verdict
    reason: Mapped[str]
    signature: Mapped[str | None]  # the path of its strokes
    by: Mapped[str] = mapped_column(index=True)  # login
    at: Mapped[datetime]


class HistoryRow(TenantOwned, Base):
    """What happened to an entry: made, changed with old and new value, sent, decided, reminded, ended."""

    __tablename__ = "forms_history"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("forms_entries.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    what: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
