"""The electrical side: what every meter's consumers draw, and sums that close from meter to feeder to transformer.

A feeder carries the sum of its meters; the main transformers carry the feeders less the turbine's generator, and their
own losses. Power drawn is positive; the generator's meter counts what it gives.
"""

from dataclasses import dataclass

import numpy as np

from athanor.demo.stretch import Stretch, Values

SUBSTATION = "smelter.power.substation"


@dataclass(frozen=True, slots=True)
class Load:
    """A metered consumer: `rated_kw` times its activity, of which `idle` is drawn also at rest.

    A driver that begins with `kw:` gives the power itself.
    """

    rated_kw: float
    driver: str
    idle: float = 0.0
    volts: float = 400.0
    power_factor: float = 0.88


def _process(driver: str, share: float = 1.0, power_factor: float = 0.92) -> Load:
    """A large drive on 10 kV whose power the process model knows; it takes this share of it."""
    return Load(share, f"kw:{driver}", volts=10_000.0, power_factor=power_factor)


FEEDERS: dict[str, dict[str, Load]] = {
    f"{SUBSTATION}.feeder_oxygen": {
        "air_compressor": _process("air_compressor", power_factor=0.95),
        "booster": _process("oxygen_booster"),
        "auxiliaries": Load(165, "asu", 0.4),
        "cooling": Load(320, "asu", 0.2),
    },
    f"{SUBSTATION}.feeder_smelting": {
        "bath_cooling": Load(410, "bath", 0.6),
        "bath_auxiliaries": Load(260, "bath", 0.35),
        "belts": Load(145, "bath", 0.1),
        "dust_fan_1": Load(315, "bath", 0.15),
        "dust_fan_2": Load(315, "bath", 0.15),
        "precipitator": Load(180, "bath", 0.3),
        "cranes": Load(220, "casting", 0.25),
    },
    f"{SUBSTATION}.feeder_converting": {
        "blower_1": _process("converter_blowers", 0.52),
        "blower_2": _process("converter_blowers", 0.48),
        "tilting": Load(95, "converting", 0.15),
        "hood_fans": Load(460, "converting", 0.55),
        "anode_furnaces": Load(150, "bath", 0.4),
        "casting": Load(135, "casting", 0.12),
    },
    f"{SUBSTATION}.feeder_slag": {
        "slag_furnace": Load(1.04, "kw:slag_furnace", volts=10_000.0, power_factor=0.9),
        "granulation": Load(240, "bath", 0.2),
        "slag_auxiliaries": Load(85, "bath", 0.4),
    },
    f"{SUBSTATION}.feeder_tankhouse_1": {
        "rectifier_1": _process("rectifier_1", power_factor=0.93),
        "circulation_1": Load(170, "tankhouse"),
        "stripping": Load(110, "shift", 0.1),
        "lighting_1": Load(38, "night", 0.3),
    },
    f"{SUBSTATION}.feeder_tankhouse_2": {
        "rectifier_2": _process("rectifier_2", power_factor=0.93),
        "circulation_2": Load(105, "tankhouse"),
        "anode_preparation": Load(90, "shift", 0.1),
        "purification": Load(210, "tankhouse", 0.3),
    },
    f"{SUBSTATION}.feeder_acid_1": {
        "blower_1": _process("so2_blowers", 0.5),
        "scrubber_pumps": Load(280, "gas", 0.5),
        "mist_precipitator": Load(95, "gas", 0.3),
        "drying_pump": Load(160, "gas", 0.6),
    },
    f"{SUBSTATION}.feeder_acid_2": {
        "blower_2": _process("so2_blowers", 0.5),
        "absorber_pumps": Load(330, "gas", 0.6),
        "acid_cooling": Load(390, "gas", 0.4),
        "tail_gas": Load(140, "gas", 0.5),
    },
    f"{SUBSTATION}.feeder_heat": {
        "feed_pumps": Load(185, "heat", 0.25),
        "condenser_pumps": Load(160, "heat", 0.4),
        "cooling_tower": Load(120, "warmth", 0.35),
        "water_treatment": Load(75, "heat", 0.4),
    },
    f"{SUBSTATION}.feeder_yard": {
        "unloading": Load(190, "day", 0.08),
        "reclaimer": Load(130, "bath", 0.1),
        "mixing": Load(95, "bath", 0.1),
        "crushing": Load(240, "shift", 0.05),
        "yard_lighting": Load(46, "night", 0.02),
    },
    f"{SUBSTATION}.feeder_water": {
        "fresh_water": Load(210, "bath", 0.5),
        "waste_water": Load(150, "gas", 0.6),
        "recycling": Load(95, "gas", 0.5),
        "fire_pumps": Load(4, "always", 1.0),
        "compressor_1": Load(355, "bath", 0.3),
        "compressor_2": Load(250, "shift", 0.2),
    },
    f"{SUBSTATION}.feeder_services": {
        "offices": Load(120, "day", 0.15),
        "laboratory": Load(85, "day", 0.4),
        "workshop": Load(140, "day", 0.06),
        "canteen": Load(95, "day", 0.1),
        "outdoor_lighting": Load(60, "night", 0.02),
        "charging": Load(180, "charging", 0.02),
        "control_rooms": Load(42, "always", 1.0),
        "data_room": Load(36, "always", 1.0),
        "air_conditioning": Load(160, "warmth", 0.1),
    },
    "carbon.power.intake.feeder_carbonising": {
        "kiln_drives": Load(64, "kilns", 0.1),
        "boiler_house": Load(88, "steam_raising", 0.3),
        "induced_draft": Load(126, "kilns", 0.2),
        "conveying": Load(42, "kilns", 0.1),
    },
    "carbon.power.intake.feeder_grinding": {
        "mill_1": _process("mill_1", power_factor=0.87),
        "mill_2": _process("mill_2", power_factor=0.86),
        "exhaust_fan": Load(1.0, "kw:exhaust_fan"),
        "finishing_line": Load(1.0, "kw:finishing_line"),
        "packing": Load(55, "day", 0.05),
    },
}
SYNGAS_METERS: dict[str, Load] = {
    "make_up_compressor": Load(2450, "synthesis", 0.1, 10_000.0, 0.91),
    "refrigeration": Load(620, "warmth", 0.6, 10_000.0, 0.89),
    "cooling_water": Load(340, "synthesis", 0.4),
    "tank_farm": Load(58, "always", 0.7),
    "services": Load(74, "day", 0.4),
}


