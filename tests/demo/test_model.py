"""The living plant keeps its balances, joins its history without a step, and repeats itself exactly."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from athanor.demo.clock import DAY_US, Timeline
from athanor.demo.electricity import FEEDERS, GENERATOR_ON, SUBSTATION, SYNGAS_METERS, TRANSFORMERS
from athanor.demo.equipment import driver_of
from athanor.demo.media import NETWORKS
from athanor.demo.model import Block, DemoSettings, LivingPlant, UnmodelledTagError
from athanor.demo.smelter import BOILER_EFFICIENCY, NM3_PER_KMOL, SO2, STEAM_RISE_KJ_PER_KG, SULPHUR, SULPHURIC_ACID
from athanor.demo.state_file import BadDemoStateError, load_state, save_state
from athanor.kernel.plant.model import Plant, Tag, TagKind
from athanor.kernel.telemetry import Quality

from .conftest import NOW

FURNACE = "smelter.smelting.bath.furnace"


@pytest.fixture(scope="module")
def two_days(plant: Plant) -> Block:
    """Minutes of the second and third day."""
    living = LivingPlant(plant, Timeline.ending_at(NOW))
    living.advance(living.at_us + DAY_US, 60)
    block = living.advance(living.at_us + 2 * DAY_US, 60)
    assert block is not None
    return block


def total(block: Block, *paths: str) -> np.ndarray:
    summed: np.ndarray = np.sum([block.column(path) for path in paths], axis=0)
    return summed


def test_the_plant_has_more_than_a_thousand_tags_and_each_gets_a_value(plant: Plant, two_days: Block) -> None:
    assert len(plant.tags) > 1000
    empty = {path for at, path in enumerate(two_days.paths) if np.isnan(two_days.values[:, at]).all()}
    assert empty == {path for path, tag in plant.tags.items() if tag.kind is TagKind.TEXT} == set(two_days.texts)


def test_each_tenant_has_one_power_tag_and_a_production_tag(plant: Plant) -> None:
    owners = [(tag.role, plant.tenant_of(path).id) for path, tag in plant.tags.items() if tag.role]
    assert sorted(owner for role, owner in owners if role == "tenant.power") == sorted(plant.tenants)
    assert {owner for role, owner in owners if role == "tenant.production"} == set(plant.tenants)


@pytest.mark.parametrize("feeder", FEEDERS)
def test_a_feeder_carries_the_sum_of_its_meters(two_days: Block, feeder: str) -> None:
    meters = total(two_days, *(f"{feeder}.{meter}.power" for meter in FEEDERS[feeder]))
    np.testing.assert_allclose(two_days.column(f"{feeder}.power"), meters, atol=0.05 * (len(FEEDERS[feeder]) + 1))


@pytest.mark.parametrize("path", TRANSFORMERS)
def test_a_main_transformer_carries_its_feeders_less_the_generator_and_its_losses(two_days: Block, path: str) -> None:
    feeders = TRANSFORMERS[path].feeders
    carried = total(two_days, *(f"{feeder}.power" for feeder in feeders)) + two_days.column(f"{path}.losses")
    if path == GENERATOR_ON:
        carried = carried - two_days.column(f"{SUBSTATION}.generator.power")
    np.testing.assert_allclose(two_days.column(f"{path}.power"), carried, atol=0.05 * (len(feeders) + 3))


def test_an_enterprise_takes_what_its_meters_show(two_days: Block) -> None:
    circulators = [f"syngas.synthesis.circulation.circulator_{number}.power" for number in (1, 2, 3, 4)]
    meters = [f"syngas.power.intake.{meter}.power" for meter in SYNGAS_METERS]
    np.testing.assert_allclose(
        two_days.column("syngas.power.intake.main.total_power"), total(two_days, *circulators, *meters), atol=0.5
    )
    np.testing.assert_allclose(
        two_days.column(f"{SUBSTATION}.main.total_power"),
        total(two_days, *(f"{path}.power" for path in TRANSFORMERS)),
        atol=0.2,
    )


@pytest.mark.parametrize("medium", [*NETWORKS, "steam", "oxygen"])
def test_a_main_meter_shows_the_sum_of_its_users(two_days: Block, medium: str) -> None:
    network = f"smelter.utilities.{medium}."
    users = [
        path for path in two_days.paths if path.startswith(network) and path.endswith(".flow") and ".main." not in path
    ]
    atol = {"gas": 0.3, "oxygen": 0.2, "air": 0.3}.get(medium, 0.04)
    np.testing.assert_allclose(two_days.column(f"{network}main.flow"), total(two_days, *users), atol=atol)


def test_copper_in_the_feed_is_copper_in_matte_and_slag(two_days: Block) -> None:
    blend = "smelter.yard.blending.blend"
    copper_in = two_days.column(f"{blend}.feed_rate") * two_days.column(f"{blend}.copper") / 100
    matte = two_days.column(f"{FURNACE}.matte_rate") * two_days.column(f"{FURNACE}.matte_grade") / 100
    np.testing.assert_allclose(copper_in, matte + two_days.column(f"{FURNACE}.copper_to_slag"), atol=0.02)


def test_matte_made_is_matte_tapped_and_what_the_furnace_gains(two_days: Block) -> None:
    stock = two_days.column(f"{FURNACE}.matte_inventory")
    made, tapped = (two_days.column(f"{FURNACE}.{name}")[1:].sum() / 60 for name in ("matte_rate", "matte_tapped"))
    assert made == pytest.approx(tapped + stock[-1] - stock[0], abs=1.0)
    assert 80 < stock.min() < stock.max() < 170


def test_tapped_matte_is_what_the_converters_take(two_days: Block) -> None:
    charges = [f"smelter.smelting.converting.converter_{number}.matte_charge" for number in (1, 2, 3)]
    np.testing.assert_allclose(two_days.column(f"{FURNACE}.matte_tapped"), total(two_days, *charges), atol=0.11)


def test_sulphur_in_the_gas_is_acid_and_what_the_stack_lets_go(two_days: Block) -> None:
    sulphur_in = two_days.column("smelter.acid.conversion.gas.so2_flow") / NM3_PER_KMOL * SULPHUR / 1000
    in_acid = two_days.column("smelter.acid.absorption.product.rate") * SULPHUR / SULPHURIC_ACID
    in_stack = two_days.column("smelter.acid.stack.monitor.so2_mass") / 1000 * SULPHUR / SO2
    np.testing.assert_allclose(sulphur_in, in_acid + in_stack, atol=0.01)


def test_sulphur_in_the_feed_leaves_as_acid_but_for_what_the_baths_hold(two_days: Block) -> None:
    """Over two days; matte and converters hold some hours' worth."""
    blend = "smelter.yard.blending.blend"
    fed = (two_days.column(f"{blend}.feed_rate") * two_days.column(f"{blend}.sulphur") / 100).sum() / 60
    acid = two_days.column("smelter.acid.absorption.product.rate").sum() / 60 * SULPHUR / SULPHURIC_ACID
    assert acid == pytest.approx(fed, rel=0.03)


