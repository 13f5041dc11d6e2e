"""Watching by the clock: patterns in the trail, edges that come and go, a plant model that was exchanged.

What is seen goes into the audit trail, which is also the memory of what was said already.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.security.domain.patterns import Deed, Done, Kind, Limits, Pattern, patterns
from athanor.apps.security.services.acts import (
    ACTOR,
    EDGE_CONNECTED,
    EDGE_LOST,
    PATTERN_SEEN,
    PLANT_CHANGED,
    SIGN_IN_REFUSED,
)
from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.identity import trail
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.refusals import REFUSED
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.ingest.sources import SourceStates

_log = structlog.get_logger(__name__)

TOPIC = "security.pattern.seen"
DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Watch:
    """One look at everything."""

    database: Database
    bus: Bus
    sources: SourceStates
    plant_version: int
    limits: Limits = DEFAULT

    async def look(self, now: datetime) -> Sequence[Pattern]:
        """Say what is new since the last look: the patterns that were not said before."""
        async with self.database.reading() as session:
            fresh = await self._fresh_patterns(session, now)
            changes = [*await self._edge_changes(session, now), *await self._plant_change(session)]
        if fresh or changes:
            async with self.database.session() as session:
                for action, subject, detail in changes:
                    record(session, ACTOR, action, subject, detail=detail, at=now)
                for pattern in fresh:
                    detail = {"kind": pattern.kind, "count": pattern.count}
                    record(session, ACTOR, PATTERN_SEEN, pattern.who, detail=detail, at=now)
        for pattern in fresh:
            body = {"kind": str(pattern.kind), "who": pattern.who, "count": pattern.count}
            _log.warning("security.pattern-seen", **body)
            self.bus.publish(Event(TOPIC, body, now))
        return fresh

    async def _fresh_patterns(self, session: AsyncSession, now: datetime) -> Sequence[Pattern]:
        found = patterns(await _deeds(session, now, self.limits), now, self.limits)
        if not found:
            return []
        query = select(AuditRow).where(AuditRow.action == PATTERN_SEEN, AuditRow.at > now - self.limits.longest)
        said = {
            (row.detail["kind"], row.subject)
            for row in await session.scalars(query)
            if now - row.at < self.limits.within(Kind(row.detail["kind"]))
        }
        return [pattern for pattern in found if (pattern.kind, pattern.who) not in said]

    async def _edge_changes(self, session: AsyncSession, now: datetime) -> list[tuple[str, str, dict[str, object]]]:
        edges = self.sources.edges()
        if not edges:
            return []
        newest = (
            select(func.max(AuditRow.id))
            .where(AuditRow.action.in_((EDGE_LOST, EDGE_CONNECTED)), AuditRow.subject.in_([one.edge for one in edges]))
            .group_by(AuditRow.subject)
        )
        rows = (await session.scalars(select(AuditRow).where(AuditRow.id.in_(newest)))).all()
        known = {row.subject: row.action for row in rows}
        changes: list[tuple[str, str, dict[str, object]]] = []
        for edge in edges:
            action = EDGE_LOST if edge.is_silent(now) else EDGE_CONNECTED
            if known.get(edge.edge) != action:
                detail: dict[str, object] = {"version": edge.version, "last_report": edge.received_at.isoformat()}
                changes.append((action, edge.edge, detail))
        return changes

    async def _plant_change(self, session: AsyncSession) -> list[tuple[str, str, dict[str, object]]]:
        before = await trail.last(session, PLANT_CHANGED)
        old = None if before is None else before.detail.get("version")
        if self.plant_version in (0, old):
            return []
        return [(PLANT_CHANGED, "plant", {"version": self.plant_version, "before": old})]


async def _deeds(session: AsyncSession, now: datetime, limits: Limits) -> list[Done]:
    is_export = AuditRow.action.endswith("exported")
    query = select(AuditRow).where(
        AuditRow.at > now - limits.longest, or_(AuditRow.action.in_((SIGN_IN_REFUSED, REFUSED)), is_export)
    )
    return list(_done(await session.scalars(query)))


def _done(rows: Iterable[AuditRow]) -> Iterator[Done]:
    for row in rows:
        deed = {SIGN_IN_REFUSED: Deed.SIGN_IN_REFUSED, REFUSED: Deed.PERMISSION_REFUSED}.get(row.action, Deed.EXPORTED)
        yield Done(row.at, deed, row.actor, row.address, int(row.detail.get("in_this_hour", 1)))
