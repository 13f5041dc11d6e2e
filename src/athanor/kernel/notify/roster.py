"""Duty rosters: who is on duty when. Pure: days and clocks in, people out.

A roster repeats a cycle of days, as 四班三倒 (four teams, three shifts, eight days). Shifts begin and end by the site's
clock, so that where clocks are set forward or back a shift is an hour shorter or longer, and none is missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from athanor.kernel.notify.templates import Name

OFF = ""  # in a cycle: a day without duty

_DAY_MIN = 1440
_DAY = timedelta(days=1)
_Login = str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shift(_Part):
    """A part of the day, from `from_minute` after midnight on; it may end on the next day."""

    id: str = Field(min_length=1, max_length=20, pattern=r"^[a-z0-9-]+$")
    name: Name
    from_minute: int = Field(ge=0, lt=_DAY_MIN)
    minutes: int = Field(gt=0, le=_DAY_MIN)


class Team(_Part):
    """People who are on duty together; `offset` days into the cycle on the roster's first day."""

    name: str = Field(min_length=1, max_length=100)
    members: tuple[_Login, ...] = Field((), max_length=200)
    offset: int = Field(0, ge=0)


class Change(_Part):
    """Somebody is away, or stands in: leave, or a swap, from a day to a day, both included.

    Parameters
    ----------
    shift
        Only that of these days; None: all of them.
    out
        Who is not on duty; "" where somebody is only added.
    into
        Who is on duty instead; "" for nobody.
    """

    first: date
    last: date
    shift: str | None = Field(None, max_length=20)
    out: _Login = Field("", max_length=100)
    into: _Login = Field("", max_length=100)
    reason: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _says_something(self) -> "Change":
        if self.last < self.first:
            raise ValueError("the last day of a change lies before its first")
        if self.out == self.into:
            raise ValueError("say who is away, who stands in, or both")
        return self


class Roster(_Part):
    """Shifts, the cycle of days in which each team has them, the teams, and what differs."""

    name: Name
    shifts: tuple[Shift, ...] = Field(min_length=1, max_length=20)
    cycle: tuple[str, ...] = Field(min_length=1, max_length=366)  # a shift's id for each day, or OFF
    teams: tuple[Team, ...] = Field(min_length=1, max_length=50)
    begins_on: date
    changes: tuple[Change, ...] = Field((), max_length=2000)

    @model_validator(mode="after")
    def _fits_together(self) -> "Roster":
        known = [shift.id for shift in self.shifts]
        if len(set(known)) != len(known):
            raise ValueError("two shifts have one id")
        named = {one for one in self.cycle if one != OFF} | {one.shift for one in self.changes if one.shift is not None}
        if unknown := sorted(named - set(known)):
            raise ValueError(f"there is no shift {unknown[0]!r}")
        names = [team.name for team in self.teams]
        if len(set(names)) != len(names):
            raise ValueError("two teams have one name")
        return self

    @property
    def logins(self) -> frozenset[str]:
        """Everybody who is named."""
        named = {login for team in self.teams for login in team.members}
        return frozenset(named | {login for one in self.changes for login in (one.out, one.into)}) - {""}


