"""Who is on duty when: the usual patterns, clocks that are set forward and back, leave, swaps and gaps."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from athanor.kernel.notify.roster import PATTERNS, Pattern, Roster, duties, gaps, on_duty

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)

dates = st.dates(date(2026, 1, 2), date(2030, 12, 31))
moments = st.datetimes(datetime(2026, 1, 2), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (as Hypothesis wants them)
zones = st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
AROUND_THE_CLOCK = [one for one in PATTERNS.values() if one.key != "day-staff"]


def roster_of(pattern: Pattern, **more: Any) -> Roster:
    teams = [
        {"name": chr(65 + number), "members": [f"p{number}"], "offset": offset}
        for number, offset in enumerate(pattern.offsets)
    ]
    said = {"name": {"en": "Watch"}, "shifts": pattern.shifts, "cycle": pattern.cycle, "teams": teams}
    return Roster.model_validate(said | {"begins_on": FIRST} | more)


@pytest.mark.parametrize("pattern", AROUND_THE_CLOCK, ids=lambda one: one.key)
@given(at=moments, zone=zones)
def test_with_a_usual_pattern_exactly_one_team_is_on_duty_at_any_moment(
    pattern: Pattern, at: datetime, zone: ZoneInfo
) -> None:
    (duty,) = on_duty(roster_of(pattern), at, zone)
    assert duty.start <= at < duty.end


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda one: one.key)
def test_over_a_whole_turn_every_team_does_the_same(pattern: Pattern) -> None:
    last = FIRST + timedelta(days=len(pattern.cycle) - 1)
    done = Counter((duty.team, duty.shift.id) for duty in duties(roster_of(pattern), FIRST, last, SHANGHAI))
    per_shift = Counter(shift for shift in pattern.cycle if shift)
    teams = [chr(65 + number) for number in range(len(pattern.offsets))]
    assert done == {(team, shift): count for team in teams for shift, count in per_shift.items()}


def test_four_teams_three_shifts_is_early_early_late_late_night_night_off_off() -> None:
    found = duties(roster_of(PATTERNS["four-teams-three-shifts"]), FIRST, FIRST + 7 * DAY, SHANGHAI)
    assert [(duty.day.day, duty.shift.id) for duty in found if duty.team == "A"] == [
        (1, "early"), (2, "early"), (3, "late"), (4, "late"), (5, "night"), (6, "night"),
    ]  # fmt: skip


@given(start=moments, days=st.integers(1, 40), zone=zones)
def test_around_the_clock_has_no_gap_also_where_clocks_are_set(start: datetime, days: int, zone: ZoneInfo) -> None:
    roster = roster_of(PATTERNS["four-teams-three-shifts"])
    assert gaps(roster, start, start + days * DAY, zone) == []


def test_the_night_in_which_clocks_are_set_is_an_hour_shorter_or_longer() -> None:
    roster = roster_of(PATTERNS["four-teams-three-shifts"])
    lengths = {}
    for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)):
        night = next(duty for duty in duties(roster, day, day, BERLIN) if duty.shift.id == "night")
        lengths[day.isoformat()] = (night.end - night.start) / timedelta(hours=1)
    assert lengths == {"2026-03-28": 8, "2026-03-29": 7, "2026-10-25": 9}


def test_a_shift_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    roster = roster_of(PATTERNS["four-teams-two-shifts"])
    at = datetime.combine(date(2026, 1, 3), time(2), SHANGHAI)
    (duty,) = on_duty(roster, at, SHANGHAI)
    assert (duty.day, duty.shift.id) == (date(2026, 1, 2), "night")


def test_who_is_on_leave_is_not_on_duty_and_the_gap_shows() -> None:
    leave = {"first": "2026-01-02", "last": "2026-01-02", "out": "p0"}
    roster = roster_of(PATTERNS["weekly-on-call"], changes=[leave])
    start = datetime.combine(FIRST, time(8), SHANGHAI)
    (gap,) = gaps(roster, start, start + 7 * DAY, SHANGHAI)
    assert (gap.start, gap.end) == (start + DAY, start + 2 * DAY)


def test_who_stands_in_is_on_duty_for_that_shift_only() -> None:
    swap = {"first": "2026-01-01", "last": "2026-01-02", "shift": "early", "out": "p0", "into": "p3"}
    roster = roster_of(PATTERNS["four-teams-three-shifts"], changes=[swap])
    found = duties(roster, FIRST, FIRST + 2 * DAY, SHANGHAI)
    assert [duty.people for duty in found if duty.team == "A"] == [("p3",), ("p3",), ("p0",)]


def test_somebody_may_be_added_to_a_shift() -> None:
    extra = {"first": "2026-01-01", "last": "2026-01-01", "shift": "early", "into": "guest"}
    roster = roster_of(PATTERNS["four-teams-three-shifts"], changes=[extra])
    found = duties(roster, FIRST, FIRST, SHANGHAI)
    assert next(duty.people for duty in found if duty.shift.id == "early") == ("p0", "guest")


def test_a_team_of_people_who_have_left_is_a_gap() -> None:
    roster = roster_of(PATTERNS["weekly-on-call"])
    start = datetime.combine(FIRST, time(8), SHANGHAI)
    (gap,) = gaps(roster, start, start + 14 * DAY, SHANGHAI, lambda login: login != "p3")
    assert (gap.start, gap.end) == (start + 7 * DAY, start + 14 * DAY)


@given(day=dates)
def test_before_its_first_day_nobody_is_on_duty(day: date) -> None:
    roster = roster_of(PATTERNS["day-staff"], begins_on=day)
    start = datetime.combine(day - 3 * DAY, time(), SHANGHAI)
    assert gaps(roster, start, start + 2 * DAY, SHANGHAI)[0].end == start + 2 * DAY
    assert duties(roster, day - 3 * DAY, day - DAY, SHANGHAI) == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"cycle": ["early", "nap"]}, "there is no shift 'nap'"),
        ({"teams": [{"name": "A"}, {"name": "A"}]}, "two teams have one name"),
        ({"changes": [{"first": "2026-01-02", "last": "2026-01-01", "out": "p0"}]}, "lies before its first"),
        ({"changes": [{"first": "2026-01-01", "last": "2026-01-01"}]}, "say who is away, who stands in, or both"),
    ],
)
def test_a_roster_that_does_not_hold_together_is_refused(part: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        roster_of(PATTERNS["four-teams-three-shifts"], **part)
