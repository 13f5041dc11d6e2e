"""Each planted situation is in the data as large as the list of truths says, and where it says."""

from pathlib import Path

import numpy as np
import pytest

import athanor.demo
from athanor.demo.clock import Timeline
from athanor.demo.model import Block, DemoSettings, LivingPlant
from athanor.demo.situations import SITUATIONS, Situation, situation
from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import Plant

from .conftest import NOW, SixtyDays

CIRCULATOR = "syngas.synthesis.circulation.circulator_{}.power"
FEEDER = "carbon.power.intake.feeder_grinding"
PUMP = "smelter.tankhouse.electrolyte.pump_2.vibration"


def gap_kw(days: SixtyDays, first_day: float, last_day: float) -> float:
    return days.mean(CIRCULATOR.format(1), first_day, last_day) - days.mean(CIRCULATOR.format(3), first_day, last_day)


def test_the_two_circulators_draw_the_same_before_the_valve_fault(sixty_days: SixtyDays) -> None:
    assert gap_kw(sixty_days, 0, 18) == pytest.approx(0, abs=0.1)


def test_circulator_1_draws_675_kwh_a_day_more_until_its_repair(sixty_days: SixtyDays) -> None:
    assert gap_kw(sixty_days, 18, 42) * 24 == pytest.approx(675, rel=0.02)  # EN-31


def test_every_day_of_the_fault_lies_between_20_and_30_kw(sixty_days: SixtyDays) -> None:
    daily = [gap_kw(sixty_days, day, day + 1) for day in range(18, 42)]
    assert min(daily) > 20
    assert max(daily) < 30


def test_after_the_repair_110_kwh_a_day_remain(sixty_days: SixtyDays) -> None:
    assert gap_kw(sixty_days, 42.1, 60) * 24 == pytest.approx(110, rel=0.03)  # EN-33


def fan_alone(plant: Plant, day: int) -> Block:
    """Seconds around the mill's first stop of a day, at 05:30."""
    living = LivingPlant(plant, Timeline.ending_at(NOW))
    living.at_us = living.timeline.start_us + round((day * 24 + 5.45) * 3600e6)
    block = living.advance(living.at_us + 1800_000_000, 1)
    assert block is not None
    return block


def overrun_s(block: Block) -> int:
    """How long the fan runs without its mill."""
    fan, mill = (block.column(f"carbon.milling.mills.{name}.running") for name in ("exhaust_fan", "mill_2"))
    return int(np.sum((fan == 1) & (mill == 0)))


def test_the_exhaust_fan_stops_twenty_minutes_late_until_day_45_and_then_in_45_seconds(plant: Plant) -> None:
    assert [overrun_s(fan_alone(plant, day)) for day in (0, 44, 45, 59)] == [1200, 1200, 45, 45]


def test_the_mill_stops_four_times_a_day(sixty_days: SixtyDays) -> None:
    running = sixty_days.values("carbon.milling.mills.mill_2.running", 0, 60)
    assert np.sum(np.diff(running) < 0) == 4 * 60


def test_stopping_in_time_saves_250_kwh_a_day(plant: Plant, sixty_days: SixtyDays) -> None:
    running = sixty_days.values(f"{FEEDER}.exhaust_fan.power")
    power_kw = float(np.mean(running[running > 100]))
    saved_s = 4 * (overrun_s(fan_alone(plant, 10)) - overrun_s(fan_alone(plant, 50)))
    assert saved_s / 3600 * power_kw == pytest.approx(250, rel=0.01)  # EN-36


def test_the_vertical_mill_drifts_and_returns_to_23_5_kwh_per_tonne(sixty_days: SixtyDays) -> None:
    specific = "carbon.milling.mills.mill_1.specific_energy"
    assert sixty_days.mean(specific, 10, 26) == pytest.approx(23.5, abs=0.1)
    assert sixty_days.mean(specific, 37.5, 38) == pytest.approx(26, abs=0.15)
    assert sixty_days.mean(specific, 38, 60) == pytest.approx(23.5, abs=0.1)  # EN-38


