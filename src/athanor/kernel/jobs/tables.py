"""The tables of jobs: every run, and when jobs are due by themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.database.tenancy import TenantOwned


class ScheduleRow(Base):
    """When jobs of a kind are due: by `cron` or every `every_s`."""

    __tablename__ = "jobs_schedules"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 SQLAlchemy's; an id is never given twice

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(100))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    cron: Mapped[str | None]
    every_s: Mapped[int | None]  # counted from `since`
    since: Mapped[datetime]
    timezone: Mapped[str | None]  # of the cron expression; None: the site's
    catch_up: Mapped[str]  # a CatchUp
    is_on: Mapped[bool]
    is_declared: Mapped[bool]  # by an app: it may be changed and paused, but comes back when removed
    next_at: Mapped[datetime]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_by: Mapped[str | None]
    changed_at: Mapped[datetime | None]


class RunRow(TenantOwned, Base):
    """A job: waiting, running, or how it ended. `attempt` also fences: who holds an older one writes nothing."""

    __tablename__ = "jobs_runs"
    __table_args__ = (
        UniqueConstraint("schedule_id", "due_at"),  # a schedule wants each moment once
        UniqueConstraint("kind", "slot"),  # no more at once than a kind has slots
        Index("ix_jobs_runs_state_start_after", "state", "start_after"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(100), index=True)
    title: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)  # login; empty: a schedule
    state: Mapped[str]  # a JobState
    is_declared: Mapped[bool]  # any server may run it; else only the one that was asked
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("jobs_schedules.id", ondelete="SET NULL"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    start_after: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stage: Mapped[str] = mapped_column(default="")
    fraction: Mapped[float | None] = mapped_column(Double)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None]
    error_code: Mapped[str | None]
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    file_name: Mapped[str | None]
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=1)
    server: Mapped[str | None]  # whose it is
    beat: Mapped[int] = mapped_column(default=0)  # goes up while that server lives
    slot: Mapped[int | None]
    is_cancel_wanted: Mapped[bool] = mapped_column(default=False)
