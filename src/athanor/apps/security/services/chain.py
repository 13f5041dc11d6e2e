"""The chain of the audit trail, checked: by a person's wish, and once a day by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from athanor.apps.security.services.acts import ACTOR, BROKEN, VERIFIED
from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.identity import trail
from athanor.kernel.identity.audit import Verified, record, verify

_log = structlog.get_logger(__name__)

TOPIC = "security.audit.broken"
EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check of the chain came to."""

    at: datetime
    by: str
    is_whole: bool
    detail: Mapping[str, Any]


async def verify_chain(database: Database, bus: Bus, *, actor: str, address: str = "") -> Verified:
    """Follow the whole chain, enter into it what came out, log its head's value, and say so where it is broken.

    The log is the anchor: whoever rewrites the database with its chain cannot rewrite the logs that were carried away.
    """
    verified = await verify(database)
    detail: dict[str, Any] = {"entries": verified.rows, "chain": verified.chain}
    if not verified.is_whole:
        detail |= {"fault": verified.fault, "entry": verified.entry}
    async with database.session() as session:
        record(
            session, actor, VERIFIED if verified.is_whole else BROKEN, "identity_audit", address=address, detail=detail
        )
    if verified.is_whole:
        _log.info("audit.verified", entries=verified.rows, chain=verified.chain)
    else:
        _log.error("audit.broken", entries=verified.rows, chain=verified.chain, fault=verified.fault)
        bus.publish(Event(TOPIC, detail, datetime.now(UTC)))
    return verified


async def verify_when_due(database: Database, bus: Bus, now: datetime) -> Verified | None:
    """Verify unless somebody did within a day; None where it was not due."""
    checked = await last_checked(database)
    if checked is not None and now - checked.at < EVERY:
        return None
    return await verify_chain(database, bus, actor=ACTOR)


async def last_checked(database: Database) -> Checked | None:
    """The last check of the chain; None before the first."""
    async with database.reading() as session:
        entry = await trail.last(session, VERIFIED, BROKEN)
    return None if entry is None else Checked(entry.at, entry.actor, entry.action == VERIFIED, entry.detail)
