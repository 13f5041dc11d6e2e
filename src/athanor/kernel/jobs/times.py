"""When a schedule wants its job to run: by a cron expression on a site's clock, or at an interval.

Over a change of the clock a time is neither left out nor met twice: one that does not exist that day is met when the
clock has gone on, and one that there is twice is met the first time. Expressions that hold every hour follow time
itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from athanor.kernel.errors import AthanorError

_FIELDS = 5
_HOUR = 1
SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(days=366)


class BadScheduleError(AthanorError):
    """A schedule that cannot be kept."""

    code = "jobs.bad-schedule"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This schedule cannot be kept: {reason}")


class Times(Protocol):
    """Moments at which something is due."""

    def after(self, moment: datetime) -> datetime:
        """The first one later than a moment; UTC."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday); as `15 3 * * MON-FRI`.

    Raises BadScheduleError when it is made of something else.
    """

    expression: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if len(self.expression.split()) != _FIELDS:
            raise BadScheduleError(
                f"{self.expression!r} has not five fields. Write minute, hour, day, month and day of the week: "
                "15 3 * * * is every day at 03:15."
            )
        try:
            next(CronSim(self.expression, datetime(2026, 1, 1)))  # noqa: DTZ001 on a clock without a zone
        except (CronSimError, StopIteration) as error:
            raise BadScheduleError(f"{self.expression!r}: {error or 'it is never'}. See docs/jobs.md.") from error

    def after(self, moment: datetime) -> datetime:
        """See `Times`."""
        local = moment.astimezone(self.zone)
        if self.expression.split()[_HOUR] == "*":
            return next(CronSim(self.expression, local)).astimezone(UTC)
        walls = CronSim(self.expression, local.replace(tzinfo=None))
        return next(instant for wall in walls if (instant := self._instant(wall)) > moment)

    def _instant(self, wall: datetime) -> datetime:
        """When a clock on the wall shows this for the first time, or would have."""
        instant = wall.replace(tzinfo=self.zone).astimezone(UTC)
        while instant.astimezone(self.zone).replace(tzinfo=None) != wall:  # skipped that day
            wall += timedelta(minutes=1)
            instant = wall.replace(tzinfo=self.zone).astimezone(UTC)
        return instant


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, counted from a moment, whatever the clock on the wall does."""

    period: timedelta
    since: datetime

    def __post_init__(self) -> None:
        if not SHORTEST <= self.period <= LONGEST:
            raise BadScheduleError(f"the interval is {self.period}. Give one of {SHORTEST} to {LONGEST}.")

    def after(self, moment: datetime) -> datetime:
        """See `Times`."""
        return self.since + ((moment - self.since) // self.period + 1) * self.period


def between(times: Times, start: datetime, end: datetime, most: int) -> list[datetime]:
    """The latest moments from `start` to `end`, both included, `most` at most, in order."""
    look_back = timedelta(hours=1)
    while True:  # from near the end, so that years of minutes are not gone through
        begin = max(start, end - look_back)
        found = _all(times, begin, end)
        if len(found) >= most or begin == start:
            return found[-most:]
        look_back *= 4


def _all(times: Times, start: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    moment = times.after(start - timedelta(microseconds=1))
    while moment <= end:
        found.append(moment)
        moment = times.after(moment)
    return found
