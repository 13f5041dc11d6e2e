"""When a schedule is due, also where clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athanor.kernel.jobs.times import BadScheduleError, Cron, Every, between

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def walls(expression: str, zone: ZoneInfo, first: str, last: str) -> list[str]:
    """What the clocks there show when it is due, from one local midnight to another."""
    start, end = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in (first, last))
    moments = between(Cron(expression, zone), start, end - timedelta(seconds=1), 1000)
    return [f"{moment.astimezone(zone):%d %H:%M %Z}" for moment in moments]


def test_an_expression_goes_by_the_clock_of_its_zone() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert Cron("15 3 * * *", SHANGHAI).after(noon) == datetime(2026, 3, 1, 19, 15, tzinfo=UTC)
    assert Cron("15 3 * * *", BERLIN).after(noon) == datetime(2026, 3, 2, 2, 15, tzinfo=UTC)


def test_in_spring_a_time_that_does_not_exist_is_met_when_the_clock_has_gone_on() -> None:
    assert walls("30 2 * * *", BERLIN, "2026-03-28", "2026-03-31") == ["28 02:30 CET", "29 03:00 CEST", "30 02:30 CEST"]


def test_in_autumn_a_time_that_there_is_twice_is_met_once() -> None:
    assert walls("30 2 * * *", BERLIN, "2026-10-24", "2026-10-27") == ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]
    assert walls("0 */2 * * *", BERLIN, "2026-10-25", "2026-10-26")[:3] == [
        "25 00:00 CEST",
        "25 02:00 CEST",
        "25 04:00 CET",
    ]


def test_what_is_due_every_hour_follows_time_itself() -> None:
    autumn = walls("0 * * * *", BERLIN, "2026-10-25", "2026-10-26")
    assert (len(autumn), autumn[2:4]) == (25, ["25 02:00 CEST", "25 02:00 CET"])
    assert len(walls("0 * * * *", BERLIN, "2026-03-29", "2026-03-30")) == 23


@settings(max_examples=12)  # a year takes a while
@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), SHANGHAI]),
    st.integers(2024, 2030),
)
def test_a_time_of_day_is_met_once_on_each_day_of_the_year(minute: int, hour: int, zone: ZoneInfo, year: int) -> None:
    start, end = datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)
    moments = between(Cron(f"{minute} {hour} * * *", zone), start, end - timedelta(seconds=1), 400)
    days = [moment.astimezone(zone).date() for moment in moments]
    assert days == [start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days)]


def test_an_interval_counts_from_its_beginning() -> None:
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)
    every = Every(timedelta(minutes=40), since)
    assert every.after(since) == since + timedelta(minutes=40)
    assert every.after(since + timedelta(minutes=79)) == since + timedelta(minutes=80)
    assert every.after(since + timedelta(minutes=80)) == since + timedelta(minutes=120)


def test_only_the_latest_of_many_missed_moments_are_looked_for() -> None:
    end = datetime(2026, 3, 1, 12, tzinfo=UTC)
    found = between(Cron("* * * * *", SHANGHAI), end - timedelta(days=3650), end, 3)
    assert found == [end - timedelta(minutes=2), end - timedelta(minutes=1), end]


@pytest.mark.parametrize(
    ("expression", "said"),
    [("* * *", "five fields"), ("61 * * * *", "minute"), ("0 0 31 2 *", "day-of-month"), ("", "five fields"),
     ("* * * * * *", "five fields"), ("x'; DROP TABLE jobs_runs; -- * *", "five fields")],
)  # fmt: skip
def test_an_expression_that_means_nothing_is_refused(expression: str, said: str) -> None:
    with pytest.raises(BadScheduleError, match=said):
        Cron(expression, SHANGHAI)


@pytest.mark.parametrize("seconds", [0, -60, 5, 400 * 86_400])
def test_an_interval_that_is_too_short_or_too_long_is_refused(seconds: int) -> None:
    with pytest.raises(BadScheduleError, match="interval"):
        Every(timedelta(seconds=seconds), datetime(2026, 3, 1, tzinfo=UTC))
