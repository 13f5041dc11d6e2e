"""Figures from the tables: read in bulk, cut by tenant and place, on both databases."""

from datetime import timedelta

import numpy as np
import pytest

from athanor.apps.alarms.domain.kpis import Figure
from athanor.apps.alarms.services.performance import Step, figures, learned, rate, step_edges, steps_for
from athanor.apps.alarms.services.performance_counted import counted
from athanor.apps.alarms.services.performance_names import named, shown_alarms, told_after
from athanor.apps.alarms.services.performance_record import Record, Wish, read
from athanor.kernel.alarms.columns import NEVER_US
from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.historian.port import microseconds

from .alarm_log import HEAT, MIDNIGHT, PLANT, PRESSURE, TEMPERATURE, Raised, keep

DAY, DAY_S, HOUR_S = timedelta(days=1), 86_400, 3600
TENANTS = {TEMPERATURE: "copper", PRESSURE: "copper", HEAT: "carbon"}
WEEK = Wish(MIDNIGHT, MIDNIGHT + 7 * DAY)
LOG = [
    *(Raised(TEMPERATURE, HOUR_S + 20 * n, 10, 5, priority=2) for n in range(12)),  # a flood that chatters
    Raised(PRESSURE, HOUR_S - 30, 3 * DAY_S),  # came first elsewhere, and stays for days
    Raised(PRESSURE, 2 * DAY_S, 60, is_announced=False),
    Raised(PRESSURE, -DAY_S, 2 * DAY_S),
    Raised(PRESSURE, -3 * DAY_S, DAY_S),  # over before the week
    Raised(HEAT, 3 * DAY_S, None, 30, priority=1),
    Raised(HEAT, 7 * DAY_S, 60),  # after the week
]


@pytest.fixture
async def record(database: Database) -> Record:
    await keep(database, LOG, tenant_of=TENANTS)
    return await read(database, PLANT, WEEK)


async def test_the_log_holds_what_was_announced_in_the_period_and_what_stood_then(record: Record) -> None:
    path_of = {alarm: one.path for alarm, one in record.alarms.items()}
    start = microseconds(MIDNIGHT)
    found = [
        (path_of[int(a)], (int(t) - start) / 1e6) for a, t in zip(record.log.alarm, record.log.raised_us, strict=True)
    ]
    expected = sorted(((one.path, one.at_s) for one in LOG), key=lambda row: row[1])
    left_out = {(PRESSURE, 2 * DAY_S), (PRESSURE, -3 * DAY_S), (HEAT, 7 * DAY_S)}
    assert found == [row for row in expected if row not in left_out]
    assert np.all(record.log.seen_us - record.log.raised_us == 200_000)
    assert int((record.log.cleared_us == NEVER_US).sum()) == 1
    assert int((record.log.acknowledged_us != NEVER_US).sum()) == 13


async def test_figures_are_those_of_the_log(record: Record) -> None:
    found = figures(record)
    values = {one.figure: one.value for one in found.kpis}
    assert found.raised == 14
    assert [one.path for one in found.positions] == ["copper.smelting", "carbon.baking", "copper.casting"]
    assert values[Figure.PER_DAY] == pytest.approx(14 / 7 / 3)  # the mean of three positions
    assert (values[Figure.PEAK], values[Figure.CHATTERING], values[Figure.FLEETING]) == (12, 1, 1)
    assert values[Figure.STALE] == 1  # one each in casting and baking
    assert found.priorities.tolist() == [1, 12, 1, 0]
    assert (found.chattering[0].count, found.fleeting[0].count) == (12, 12)
    assert [one.is_standing for one in found.stale] == [True, False, False]
    assert (found.response.acknowledged.known, found.response.acknowledged.median_s) == (13, 5)
    assert not found.is_enough


async def test_a_flood_names_what_came_first_wherever_it_was(record: Record) -> None:
    (flood,) = figures(record).floods
    assert (flood.alarms, flood.peak) == (13, 13)
    assert record.alarms[flood.first_alarm].path == PRESSURE


async def test_the_rows_that_a_figure_counts_are_as_many_as_it_says(record: Record) -> None:
    assert int(counted(record, Figure.CHATTERING).sum()) == 12
    assert int(counted(record, Figure.PEAK).sum()) == 12
    assert int(counted(record, Figure.IN_FLOOD).sum()) == 12  # of smelting's own flood
    assert int(counted(record, Figure.BUSY_WINDOWS).sum()) == 12
    assert int(counted(record, Figure.BUSY_HOURS).sum()) == 0
    assert int(counted(record, Figure.STALE).sum()) == 3
    assert int(counted(record, Figure.PER_DAY).sum()) == int(counted(record, "anything").sum()) == 14
    assert int(counted(record, "acknowledged").sum()) == 13
    assert int(counted(record, "returned").sum()) == 13
    heat = next(alarm for alarm, one in record.alarms.items() if one.path == HEAT)
    assert int(counted(record, Figure.PER_DAY, heat).sum()) == 1


async def test_days_begin_at_midnight_on_the_plants_clock(record: Record) -> None:
    edges, counts = rate(record, Step.DAY)
    assert edges.tolist() == [microseconds(MIDNIGHT + n * DAY) for n in range(8)]
    assert counts.tolist() == [13, 0, 0, 1, 0, 0, 0]
    assert figures(record).week[0, :2].tolist() == [1, 12]
    assert steps_for(record) == list(Step)
    assert len(step_edges(record, Step.HOUR)) == 169


async def test_a_tenant_sees_no_other_tenants_alarms_in_any_figure(database: Database) -> None:
    await keep(database, LOG, tenant_of=TENANTS)
    seen = SeenDatabase(database, frozenset({"carbon"}))
    theirs = await read(seen, PLANT.visible_to(frozenset({"carbon"})), WEEK)
    assert {one.path for one in theirs.alarms.values()} == {HEAT}
    assert figures(theirs).raised == 1


@pytest.mark.parametrize(
    ("wish", "raised"),
    [
        (Wish(WEEK.start, WEEK.end, tenant="copper"), 13),
        (Wish(WEEK.start, WEEK.end, area="copper.casting"), 1),
        (Wish(WEEK.start, WEEK.end, position="copper.smelting"), 12),
        (Wish(WEEK.start, WEEK.end, area="copper.cast"), 0),
        (Wish(WEEK.start + 3 * DAY, WEEK.end), 1),
    ],
)
async def test_figures_are_of_the_part_that_was_wished_for(database: Database, wish: Wish, raised: int) -> None:
    await keep(database, LOG, tenant_of=TENANTS)
    assert figures(await read(database, PLANT, wish)).raised == raised


async def test_a_young_plant_has_figures_of_nothing(database: Database) -> None:
    found = figures(await read(database, PLANT, WEEK))
    assert (found.raised, len(found.floods), len(found.top.alarm), found.positions) == (0, 0, 0, [])
    assert learned(found.record).pairs == []
    assert (await told_after(database, WEEK.start, WEEK.end)).known == 0


async def test_alarms_are_named_by_rule_and_place(database: Database, record: Record) -> None:
    names = await named(database, PLANT.model, record, shown_alarms(figures(record)))
    assert {one.name["zh_CN"] for one in names.values()} == {"过高"}
    assert {one.path for one in names.values()} == {TEMPERATURE, PRESSURE, HEAT}
    (furnace,) = [one for one in names.values() if one.path == TEMPERATURE]
    assert [text["en"] for text in furnace.place] == ["Smelting", "Furnace", "Temperature"]
