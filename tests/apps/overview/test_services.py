"""The state of the park from current values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from athanor.apps.overview import services
from athanor.apps.overview.domain.limits import Crossing
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import STORED
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import AlarmLimits, Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, Quality

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER = Tag("works.power", {"en": "Power"}, "kW", period_s=1.0, role="tenant.power")
KILN_POWER = Tag("kilns.power", {"en": "Power"}, "MW", period_s=1.0, role="tenant.power")
LEVEL = Tag("works.level", {"en": "Level"}, "m", period_s=1.0, alarm_limits=AlarmLimits(high=5, high_high=6))


def plant() -> RunningPlant:
    """Two enterprises; a new object each time, as views are kept by the plant's identity."""
    nodes = {
        "works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=(POWER, LEVEL)),
        "kilns": Node("kilns", Level.SITE, {"en": "Kilns"}, "carbon", tags=(KILN_POWER,)),
    }
    tenants = {name: Tenant(name, {"en": name.title()}) for name in ("copper", "carbon", "empty")}
    model = Plant("park", {"en": "Park"}, "UTC", tenants, nodes)
    return RunningPlant(model, 1, {POWER.path: TagId(1), LEVEL.path: TagId(2), KILN_POWER.path: TagId(3)})


def batch(values: dict[int, float], *, age_s: float = 0.0, quality: Quality = Quality.GOOD) -> pa.RecordBatch:
    rows = len(values)
    return pa.record_batch(
        [
            pa.array(list(values), pa.int32()),
            pa.array([NOW - timedelta(seconds=age_s)] * rows, TIME),
            pa.array(list(values.values()), pa.float64()),
            pa.nulls(rows, pa.string()),
            pa.array([quality] * rows, pa.uint8()),
        ],
        schema=STORED,
    )


def current(*batches: pa.RecordBatch) -> CurrentValues:
    values = CurrentValues()
    for one in batches:
        values.update(one)
    return values


def test_each_enterprise_is_judged_by_its_own_tags() -> None:
    state = services.view_of(plant()).state(current(batch({1: 100.0, 2: 6.5}), batch({3: 2.0}, age_s=60)), NOW)
    assert state.tenants["copper"] == services.TenantState(tags=2, outside=1, urgent=1, healthy=1.0)
    assert state.tenants["carbon"].healthy == 0.0
    assert state.healthy == pytest.approx(2 / 3)
    [outside] = state.outside
    assert (outside.tag, outside.crossing, outside.limit) == (LEVEL, Crossing.HIGH_HIGH, 6.0)


def test_a_bad_value_is_outside_nothing() -> None:
    state = services.view_of(plant()).state(current(batch({2: 9.0}, quality=Quality.BAD)), NOW)
    assert state.outside == []


def test_power_is_summed_across_units_and_what_is_missing_is_told() -> None:
    running = plant()
    tags = [POWER, KILN_POWER]
    stale = batch({3: 2.0}, age_s=60)
    assert services.total_power_kw(running, tags, current(batch({1: 500.0, 3: 2.0})), NOW) == (2500.0, 0)
    assert services.total_power_kw(running, tags, current(batch({1: 500.0})), NOW) == (500.0, 1)
    assert services.total_power_kw(running, tags, current(batch({1: 500.0}), stale), NOW) == (2500.0, 1)


def test_everybody_who_sees_the_same_plant_shares_one_answer_a_second() -> None:
    running = plant()
    values = current(batch({1: 100.0}))
    first = services.view_of(running).state(values, NOW)
    assert services.view_of(running).state(values, NOW) is first
    values.update(batch({1: 101.0}))
    assert services.view_of(running).state(values, NOW) is not first


def test_who_may_see_one_enterprise_sees_no_other() -> None:
    view = services.view_of(plant().visible_to(frozenset({"carbon"})))
    assert [tenant.id for tenant in view.tenants] == ["carbon"]
    assert list(view.state(current(batch({1: 1.0})), NOW).tenants) == ["carbon"]


def test_an_empty_plant_has_no_enterprises() -> None:
    empty = replace(plant(), model=Plant("park", {"en": "Park"}, "UTC", {}, {}), ids={})
    view = services.view_of(empty)
    assert list(view.tenants) == []
    assert view.state(CurrentValues(), NOW).outside == []


async def test_the_last_hour_of_power_comes_in_half_minutes(tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    for age_s in range(0, 120, 10):
        await historian.write(batch({1: 100.0 + age_s}, age_s=age_s + 5))
    lines = await services.power_of_last_hour(historian, [TagId(1), TagId(3)], NOW)
    await historian.close()
    times_ms, values = lines[TagId(1)]
    assert [one - times_ms[0] for one in times_ms] == [0, 30_000, 60_000, 90_000]
    assert values[-1] < values[0]
    assert lines[TagId(3)] == ([], [])
