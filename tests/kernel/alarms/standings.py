"""A small plant with alarms in the database, a clock to set, and findings to take in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert, select

from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.rule import Reported, Rule, Subject
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import AlarmRow, EventRow, OccurrenceRow, RuleRow
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import microseconds
from athanor.kernel.identity.user import Share, User
from athanor.kernel.notify.tables import NoticeRow
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONG_AGO = EIGHT - timedelta(days=1)
TEMPERATURE = "smelter.bath.temperature"
PRESSURE = "smelter.bath.pressure"
RUNNING = "smelter.bath.running"
FEED = "mill.feed.rate"


def plant() -> RunningPlant:
    """Two tenants: a smelter and a mill."""
    tenants = {key: Tenant(key, {"en": key.title()}) for key in ("smelting", "milling")}
    bath = (
        Tag(TEMPERATURE, {"en": "Temperature", "zh_CN": "温度"}, "degC", decimals=1),
        Tag(PRESSURE, {"en": "Pressure", "zh_CN": "压力"}, "kPa"),
        Tag(RUNNING, {"en": "Running", "zh_CN": "运行"}, "", TagKind.STATE),
    )
    nodes = [
        Node("smelter", Level.SITE, {"en": "Smelter", "zh_CN": "冶炼厂"}, "smelting"),
        Node("smelter.bath", Level.ASSET, {"en": "Bath", "zh_CN": "熔池"}, "smelting", tags=bath),
        Node("mill", Level.SITE, {"en": "Mill", "zh_CN": "磨矿厂"}, "milling"),
        Node("mill.feed", Level.ASSET, {"en": "Feed"}, "milling", tags=(Tag(FEED, {"en": "Rate"}, "t/h"),)),
    ]
    model = Plant("park", {"en": "Park"}, "Asia/Shanghai", tenants, {node.path: node for node in nodes})
    return RunningPlant(model, 1, {path: TagId(place) for place, path in enumerate(model.tags, 1)})


def user(
    login: str = "anna", role: str = "operator", tenant: str | None = "smelting", shares: tuple[Share, ...] = ()
) -> User:
    """Somebody."""
    return User(1, login, login.title(), (role,), tenant, shares=shares)


PARK = user("petra", "engineer", None)


def rule(**fields: Any) -> Rule:
    """One that nobody judges: findings are given."""
    words = {"en": "Bath temperature high", "zh_CN": "熔池温度高"}
    action = {"en": "Reduce the feed.", "zh_CN": "减少给料。"}
    return Rule.model_validate(
        {"name": words, "subject": Subject(node="smelter"), "condition": Reported(), "action": action, **fields}
    )


@dataclass
class World:
    """Everything open, and the time."""

    database: Database
    bus: MemoryBus
    alarms: Alarms
    at: datetime = EIGHT
    published: list[tuple[Change, ...]] = field(default_factory=list)
    _keys: int = 0

    def now(self) -> datetime:
        return self.at

    def passes(self, **time: float) -> None:
        """Let time pass, such as `hours=4`."""
        self.at += timedelta(**time)

    async def alarm(self, path: str = TEMPERATURE, tenant: str | None = "smelting", **fields: Any) -> int:
        """One alarm of a rule of its own; its id."""
        return (await self.many([path], tenant, **fields))[0]

    async def many(self, paths: Sequence[str], tenant: str | None = "smelting", **fields: Any) -> list[int]:
        """Alarms of one rule at many places; their ids in the order of their paths."""
        self._keys += 1
        made = rule(**fields)
        async with self.database.session() as session:
            row = RuleRow(
                tenant=None,
                key=f"rule-{self._keys}",
                content=made.model_dump(mode="json"),
                revision=1,
                is_enabled=True,
                made_by="anna",
                made_at=self.at,
                changed_by="anna",
                changed_at=self.at,
            )
            session.add(row)
            await session.flush()
            rows = [_alarm(row.id, path, tenant, made) for path in paths]
            await session.execute(insert(AlarmRow), rows)
            query = select(AlarmRow.path, AlarmRow.id).where(AlarmRow.rule_id == row.id)
            ids = {one.path: one.id for one in await session.execute(query)}
        return [ids[path] for path in paths]

    async def take(self, *found: tuple[int, What, float], is_active: bool | None = None) -> tuple[Change, ...]:
        """Take in findings: alarm, what, and seconds after eight o'clock."""
        return await self.alarms.take(findings(*found, is_active=is_active), late_before=LONG_AGO)

    async def row(self, alarm: int) -> AlarmRow:
        """The row of an alarm."""
        async with self.database.reading() as session:
            return await session.get_one(AlarmRow, alarm)

    async def state(self, alarm: int) -> State:
        """Its own state."""
        return State((await self.row(alarm)).state)

    async def occurrences(self, alarm: int) -> Sequence[OccurrenceRow]:
        """All of an alarm, the oldest first."""
        query = select(OccurrenceRow).where(OccurrenceRow.alarm_id == alarm).order_by(OccurrenceRow.id)
        async with self.database.reading() as session:
            return (await session.scalars(query)).all()

    async def events(self, alarm: int) -> list[tuple[str, str, str, str]]:
        """What happened to it: trigger, from, to, by whom."""
        query = select(EventRow).where(EventRow.alarm_id == alarm).order_by(EventRow.id)
        async with self.database.reading() as session:
            return [(one.what, one.from_state, one.to_state, one.by) for one in await session.scalars(query)]

    async def notices(self) -> Sequence[NoticeRow]:
        """All, the oldest first."""
        async with self.database.reading() as session:
            return (await session.scalars(select(NoticeRow).order_by(NoticeRow.id))).all()


def _alarm(rule_id: int, path: str, tenant: str | None, made: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule_id,
        "path": path,
        "tenant": tenant,
        "priority": int(made.priority),
        "category": made.category.value,
        "state": "NORM",
        "is_active": False,
        "is_judged": True,
        "is_suppressed": False,
        "hidden_reason": "",
        "judged_us": 0,
        "revision": 0,
    }


def findings(*found: tuple[int, What, float], is_active: bool | None = None) -> Findings:
    """Alarm, what, seconds after eight; with 1262.0 measured against 1250.0."""
    what = [one[1] for one in found]
    holds = [one is What.RAISED if is_active is None else is_active for one in what]
    return Findings(
        np.array([one[0] for one in found], np.int64),
        np.array(what, np.uint8),
        np.array([microseconds(EIGHT) + round(one[2] * 1e6) for one in found], np.int64),
        np.full(len(found), 1262.0),
        np.full(len(found), 1250.0),
        np.array(holds, bool),
    )


def raises(alarms: Sequence[int], at_s: float = 0.0) -> Findings:
    """All of these are raised at once."""
    return findings(*((alarm, What.RAISED, at_s) for alarm in alarms))
