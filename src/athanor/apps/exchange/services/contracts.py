"""Checking contracts: what is promised now each minute, a day's completeness when it is over.

A breach is said once, and so is its end: as an event, and in the product's history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.domain.offer import Offer
from athanor.apps.exchange.domain.promises import Rule, completeness, overdue
from athanor.apps.exchange.models import BreachRow, CallRow, DayRow, ProductRow, VersionRow
from athanor.apps.exchange.services.opening import faults_of
from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.identity.audit import record
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality

BREACHED = "exchange.contract.breached"
RESTORED = "exchange.contract.restored"
DAY_SETTLES = timedelta(minutes=30)  # edges deliver the day's last samples meanwhile
ACTOR = "exchange"  # in the audit trail


@dataclass(frozen=True, slots=True)
class Promised:
    """A product whose contract holds now."""

    product_id: int
    owner: str
    version: int
    offer: Offer


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks all contracts against the plant and its samples."""

    database: Database
    park: RunningPlant
    historian: Historian
    current: CurrentValues
    bus: Bus

    async def check(self, now: datetime) -> None:
        """Everything that is due at this moment."""
        async with self.database.reading() as session:
            products = await _promised(session, now)
        day = _last_whole_day(now, self._zone)
        found = {
            one.product_id: await self._faults_now(one, now) | await self._faults_of_day(one, day) for one in products
        }
        async with self.database.session() as session:
            events = [event for one in products for event in await _enter(session, one, found[one.product_id], now)]
        for event in events:
            self.bus.publish(event)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.park.model.timezone)

    async def _faults_now(self, one: Promised, now: datetime) -> dict[Rule, Sequence[str]]:
        """Tags by which each rule that can be judged now is breached; none where it is kept."""
        faults: dict[Rule, Sequence[str]] = {Rule.SCHEMA: faults_of(one.offer, one.owner, self.park)}
        freshness_min = one.offer.contract.freshness_min
        if freshness_min is None:
            faults[Rule.FRESHNESS] = []
        else:
            ages_s = {tag.path: await self._age_s(tag, freshness_min, now) for tag in self._timed(one.offer)}
            faults[Rule.FRESHNESS] = overdue(ages_s, freshness_min)
        return faults

    async def _age_s(self, tag: Tag, freshness_min: float, now: datetime) -> float:
        """Age of the newest good or uncertain sample; infinite where it is older than promised and followed by bad."""
        tag_id = self.park.id_of(tag.path)
        newest = self.current.get(tag_id)
        if newest is None:
            return np.inf
        if newest.quality is not Quality.BAD:
            return (now - newest.time).total_seconds()
        window = Span(now - timedelta(minutes=freshness_min), now)
        samples = await self.historian.read([tag_id], window)
        is_usable = samples["quality"].to_numpy() != Quality.BAD
        if not is_usable.any():
            return np.inf
        last = samples["time"][int(np.flatnonzero(is_usable)[-1])].as_py()
        return float((now - last).total_seconds())

    def _timed(self, offer: Offer) -> list[Tag]:
        """The product's tags that say how often a sample is due."""
        tags = [self.park.model.tags[path] for path in offer.paths if path in self.park.model.tags]
        return [tag for tag in tags if tag.period_s is not None]

    async def _faults_of_day(self, one: Promised, day: date) -> dict[Rule, Sequence[str]]:
        """Enter what a day came to, once, and who fell short in it; nothing is judged of a day that was entered."""
        promised = one.offer.contract.completeness
        kept: dict[Rule, Sequence[str]] = {} if promised is not None else {Rule.COMPLETENESS: []}
        start, end = _bounds(day, self._zone)
        async with self.database.reading() as session:
            is_entered = await session.get(DayRow, (one.product_id, day)) is not None
        if is_entered or one.offer.contract.valid_from > start:
            return kept
        shares = await self._shares(one.offer, start, end)
        async with self.database.session() as session:
            await _enter_day(session, one, day, shares)
        if promised is None:
            return kept
        return {Rule.COMPLETENESS: sorted(path for path, share in shares.items() if share < promised)}

    async def _shares(self, offer: Offer, start: datetime, end: datetime) -> dict[str, float]:
        """The share of the expected samples of each timed tag that came and are not bad."""
        tags = self._timed(offer)
        if not tags:
            return {}
        edges = np.array([microseconds(start), microseconds(end)])
        ids = [self.park.id_of(tag.path) for tag in tags]
        counted = await self.historian.resample(ids, edges, Measure.COUNT, NONE)
        counts = dict(zip(counted["tag"].to_pylist(), counted["value"].to_pylist(), strict=True))
        length_s = (end - start).total_seconds()
        return {
            tag.path: completeness(counts.get(tag_id) or 0.0, tag.period_s or 0.0, length_s)
            for tag, tag_id in zip(tags, ids, strict=True)
        }