@dataclass(frozen=True, slots=True)
class Transformer:
    """A main transformer's nameplate and the feeders on its bus."""

    rated_kva: float
    no_load_kw: float
    load_loss_kw: float
    feeders: tuple[str, ...]

    def losses_kw(self, apparent_kva: np.ndarray) -> np.ndarray:
        """No-load losses and those that grow with the square of the load."""
        return self.no_load_kw + (apparent_kva / self.rated_kva) ** 2 * self.load_loss_kw


_ON_BUS_1 = ("oxygen", "converting", "tankhouse_1", "acid_1", "yard", "services")
_ON_BUS_2 = ("smelting", "slag", "tankhouse_2", "acid_2", "heat", "water")
TRANSFORMERS = {
    f"{SUBSTATION}.transformer_1": Transformer(
        25_000, 17.5, 98, tuple(f"{SUBSTATION}.feeder_{name}" for name in _ON_BUS_1)
    ),
    f"{SUBSTATION}.transformer_2": Transformer(
        25_000, 17.8, 99, tuple(f"{SUBSTATION}.feeder_{name}" for name in _ON_BUS_2)
    ),
}
GENERATOR_ON = f"{SUBSTATION}.transformer_2"


def set_habits(stretch: Stretch) -> None:
    """Activities of people and light rather than of process: day, shift, night, charging, warmth."""
    workday = np.where(stretch.moments.weekday < 5, 1.0, 0.3)
    rhythms = {
        "day": stretch.within((8, 18)) * workday,
        "shift": 0.35 + 0.65 * stretch.within((8, 20)),
        "night": 1 - stretch.within((6.75, 18.5)),
        "charging": 0.2 + 0.8 * stretch.within((12, 14)) + 0.6 * stretch.within((20, 23)),
    }
    for name, target in rhythms.items():
        stretch.activity[name] = stretch.lag(f"habit.{name}", target, 900)
    stretch.activity["warmth"] = np.clip((stretch.activity["degc:ambient"] + 5) / 30, 0.1, 1.2)
    stretch.activity["kw:slag_furnace"] = stretch.values["smelter.smelting.slag_cleaning.furnace.power"]


@dataclass(frozen=True)
class Meters:
    """All meters of simple consumers as columns, for one pass. N of them."""

    paths: tuple[str, ...]
    loads: tuple[Load, ...]

    @classmethod
    def all(cls) -> "Meters":
        """Those of the tables above."""
        rows = {f"{feeder}.{meter}": load for feeder, loads in FEEDERS.items() for meter, load in loads.items()}
        rows |= {f"syngas.power.intake.{meter}": load for meter, load in SYNGAS_METERS.items()}
        return cls(tuple(rows), tuple(rows.values()))

    def fill(self, stretch: Stretch) -> Values:
        """Work out every meter's tags; returns the powers by meter path. [kW]"""
        rated, idle, volts, usual = (
            np.array([getattr(load, name) for load in self.loads])
            for name in ("rated_kw", "idle", "volts", "power_factor")
        )
        known = np.array([load.driver.startswith("kw:") for load in self.loads])
        activity = np.stack([stretch.activity[load.driver] for load in self.loads], axis=1)
        sway = 1 + 0.018 * ~known * stretch.memory.wander("meters.sway", activity, 1.0, 600)
        power = np.maximum(rated * (idle + (1 - idle) * activity) * sway, 0.0)
        factor = np.clip(usual + stretch.memory.wander("meters.factor", activity, 0.006, 1800), 0.5, 0.999)
        first = 1_000_000 + 40_000 * np.arange(len(self.paths), dtype=float)
        columns = {
            "power": power,
            "energy": stretch.memory.count("meters.energy", power, first),
            "power_factor": factor,
            "current": power * 1000 / (np.sqrt(3) * volts * factor),
        }
        for name, column in columns.items():
            stretch.values |= {f"{path}.{name}": column[:, at] for at, path in enumerate(self.paths)}
        stretch.activity |= {
            f"kvar:{path}": reactive_kvar(power[:, at], factor[:, at]) for at, path in enumerate(self.paths)
        }
        return dict(zip(self.paths, power.T, strict=True))


