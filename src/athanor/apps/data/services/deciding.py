"""What a person decides about a file, step by step: parts of a plan that are laid over what was found. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from athanor.kernel.errors import AthanorError
from athanor.kernel.units import conversion

Decisions = Mapping[str, Any]

# Where the table is or what it is has changed: what was said of its columns no longer holds.
_ABOUT_COLUMNS = ("columns", "long", "time", "quality_coding")

# What plants measure in; a column's choices are those that become the tag's unit.
_UNITS = (
    "degC", "degF", "K", "W", "kW", "MW", "GW", "Wh", "kWh", "MWh", "GWh", "J", "kJ", "MJ", "GJ", "kcal", "tce", "kgce",
    "Pa", "hPa", "kPa", "MPa", "mbar", "bar", "psi", "mmHg", "atm", "L/s", "L/min", "L/h", "m3/s", "m3/min", "m3/h",
    "m3/d", "Nm3/s", "Nm3/min", "Nm3/h", "Nm3/d", "g/s", "kg/s", "kg/min", "kg/h", "kg/d", "t/h", "t/d", "mg", "g",
    "kg", "t", "mL", "L", "m3", "Nm3", "um", "mm", "cm", "m", "km", "inch", "ft", "um/s", "mm/s", "cm/s", "m/s",
    "km/h", "m/s^2", "mA", "A", "kA", "mV", "V", "kV", "var", "kvar", "Mvar", "VA", "kVA", "MVA", "kvarh", "mohm",
    "ohm", "kohm", "Hz", "kHz", "rpm", "ms", "s", "min", "h", "d", "1", "%", "permille", "ppm", "ppb", "%RH", "%LEL",
    "vol%", "wt%", "ug/m3", "mg/m3", "g/m3", "kg/m3", "mg/L", "g/L", "g/t", "kg/t", "kWh/t", "MJ/t", "GJ/t", "mS/cm",
    "uS/cm", "pH", "NTU", "dBA", "dB", "deg", "rad", "N", "kN", "N*m", "kN*m", "kgCO2e", "tCO2e", "CNY",
)  # fmt: skip


def decided(decisions: Decisions, place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The decisions with one more; None takes back what was found or decided there."""
    first, *rest = place
    below = decisions.get(first)
    inner = below if isinstance(below, Mapping) else {}
    return {**decisions, first: decided(inner, tuple(rest), value) if rest else value}


def without_columns(decisions: Decisions) -> dict[str, Any]:
    """The decisions less those about columns that may no longer be there; of the time, its zone stays."""
    kept = {key: value for key, value in decisions.items() if key not in _ABOUT_COLUMNS}
    time = decisions.get("time")
    zone = {key: time[key] for key in ("zone", "clock_change") if key in time} if isinstance(time, Mapping) else {}
    return {**kept, "time": zone} if zone else kept


@lru_cache(maxsize=1024)
def units_for(unit: str) -> tuple[str, ...]:
    """The units that become this one, which comes first."""
    return (unit, *(one for one in _UNITS if one != unit and fits(one, unit)))


@lru_cache(maxsize=4096)
def fits(unit: str, target: str) -> bool:
    """Whether values in one unit become values in another."""
    try:
        conversion(unit, target)
    except AthanorError:
        return False
    return True
