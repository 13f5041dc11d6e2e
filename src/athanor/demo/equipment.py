"""Ordinary instruments: values that follow how hard their equipment works. Tables, and one loop that reads them."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from athanor.demo.stretch import Stretch
from athanor.kernel.plant.model import Plant

STANDS = 0.05  # an activity below this is a machine that does not run


@dataclass(frozen=True, slots=True)
class Follow:
    """A value that goes from `idle` to `full` with its equipment's activity. In the tag's unit."""

    idle: float
    full: float
    tau_s: float = 20.0
    wander: float = 0.0  # slow noise, standard deviation
    noise: float = 0.0  # fast noise, standard deviation
    wander_s: float = 1800.0  # how long slow noise remembers


@dataclass(frozen=True, slots=True)
class Runs:
    """A state: 1 while the equipment works, else 0."""


Rule = Follow | Runs

_STOCK_S, _BIN_S = 172_800.0, 14_400.0  # tanks fill and empty in days, bins in hours

# Tags of equipment types. Each asset differs from the type's figures by its own few per cent.
TYPE_RULES: Mapping[str, Mapping[str, Rule]] = {
    "pump": {
        "running": Runs(),
        "current": Follow(0, 142, 3, 1.6, 0.5),
        "discharge_pressure": Follow(0, 0.62, 4, 0.006, 0.002),
    },
    "fan": {
        "running": Runs(),
        "current": Follow(0, 268, 6, 3, 0.8),
        "speed": Follow(0, 1385, 12, 4, 1),
        "suction": Follow(0, -3.6, 8, 0.08, 0.02),
    },
    "compressor": {
        "running": Runs(),
        "flow": Follow(0, 64_000, 20, 500, 150),
        "discharge_pressure": Follow(0, 0.58, 15, 0.006, 0.002),
        "discharge_temperature": Follow(24, 118, 400, 1.2, 0.1),
        "current": Follow(0, 395, 5, 3, 1),
        "oil_pressure": Follow(0.17, 0.245, 8, 0.003, 0.001),
    },
    "vibration_sensor": {
        "velocity_rms": Follow(0.12, 1.9, 6, 0.12, 0.04),
        "amplitude_1x": Follow(0.05, 1.15, 6, 0.09, 0.02),
        "envelope_bpfo": Follow(0.02, 0.16, 6, 0.012, 0.008),
        "kurtosis": Follow(3.0, 3.05, 6, 0.08, 0.06),
        "acceleration_peak": Follow(0.6, 11, 6, 0.7, 0.4),
        "temperature": Follow(22, 52, 1500, 1.1, 0.05),
    },
    "precipitator_field": {"voltage": Follow(12, 58, 10, 1.2, 0.3), "current": Follow(15, 620, 10, 22, 5)},
    "acid_tower": {
        "acid_concentration": Follow(98.0, 98.35, 1200, 0.06, 0.01),
        "acid_temperature": Follow(45, 72, 900, 0.9, 0.1),
        "acid_flow": Follow(0, 880, 30, 7, 3),
        "level": Follow(58, 60, 600, 2.0, 0.1),
    },
    "tank": {"level": Follow(55, 58, 3600, 6.0, 0.05, _STOCK_S), "temperature": Follow(40, 62, 3600, 0.8, 0.05)},
    "pressure_tank": {
        "level": Follow(52, 60, 3600, 8.0, 0.03, _STOCK_S),
        "temperature": Follow(14, 18, 7200, 3.0, 0.03),
        "pressure": Follow(0.66, 0.74, 3600, 0.05, 0.002),
    },
    "gas_detector": {"concentration": Follow(0.15, 0.25, 60, 0.05, 0.04)},
    "catalyst_bed": {
        "inlet_temperature": Follow(396, 418, 1800, 1.8, 0.2),
        "outlet_temperature": Follow(430, 520, 1800, 3.0, 0.3),
    },
    "boiler": {
        "steam_pressure": Follow(1.12, 1.25, 120, 0.02, 0.003),
        "drum_level": Follow(0, 4, 60, 14, 3),
        "flue_gas_temperature": Follow(95, 148, 600, 2, 0.3),
        "oxygen": Follow(8, 4.2, 60, 0.3, 0.1),
    },
    "kiln": {
        "running": Runs(),
        "zone_1_temperature": Follow(180, 640, 5400, 7, 1),
        "zone_2_temperature": Follow(260, 905, 5400, 8, 1),
        "zone_3_temperature": Follow(220, 860, 5400, 8, 1),
        "draft": Follow(-4, -42, 30, 3, 1.5),
        "speed": Follow(0, 1.85, 20, 0.02, 0.005),
        "oxygen": Follow(19, 3.4, 200, 0.4, 0.1),
    },
    "bath_tank": {
        "temperature": Follow(16, 2, 5400, 0.5, 0.05),
        "level": Follow(81, 80, 3600, 1.0, 0.1),
        "conductivity": Follow(238, 246, 3600, 3, 0.4),
    },
    "concentrate_bin": {"level": Follow(62, 58, 3600, 9, 0.1, _BIN_S)},
    "lance": {"pressure": Follow(0.36, 0.56, 8, 0.008, 0.003)},
    "belt": {"running": Runs(), "current": Follow(0, 46, 6, 1, 0.4)},
    "pipe_section": {
        "pressure": Follow(0.8, 0.95, 600, 0.02, 0.002),
        "temperature": Follow(24, 36, 3600, 1.2, 0.05),
        "methane": Follow(0.02, 0.04, 600, 0.01, 0.008),
    },
    "transformer": {"tap": Follow(9, 9)},
    "rectifier": {"oil_temperature": Follow(22, 54, 3600, 1.0, 0.05)},
    "gas_meter": {"pressure": Follow(392, 380, 30, 4, 1), "temperature": Follow(14, 22, 3600, 1.5, 0.05)},
    "water_meter": {"pressure": Follow(0.46, 0.40, 10, 0.01, 0.003)},
    "steam_meter": {"pressure": Follow(0.82, 0.78, 30, 0.012, 0.002), "temperature": Follow(160, 182, 600, 2, 0.2)},
    "air_meter": {"pressure": Follow(0.68, 0.64, 10, 0.008, 0.002)},
    "mill": {
        "running": Runs(),
        "differential_pressure": Follow(0.1, 5.6, 30, 0.2, 0.06),
        "outlet_temperature": Follow(28, 82, 600, 1.5, 0.2),
    },
    "converter": {
        "blast_pressure": Follow(4, 108, 6, 2, 1),
        "offgas_temperature": Follow(240, 820, 120, 15, 3),
        "hood_pressure": Follow(-18, -42, 8, 5, 4),
    },
    "anode_furnace": {"hood_pressure": Follow(-12, -28, 10, 4, 3), "offgas_temperature": Follow(420, 960, 300, 12, 3)},
    "circulator": {
        "running": Runs(),
        "suction_pressure": Follow(26.2, 26.6, 60, 0.08, 0.02),
        "discharge_pressure": Follow(26.2, 28.9, 30, 0.08, 0.02),
        "discharge_temperature": Follow(24, 58, 900, 0.6, 0.1),
        "valve_temperature": Follow(24, 64, 900, 0.5, 0.1),
        "oil_pressure": Follow(0.26, 0.318, 10, 0.004, 0.001),
        "winding_temperature": Follow(26, 88, 2400, 0.8, 0.1),
    },
}

# Which activity drives an asset; the first pattern that fits. {asset} is the asset's own id.
DRIVERS: tuple[tuple[str, str], ...] = (
    ("smelter.yard.*", "bath"),
    ("smelter.smelting.bath.furnace.lance_*", "oxygen"),
    ("smelter.smelting.converting.blower_1*", "converting"),
    ("smelter.smelting.converting.blower_2*", "converting"),
    ("smelter.smelting.converting.converter_?", "{asset}"),
    ("smelter.smelting.refining.anode_furnace_?", "{asset}"),
    ("smelter.smelting.*", "bath"),
    ("smelter.tankhouse.electrolyte.pump_4*", "standby"),
    ("smelter.tankhouse.*", "tankhouse"),
    ("smelter.acid.cleaning.pump_2*", "standby"),
    ("smelter.acid.absorption.pump_3*", "standby"),
    ("smelter.acid.*", "gas"),
    ("smelter.oxygen.*", "asu"),
    ("smelter.heat.recovery.feed_pump_2*", "standby"),
    ("smelter.heat.*", "heat"),
    ("smelter.water.treatment.pump_2", "standby"),
    ("smelter.utilities.oxygen.converters", "converting"),
    ("smelter.utilities.oxygen.*", "oxygen"),
    ("smelter.utilities.*", "bath"),
    ("smelter.*", "always"),
    ("syngas.synthesis.circulation.circulator_[24]*", "standby"),
    ("syngas.synthesis.*", "synthesis"),
    ("syngas.*", "always"),
    ("carbon.activation.kilns.kiln_?", "{asset}"),
    ("carbon.activation.boilers.*", "steam_raising"),
    ("carbon.milling.mills.mill_?", "{asset}"),
    ("carbon.milling.mills.exhaust_fan*", "exhaust_fan"),
    ("carbon.finishing.line.*", "line"),
    ("*", "always"),
)

# Tags of single assets that merely follow: asset, driver, rules.
ASSET_RULES: tuple[tuple[str, str, Mapping[str, Rule]], ...] = (
    (
        "smelter.smelting.bath.furnace",
        "bath",
        {
            "hood_pressure": Follow(-10, -28, 8, 5, 4),
            "cooling_water_flow": Follow(372, 380, 30, 4, 1),
            "cooling_water_inlet": Follow(25, 27, 3600, 1.2, 0.05),
            "cooling_water_outlet": Follow(29, 38.5, 900, 0.7, 0.1),
            "matte_level": Follow(900, 940, 1800, 8, 3),
            "slag_level": Follow(180, 215, 1800, 14, 2),
            **{
                f"wall_temperature_{number:02}": Follow(150, 236 + 5 * (number % 4), 5400, 6, 0.6)
                for number in range(1, 13)
            },
        },
    ),
    (
        "smelter.smelting.slag_cleaning.furnace",
        "bath",
        {
            "bath_temperature": Follow(1215, 1252, 3600, 7, 1),
            **{f"electrode_{number}_current": Follow(4, 16.5, 5, 0.7, 0.3) for number in (1, 2, 3)},
            **{f"electrode_{number}_position": Follow(900, 1120, 60, 60, 5) for number in (1, 2, 3)},
            "slag_level": Follow(1480, 1560, 3600, 40, 3),
        },
    ),
    (
        "smelter.smelting.gas.precipitator",
        "heat",
        {
            "inlet_temperature": Follow(180, 342, 600, 5, 1),
            "outlet_temperature": Follow(150, 288, 900, 4, 0.5),
            "inlet_pressure": Follow(-120, -860, 20, 25, 8),
        },
    ),
    (
        "smelter.tankhouse.electrolyte.heater_1",
        "tankhouse",
        {
            "inlet_temperature": Follow(40, 59.5, 1800, 0.4, 0.05),
            "outlet_temperature": Follow(40, 64.5, 1200, 0.5, 0.05),
            "steam_valve": Follow(0, 43, 60, 4, 0.3),
        },
    ),
    (
        "smelter.tankhouse.electrolyte.heater_2",
        "tankhouse",
        {
            "inlet_temperature": Follow(40, 59.2, 1800, 0.4, 0.05),
            "outlet_temperature": Follow(40, 64.2, 1200, 0.5, 0.05),
            "steam_valve": Follow(0, 46, 60, 4, 0.3),
        },
    ),
    (
        "smelter.acid.cleaning.scrubber",
        "gas",
        {
            "gas_inlet_temperature": Follow(160, 276, 900, 4, 0.5),
            "gas_outlet_temperature": Follow(38, 58, 400, 0.8, 0.1),
            "liquor_flow": Follow(0, 455, 10, 5, 2),
            "acidity": Follow(4, 8.5, 7200, 0.6, 0.02),
        },
    ),
    ("smelter.acid.conversion.gas", "gas", {"oxygen": Follow(18, 11.4, 60, 0.35, 0.05)}),
    (
        "smelter.acid.stack.monitor",
        "gas",
        {
            "nox": Follow(6, 34, 120, 4, 0.6),
            "dust": Follow(0.8, 7.5, 120, 0.9, 0.1),
            "temperature": Follow(32, 68, 900, 1.2, 0.1),
            "oxygen": Follow(18.5, 6.8, 60, 0.3, 0.05),
        },
    ),
    (
        "smelter.oxygen.separation.column",
        "asu",
        {
            "oxygen_purity": Follow(99.4, 99.62, 1800, 0.04, 0.005),
            "nitrogen_flow": Follow(0, 8200, 60, 120, 30),
            "lower_pressure": Follow(0.1, 0.478, 120, 0.004, 0.001),
            "upper_pressure": Follow(8, 41, 120, 0.5, 0.1),
            "argon_fraction": Follow(7.5, 8.9, 1800, 0.25, 0.02),
            "main_exchanger_difference": Follow(1.2, 2.4, 3600, 0.2, 0.03),
        },
    ),
    (
        "smelter.heat.recovery.boiler",
        "heat",
        {
            "pass_1_temperature": Follow(300, 870, 300, 9, 2),
            "pass_2_temperature": Follow(280, 690, 300, 8, 2),
            "pass_3_temperature": Follow(260, 540, 300, 6, 1),
            "pass_4_temperature": Follow(240, 430, 300, 5, 1),
            "steam_pressure": Follow(3.6, 3.92, 200, 0.03, 0.005),
            "steam_temperature": Follow(245, 251, 600, 1.2, 0.2),
            "drum_level": Follow(0, 5, 60, 16, 3),
            "feed_water_temperature": Follow(98, 104, 900, 0.6, 0.1),
            "conductivity": Follow(40, 62, 7200, 4, 0.3),
        },
    ),
    (
        "smelter.heat.recovery.turbine",
        "heat",
        {
            "speed": Follow(3000, 3000, 20, 1.5, 0.8),
            "inlet_temperature": Follow(238, 246, 600, 1.2, 0.2),
            "exhaust_pressure": Follow(5.2, 8.4, 600, 0.4, 0.05),
            "condenser_temperature": Follow(32, 41, 900, 0.9, 0.05),
            "oil_temperature": Follow(38, 44, 1200, 0.5, 0.05),
            "oil_pressure": Follow(0.118, 0.122, 10, 0.001, 0.0005),
            **{
                f"bearing_{number}_temperature": Follow(42, 58 + 2 * number, 1800, 0.6, 0.05) for number in (1, 2, 3, 4)
            },
        },
    ),
    (
        "smelter.water.treatment.inlet",
        "always",
        {"ph": Follow(2.1, 2.1, 600, 0.25, 0.03), "copper": Follow(46, 46, 60, 9), "arsenic": Follow(610, 610, 60, 90)},
    ),
    (
        "smelter.water.treatment.reactor_1",
        "always",
        {
            "ph": Follow(7.4, 7.4, 60, 0.25, 0.03),
            "level": Follow(72, 72, 60, 2, 0.2),
            "lime_flow": Follow(5.6, 5.6, 20, 0.5, 0.05),
        },
    ),
    (
        "smelter.water.treatment.reactor_2",
        "always",
        {
            "ph": Follow(9.5, 9.5, 60, 0.2, 0.03),
            "level": Follow(70, 70, 60, 2, 0.2),
            "lime_flow": Follow(2.4, 2.4, 20, 0.25, 0.03),
        },
    ),
    (
        "smelter.water.treatment.outlet",
        "always",
        {
            "ph": Follow(7.8, 7.8, 600, 0.18, 0.02),
            "turbidity": Follow(4.2, 4.2, 600, 0.8, 0.1),
            "copper": Follow(0.12, 0.12, 60, 0.03),
            "arsenic": Follow(0.14, 0.14, 60, 0.03),
            "lead": Follow(0.06, 0.06, 60, 0.015),
        },
    ),
    (
        "smelter.smelting.refining.casting",
        "casting",
        {"running": Runs(), "anode_mass": Follow(368, 370, 60, 1.8), "mould_temperature": Follow(40, 158, 400, 5, 2)},
    ),
    (
        "smelter.power.substation.main",
        "always",
        {"voltage_110": Follow(114.2, 114.2, 60, 0.5, 0.04), "frequency": Follow(50, 50, 10, 0.012, 0.004)},
    ),
    ("smelter.power.substation.bus_1", "always", {"voltage": Follow(10.28, 10.28, 60, 0.05, 0.006)}),
    ("smelter.power.substation.bus_2", "always", {"voltage": Follow(10.25, 10.25, 60, 0.05, 0.006)}),
    (
        "syngas.synthesis.loop.reactor",
        "synthesis",
        {
            "inlet_temperature": Follow(140, 188, 900, 1.2, 0.2),
            "hot_spot_temperature": Follow(380, 478, 1200, 2.2, 0.3),
            "pressure": Follow(24, 28.9, 300, 0.15, 0.02),
            "purge_flow": Follow(0, 2150, 60, 60, 15),
            "hydrogen": Follow(58, 57, 600, 0.5, 0.05),
            "inerts": Follow(14, 15.5, 1800, 0.6, 0.05),
        },
    ),
    (
        "carbon.finishing.line.rectifier",
        "line",
        {"dc_current": Follow(0, 3.2, 10, 0.05, 0.02), "dc_voltage": Follow(0, 38, 10, 0.6, 0.2)},
    ),
    ("carbon.finishing.line.auxiliaries", "line", {"chiller_temperature": Follow(14, -4, 2400, 0.5, 0.05)}),
    ("carbon.milling.product.silo", "always", {"level": Follow(55, 55, 60, 9, 0.1, _STOCK_S)}),
    (
        "commons.environment.outlet.monitor",
        "always",
        {
            "ph": Follow(7.5, 7.5, 600, 0.15, 0.02),
            "cod": Follow(27, 27, 600, 3, 0.4),
            "ammonia_nitrogen": Follow(1.6, 1.6, 600, 0.3, 0.03),
            "copper": Follow(0.09, 0.09, 600, 0.02, 0.002),
            "temperature": Follow(19, 19, 3600, 1.2, 0.05),
        },
    ),
    ("commons.environment.weather.mast", "always", {"pressure": Follow(879, 879, 60, 4, 0.05)}),
)


def driver_of(asset: str) -> str:
    """The activity that drives an asset."""
    driver = next(driver for pattern, driver in DRIVERS if fnmatchcase(asset, pattern))
    return driver.replace("{asset}", asset.rpartition(".")[2])


def individuality(path: str) -> float:
    """How far this instrument's equipment is from its type, -1 to 1; always the same for the same path."""
    return zlib.crc32(path.encode()) / 2**31 - 1