@dataclass(frozen=True, slots=True)
class Duty:
    """A shift of a team on a day, and who is there. [start, end)"""

    day: date
    shift: Shift
    team: str
    people: tuple[_Login, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody is on duty. [start, end)"""

    start: datetime
    end: datetime


def duties(roster: Roster, first: date, last: date, zone: ZoneInfo) -> list[Duty]:
    """All shifts that begin on these days, both included, in order of time; none before the roster's first day."""
    found = [duty for day in _days(max(first, roster.begins_on), last) for duty in _duties_on(roster, day, zone)]
    return sorted(found, key=lambda duty: (duty.start, duty.team))


def on_duty(roster: Roster, at: datetime, zone: ZoneInfo) -> list[Duty]:
    """The shifts that a moment lies in."""
    today = at.astimezone(zone).date()
    return [duty for duty in duties(roster, today - _DAY, today, zone) if duty.start <= at < duty.end]


def gaps(
    roster: Roster, start: datetime, end: datetime, zone: ZoneInfo, is_there: Callable[[_Login], bool] = lambda _: True
) -> list[Gap]:
    """When in [start, end) nobody is on duty; whoever `is_there` denies, such as somebody who has left, is nobody."""
    first, last = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date()
    manned = [duty for duty in duties(roster, first, last, zone) if any(map(is_there, duty.people))]
    found, since = [], start
    for duty in manned:
        if duty.start > since:
            found.append(Gap(since, min(duty.start, end)))
        since = max(since, duty.end)
        if since >= end:
            return found
    return [*found, Gap(since, end)] if since < end else found


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def _duties_on(roster: Roster, day: date, zone: ZoneInfo) -> Iterator[Duty]:
    by_id = {shift.id: shift for shift in roster.shifts}
    changes = [one for one in roster.changes if one.first <= day <= one.last]
    added: dict[str, list[_Login]] = {}
    for one in changes:
        if not one.out and one.shift is not None:
            added.setdefault(one.shift, []).append(one.into)
    for team in roster.teams:
        at = (team.offset + (day - roster.begins_on).days) % len(roster.cycle)
        shift = by_id.get(roster.cycle[at])
        if shift is not None:
            people = (*_people(team.members, shift.id, changes), *added.pop(shift.id, ()))
            yield _duty(day, shift, team.name, people, zone)
    for key, people_added in added.items():  # of a shift that no team has
        yield _duty(day, by_id[key], "", tuple(people_added), zone)


def _duty(day: date, shift: Shift, team: str, people: Sequence[_Login], zone: ZoneInfo) -> Duty:
    start = _moment(day, shift.from_minute, zone)
    return Duty(
        day, shift, team, tuple(dict.fromkeys(people)), start, _moment(day, shift.from_minute + shift.minutes, zone)
    )


def _people(members: Sequence[_Login], shift: str, changes: Sequence[Change]) -> Iterator[_Login]:
    """Members as the day's changes leave them; who stands in takes the place of who is away."""
    holding = [one for one in changes if one.out and one.shift in (None, shift)]
    for member in members:
        change = next((one for one in reversed(holding) if one.out == member), None)
        if change is None:
            yield member
        elif change.into:
            yield change.into


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A minute of a day on the clock there. One that the clock jumps over is that of the clock before the jump."""
    local = datetime.combine(day + timedelta(days=minute // _DAY_MIN), time(), zone).replace(tzinfo=None)
    return (local + timedelta(minutes=minute % _DAY_MIN)).replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A usual kind of roster: its shifts, its cycle, and how many days later each team begins."""

    key: str
    name: Mapping[str, str]
    shifts: tuple[Shift, ...]
    cycle: tuple[str, ...]
    offsets: tuple[int, ...]


def _shift(key: str, en: str, zh: str, hour: int, hours: int) -> Shift:
    return Shift(id=key, name={"en": en, "zh_CN": zh}, from_minute=hour * 60, minutes=hours * 60)


_EARLY, _LATE, _NIGHT = (
    _shift("early", "Early", "早班", 8, 8),
    _shift("late", "Late", "中班", 16, 8),
    _shift("night", "Night", "夜班", 0, 8),
)
_DAY_12, _NIGHT_12 = _shift("day", "Day", "白班", 8, 12), _shift("night", "Night", "夜班", 20, 12)
_CALL = _shift("call", "On call", "值守", 8, 24)

PATTERNS: Mapping[str, Pattern] = {
    one.key: one
    for one in (
        Pattern(
            "four-teams-three-shifts",
            {"en": "Four teams, three shifts", "zh_CN": "四班三倒"},
            (_EARLY, _LATE, _NIGHT),
            ("early", "early", "late", "late", "night", "night", OFF, OFF),
            (0, 2, 4, 6),
        ),
        Pattern(
            "four-teams-two-shifts",
            {"en": "Four teams, two shifts of twelve hours", "zh_CN": "四班两倒"},
            (_DAY_12, _NIGHT_12),
            ("day", "night", OFF, OFF),
            (0, 1, 2, 3),
        ),
        Pattern(
            "three-teams-three-shifts",
            {"en": "Three teams, three shifts, a week each", "zh_CN": "三班三倒"},
            (_EARLY, _LATE, _NIGHT),
            (*["early"] * 7, *["late"] * 7, *["night"] * 7),
            (0, 7, 14),
        ),
        Pattern(
            "day-staff",
            {"en": "Day staff, Monday to Friday", "zh_CN": "常白班（周一至周五）"},
            (_shift("day", "Day", "白班", 8, 9),),
            (*["day"] * 5, OFF, OFF),
            (0,),
        ),
        Pattern(
            "weekly-on-call",
            {"en": "On call around the clock, by weeks", "zh_CN": "24 小时值守（按周轮换）"},
            (_CALL,),
            (*["call"] * 7, *[OFF] * 7, *[OFF] * 7, *[OFF] * 7),
            (0, 7, 14, 21),
        ),
    )
}