def test_heat_taken_from_the_gas_is_in_the_steam(two_days: Block) -> None:
    boiler = "smelter.heat.recovery.boiler"
    steam_kw = two_days.column(f"{boiler}.steam_flow") * STEAM_RISE_KJ_PER_KG / 3.6
    np.testing.assert_allclose(two_days.column(f"{boiler}.heat_flow") * BOILER_EFFICIENCY, steam_kw, atol=5)


def test_oxygen_made_is_used_or_vented_or_comes_from_the_tank(two_days: Block) -> None:
    column = "smelter.oxygen.separation.column"
    kept = two_days.column(f"{column}.oxygen_flow") - two_days.column(f"{column}.vent_flow")
    assert (kept <= two_days.column("smelter.utilities.oxygen.main.flow") + 2).all()


def test_counters_never_run_backwards(plant: Plant, two_days: Block) -> None:
    for path, tag in plant.tags.items():
        if tag.kind is TagKind.COUNTER:
            assert (np.diff(two_days.column(path)) >= 0).all(), path


def test_a_register_grows_by_its_power(two_days: Block) -> None:
    feeder = f"{SUBSTATION}.feeder_oxygen"
    register = two_days.column(f"{feeder}.energy")
    assert register[-1] - register[0] == pytest.approx(two_days.column(f"{feeder}.power")[1:].sum() / 60, rel=1e-5)


def test_values_keep_to_their_range_and_resolution(plant: Plant, two_days: Block) -> None:
    for at, (path, tag) in enumerate(plant.tags.items()):
        values = two_days.values[:, at]
        values = values[~np.isnan(values)]
        assert tag.low is None or (values >= tag.low).all(), path
        assert tag.high is None or (values <= tag.high).all(), path
        np.testing.assert_allclose(values, np.round(values, tag.decimals), rtol=0, atol=1e-9, err_msg=path)


def test_steps_of_a_second_go_on_where_steps_of_a_minute_end(plant: Plant) -> None:
    """From the last minute to the first second no tag moves much further than from minute to minute before."""
    timeline = Timeline.ending_at(NOW, days=1)
    living = LivingPlant(plant, timeline, DemoSettings(without=frozenset({"so2-excursion", "furnace-temperature"})))
    living.advance(timeline.live_us - 3600_000_000, 60)
    minutes = living.advance(timeline.live_us, 60)
    seconds = living.advance(timeline.live_us + 600_000_000, 1)
    assert minutes is not None
    assert seconds is not None
    numbers = [at for at, tag in enumerate(plant.tags.values()) if tag.kind is TagKind.ANALOG]
    before, after = minutes.values[:, numbers], seconds.values[:, numbers]
    jump = np.abs(after[0] - before[-1])
    usual = np.nanmax(np.abs(np.diff(before, axis=0)), axis=0)  # the largest step in an hour of minutes
    resolution = np.array([10.0**-tag.decimals for tag in plant.tags.values()])[numbers]
    steps = {living.paths[at] for at, far in zip(numbers, jump > 1.5 * usual + resolution, strict=True) if far}
    assert steps == set()
    for at, (path, tag) in enumerate(plant.tags.items()):
        if tag.kind is TagKind.COUNTER:
            assert seconds.values[0, at] >= minutes.values[-1, at], path


