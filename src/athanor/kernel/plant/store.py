"""Keeping the plant in the database, and the ids of its tags for ever."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.plant.meter import Meter, Replacement
from athanor.kernel.plant.model import AlarmLimits, EquipmentType, Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.tables import NodeRow, ParkRow, TagDefinitionRow, TagRow, TenantRow


async def store_plant(session: AsyncSession, plant: Plant, *, at: datetime | None = None) -> RunningPlant:
    """Make `plant` the one that runs; kept with the caller's commit.

    A tag keeps the id that its path was given first, also when it comes back after having been away; an id is never
    given twice. Tags that are no longer there are retired. Storing what is stored already changes nothing, the
    version included.
    """
    running = await running_plant(session)
    if running is not None and _same(running.model, plant):
        return running
    at = at or datetime.now(UTC)
    version = running.version + 1 if running is not None else 1
    for table in (TagDefinitionRow, NodeRow, TenantRow, ParkRow):
        await session.execute(delete(table))
    session.add(
        ParkRow(
            id=plant.id,
            name=dict(plant.name),
            timezone=plant.timezone,
            types=_type_columns(plant),
            version=version,
            stored_at=at,
        ),
    )
    await session.flush()
    await _insert(session, TenantRow, _tenant_rows(plant))
    await _insert(session, NodeRow, _node_rows(plant))
    ids = await _give_ids(session, plant, at)
    await _insert(session, TagDefinitionRow, _definition_rows(plant, ids))
    return RunningPlant(plant, version, ids)


async def running_plant(session: AsyncSession) -> RunningPlant | None:
    """The plant that runs, equal to what was stored; None before the first."""
    park = (await session.execute(select(*ParkRow.__table__.columns))).one_or_none()
    if park is None:
        return None
    tenants = (await session.execute(select(*TenantRow.__table__.columns).order_by(TenantRow.place))).all()
    nodes = (await session.execute(select(*NodeRow.__table__.columns).order_by(NodeRow.place))).all()
    definitions = await session.execute(
        select(TagRow.path, TagRow.retention, *TagDefinitionRow.__table__.columns)
        .join(TagRow, TagRow.id == TagDefinitionRow.tag)
        .order_by(TagDefinitionRow.place)
    )
    ids: dict[str, TagId] = {}
    tags: dict[str, list[Tag]] = {}
    for row in definitions:
        ids[row.path] = TagId(row.tag)
        tags.setdefault(row.node, []).append(_tag(row))
    model = Plant(
        id=park.id,
        name=park.name,
        timezone=park.timezone,
        tenants={row.id: Tenant(row.id, row.name) for row in tenants},
        nodes={row.path: _node(row, tuple(tags.get(row.path, ()))) for row in nodes},
        types={key: EquipmentType(key, one["name"], one["extends"]) for key, one in park.types.items()},
    )
    return RunningPlant(model, park.version, ids)


async def retention_classes(session: AsyncSession) -> Mapping[TagId, str]:
    """The class of every tag that there ever was; of one that is no longer in the plant the class it had last."""
    rows = await session.execute(select(TagRow.id, TagRow.retention))
    return {TagId(row.id): row.retention for row in rows}


def _same(stored: Plant, given: Plant) -> bool:
    """Whether both are equal, the order of nodes and tags included."""
    return stored == given and list(stored.nodes) == list(given.nodes) and list(stored.tenants) == list(given.tenants)


async def _give_ids(session: AsyncSession, plant: Plant, at: datetime) -> dict[str, TagId]:
    """Ids of the plant's tags: known ones by path, new ones counted on from the highest ever given."""
    columns = TagRow.id, TagRow.path, TagRow.retired_at, TagRow.retention
    known = {row.path: row for row in await session.execute(select(*columns))}
    highest = await session.scalar(select(func.max(TagRow.id))) or 0
    fresh = dict(zip((path for path in plant.tags if path not in known), count(highest + 1), strict=False))
    await _insert(
        session,
        TagRow,
        [
            {"id": new, "path": path, "retired_at": None, "retention": plant.tags[path].retention}
            for path, new in fresh.items()
        ],
    )
    await _set_retention(session, plant, known)
    gone = [row.id for path, row in known.items() if row.retired_at is None and path not in plant.tags]
    back = [row.id for path, row in known.items() if row.retired_at is not None and path in plant.tags]
    await _set_retired(session, gone, at)
    await _set_retired(session, back, None)
    return {path: TagId(fresh[path] if path in fresh else known[path].id) for path in plant.tags}


