"""The tankhouse: twelve groups of thirty cells in one line, two rectifiers; and the laboratory."""

import numpy as np

from athanor.demo.stretch import Stretch

COPPER_KG_PER_KAH = 1.185494
CELLS = 30  # in a group
GROUPS = range(1, 13)
LINE = "smelter.tankhouse.electrorefining"
RECTIFIER_EFFICIENCY = 0.965


def run_tankhouse(stretch: Stretch) -> None:
    """Cathode copper by Faraday's law, group by group; the rectifiers carry the sum of the groups' voltages."""
    current = stretch.lag("line.current", stretch.full(30.0), 60) + stretch.wander("line.current.wander", 0.06, 900)
    stretch.activity["tankhouse"] = current / 30
    voltages, rates = [], []
    for number in GROUPS:
        path = f"{LINE}.group_{number:02}"
        shorts = np.maximum(8 + stretch.wander(f"group.{number}.shorts", 3.5, 14_400), 0)
        efficiency = 97.0 - 0.09 * shorts
        voltage = CELLS * (0.302 - 0.0004 * shorts) * current / 30 + stretch.wander(
            f"group.{number}.voltage", 0.03, 1200
        )
        rate = COPPER_KG_PER_KAH / 1000 * current * CELLS * efficiency / 100
        stretch.values |= {
            f"{path}.voltage": voltage,
            f"{path}.current": current,
            f"{path}.shorts": shorts,
            f"{path}.current_efficiency": efficiency,
            f"{path}.cathode_rate": rate,
            f"{path}.temperature": 62.5 + stretch.wander(f"group.{number}.temperature", 0.7, 3600),
            f"{path}.flow": 31 + stretch.wander(f"group.{number}.flow", 0.6, 1200),
        }
        voltages.append(voltage)
        rates.append(rate)
    total = np.sum(rates, axis=0)
    powers = [
        _rectify(stretch, number, current, np.sum(half, axis=0))
        for number, half in enumerate((voltages[:6], voltages[6:]), 1)
    ]
    stretch.values |= {
        f"{LINE}.total.cathode_rate": total,
        f"{LINE}.total.cathode_total": stretch.memory.count("cathode", total, 655_321.0),
        f"{LINE}.total.dc_energy": np.sum(powers, axis=0) / total,
    }


def _rectify(stretch: Stretch, number: int, current: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """One rectifier's tags; returns its DC power. [kW]"""
    path = f"{LINE}.rectifier_{number}"
    power: np.ndarray = current * voltage
    efficiency = RECTIFIER_EFFICIENCY + stretch.wander(f"rectifier.{number}", 0.0008, 3600)
    stretch.activity[f"kw:rectifier_{number}"] = power / efficiency
    stretch.values |= {
        f"{path}.dc_current": current,
        f"{path}.dc_voltage": voltage,
        f"{path}.dc_power": power,
        f"{path}.efficiency": 100 * efficiency,
    }
    return power


# Sample, element: mean, spread, and where its truth is a process value, that value's name.
ASSAYS: dict[str, dict[str, tuple[float, float, str | None]]] = {
    "concentrate": {
        "copper": (0, 0.12, "smelter.yard.blending.blend.copper"),
        "iron": (0, 0.12, "smelter.yard.blending.blend.iron"),
        "sulphur": (0, 0.12, "smelter.yard.blending.blend.sulphur"),
        "silica": (7.5, 0.4, None),
        "arsenic": (0.26, 0.04, None),
        "lead": (0.9, 0.12, None),
        "zinc": (1.4, 0.15, None),
        "moisture": (0, 0.1, "smelter.yard.blending.blend.moisture"),
    },
    "matte": {
        "copper": (0, 0.2, "smelter.smelting.bath.furnace.matte_grade"),
        "iron": (7.6, 0.4, None),
        "sulphur": (21.6, 0.3, None),
    },
    "slag": {
        "copper": (2.9, 0.25, None),
        "iron": (42.5, 0.8, None),
        "silica": (25.1, 0.6, None),
        "magnetite": (12.4, 1.1, None),
    },
    "cleaned_slag": {"copper": (0.62, 0.06, None)},
    "blister": {"copper": (98.9, 0.08, None), "sulphur": (0.035, 0.008, None)},
    "anode": {"copper": (99.36, 0.05, None), "oxygen": (0.135, 0.015, None), "arsenic": (0.092, 0.01, None)},
    "cathode": {
        "copper": (99.9962, 0.0006, None),
        "bismuth": (0.62, 0.12, None),
        "sulphur": (6.4, 0.9, None),
        "silver": (9.8, 1.2, None),
    },
    "electrolyte": {
        "copper": (46.8, 0.9, None),
        "acid": (182, 3, None),
        "nickel": (9.6, 0.3, None),
        "arsenic": (8.9, 0.3, None),
        "antimony": (0.38, 0.03, None),
        "bismuth": (0.21, 0.02, None),
        "chloride": (56, 3, None),
    },
}
SAMPLE_TO_RESULT_S = 5400.0  # the laboratory's delay, as a first-order one


def run_laboratory(stretch: Stretch) -> None:
    """Assays follow their process value an hour and a half late, or wander around their mean."""
    for sample, elements in ASSAYS.items():
        for element, (mean, spread, truth) in elements.items():
            known = (
                stretch.full(mean)
                if truth is None
                else stretch.lag(f"lab.{truth}", stretch.values[truth], SAMPLE_TO_RESULT_S)
            )
            drift = stretch.wander(f"lab.{sample}.{element}", spread, 43_200)
            stretch.values[f"smelter.laboratory.assays.{sample}.{element}"] = known + drift