@dataclass(frozen=True)
class Followers:
    """All instruments that merely follow, as columns ready for one pass. N of them."""

    paths: tuple[str, ...]
    drivers: tuple[str, ...]
    rules: tuple[Follow, ...]
    running: tuple[tuple[str, str], ...]  # state tags and their drivers

    @classmethod
    def of(cls, plant: Plant) -> "Followers":
        """Those of a plant, by its types and by the tables above."""
        single = {asset: (driver, rules) for asset, driver, rules in ASSET_RULES}
        follows: list[tuple[str, str, Follow]] = []
        running: list[tuple[str, str]] = []
        for node in plant.nodes.values():
            driver, own = single.get(node.path, (driver_of(node.path), {}))
            rules = {**TYPE_RULES.get(node.type or "", {}), **own}
            for tag in node.tags:
                match rules.get(tag.path.rpartition(".")[2]):
                    case Follow() as rule:
                        follows.append((tag.path, driver, rule))
                    case Runs():
                        running.append((tag.path, driver))
        follows.sort(key=lambda row: row[2].tau_s)
        paths, drivers, rules_ = zip(*follows, strict=True)
        return cls(paths, drivers, rules_, tuple(running))

    def fill(self, stretch: Stretch) -> None:
        """Work out every follower's values. Raises KeyError for a driver that nothing sets."""
        activity = stretch.activity
        for path, driver in self.running:
            stretch.values[path] = (activity[driver] > STANDS).astype(float)
        load = np.stack([activity[driver] for driver in self.drivers], axis=1)
        column = {name: np.array([getattr(rule, name) for rule in self.rules]) for name in Follow.__slots__}
        own = 1 + 0.02 * np.array([individuality(path) for path in self.paths])
        target = column["idle"] + (column["full"] - column["idle"]) * own * load
        value, slow = np.empty_like(target), np.empty_like(target)
        for tau_s in np.unique(column["tau_s"]):
            alike = column["tau_s"] == tau_s
            value[:, alike] = stretch.memory.lag(f"followers.lag.{tau_s:g}", target[:, alike], float(tau_s))
        for wander_s in np.unique(column["wander_s"]):
            alike = column["wander_s"] == wander_s
            name = f"followers.wander.{wander_s:g}"
            slow[:, alike] = stretch.memory.wander(name, target[:, alike], 1.0, float(wander_s))
        value += column["wander"] * slow + column["noise"] * stretch.memory.white(value)
        stretch.values.update(zip(self.paths, value.T, strict=True))