def test_mean_and_spread_are_the_same_in_minutes_and_in_seconds(plant: Plant) -> None:
    timeline = Timeline.ending_at(NOW, days=1)
    living = LivingPlant(plant, timeline, DemoSettings(without=frozenset({"so2-excursion"})))
    living.advance(timeline.live_us, 60)
    minutes = living.advance(timeline.live_us + 5400_000_000, 60)
    seconds = living.advance(timeline.live_us + 2 * 5400_000_000, 1)
    assert minutes is not None
    assert seconds is not None
    for path in ("smelter.power.substation.bus_1.voltage", "smelter.smelting.bath.furnace.hood_pressure"):
        first, second = minutes.column(path), seconds.column(path)
        assert second.mean() == pytest.approx(first.mean(), abs=5 * first.std())
        assert second.std() == pytest.approx(first.std(), rel=0.6)


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not(plant: Plant) -> None:
    blocks = []
    for seed in (1, 1, 2):
        living = LivingPlant(plant, Timeline.ending_at(NOW), DemoSettings(seed=seed))
        block = living.advance(living.at_us + 7200_000_000, 60)
        assert block is not None
        blocks.append(block.values)
    np.testing.assert_array_equal(blocks[0], blocks[1])
    assert (blocks[0] != blocks[2]).mean() > 0.5


def test_a_plant_that_was_saved_and_restored_goes_on_as_if_nothing_had_happened(plant: Plant, tmp_path: Path) -> None:
    one = LivingPlant(plant, Timeline.ending_at(NOW), DemoSettings(without=frozenset({"late-fan"})))
    one.advance(one.at_us + DAY_US, 60)
    save_state(one, tmp_path / "state.json")
    other = load_state(plant, tmp_path / "state.json")
    assert other is not None
    assert (other.timeline, other.at_us) == (one.timeline, one.at_us)
    expected, continued = (living.advance(living.at_us + 3600_000_000, 60) for living in (one, other))
    assert expected is not None
    assert continued is not None
    np.testing.assert_allclose(continued.values, expected.values, rtol=1e-9, equal_nan=True)


def test_without_a_state_file_there_is_nothing_to_restore(plant: Plant, tmp_path: Path) -> None:
    assert load_state(plant, tmp_path / "state.json") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"timeline": {}, "seed": 1}', "\x00"])
def test_a_damaged_state_file_is_refused_with_its_name(plant: Plant, tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(BadDemoStateError, match=r"state\.json"):
        load_state(plant, path)


def test_a_state_of_an_older_plant_is_refused(plant: Plant, living: LivingPlant, tmp_path: Path) -> None:
    living.advance(living.at_us + 60_000_000, 60)
    saved = living.save() | {"without": ["a situation of long ago"]}
    (tmp_path / "state.json").write_text(json.dumps(saved))
    with pytest.raises(BadDemoStateError):
        load_state(plant, tmp_path / "state.json")


def test_a_tag_that_the_model_does_not_know_is_named(plant: Plant) -> None:
    mast = plant.node("commons.environment.weather.mast")
    unknown = Tag(f"{mast.path}.humour", {"en": "Humour", "zh_CN": "心情"}, "1")
    richer = replace(plant, nodes={**plant.nodes, mast.path: replace(mast, tags=(*mast.tags, unknown))})
    living = LivingPlant(richer, Timeline.ending_at(NOW))
    with pytest.raises(UnmodelledTagError, match="humour"):
        living.advance(living.at_us + 60_000_000, 60)


def test_nothing_lies_before_the_next_step(living: LivingPlant) -> None:
    assert living.advance(living.at_us + 59_000_000, 60) is None
    assert list(living.advance_all(living.at_us)) == []


def test_failing_sensors_say_so(two_days: Block) -> None:
    wall = two_days.paths.index("smelter.smelting.bath.furnace.wall_temperature_07")
    bad = two_days.quality[:, wall] == Quality.BAD
    assert 0.01 < bad.mean() < 0.05
    assert np.isnan(two_days.values[bad, wall]).all()
    ph = two_days.paths.index("smelter.water.treatment.reactor_1.ph")
    uncertain = two_days.quality[:, ph] == Quality.UNCERTAIN
    assert uncertain.any()
    assert not np.isnan(two_days.values[uncertain, ph]).any()


def test_an_asset_that_no_pattern_names_is_driven_by_nothing_special() -> None:
    assert driver_of("elsewhere.pump") == "always"
    assert driver_of("carbon.activation.kilns.kiln_2") == "kiln_2"
