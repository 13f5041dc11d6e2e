"""Ranges of time by the names that people use. The clock is handed in."""

from datetime import datetime, timedelta
from enum import StrEnum


class Preset(StrEnum):
    """A range that ends now, or a day or month of the site's calendar."""

    LAST_DAY = "24h"
    LAST_WEEK = "7d"
    LAST_MONTH_LONG = "31d"
    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


_LENGTHS = {
    Preset.LAST_DAY: timedelta(days=1),
    Preset.LAST_WEEK: timedelta(days=7),
    Preset.LAST_MONTH_LONG: timedelta(days=31),
}


def range_of(preset: Preset, now: datetime) -> tuple[datetime, datetime]:
    """Start and end on the clock of `now`, which bears the site's zone; whole minutes where it ends now."""
    minute = now.replace(second=0, microsecond=0)
    if preset in _LENGTHS:
        return minute - _LENGTHS[preset], minute
    today = minute.replace(hour=0, minute=0, fold=0)
    month = today.replace(day=1)
    return {
        Preset.TODAY: (today, minute),
        Preset.YESTERDAY: (_midnight(today, -1), today),
        Preset.THIS_MONTH: (month, minute),
        Preset.LAST_MONTH: (_midnight(month, -1).replace(day=1), month),
    }[preset]


def _midnight(day: datetime, days: int) -> datetime:
    """So many days on, at midnight of the wall's clock."""
    return (day.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=day.tzinfo)