def valley_share(days: SixtyDays, first_day: int, last_day: int) -> float:
    valley = (days.hour < 7) | (days.hour >= 23)
    within = (days.day >= first_day) & (days.day < last_day)
    power = days.columns[f"{FEEDER}.power"]
    return float(100 * power[valley & within].sum() / power[within].sum())


def test_the_grinding_feeder_uses_27_percent_in_the_valley(sixty_days: SixtyDays) -> None:
    assert valley_share(sixty_days, 0, 60) == pytest.approx(situation("valley-share").size, abs=1)


def test_the_idle_line_draws_42_kw_from_17_to_23_hours_until_day_31(sixty_days: SixtyDays) -> None:
    evening = (sixty_days.hour >= 17.05) & (sixty_days.hour < 23)
    power = sixty_days.columns["carbon.finishing.line.auxiliaries.power"]
    assert power[evening & (sixty_days.day < 31)].mean() == pytest.approx(42, abs=0.3)  # EN-43
    assert power[evening & (sixty_days.day >= 31)].max() == 0
    assert power[sixty_days.hour >= 23].max() == 0


def test_at_night_the_baths_take_steam_only_while_the_line_leaks(sixty_days: SixtyDays) -> None:
    night = (sixty_days.hour > 23) | (sixty_days.hour < 5)
    flow, day = sixty_days.columns["smelter.utilities.steam.baths.flow"], sixty_days.day
    assert flow[night & (day < 26.8)].max() == 0
    assert flow[night & (day > 27) & (day < 52)].mean() == pytest.approx(0.85, abs=0.01)
    assert flow[night & (day > 53)].max() == 0


def test_the_frozen_meter_stands_still_and_then_goes_on(sixty_days: SixtyDays) -> None:
    frozen = situation("frozen-meter")
    for path in frozen.tags:
        held = sixty_days.values(path, frozen.start_day + 0.001, frozen.end_day or 0)
        assert np.unique(held).size == 1
        assert np.unique(sixty_days.values(path, frozen.end_day or 0, 41)).size > 100


def test_the_jumping_meter_shows_three_times_its_flow_in_every_tenth_minute(sixty_days: SixtyDays) -> None:
    jumping = situation("jumping-meter")
    flow = sixty_days.values(jumping.tags[0], jumping.start_day, jumping.end_day or 0)
    typical = np.median(flow)
    assert np.mean(flow > 2 * typical) == pytest.approx(0.1, abs=0.005)
    assert sixty_days.values(jumping.tags[0], 10, 47).max() < 2 * typical


def test_the_bearing_shows_in_its_envelope_long_before_its_velocity(sixty_days: SixtyDays) -> None:
    envelope = [sixty_days.mean(f"{PUMP}.envelope_bpfo", day, day + 1) for day in (10, 40, 50, 59)]
    assert envelope[0] == pytest.approx(0.16, abs=0.03)
    assert envelope[1] > 4 * envelope[0]
    assert envelope[1] < envelope[2] < envelope[3]
    assert sixty_days.mean(f"{PUMP}.velocity_rms", 40, 41) == pytest.approx(
        sixty_days.mean(f"{PUMP}.velocity_rms", 10, 11), abs=0.15
    )
    assert sixty_days.mean(f"{PUMP}.kurtosis", 50, 54) > sixty_days.mean(f"{PUMP}.kurtosis", 58, 60) > 4


def test_the_unbalanced_fan_vibrates_at_its_running_speed(sixty_days: SixtyDays) -> None:
    fan = "smelter.smelting.gas.fan_2.vibration"
    rise = sixty_days.mean(f"{fan}.amplitude_1x", 51, 60) - sixty_days.mean(f"{fan}.amplitude_1x", 30, 44)
    assert rise == pytest.approx(4.2, abs=0.15)
    assert sixty_days.mean(f"{fan}.velocity_rms", 51, 60) == pytest.approx(4.6, abs=0.2)


