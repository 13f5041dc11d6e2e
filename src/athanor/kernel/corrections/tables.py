"""The table of corrections. A row is never deleted, and what was done, to what, by whom and why never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base


class CorrectionRow(Base):
    """One correction, with the samples before and after it."""

    __tablename__ = "historian_corrections"
    __table_args__ = (
        Index("ix_historian_corrections_tag_start_at", "tag", "start_at"),
        {"sqlite_autoincrement": True},  # an id is never given twice
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[int] = mapped_column(ForeignKey("plant_tags.id"))
    action: Mapped[dict[str, Any]] = mapped_column(JSON)
    start_at: Mapped[datetime]  # of the first sample that it changes
    end_at: Mapped[datetime]  # just after the last
    samples: Mapped[int]
    added: Mapped[int]
    change: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # `change.encode`
    reason: Mapped[str]
    author: Mapped[str]
    made_at: Mapped[datetime]
    state: Mapped[str]
    undo_reason: Mapped[str | None]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    restored: Mapped[int | None]
