"""The history comes as the historian stores it: whole days, sorted, each tag at its period."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from athanor.demo.clock import DAY_US, Timeline
from athanor.demo.history import write_history
from athanor.demo.model import LivingPlant
from athanor.kernel.historian.port import STORED
from athanor.kernel.plant.model import Plant, TagKind
from athanor.kernel.telemetry import Quality

from .conftest import NOW


@pytest.fixture(scope="module")
def ids(plant: Plant) -> dict[str, int]:
    """In another order than the plant's, as a database may give them."""
    return {path: number for number, path in enumerate(reversed(list(plant.tags)), 1)}


@pytest.fixture(scope="module")
def tables(plant: Plant, ids: dict[str, int]) -> list[pa.Table]:
    living = LivingPlant(plant, Timeline.ending_at(NOW, days=2))
    return list(write_history(living, living.timeline.live_us, ids))


def of_tag(table: pa.Table, tag: int) -> pa.Table:
    return table.filter(pc.equal(table["tag"], tag))


def seconds(table: pa.Table) -> np.ndarray:
    return table["time"].cast(pa.int64()).to_numpy() / 1e6


def test_every_table_is_stored_samples_sorted_by_tag_then_time(tables: list[pa.Table]) -> None:
    for table in tables:
        assert table.schema == STORED
        table.validate(full=True)
        tag, time = table["tag"].to_numpy().astype(np.int64), table["time"].cast(pa.int64()).to_numpy()
        order = np.diff(tag) > 0
        assert (order | ((np.diff(tag) == 0) & (np.diff(time) > 0))).all()


def test_a_table_holds_one_day_of_the_plant(plant: Plant, tables: list[pa.Table]) -> None:
    timeline = Timeline.ending_at(NOW, days=2)
    first, second = ((seconds(table) - timeline.start_us / 1e6) / (DAY_US / 1e6) for table in tables[:2])
    assert first.min() > 0
    assert first.max() == 1
    assert second.min() > 1
    assert second.max() == 2


def test_the_history_ends_with_an_hour_of_seconds(tables: list[pa.Table], ids: dict[str, int]) -> None:
    temperature = seconds(of_tag(tables[-1], ids["smelter.smelting.bath.furnace.bath_temperature"]))
    assert len(temperature) >= 3600
    assert set(np.diff(temperature)) == {1.0}
    assert temperature[-1] == NOW.timestamp()
    meter = seconds(of_tag(tables[-1], ids["smelter.utilities.steam.main.flow"]))
    assert set(np.diff(meter)) == {5.0}


def test_fast_tags_come_each_minute_and_assays_at_their_own_period(tables: list[pa.Table], ids: dict[str, int]) -> None:
    day = tables[1]
    assert len(of_tag(day, ids["smelter.smelting.bath.furnace.bath_temperature"])) == 1440
    assert len(of_tag(day, ids["smelter.laboratory.assays.matte.copper"])) == 12
    assert len(of_tag(day, ids["smelter.laboratory.assays.cathode.copper"])) == 3


def test_text_tags_carry_text_and_bad_samples_no_value(
    plant: Plant, tables: list[pa.Table], ids: dict[str, int]
) -> None:
    lots = of_tag(tables[0], ids["smelter.yard.blending.blend.lot"])
    assert set(lots["text"].to_pylist()) == {"C0000"}
    assert lots["value"].null_count == len(lots)
    text_ids = [ids[path] for path, tag in plant.tags.items() if tag.kind is TagKind.TEXT]
    others = tables[0].filter(pc.invert(pc.is_in(tables[0]["tag"], pa.array(text_ids, pa.int32()))))
    assert others["text"].null_count == len(others)
    bad = pc.equal(others["quality"], int(Quality.BAD))
    assert pc.any(bad).as_py()
    assert pc.all(pc.equal(bad, pc.is_null(others["value"]))).as_py()


def test_a_stopped_demo_fills_its_gap_from_where_it_was(plant: Plant, ids: dict[str, int]) -> None:
    living = LivingPlant(plant, Timeline.ending_at(NOW, days=0))
    stopped_us = living.at_us + 10_007_000_000
    for _ in living.advance_all(stopped_us):
        pass
    gap = pa.concat_tables(write_history(living, stopped_us + 3 * 3600_000_000, ids))
    assert living.at_us == stopped_us + 3 * 3600_000_000
    times = np.unique(seconds(of_tag(gap, ids["smelter.smelting.bath.furnace.bath_temperature"])))
    assert times[0] == stopped_us / 1e6 + 1
    assert np.diff(times).max() == 60
    counter = pa.concat_tables([of_tag(gap, ids["smelter.power.substation.main.total_energy"])]).sort_by("time")
    assert len(counter) > 120
    assert (np.diff(counter["value"].to_numpy()) >= 0).all()


def test_progress_counts_days_to_the_end(plant: Plant, ids: dict[str, int]) -> None:
    seen: list[tuple[int, int]] = []
    living = LivingPlant(plant, Timeline.ending_at(NOW, days=1))
    for _ in write_history(living, living.timeline.live_us, ids, lambda done, total: seen.append((done, total))):
        pass
    assert seen[0] == (1, 2)
    assert seen[-1] == (2, 2)


def test_tags_that_the_historian_does_not_know_are_left_out(plant: Plant) -> None:
    living = LivingPlant(plant, Timeline.ending_at(NOW, days=0))
    table = next(write_history(living, living.at_us + 600_000_000, {"commons.environment.weather.mast.temperature": 7}))
    assert set(table["tag"].to_pylist()) == {7}