@pytest.mark.parametrize(
    ("name", "tag", "limit"),
    [
        ("so2-excursion", "smelter.acid.stack.monitor.so2", 400),
        ("furnace-temperature", "smelter.smelting.bath.furnace.bath_temperature", 1235),
    ],
)
def test_excursions_cross_the_upper_alarm_limit_and_nothing_else_does(
    sixty_days: SixtyDays, name: str, tag: str, limit: float
) -> None:
    excursion = situation(name)
    assert excursion.end_day is not None
    beyond = sixty_days.day[sixty_days.columns[tag] > limit]
    live = sixty_days.day[-1] - 0.05  # one more stands in the last trends before the live run
    past = beyond[beyond < live]
    assert past.size > 10
    assert past.min() >= excursion.start_day
    assert past.max() < excursion.end_day + 10 / 1440


def test_a_new_user_finds_an_so2_excursion_in_the_last_two_hours(plant: Plant) -> None:
    timeline = Timeline.ending_at(NOW, days=0)
    living = LivingPlant(plant, timeline)
    blocks = list(living.advance_all(timeline.live_us, fine_s=7200))
    assert blocks[-1].column("smelter.acid.stack.monitor.so2").max() > 400


def test_the_live_run_crosses_the_furnace_limits_within_its_first_minutes(plant: Plant) -> None:
    timeline = Timeline.ending_at(NOW, days=0)
    living = LivingPlant(plant, timeline)
    for _ in living.advance_all(timeline.live_us):
        pass
    block = living.advance(timeline.live_us + 900_000_000, 1)
    assert block is not None
    assert block.column("smelter.smelting.bath.furnace.bath_temperature").max() > 1235


@pytest.mark.parametrize("truth", SITUATIONS, ids=lambda truth: truth.id)
def test_a_situation_that_is_left_out_is_missing_in_the_tags_that_it_names(plant: Plant, truth: Situation) -> None:
    """Over a day from its start, at least one of them differs from the full plant's."""
    timeline = Timeline.ending_at(NOW, days=0)
    inside_us = timeline.start_us + int((truth.start_day + 0.01) * 86_400e6) // 60_000_000 * 60_000_000
    blocks = []
    for without in (frozenset[str](), frozenset({truth.id})):
        living = LivingPlant(plant, timeline, DemoSettings(without=without))
        living.at_us = inside_us
        block = living.advance(inside_us + 86_400_000_000, 60)
        assert block is not None
        blocks.append(block)
    full, clean = blocks
    assert any(not np.array_equal(full.column(tag), clean.column(tag), equal_nan=True) for tag in truth.tags)


def test_every_situation_names_tags_of_the_plant(plant: Plant) -> None:
    assert {tag for truth in SITUATIONS for tag in truth.tags} <= set(plant.tags)


def test_an_unknown_situation_cannot_be_left_out() -> None:
    with pytest.raises(NotFoundError, match="steam-leek"):
        DemoSettings(without=frozenset({"steam-leek"}))


def when(day: float | None) -> str:
    if day is None:
        return "—"
    minutes = round(day % 1 * 1440)
    return f"day {int(day)}, {minutes // 60:02}:{minutes % 60:02}"


def table_row(truth: Situation) -> str:
    size = f"{truth.size:g}" if truth.unit == "1" else f"{truth.size:g} {truth.unit}"
    times = f"{when(truth.start_day)} | {when(truth.end_day)}"
    return f"| `{truth.id}` | {times} | {size} | {truth.summary['en']} |"


def test_the_readme_lists_every_situation_with_its_true_times_and_size() -> None:
    readme = (Path(athanor.demo.__file__).with_name("README.md")).read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    assert rows == [table_row(truth) for truth in SITUATIONS]
