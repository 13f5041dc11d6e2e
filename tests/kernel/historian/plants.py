"""A plant of a few tags of each kind, and batches of their samples, for what is asked by tags."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from athanor.kernel.historian.port import STORED
from athanor.kernel.plant.meter import Meter
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, Quality

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER = Tag("works.power", {"en": "Power", "zh_CN": "功率"}, "kW", period_s=60.0)
FLOW = Tag("works.flow", {"en": "Flow"}, "t/h", period_s=10.0)
SETPOINT = Tag("works.setpoint", {"en": "Setpoint"}, "degC", TagKind.SETPOINT)
MODE = Tag("works.mode", {"en": "Mode"}, "1", TagKind.STATE, states={0: {"en": "Off"}, 1: {"en": "On", "zh_CN": "开"}})
LOT = Tag("works.lot", {"en": "Lot"}, "1", TagKind.TEXT)
ENERGY = Tag("works.energy", {"en": "Energy"}, "kWh", TagKind.COUNTER, period_s=60.0, meter=Meter(1, 1e6))
WATER = Tag("works.water", {"en": "Water"}, "m3", TagKind.COUNTER, decimals=1)
TAGS = (POWER, FLOW, SETPOINT, MODE, LOT, ENERGY, WATER)


def plant_of(*tags: Tag, timezone: str = "Asia/Shanghai") -> RunningPlant:
    return RunningPlant(
        Plant(
            "park",
            {"en": "Park"},
            timezone,
            {"copper": Tenant("copper", {"en": "Copper"})},
            {"works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=tags)},
        ),
        1,
        {tag.path: TagId(number) for number, tag in enumerate(tags, 1)},
    )


PLANT = plant_of(*TAGS)

Row = tuple[float, float | str | None] | tuple[float, float | str | None, Quality]


def batch(tag: Tag, *rows: Row, plant: RunningPlant = PLANT, start: datetime = NOON) -> pa.RecordBatch:
    """Rows of (seconds after start, value[, quality]) of one tag."""
    texts = [row[1] if isinstance(row[1], str) else None for row in rows]
    return pa.record_batch(
        [
            pa.array([plant.id_of(tag.path)] * len(rows), pa.int32()),
            pa.array([start + timedelta(seconds=row[0]) for row in rows], TIME),
            pa.array([None if isinstance(row[1], str) else row[1] for row in rows], pa.float64()),
            pa.array(texts, pa.string()),
            pa.array([row[2] if len(row) == 3 else Quality.GOOD for row in rows], pa.uint8()),
        ],
        schema=STORED,
    )
