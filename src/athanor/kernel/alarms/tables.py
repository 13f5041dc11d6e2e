"""The tables of alarms. Occurrences and events are the record; the row of an alarm is where it stands now."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.database.tenancy import TenantOwned

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class RuleRow(Base):
    """A rule as it holds now. The park's own (tenant None) may be about everybody's assets.

    Not `TenantOwned`, since tenants read the park's rules: `rulebook.RuleBook` says who sees and changes which.
    """

    __tablename__ = "alarms_rules"
    __table_args__ = (
        UniqueConstraint("tenant", "key"),
        # To SQL no NULL equals another, so the park's keys are held apart by an index of their own.
        Index(
            "uq_alarms_rules_park_key",
            "key",
            unique=True,
            sqlite_where=text("tenant IS NULL"),
            postgresql_where=text("tenant IS NULL"),
        ),
        _NEVER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[str | None] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(200), index=True)  # what programs and spreadsheets know it by
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `rule.Rule`
    revision: Mapped[int]  # 1, 2, …; so that two who edit do not overwrite each other
    is_enabled: Mapped[bool]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]  # removed; its history stays


class RuleRevisionRow(Base):
    """What a rule was, who made it so and why: the management of change."""

    __tablename__ = "alarms_rule_revisions"
    __table_args__ = (UniqueConstraint("rule_id", "revision"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("alarms_rules.id"))
    revision: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_enabled: Mapped[bool]
    by: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str]


class AlarmRow(TenantOwned, Base):
    """A rule at one place of the plant, and where it stands: what `lifecycle` says of it."""

    __tablename__ = "alarms_alarms"
    __table_args__ = (UniqueConstraint("rule_id", "path"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("alarms_rules.id"), index=True)
    path: Mapped[str] = mapped_column(index=True)  # tag or node
    priority: Mapped[int]  # a rule.Priority
    category: Mapped[str]
    state: Mapped[str] = mapped_column(String(5), index=True)  # lifecycle.State: of the alarm itself, under any hiding
    is_active: Mapped[bool]  # whether the condition holds, as last found
    is_judged: Mapped[bool]  # its rule is enabled and its place is in the plant
    is_suppressed: Mapped[bool]
    shelved_until: Mapped[datetime | None] = mapped_column(index=True)
    shelved_by: Mapped[str | None]
    out_of_service_by: Mapped[str | None]
    out_of_service_at: Mapped[datetime | None]
    out_of_service_reason: Mapped[str] = mapped_column(default="")
    hidden_reason: Mapped[str]  # of shelving
    hidden_at: Mapped[datetime | None]  # of shelving
    occurrence_id: Mapped[int | None]  # the one that stands, or stood last
    value: Mapped[float | None]
    limit: Mapped[float | None]
    since: Mapped[datetime | None]  # when it came into `state`: source time, or when somebody acted
    acknowledged_by: Mapped[str | None]  # while it stands acknowledged; the record of the first is the occurrence's
    acknowledged_at: Mapped[datetime | None]
    judged_us: Mapped[int] = mapped_column(BigInteger)  # source time of the last raise or clear taken in; 0: none
    suppressed_us: Mapped[int] = mapped_column(BigInteger, default=0)  # the same of suppression by design
    revision: Mapped[int] = mapped_column(
        BigInteger, index=True
    )  # grows over all alarms with every change: for polling


class HeadRow(Base):
    """The newest revision of all alarms: one row, locked last by whoever changes some, so that revisions become
    visible in their order and a poll misses none."""

    __tablename__ = "alarms_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    revision: Mapped[int] = mapped_column(BigInteger)


class OccurrenceRow(TenantOwned, Base):
    """One time that an alarm was raised, until it is over. The database lets none be there twice.

    An alarm that is raised again before the last time was acknowledged or reset has a new occurrence, which ends it.
    """

    __tablename__ = "alarms_occurrences"
    __table_args__ = (
        UniqueConstraint("alarm_id", "raised_at"),
        Index("ix_alarms_occurrences_tenant_raised_at", "tenant", "raised_at"),
        _NEVER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms_alarms.id"))
    rule_id: Mapped[int] = mapped_column(index=True)
    path: Mapped[str] = mapped_column(index=True)
    priority: Mapped[int]
    category: Mapped[str]
    raised_at: Mapped[datetime] = mapped_column(index=True)  # source time
    seen_at: Mapped[datetime]  # when Athanor raised it
    is_announced: Mapped[bool]  # not while shelved, suppressed or out of service; later, if it then still stands
    is_late: Mapped[bool]  # came in long after it happened, as after an outage: told of in one digest
    value: Mapped[float | None]
    limit: Mapped[float | None]
    acknowledged_at: Mapped[datetime | None]  # the first time
    acknowledged_by: Mapped[str | None]
    cleared_at: Mapped[datetime | None]  # source time
    ended_at: Mapped[datetime | None]  # normal again in the standard's sense


class EventRow(TenantOwned, Base):
    """Every transition, for ever: who, when, why, from what to what."""

    __tablename__ = "alarms_events"
    __table_args__ = (Index("ix_alarms_events_alarm_id_at", "alarm_id", "at"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms_alarms.id"))
    occurrence_id: Mapped[int | None] = mapped_column(index=True)
    what: Mapped[str]  # a lifecycle.Trigger
    from_state: Mapped[str] = mapped_column(String(5))  # as shown: I > H > G > the alarm's own
    to_state: Mapped[str] = mapped_column(String(5))
    at: Mapped[datetime] = mapped_column(index=True)  # source time, or when somebody acted
    seen_at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str]  # login; "" for the plant itself
    reason: Mapped[str]
    value: Mapped[float | None]
    limit: Mapped[float | None]


class CommentRow(TenantOwned, Base):
    """What somebody wrote about an occurrence."""

    __tablename__ = "alarms_comments"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("alarms_occurrences.id"), index=True)
    by: Mapped[str]
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(4000))