async def _promised(session: AsyncSession, now: datetime) -> list[Promised]:
    asked = (
        select(ProductRow, VersionRow)
        .join(VersionRow, (VersionRow.product_id == ProductRow.id) & (VersionRow.number == ProductRow.version))
        .where(ProductRow.withdrawn_at.is_(None))
        .order_by(ProductRow.id)
    )
    rows = [(product, Offer.from_json(version.offer)) for product, version in await session.execute(asked)]
    return [
        Promised(product.id, product.owner, product.version, offer)
        for product, offer in rows
        if offer.contract.is_valid(now)
    ]


async def _enter(
    session: AsyncSession, one: Promised, found: Mapping[Rule, Sequence[str]], now: datetime
) -> list[Event]:
    """Begin and end breaches; what is to be said of it after the commit. A rule that was not judged stays as it is."""
    asked = select(BreachRow).where(BreachRow.product_id == one.product_id, BreachRow.ended_at.is_(None))
    running = {Rule(row.rule): row for row in await session.scalars(asked)}
    events = []
    for rule, tags in found.items():
        breach = running.get(rule)
        if tags and breach is None:
            row = BreachRow(
                product_id=one.product_id, version=one.version, rule=rule, tags=list(tags), began_at=now, ended_at=None
            )
            session.add(row)
            events.append(_event(BREACHED, one, rule, tags, now))
        elif tags and breach is not None:
            breach.tags = [*breach.tags, *(path for path in tags if path not in breach.tags)]
        elif breach is not None:
            breach.ended_at = now
            events.append(_event(RESTORED, one, rule, breach.tags, now))
    return events


def _event(topic: str, one: Promised, rule: Rule, tags: Sequence[str], now: datetime) -> Event:
    body = {
        "product": one.product_id,
        "version": one.version,
        "owner": one.owner,
        "name": dict(one.offer.name),
        "rule": rule.value,
        "tags": list(tags),
    }
    return Event(topic, body, now)


async def _enter_day(session: AsyncSession, one: Promised, day: date, shares: Mapping[str, float]) -> None:
    worst = min(shares, key=lambda path: (shares[path], path), default=None)
    sums = select(func.count(), func.sum(CallRow.rows), func.sum(CallRow.sent_bytes)).where(
        CallRow.product_id == one.product_id, CallRow.day == day
    )
    calls, rows, sent_bytes = (int(number or 0) for number in (await session.execute(sums)).one())
    row = DayRow(
        product_id=one.product_id,
        day=day,
        completeness=None if worst is None else shares[worst],
        worst=worst,
        calls=calls,
        rows=rows,
        sent_bytes=sent_bytes,
    )
    session.add(row)
    if calls:
        detail = {"day": day.isoformat(), "calls": calls, "rows": rows, "bytes": sent_bytes}
        record(session, ACTOR, "exchange.calls-counted", str(one.product_id), detail=detail)


def _last_whole_day(now: datetime, zone: ZoneInfo) -> date:
    """The last day of the site whose samples can be expected to have come."""
    return (now - DAY_SETTLES).astimezone(zone).date() - timedelta(days=1)


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day's first moment and the next day's; 23 or 25 h apart when clocks change."""
    start, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)
