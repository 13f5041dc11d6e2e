"""The audit trail: what people did, for ever. Each entry is chained to the one before, so that a change shows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from athanor.kernel.database.database import READS_ONLY, Database
from athanor.kernel.identity.tables import AuditHeadRow, AuditRow

NOTHING = "0" * 64  # what the first entry is chained to
_WAITING = "athanor_audit"
_PIECE = 1000  # entries read at a time


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of checking the trail."""

    rows: int
    chain: str  # of the last entry that is as it was written
    fault: str | None = None  # what is wrong first, for a person
    entry: int | None = None  # the id of the first that was changed; None where entries were removed or added

    @property
    def is_whole(self) -> bool:
        return self.fault is None


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

    Raises
    ------
    RuntimeError
        For a session that reads only: nothing is kept of what is done in it.
    """
    if session.info.get(READS_ONLY):
        raise RuntimeError(f"{action} would be recorded in a session that reads only. Use `database.session()`.")
    session.info.setdefault(_WAITING, []).append(
        {
            "at": at or datetime.now(UTC),
            "actor": actor,
            "action": action,
            "subject": subject,
            "address": address,
            "detail": orjson.loads(orjson.dumps(dict(detail or {}), option=orjson.OPT_NON_STR_KEYS)),
        }
    )


def chained(before: str, entry: Mapping[str, Any]) -> str:
    """The chain of an entry that follows one: SHA-256 of the chain before and `content_of` the entry, hexadecimal."""
    return hashlib.sha256(before.encode() + content_of(entry)).hexdigest()


def content_of(entry: Mapping[str, Any]) -> bytes:
    """What of an entry is hashed: one JSON list in UTF-8, with sorted keys and without spaces.

    It holds the time (UTC, ISO 8601 with microseconds), actor, action, subject, address and detail.
    """
    content = [
        entry["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        *(entry[name] for name in ("actor", "action", "subject", "address", "detail")),
    ]
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


async def verify(database: Database) -> Verified:
    """Follow the chain from the first entry to the last: whether each is as it was written and none is missing."""
    chain, rows, last_id = NOTHING, 0, 0
    async with database.reading() as session:
        head = await session.get_one(AuditHeadRow, 1)
        while piece := await _following(session, last_id):
            for row in piece:
                expected = chained(chain, _entry(row))
                if row.chain != expected:
                    fault = f"entry {row.id} ({row.at.isoformat()}, {row.action}) was changed, or one before it removed"
                    return Verified(rows, chain, fault, row.id)
                chain, rows, last_id = expected, rows + 1, row.id
    if (rows, chain) != (head.rows, head.chain):
        return Verified(rows, chain, f"there should be {head.rows} entries and are {rows}: some were removed or added")
    return Verified(rows, chain)


async def _following(session: AsyncSession, last_id: int) -> Sequence[AuditRow]:
    query = select(AuditRow).where(AuditRow.id > last_id).order_by(AuditRow.id).limit(_PIECE)
    rows = (await session.scalars(query)).all()
    session.expunge_all()
    return rows


def _entry(row: AuditRow) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in ("at", "actor", "action", "subject", "address", "detail")}


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    """Write what waits. The head is locked last of all, so that two transactions never wait for each other."""
    waiting = session.info.pop(_WAITING, None)
    if not waiting:
        return
    session.flush()
    head = session.execute(select(AuditHeadRow.rows, AuditHeadRow.chain).with_for_update()).one()
    chain = head.chain
    for entry in waiting:
        chain = entry["chain"] = chained(chain, entry)
    session.execute(insert(AuditRow), waiting)
    session.execute(update(AuditHeadRow).values(rows=head.rows + len(waiting), chain=chain))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_WAITING, None)
