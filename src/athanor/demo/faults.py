"""What goes wrong with machines and instruments themselves: laid over the values that a sound plant would show."""

import numpy as np

from athanor.demo.stretch import Stretch
from athanor.kernel.telemetry import Quality

PUMP = "smelter.tankhouse.electrolyte.pump_2.vibration"
FAN = "smelter.smelting.gas.fan_2.vibration"
FROZEN = "smelter.power.substation.feeder_water.waste_water"
JUMPING = "smelter.utilities.water.acid.flow"

# Tag, quality, every [s], for [s]: instruments that fail now and then, and say so.
FLAKY: tuple[tuple[str, Quality, float, float], ...] = (
    ("smelter.smelting.bath.furnace.wall_temperature_07", Quality.BAD, 9000, 240),
    ("smelter.smelting.converting.converter_2.offgas_so2", Quality.BAD, 21_600, 600),
    ("smelter.acid.stack.monitor.nox", Quality.UNCERTAIN, 14_400, 420),
    ("smelter.water.treatment.reactor_1.ph", Quality.UNCERTAIN, 28_800, 900),
    ("smelter.acid.absorption.absorber_1.acid_concentration", Quality.UNCERTAIN, 18_000, 300),
    ("commons.environment.air.station_2.pm25", Quality.BAD, 43_200, 1800),
    ("syngas.tank_farm.chlorine.detector_3.concentration", Quality.UNCERTAIN, 10_800, 300),
)


def apply_faults(stretch: Stretch) -> None:
    """Bearing, unbalance, hot valve, frozen and jumping meter."""
    _damage_bearing(stretch)
    values = stretch.values
    unbalance = 4.2 * stretch.strength("fan-unbalance")
    velocity = values[f"{FAN}.velocity_rms"]
    values[f"{FAN}.amplitude_1x"] = values[f"{FAN}.amplitude_1x"] + unbalance
    values[f"{FAN}.velocity_rms"] = np.hypot(velocity, unbalance)
    valve = "syngas.synthesis.circulation.circulator_1.valve_temperature"
    values[valve] = values[valve] + stretch.lag("valve.heat", 9 * stretch.strength("circulator-valve"), 3600)
    minute = np.floor(stretch.moments.elapsed_s / 60)
    jumps = (stretch.strength("jumping-meter") > 0) & (minute % 10 == 0)
    values[JUMPING] = np.where(jumps, 3 * values[JUMPING], values[JUMPING])
    _freeze_meter(stretch)


def _damage_bearing(stretch: Stretch) -> None:
    """Envelope grows first, kurtosis rises and falls again as the damage spreads, velocity and heat come last."""
    values, damage = stretch.values, stretch.strength("bearing-outer-race")
    growth = 1 + stretch.wander("bearing.growth", 0.04, 7200)
    changes = {
        "envelope_bpfo": 9.0 * damage * growth,
        "kurtosis": 22 * damage * np.exp(-2.6 * damage) * growth,
        "acceleration_peak": 85 * damage * growth,
        "velocity_rms": 3.1 * damage**2 * growth,
        "temperature": 14 * damage**2,
    }
    for tag, change in changes.items():
        values[f"{PUMP}.{tag}"] = values[f"{PUMP}.{tag}"] + change


def _freeze_meter(stretch: Stretch) -> None:
    """The meter shows its last good reading; what it missed is added to no register afterwards."""
    frozen = stretch.strength("frozen-meter") > 0
    power, energy = f"{FROZEN}.power", f"{FROZEN}.energy"
    missed = stretch.memory.count("frozen.missed", np.where(frozen, stretch.values[power], 0.0))
    stretch.values[energy] = stretch.memory.hold("frozen.energy", stretch.values[energy] - missed, frozen)
    stretch.values[power] = stretch.memory.hold("frozen.power", stretch.values[power], frozen)


def quality_of(stretch: Stretch, columns: dict[str, int]) -> np.ndarray:
    """`Quality` of every value, uint8. [T, P]"""
    quality = np.zeros((len(stretch.moments.time_us), len(columns)), np.uint8)
    for number, (path, worst, every_s, for_s) in enumerate(FLAKY):
        failing = (stretch.moments.elapsed_s + 1700 * number) % every_s < for_s
        quality[failing, columns[path]] = worst
    return quality
