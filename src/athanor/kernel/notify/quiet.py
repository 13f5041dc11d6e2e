"""Hours in which somebody is not to be disturbed, on the site's clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from athanor.kernel.alarms.rule import Hours

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=1)  # who is never to be disturbed hears once a day


class Wishes(BaseModel):
    """What a person says of being told; what is critical passes the quiet hours all the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet: tuple[Hours, ...] = Field((), max_length=20)


NO_WISHES = Wishes(quiet=())


def is_within(hours: Sequence[Hours], at: datetime, zone: ZoneInfo) -> bool:
    """Whether a moment lies in one of these parts of the week; in none where there are none."""
    local = at.astimezone(zone)
    minute, today = local.hour * 60 + local.minute, local.weekday()
    return any(_is_in(one, minute, today) for one in hours)


def ends_at(hours: Sequence[Hours], at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment from `at` on that lies in none of them: a whole minute, at most a day later.

    Minutes are tried one by one, since a clock that is set forward or back jumps over ends and passes them twice.
    """
    if not is_within(hours, at, zone):
        return at
    last = at + _LONGEST
    moment = at.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    while moment < last and is_within(hours, moment, zone):
        moment += _MINUTE
    return min(moment, last)


def _is_in(one: Hours, minute: int, today: int) -> bool:
    if one.from_minute < one.to_minute:
        return today in one.days and one.from_minute <= minute < one.to_minute
    yesterday = (today - 1) % 7
    return (today in one.days and minute >= one.from_minute) or (yesterday in one.days and minute < one.to_minute)
