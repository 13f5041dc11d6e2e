"""When an alarm is one: parts of the week on the site's clock, also when that clock is put forward or back."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from athanor.kernel.alarms.rule import Hours

_DAY: Final = 1440  # minutes
_DAYS: Final = 9  # a week, and a day on either side
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


class Schedule:
    """Hours of a week in one time zone.

    Parameters
    ----------
    hours
        When there are alarms; always where empty.
    timezone
        Such as `Europe/Berlin`.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
    """

    def __init__(self, hours: Sequence[Hours], timezone: str) -> None:
        self._hours = tuple(hours)
        self._zone = ZoneInfo(timezone)

    def is_on(self, at_us: int) -> bool:
        """Whether there are alarms at a time. [µs since 1970 UTC]"""
        local = (_EPOCH + at_us * _US).astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        day = local.weekday()
        return not self._hours or any(_holds(one, day, minute) for one in self._hours)

    def next_us(self, after_us: int) -> int | None:
        """When it next turns after a time; None where it never does. [µs since 1970 UTC]"""
        is_on = self.is_on(after_us)
        after = _EPOCH + after_us * _US
        times = ((one - _EPOCH) // _US for one in self._times_after(after))
        return next((one for one in times if one > after_us and self.is_on(one) != is_on), None)

    def _times_after(self, after: datetime) -> list[datetime]:
        """All times in a good week at which it can turn: hours begin or end, or the clock is put forward or back."""
        if not self._hours:
            return []
        half_hour = after.replace(minute=0, second=0, microsecond=0)
        times = {half_hour + timedelta(minutes=30 * step) for step in range(_DAYS * 48)}
        minutes = {one % _DAY for hours in self._hours for one in (hours.from_minute, hours.to_minute)}
        first = after.astimezone(self._zone).date()
        for ahead in range(_DAYS):
            day = first + timedelta(days=ahead)
            for minute in minutes:
                for fold in (0, 1):  # an hour that comes twice
                    clock = time(minute // 60, minute % 60, tzinfo=self._zone, fold=fold)
                    times.add(datetime.combine(day, clock).astimezone(UTC))
        return sorted(times)


def _holds(hours: Hours, day: int, minute: int) -> bool:
    """Whether a minute of a day is within; what passes midnight belongs to the day on which it begins."""
    if hours.from_minute < hours.to_minute:
        return day in hours.days and hours.from_minute <= minute < hours.to_minute
    return (day in hours.days and minute >= hours.from_minute) or (
        (day - 1) % 7 in hours.days and minute < hours.to_minute
    )