async def _set_retired(session: AsyncSession, ids: list[int], at: datetime | None) -> None:
    if ids:
        await session.execute(update(TagRow), [{"id": tag_id, "retired_at": at} for tag_id in ids])


async def _set_retention(session: AsyncSession, plant: Plant, known: Mapping[str, Any]) -> None:
    """Note the class of the plant's tags. One that goes keeps the class it had: its samples still have an age."""
    changed = [
        {"id": known[path].id, "retention": tag.retention}
        for path, tag in plant.tags.items()
        if path in known and known[path].retention != tag.retention
    ]
    if changed:
        await session.execute(update(TagRow), changed)


async def _insert(session: AsyncSession, table: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        await session.execute(insert(table.__table__), rows)  # Core: no object for each of 100,000 rows


def _tenant_rows(plant: Plant) -> list[dict[str, Any]]:
    return [
        {"id": tenant.id, "place": place, "name": dict(tenant.name)}
        for place, tenant in enumerate(plant.tenants.values())
    ]


def _type_columns(plant: Plant) -> dict[str, Any]:
    return {key: {"name": dict(one.name), "extends": one.extends} for key, one in plant.types.items()}


def _node_rows(plant: Plant) -> list[dict[str, Any]]:
    return [
        {
            "path": node.path,
            "place": place,
            "level": node.level.value,
            "name": dict(node.name),
            "tenant": node.tenant,
            "type": node.type,
            "latitude": node.position[0] if node.position else None,
            "longitude": node.position[1] if node.position else None,
            "retention": node.retention,
        }
        for place, node in enumerate(plant.nodes.values())
    ]


def _definition_rows(plant: Plant, ids: Mapping[str, TagId]) -> list[dict[str, Any]]:
    return [
        {
            "tag": ids[tag.path],
            "place": place,
            "node": tag.node_path,
            "name": dict(tag.name),
            "unit": tag.unit,
            "kind": tag.kind.value,
            "low": tag.low,
            "high": tag.high,
            "decimals": tag.decimals,
            "low_low_limit": tag.alarm_limits.low_low,
            "low_limit": tag.alarm_limits.low,
            "high_limit": tag.alarm_limits.high,
            "high_high_limit": tag.alarm_limits.high_high,
            "period_s": tag.period_s,
            "states": {str(state): dict(name) for state, name in tag.states.items()},
            "role": tag.role,
            "meter": None if tag.meter is None else _meter_columns(tag.meter),
        }
        for place, tag in enumerate(plant.tags.values())
    ]


def _node(row: Row[Any], tags: tuple[Tag, ...]) -> Node:
    return Node(
        path=row.path,
        level=Level(row.level),
        name=row.name,
        tenant=row.tenant,
        type=row.type,
        position=None if row.latitude is None else (row.latitude, row.longitude),
        tags=tags,
        retention=row.retention,
    )


def _tag(row: Row[Any]) -> Tag:
    return Tag(
        path=row.path,
        name=row.name,
        unit=row.unit,
        kind=TagKind(row.kind),
        low=row.low,
        high=row.high,
        decimals=row.decimals,
        alarm_limits=AlarmLimits(row.low_low_limit, row.low_limit, row.high_limit, row.high_high_limit),
        period_s=row.period_s,
        states={int(state): name for state, name in row.states.items()},
        role=row.role,
        meter=None if row.meter is None else _meter(row.meter),
        retention=row.retention,
    )


def _meter_columns(meter: Meter) -> dict[str, Any]:
    return asdict(meter) | {
        "replacements": [asdict(one) | {"at": one.at.isoformat()} for one in meter.replacements],
    }


def _meter(columns: dict[str, Any]) -> Meter:
    replacements = tuple(
        Replacement(**one | {"at": datetime.fromisoformat(one["at"])}) for one in columns["replacements"]
    )
    return Meter(**columns | {"replacements": replacements})
