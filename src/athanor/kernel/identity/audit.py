"""The audit trail: what people did, for ever."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.identity.tables import AuditRow


def record(
    session: AsyncSession,
    actor: str,
    action: str,
    subject: str = "",
    *,
    address: str = "",
    detail: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Note that someone did something; kept with the caller's commit, so what is undone leaves no trace.

    Parameters
    ----------
    actor
        Login of the person, or the name of the edge, job or process.
    action
        What was done, in the past tense: `identity.signed-in`, `plant.loaded`.
    subject
        What it was done to, by its path or id.
    address
        Where the person sat, as far as known.
    detail
        Old and new values and the like; never a secret.
    at
        When; now where left out.
    """
    session.add(
        AuditRow(
            at=at or datetime.now(UTC),
            actor=actor,
            action=action,
            subject=subject,
            address=address,
            detail=dict(detail or {}),
        )
    )
