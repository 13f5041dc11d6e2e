"""What the choices of an export are called."""

from collections.abc import Mapping

from athanor.apps.data.domain.ranges import Preset
from athanor.kernel.transfer.exporting import FileFormat
from athanor.kernel.transfer.series import How, Shape
from athanor.web.language import _

ALL_SAMPLES = ""  # no step
AS_KINDS_SAY = ""  # no gap policy named

STEPS = (ALL_SAMPLES, "10s", "1m", "5m", "15m", "1h", "shift", "day", "week", "month", "year")
GAPS = (AS_KINDS_SAY, "none", "hold 5m", "hold 1h", "hold 1d", "linear 5m", "linear 1h", "linear 1d")


def presets() -> Mapping[Preset, str]:
    """Ranges."""
    return {
        Preset.LAST_DAY: _("24 h"),
        Preset.LAST_WEEK: _("7 d"),
        Preset.LAST_MONTH_LONG: _("31 d"),
        Preset.TODAY: _("Today"),
        Preset.YESTERDAY: _("Yesterday"),
        Preset.THIS_MONTH: _("This month"),
        Preset.LAST_MONTH: _("Last month"),
    }


def steps() -> Mapping[str, str]:
    """How the range is cut."""
    named = {
        ALL_SAMPLES: _("All samples"),
        "shift": _("Shift"),
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
        "year": _("Year"),
    }
    return {step: named.get(step) or f"{step[:-1]} {step[-1].replace('m', 'min')}" for step in STEPS}


def measures() -> Mapping[How, str]:
    """What a step comes to."""
    return {
        How.USUAL: _("Mean; last value of setpoints, states, counters"),
        How.MEAN: _("Mean over time"),
        How.MIN: _("Minimum"),
        How.MAX: _("Maximum"),
        How.FIRST: _("First value"),
        How.LAST: _("Last value"),
        How.SUM: _("Sum of samples"),
        How.COUNT: _("Number of samples"),
        How.INTEGRAL: _("Integral over time (kW: kWh)"),
        How.STD: _("Standard deviation"),
        How.SHARE_GOOD: _("Share of time known"),
        How.DELTA: _("Consumption of counters"),
        How.AT: _("Value at the step's start"),
    }


def gaps() -> Mapping[str, str]:
    """What is known between samples."""
    between = {"hold": _("Held for at most {length}"), "linear": _("Lines over at most {length}")}
    named = {AS_KINDS_SAY: _("As each tag's kind says"), "none": _("Nothing")}
    return {gap: named.get(gap) or between[gap.split()[0]].format(length=_length(gap.split()[1])) for gap in GAPS}


def shapes() -> Mapping[Shape, str]:
    """How the table lies."""
    return {Shape.LONG: _("A row for each tag and time"), Shape.WIDE: _("A column for each tag")}


def formats() -> Mapping[FileFormat, str]:
    """What the file is."""
    return {
        FileFormat.CSV: _("CSV: for any program"),
        FileFormat.EXCEL: _("Excel: up to a million rows"),
        FileFormat.PARQUET: _("Parquet: small, with types"),
        FileFormat.ARROW: _("Arrow: for programs"),
    }


def _length(text: str) -> str:
    return f"{text[:-1]} {text[-1].replace('m', 'min')}"
