"""Gas, water and compressed air: networks whose main meter is the sum of its users."""

import numpy as np

from athanor.demo.stretch import Stretch

UTILITIES = "smelter.utilities"
# Medium: user: design flow and the activity that drives it.
NETWORKS: dict[str, dict[str, tuple[float, str]]] = {
    "gas": {
        "anode_furnace_1": (1, "gas:anode_furnace_1"),  # the furnace's own instrument sees the same gas
        "anode_furnace_2": (1, "gas:anode_furnace_2"),
        "bath": (210, "bath"),
        "ladles": (165, "always"),
    },
    "water": {
        "smelting": (128, "bath"),
        "tankhouse": (46, "tankhouse"),
        "acid": (84, "gas"),
        "heat": (38, "heat"),
        "services": (19, "day"),
    },
    "air": {
        "smelting": (3900, "bath"),
        "tankhouse": (1150, "tankhouse"),
        "acid": (1450, "gas"),
        "services": (820, "shift"),
    },
}
_FIRST = {"gas": 6_400_000.0, "water": 812_000.0, "air": 41_000_000.0, "steam": 96_000.0, "oxygen": 77_000_000.0}


def run_media(stretch: Stretch) -> None:
    """Flows of the three networks, and the totals of these and of steam and oxygen."""
    values = stretch.values
    for medium, users in NETWORKS.items():
        flows = {
            user: np.maximum(
                design * stretch.activity[driver] * (1 + stretch.wander(f"{medium}.{user}", 0.015, 600)), 0
            )
            for user, (design, driver) in users.items()
        }
        values |= {f"{UTILITIES}.{medium}.{user}.flow": flow for user, flow in flows.items()}
        values[f"{UTILITIES}.{medium}.main.flow"] = np.sum(list(flows.values()), axis=0)
    for medium, first in _FIRST.items():
        meters = [path for path in values if path.startswith(f"{UTILITIES}.{medium}.") and path.endswith(".flow")]
        for meter in meters:
            path = meter.removesuffix(".flow")
            share = 1.0 if path.endswith(".main") else 0.3
            values[f"{path}.total"] = stretch.memory.count(f"{path}.total", values[meter], first * share)
