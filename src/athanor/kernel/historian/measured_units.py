"""The unit that a measure of a tag comes in: the integral of kW is kWh, a count is a pure number."""

from collections.abc import Mapping

from athanor.kernel.historian.aggregation import Measure

PURE_NUMBER = "1"

_RATES_S = {"/s": 1.0, "/min": 60.0, "/h": 3600.0, "/d": 86_400.0}  # what a rate is per [s]
_HOUR_S = 3600.0
_HOURS_OF: Mapping[str, str] = {
    **{f"{prefix}W": f"{prefix}Wh" for prefix in ("", "k", "M", "G")},
    "kvar": "kvarh",
    PURE_NUMBER: "h",
}


def unit_of(unit: str, how: Measure) -> str:
    """The unit of a measure of a tag in `unit`."""
    if how in {Measure.COUNT, Measure.SHARE_GOOD}:
        return PURE_NUMBER
    return integral_of(unit)[0] if how is Measure.INTEGRAL else unit


def integral_of(unit: str) -> tuple[str, float]:
    """The unit of what `unit` adds up to over time, and how much of it one `unit`·s is.

    A rate gives what it is a rate of (t/h: t), a power its energy (kW: kWh), all else itself times hours (A: A*h).
    """
    for ending, seconds in _RATES_S.items():
        amount = unit.removesuffix(ending)
        if amount != unit:
            return amount, 1 / seconds
    return _HOURS_OF.get(unit, f"{unit}*h"), 1 / _HOUR_S