def reactive_kvar(power_kw: np.ndarray, power_factor: np.ndarray) -> np.ndarray:
    """Reactive power of a load, inductive positive."""
    return power_kw * np.sqrt(1 / power_factor**2 - 1)


def run_electricity(stretch: Stretch, meters: Meters) -> None:
    """Meters, feeders, transformers, and the totals of the three enterprises."""
    powers = meters.fill(stretch)
    for feeder, loads in FEEDERS.items():
        names = [f"{feeder}.{meter}" for meter in loads]
        power = np.sum([powers[name] for name in names], axis=0)
        reactive = np.sum([stretch.activity[f"kvar:{name}"] for name in names], axis=0)
        _feeder(stretch, feeder, power, reactive)
    _generator(stretch)
    for path, transformer in TRANSFORMERS.items():
        _transformer(stretch, path, transformer)
    _totals(stretch, powers)


def _feeder(stretch: Stretch, path: str, power: np.ndarray, reactive: np.ndarray) -> None:
    voltage = 10.27 + stretch.wander(f"{path}.voltage", 0.05, 600)
    apparent = np.hypot(power, reactive)
    stretch.values |= {
        f"{path}.power": power,
        f"{path}.reactive_power": reactive,
        f"{path}.energy": stretch.memory.count(f"{path}.energy", power, 9_000_000.0),
        f"{path}.power_factor": power / np.maximum(apparent, 1),
        f"{path}.current": apparent / (np.sqrt(3) * voltage),
        f"{path}.voltage": voltage,
    }


def _generator(stretch: Stretch) -> None:
    path, power = f"{SUBSTATION}.generator", stretch.activity["kw:generator"]
    factor = np.clip(0.86 + stretch.wander("generator.factor", 0.004, 1800), 0.5, 1)
    stretch.values |= {
        f"{path}.power": power,
        f"{path}.energy": stretch.memory.count("generator.energy", power, 6_120_000.0),
        f"{path}.power_factor": factor,
        f"{path}.current": power / (np.sqrt(3) * 10.3 * factor),
    }


def _transformer(stretch: Stretch, path: str, transformer: Transformer) -> None:
    values = stretch.values
    power = np.sum([values[f"{feeder}.power"] for feeder in transformer.feeders], axis=0)
    if path == GENERATOR_ON:
        power = power - stretch.activity["kw:generator"]
    capacitors_kvar = 0.62
    reactive = (1 - capacitors_kvar) * np.sum(
        [values[f"{feeder}.reactive_power"] for feeder in transformer.feeders], axis=0
    )
    losses = transformer.losses_kw(np.hypot(power, reactive))
    drawn = power + losses
    load = np.hypot(drawn, reactive) / transformer.rated_kva
    rise = stretch.lag(f"{path}.oil", 12 + 42 * load**1.6, 9000)
    oil = stretch.activity["degc:ambient"] + rise
    values |= {
        f"{path}.power": drawn,
        f"{path}.energy": stretch.memory.count(f"{path}.energy", drawn, 48_000_000.0),
        f"{path}.reactive_power": reactive,
        f"{path}.current": np.hypot(drawn, reactive) / (np.sqrt(3) * 114.2),
        f"{path}.load": 100 * load,
        f"{path}.losses": losses,
        f"{path}.oil_temperature": oil,
        f"{path}.winding_temperature": oil + stretch.lag(f"{path}.winding", 22 * load**1.6, 600),
    }


def _totals(stretch: Stretch, powers: Values) -> None:
    values = stretch.values
    main = f"{SUBSTATION}.main"
    smelter = np.sum([values[f"{path}.power"] for path in TRANSFORMERS], axis=0)
    reactive = np.sum([values[f"{path}.reactive_power"] for path in TRANSFORMERS], axis=0)
    values[f"{main}.power_factor"] = smelter / np.hypot(smelter, reactive)
    values[f"{main}.demand_15min"] = stretch.lag("demand", smelter, 450)
    syngas = np.sum([powers[f"syngas.power.intake.{meter}"] for meter in SYNGAS_METERS], axis=0)
    carbon = np.sum([values[f"{feeder}.power"] for feeder in FEEDERS if feeder.startswith("carbon.")], axis=0)
    totals = {
        main: smelter,
        "syngas.power.intake.main": syngas + stretch.activity["kw:circulators"],
        "carbon.power.intake.main": carbon,
    }
    for number, (path, total) in enumerate(totals.items(), 1):
        values[f"{path}.total_power"] = total
        values[f"{path}.total_energy"] = stretch.memory.count(f"{path}.energy", total, 30_000_000.0 * number)
