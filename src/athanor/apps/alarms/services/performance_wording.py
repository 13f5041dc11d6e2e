"""What the figures of performance are called, how each was computed, and how values and verdicts read."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

import numpy as np

from athanor.apps.alarms.domain.kpis import Figure, Goal, Kpi, Level, Verdict
from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.services.performance_names import Named
from athanor.apps.alarms.services.performance_record import Wish
from athanor.kernel.plant.model import Plant
from athanor.web.formatting import NOTHING, duration, number, percent
from athanor.web.language import _, text_of

HOME = "/alarms/performance"
_RATES = (Figure.PER_DAY, Figure.PER_HOUR, Figure.PER_TEN_MINUTES)


def figure_texts() -> dict[Figure, str]:
    """What is measured."""
    return {
        Figure.PER_DAY: _("Alarms a day"),
        Figure.PER_HOUR: _("Alarms an hour"),
        Figure.PER_TEN_MINUTES: _("Alarms in 10 min"),
        Figure.BUSY_HOURS: _("Hours with more than 30 alarms"),
        Figure.BUSY_WINDOWS: _("10-minute windows with more than 10 alarms"),
        Figure.PEAK: _("Most alarms in 10 min"),
        Figure.IN_FLOOD: _("Time in flood"),
        Figure.TOP_TEN: _("Share of the ten most frequent alarms"),
        Figure.CHATTERING: _("Chattering alarms"),
        Figure.FLEETING: _("Fleeting alarms"),
        Figure.STALE: _("Stale alarms on the worst day"),
    }


def how_texts() -> dict[Figure, str]:
    """How each figure is computed."""
    return {
        Figure.PER_DAY: _("Announced alarms over the days of the period."),
        Figure.PER_HOUR: _("Announced alarms over the hours of the period."),
        Figure.PER_TEN_MINUTES: _("Announced alarms over the ten-minute windows of the period."),
        Figure.BUSY_HOURS: _("Hours on the clock, of all hours of the period."),
        Figure.BUSY_WINDOWS: _("Windows on the clock, of all windows of the period."),
        Figure.PEAK: _("In any ten minutes, wherever they begin; of the busiest position."),
        Figure.IN_FLOOD: _("From more than 10 alarms in 10 min until fewer than 5, of the period."),
        Figure.TOP_TEN: _("Of all announced alarms."),
        Figure.CHATTERING: _("Raised three times or more within 60 s."),
        Figure.FLEETING: _("Back to normal within 15 s."),
        Figure.STALE: _("Standing for more than 24 h; of the position with the most."),
    }


def verdict_texts() -> dict[Verdict, str]:
    """Where a value stands."""
    return {
        Verdict.ON_TARGET: _("on target"),
        Verdict.MANAGEABLE: _("manageable"),
        Verdict.BEYOND: _("beyond the maximum"),
        Verdict.UNKNOWN: _("nothing to measure"),
    }


def level_texts() -> dict[Level, str]:
    """EEMUA's levels."""
    return {
        Level.OVERLOADED: _("Overloaded"),
        Level.REACTIVE: _("Reactive"),
        Level.STABLE: _("Stable"),
        Level.ROBUST: _("Robust"),
        Level.PREDICTIVE: _("Predictive"),
    }


VERDICT_STATES: Mapping[Verdict, str] = {Verdict.MANAGEABLE: "is-warn", Verdict.BEYOND: "is-urgent"}
VERDICT_MARKS: Mapping[Verdict, str] = {Verdict.MANAGEABLE: "!", Verdict.BEYOND: "!!"}


def value_text(one: Kpi) -> str:
    """A value as it reads."""
    if np.isnan(one.value):
        return NOTHING
    if one.goal.is_share:
        return percent(one.value, 2 if one.value < 0.1 else 1)
    return number(one.value, 2 if one.figure in _RATES and one.value < 100 else 1 if one.figure in _RATES else 0)


def goal_text(goal: Goal, value: float) -> str:
    """A target or maximum: `< 1 %`, `≤ 10`."""
    shown = f"{value * 100:g} %" if goal.is_share else number(value)
    return f"{'<' if goal.is_below else '≤'} {shown}"


def spread_texts(spread: Spread) -> tuple[str, str, str]:
    """Median, nine tenths, longest."""
    if not spread.known:
        return NOTHING, NOTHING, NOTHING
    return seconds(spread.median_s), seconds(spread.p90_s), seconds(spread.longest_s)


def seconds(length_s: float) -> str:
    """A length of time; short ones with their tenths."""
    return f"{number(length_s, 1)} s" if length_s < 10 else duration(length_s)


def alarm_text(named: Named | None) -> str:
    """An alarm's name: its rule's."""
    return NOTHING if named is None else text_of(named.name)


def place_text(named: Named | None) -> str:
    """Where it is, in words."""
    if named is None:
        return ""
    return " › ".join(text_of(one) for one in named.place) or named.path


def node_text(plant: Plant, path: str) -> str:
    """The name of a node, with that of what it is in."""
    parts = path.split(".")
    above = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return " › ".join(text_of(plant.nodes[one].name) for one in above[-2:] if one in plant.nodes) or path


def address_of(
    wish: Wish, figure: str = "", alarm: int | None = None, span: tuple[datetime, datetime] | None = None
) -> str:
    """Where the occurrences stand that a figure counts."""
    start, end = (wish.start, wish.end) if span is None else span
    said: dict[str, str | int | None] = {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "tenant": wish.tenant,
        "area": wish.area,
    }
    said |= {"position": wish.position, "figure": figure, "alarm": alarm}
    return f"{HOME}/occurrences?{urlencode({name: value for name, value in said.items() if value})}"


def priority_texts() -> dict[int, str]:
    """By number, the most urgent first."""
    return {1: _("Critical"), 2: _("High"), 3: _("Medium"), 4: _("Low")}
