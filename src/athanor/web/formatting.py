"""How numbers, units, ages and times look, the same on every page.

A number never stands alone: `read()` gives it its unit and says when it is not to be trusted. Times are shown in the
plant's own zone.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from athanor.kernel.current import CurrentValue
from athanor.kernel.freshness import stale_after_s
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import display_unit
from athanor.web.language import _, text_of

NOTHING = "–"  # en dash: no value
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class Trust(StrEnum):
    """How far a shown value may be believed; also the CSS class that shows it."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Reading:
    """A tag's value as a person reads it."""

    text: str
    unit: str
    trust: Trust
    note: str  # why it is not to be trusted and how old it is; empty when good

    @property
    def whole(self) -> str:
        return f"{self.text} {self.unit}" if self.unit and self.text != NOTHING else self.text


def read(tag: Tag, current: CurrentValue | None, now: datetime) -> Reading:
    """A tag's newest sample as shown: decimals and unit of the tag, old and bad values marked."""
    unit = display_unit(tag.unit)
    if current is None:
        return Reading(NOTHING, unit, Trust.MISSING, _("No value yet"))
    text = value_text(tag, current.value)
    age_s = (now - current.time).total_seconds()
    is_stale = tag.period_s is not None and age_s > stale_after_s(tag.period_s)
    if current.quality is Quality.BAD:
        return Reading(text, unit, Trust.BAD, _("Bad quality, {age} old").format(age=duration(age_s)))
    if is_stale:
        return Reading(text, unit, Trust.STALE, _("Stale, {age} old").format(age=duration(age_s)))
    if current.quality is Quality.UNCERTAIN:
        return Reading(text, unit, Trust.UNCERTAIN, _("Uncertain quality"))
    return Reading(text, unit, Trust.GOOD, "")


def value_text(tag: Tag, value: float | str | None) -> str:
    """A value of this tag without its unit; a state by its name."""
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return NOTHING
    if tag.kind is TagKind.STATE:
        name = tag.states.get(int(value))
        return text_of(name) if name else str(int(value))
    return number(value, tag.decimals)


def number(value: float | None, decimals: int = 0) -> str:
    """With thousands separated and a real minus sign; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return NOTHING
    shown = f"{value:,.{decimals}f}"
    if shown.startswith("-"):
        shown = shown[1:] if float(shown.replace(",", "")) == 0 else "\u2212" + shown[1:]
    return shown


def percent(share: float | None, decimals: int = 1) -> str:
    """A share of 0 to 1 as per cent; never rounded up to a whole that is not whole."""
    if share is None or not math.isfinite(share):
        return NOTHING
    shown = share * 100
    if share < 1:
        step = 10**-decimals
        shown = min(math.floor(shown / step + 1e-9) * step, 100 - step)
    return f"{number(shown, decimals)} %"


def duration(seconds: float) -> str:
    """About how long, in the largest unit that fits: `12 s`, `3 min`, `5 h`, `2 d`."""
    whole = max(0, int(seconds)) if math.isfinite(seconds) else 0
    if whole < 2 * _MINUTE:
        return _("{n} s").format(n=whole)
    if whole < 2 * _HOUR:
        return _("{n} min").format(n=whole // _MINUTE)
    if whole < 2 * _DAY:
        return _("{n} h").format(n=whole // _HOUR)
    return _("{n} d").format(n=number(whole // _DAY))


def date_time(moment: datetime, zone: ZoneInfo) -> str:
    """Date and time to the second in the plant's zone: `2026-05-04 07:03:09`."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Time of day in the plant's zone: `07:03:09`."""
    return moment.astimezone(zone).strftime("%H:%M:%S")
