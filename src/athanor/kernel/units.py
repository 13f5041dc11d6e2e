"""Units of measure: which ones exist, and how a value in one becomes a value in another.

Definitions come from Pint; the plant's own (normal cubic metre, per mille …) are in `units.txt` beside this file.
Normal cubic metres measure an amount of gas, cubic metres a space: the one never becomes the other unasked.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pint

from athanor.kernel.errors import AthanorError

# What a unit may look like, as strictly as it is said in the manual: units come from outside, and Pint would sit for
# hours over the tower of powers that a looser pattern lets through.
_FACTOR = r"[A-Za-z%°µμΩ][A-Za-z0-9_%]*(?:\^-?[1-9])?"
_GROUP = rf"\({_FACTOR}(?:[*/·]{_FACTOR})*\)(?:\^-?[1-9])?"
_SHAPE = re.compile(rf"(?:1|{_FACTOR}|{_GROUP})(?:[*/·](?:{_FACTOR}|{_GROUP}))*")
_LONGEST = 60
_SUPERSCRIPT = str.maketrans({"2": "²", "3": "³"})

_SPELLINGS = {  # in this order: what plants write, and what Pint reads
    "Nm3": "normal_cubic_metre",
    "kvarh": "kvar*hour",
    "VA": "apparent_volt_ampere",
    "r/min": "rpm",
    "%RH": "percent_relative_humidity",
    "%LEL": "percent_lower_explosive_limit",
    "vol%": "percent_by_volume",
    "wt%": "percent_by_mass",
    "%": "percent",
    "°C": "degC",
    "µ": "u",
    "μ": "u",
    "Ω": "ohm",
    "·": "*",
}


class UnknownUnitError(AthanorError):
    """A unit that nobody has defined."""

    code = "units.unknown"

    def __init__(self, unit: str) -> None:
        super().__init__(
            f"{unit!r} is no unit of measure that Athanor knows. Write it like kW, degC, Nm3/h, mg/m3, mm/s, 1 (for "
            "a pure number) or %; docs/units.md lists them."
        )


class IncompatibleUnitsError(AthanorError):
    """Two units that measure different things."""

    code = "units.incompatible"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(
            f"A value in {source} cannot become one in {target}: they measure different things. Correct the unit at "
            "the source's mapping or at the tag."
        )


@dataclass(frozen=True, slots=True)
class Conversion:
    """target = source × scale + offset."""

    scale: float
    offset: float


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[float]":
    # Empty at first: a registry that starts with Pint's definitions computes what follows from them at once, and goes
    # on with that after units.txt has corrected some.
    registry: pint.UnitRegistry[float] = pint.UnitRegistry(
        None, autoconvert_offset_to_baseunit=True, on_redefinition="ignore"
    )
    registry.load_definitions(Path(pint.__file__).with_name("default_en.txt"))
    registry.load_definitions(Path(__file__).with_name("units.txt"))
    return registry


@lru_cache(maxsize=4096)
def check_unit(unit: str) -> None:
    """Raise UnknownUnitError unless `unit` is known."""
    try:
        if len(unit) > _LONGEST or not _SHAPE.fullmatch(unit):
            raise UnknownUnitError(unit)
        _registry().parse_units(_spelled(unit))
    except (pint.PintError, ValueError, TypeError, AttributeError, AssertionError) as error:  # Pint asserts on "W*"
        raise UnknownUnitError(unit) from error


@lru_cache(maxsize=4096)
def conversion(source: str, target: str) -> Conversion:
    """How to turn values in `source` into values in `target`.

    Raises UnknownUnitError, IncompatibleUnitsError.
    """
    check_unit(source)
    check_unit(target)
    if source == target:
        return Conversion(1.0, 0.0)
    try:
        at_zero, at_one, at_two = (
            _registry().Quantity(x, _spelled(source)).to(_spelled(target)).m for x in (0.0, 1.0, 2.0)
        )
    except pint.PintError as error:
        raise IncompatibleUnitsError(source, target) from error
    if not math.isclose(at_two - at_one, at_one - at_zero, rel_tol=1e-9):  # a level, such as dBm: no straight line
        raise IncompatibleUnitsError(source, target)
    return Conversion(_tidy(at_one - at_zero), _tidy(at_zero))


def _tidy(number: float) -> float:
    """Without the last bits that Pint's chain of factors rounds off: 5/9 stays 0.555555555556."""
    return float(f"{number:.12g}")


def display_unit(unit: str) -> str:
    """The unit as a person expects to read it: `Nm3/h` as Nm³/h, `degC` as °C, `1` as nothing."""
    if unit == "1":
        return ""
    shown = unit.replace("degC", "°C").replace("degF", "°F").replace("ohm", "Ω")
    shown = re.sub(r"\bu(?=[gmlLsSVAWFH])", "µ", re.sub(r"\bdeg\b", "°", shown))
    return re.sub(r"(?<=[A-Za-z])[23]", lambda match: match.group().translate(_SUPERSCRIPT), shown).replace("*", "·")


def _spelled(unit: str) -> str:
    """Pint's spelling of a plant's unit: exponents and signs that plants write without a caret."""
    if unit == "1":
        return "dimensionless"
    for written, spelled in _SPELLINGS.items():
        unit = unit.replace(written, spelled)
    return re.sub(r"(?<=[A-Za-z])([23])(?![A-Za-z0-9])", r"**\1", unit)
