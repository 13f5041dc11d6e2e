"""Deadbands and delays for whoever gives none: starting points by the kind of signal.

Flow and level 5 % of the range, pressure 2 %, temperature 1 %; 15, 60, 15 and 60 s; points of two states 2 to 5 s.
These are the customary starting points of ISA-18.2 and EEMUA 191, told from memory and checked against no copy of
either: where the record of an alarm shows better ones, those hold (the editor of rules computes them).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from athanor.kernel.alarms.rule import BadQuality, Condition, Deviation, Expression, InState, Limit
from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.units import conversion

_LEAST_LEVEL_M = 1e-3  # lengths below a millimetre are no levels: displacements, thicknesses
_BETWEEN = 0.25  # of the way from a low to a high limit: else an alarm clears only in the other one's region


class Signal(StrEnum):
    """What a tag measures, as far as deadbands go."""

    FLOW = "flow"
    LEVEL = "level"
    PRESSURE = "pressure"
    TEMPERATURE = "temperature"
    DIGITAL = "digital"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Start:
    """A starting point: deadband as a share of the instrument's range, and the delay either way. [-], [s]"""

    deadband: float
    delay_s: float


STARTS = {
    Signal.FLOW: Start(0.05, 15),
    Signal.LEVEL: Start(0.05, 60),
    Signal.PRESSURE: Start(0.02, 15),
    Signal.TEMPERATURE: Start(0.01, 60),
    Signal.DIGITAL: Start(0, 3),
    Signal.OTHER: Start(0, 5),
}

_MEASURED_IN = (  # the first that a unit converts into
    (Signal.FLOW, "m3/h"),
    (Signal.FLOW, "t/h"),
    (Signal.FLOW, "Nm3/h"),
    (Signal.PRESSURE, "Pa"),
    (Signal.TEMPERATURE, "degC"),
    (Signal.LEVEL, "m"),
)


def signal_of(tag: Tag) -> Signal:
    """By the dimension of the tag's unit."""
    if tag.kind in (TagKind.STATE, TagKind.TEXT):
        return Signal.DIGITAL
    return _signal(tag.unit)


@lru_cache(maxsize=4096)
def _signal(unit: str) -> Signal:
    for signal, measured_in in _MEASURED_IN:
        try:
            scale = conversion(unit, measured_in).scale
        except AthanorError:  # it measures something else
            continue
        if signal is not Signal.LEVEL or scale >= _LEAST_LEVEL_M:
            return signal
    return Signal.OTHER


def deadband_of(tag: Tag) -> float:
    """In the tag's unit; 0 where its range is not known.

    The range is the instrument's or, where it has none, what its alarm limits span.
    """
    limits = tag.alarm_limits
    given = [one for one in (limits.low_low, limits.low, limits.high, limits.high_high) if one is not None]
    if tag.low is not None and tag.high is not None:
        spread = tag.high - tag.low
    else:
        spread = max(given) - min(given) if given else 0.0
    deadband = STARTS[signal_of(tag)].deadband * spread
    below, above = _innermost(limits.low, limits.low_low), _innermost(limits.high, limits.high_high)
    if below is not None and above is not None and above > below:
        deadband = min(deadband, _BETWEEN * (above - below))
    return float(f"{deadband:.6g}")


def _innermost(inner: float | None, outer: float | None) -> float | None:
    return outer if inner is None else inner


def delay_s(condition: Condition, tag: Tag | None) -> float:
    """How long a condition must hold, or be over. [s]

    Conditions that have a time of their own (a window, a horizon, calm) need no delay.
    """
    match condition:
        case Limit() | Deviation() if tag is not None:
            return STARTS[signal_of(tag)].delay_s
        case InState() | Expression() | BadQuality():
            return STARTS[Signal.DIGITAL].delay_s
    return 0.0
