"""Periods of which performance is asked: by name, by month, or from and to."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from athanor.kernel.errors import AthanorError

LONGEST = timedelta(days=3 * 366)
FIRST_YEAR, LAST_YEAR = 1971, 2200


class BadPeriodError(AthanorError):
    """A period that cannot be reported on."""

    code = "alarms.bad-period"

    def __init__(self, said: object) -> None:
        super().__init__(
            f"{said} is no period of performance. Give a beginning and a later end, such as 2026-05-01T00:00:00+08:00, "
            "at most three years apart; or a month, such as 2026-05."
        )


class Period(StrEnum):
    """Periods that have a name."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    LAST_MONTH = "last-month"
    QUARTER = "quarter"
    YEAR = "year"


_DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30, Period.QUARTER: 90, Period.YEAR: 365}


def period_of(name: Period, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last day, week, 30, 90 or 365 days until now; or the calendar month before this one."""
    if name is Period.LAST_MONTH:
        return month_before(now, zone)
    return now - timedelta(days=_DAYS[name]), now


def month_before(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar month before the one that it is now on the plant's clock."""
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=1), first


def month_of(said: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A calendar month written as `2026-05`. Raises BadPeriodError."""
    try:
        first = datetime.strptime(said, "%Y-%m").replace(tzinfo=zone)
        return checked(first, (first + timedelta(days=32)).replace(day=1))
    except (ValueError, OverflowError):
        raise BadPeriodError(said) from None


def checked(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """From and to, where they make a period. Raises BadPeriodError."""
    is_aware = start.tzinfo is not None and end.tzinfo is not None
    if not is_aware or start.year < FIRST_YEAR or end.year > LAST_YEAR or not timedelta(0) < end - start <= LONGEST:
        raise BadPeriodError(f"{start.isoformat()} to {end.isoformat()}")
    return start, end


def asked(start: datetime | None, end: datetime | None, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From and to as far as given; else until now, and 30 days. Without a zone, the plant's. Raises BadPeriodError."""
    until = _placed(end or now, zone)
    if start is not None:
        return checked(_placed(start, zone), until)
    if until.year <= FIRST_YEAR:
        raise BadPeriodError(until.isoformat())
    return checked(until - timedelta(days=_DAYS[Period.MONTH]), until)


def _placed(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def written(start: str, end: str) -> tuple[datetime, datetime]:
    """From and to as text. Raises BadPeriodError."""
    try:
        return checked(datetime.fromisoformat(start), datetime.fromisoformat(end))
    except (ValueError, OverflowError):
        raise BadPeriodError(f"{start[:40]} to {end[:40]}") from None
