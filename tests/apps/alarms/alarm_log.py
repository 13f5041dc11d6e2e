"""A record of alarms as it stands in the tables: rules, alarms and occurrences of a plant of two enterprises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from athanor.kernel.alarms.rule import Limit, Rule, Side, Subject
from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.plant.model import AlarmLimits, Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant

MIDNIGHT = datetime(2026, 5, 3, 16, tzinfo=UTC)  # of Monday, 4 May, on the plant's clock
TEMPERATURE, PRESSURE = "copper.smelting.furnace.temperature", "copper.casting.mould.pressure"
HEAT = "carbon.baking.kiln.heat"


@dataclass(frozen=True, slots=True)
class Raised:
    """One occurrence, at so many seconds after MIDNIGHT; times None where it has not happened."""

    path: str
    at_s: float
    stood_s: float | None = 60
    acknowledged_s: float | None = None
    priority: int = 3
    is_announced: bool = True


def _node(path: str, level: Level, tenant: str, *tags: Tag) -> Node:
    return Node(path, level, {"en": path.rpartition(".")[2].title()}, tenant, tags=tags)


def _tag(path: str, unit: str) -> Tag:
    limits = AlarmLimits(high=100, high_high=110)
    return Tag(path, {"en": path.rpartition(".")[2].title()}, unit, low=0, high=200, alarm_limits=limits, period_s=1)


MODEL = Plant(
    "park",
    {"en": "Park"},
    "Asia/Shanghai",
    {name: Tenant(name, {"en": name.title()}) for name in ("copper", "carbon")},
    {
        node.path: node
        for node in (
            _node("copper", Level.SITE, "copper"),
            _node("copper.smelting", Level.AREA, "copper"),
            _node("copper.smelting.furnace", Level.ASSET, "copper", _tag(TEMPERATURE, "degC")),
            _node("copper.casting", Level.AREA, "copper"),
            _node("copper.casting.mould", Level.ASSET, "copper", _tag(PRESSURE, "bar")),
            _node("carbon", Level.SITE, "carbon"),
            _node("carbon.baking", Level.AREA, "carbon"),
            _node("carbon.baking.kiln", Level.ASSET, "carbon", _tag(HEAT, "degC")),
        )
    },
)
PLANT = RunningPlant(MODEL, 1, {path: TagId(10 + place) for place, path in enumerate(MODEL.tags)})


async def keep(
    database: Database, raised: Sequence[Raised], *, tenant_of: dict[str, str], since: datetime = MIDNIGHT
) -> dict[str, int]:
    """Put a rule in, an alarm on each path and these occurrences; the alarms' ids by path."""
    limit = Limit(side=Side.HIGH, at=100, deadband=1)
    rule = Rule(name={"en": "Too high", "zh_CN": "过高"}, subject=Subject(limit="high"), condition=limit)
    made = {"made_by": "test", "made_at": since, "changed_by": "test", "changed_at": since}
    async with database.session() as session:
        content = rule.model_dump(mode="json")
        row = RuleRow(key="too-high", content=content, revision=1, is_enabled=True, **made)
        session.add(row)
        await session.flush()
        alarms = {path: _alarm(row.id, path, tenant, place) for place, (path, tenant) in enumerate(tenant_of.items())}
        session.add_all(alarms.values())
        await session.flush()
        ids = {path: alarm.id for path, alarm in alarms.items()}
        rows = [_occurrence(ids[one.path], row.id, tenant_of[one.path], one, since) for one in raised]
        if rows:
            await session.execute(insert(OccurrenceRow), rows)
    return ids


def _alarm(rule: int, path: str, tenant: str, revision: int) -> AlarmRow:
    values: dict[str, Any] = {column.name: None for column in AlarmRow.__table__.columns if column.nullable}
    values |= {name: "" for name in ("hidden_reason", "out_of_service_reason") if name in AlarmRow.__table__.columns}
    values |= {name: 0 for name in ("judged_us", "suppressed_us") if name in AlarmRow.__table__.columns}
    values |= {"rule_id": rule, "path": path, "tenant": tenant, "priority": 3, "category": "process"}
    values |= {"state": "NORM", "is_active": False, "is_judged": True, "is_suppressed": False, "revision": revision}
    return AlarmRow(**values)


def _occurrence(alarm: int, rule: int, tenant: str, one: Raised, since: datetime) -> dict[str, Any]:
    at = since + timedelta(seconds=one.at_s)
    is_acknowledged = one.acknowledged_s is not None
    return {
        "tenant": tenant,
        "alarm_id": alarm,
        "rule_id": rule,
        "path": one.path,
        "priority": one.priority,
        "category": "process",
        "raised_at": at,
        "seen_at": at + timedelta(milliseconds=200),
        "is_announced": one.is_announced,
        "is_late": False,
        "value": 101.5,
        "limit": 100.0,
        "acknowledged_at": at + timedelta(seconds=one.acknowledged_s or 0) if is_acknowledged else None,
        "acknowledged_by": "li.na" if is_acknowledged else None,
        "cleared_at": None if one.stood_s is None else at + timedelta(seconds=one.stood_s),
        "ended_at": None if one.stood_s is None else at + timedelta(seconds=one.stood_s),
    }
