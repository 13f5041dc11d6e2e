from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.calendar import Step, StepKind, UnknownStepError, edges, fixed, parse_step
from athanor.kernel.historian.port import Span, microseconds, moment

BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [UTC, BERLIN, SHANGHAI, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Cairo")]
STEPS = [
    "10s",
    "15m",
    "1h",
    "4h",
    "12h",
    "shift",
    "shift@02:30,10:30,18:30",
    "day",
    "day@06:00",
    "week",
    "month",
    "year",
]


def local(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)


def instants(first_year: int, end_year: int) -> st.SearchStrategy[datetime]:
    first, end = (microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (first_year, end_year))
    return st.integers(first, end).map(moment)


def starts_shown(start: datetime, end: datetime, step: str, zone: ZoneInfo) -> list[str]:
    """What the clock on the wall shows at each edge."""
    return [
        moment(int(edge)).astimezone(zone).strftime("%m-%d %H:%M")
        for edge in edges(Span(start, end), parse_step(step), zone)
    ]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (3, 28, 24), (10, 25, 25)])
def test_a_day_has_the_hours_that_its_clock_makes(month: int, day: int, hours: int) -> None:
    noon = local(BERLIN, 2026, month, day, 12)
    day_edges = edges(Span(noon, noon), parse_step("day"), BERLIN)
    assert (np.diff(day_edges) / 3_600_000_000).tolist() == [hours]
    midnight = moment(int(day_edges[0]))
    quarters = edges(Span(midnight, moment(int(day_edges[1]))), parse_step("15m"), BERLIN)
    assert len(quarters) - 1 == hours * 4
    assert set(np.diff(quarters).tolist()) == {15 * 60 * 1_000_000}


def test_the_two_hours_that_a_clock_shows_twice_are_two_steps() -> None:
    day = local(BERLIN, 2026, 10, 25)
    shown = starts_shown(day + timedelta(hours=1), day + timedelta(hours=4), "1h", BERLIN)
    assert shown == ["10-25 01:00", "10-25 02:00", "10-25 02:00", "10-25 03:00", "10-25 04:00"]


def test_an_hour_that_a_clock_leaps_over_is_no_step() -> None:
    day = local(BERLIN, 2026, 3, 29)
    assert starts_shown(day, day + timedelta(hours=4), "1h", BERLIN) == [
        "03-29 00:00",
        "03-29 01:00",
        "03-29 03:00",
        "03-29 04:00",
    ]


def test_a_length_that_does_not_divide_a_changed_day_ends_it_with_a_shorter_step() -> None:
    day = local(BERLIN, 2026, 3, 29)
    lengths = np.diff(edges(Span(day, day + timedelta(days=1)), parse_step("12h"), BERLIN)) / 3_600_000_000
    assert lengths.tolist() == [12, 11]


def test_shifts_start_when_the_clock_on_the_wall_says_so() -> None:
    day = local(BERLIN, 2026, 3, 29)
    assert starts_shown(day, day + timedelta(days=1), "shift", BERLIN) == [
        "03-29 00:00",
        "03-29 08:00",
        "03-29 16:00",
        "03-30 00:00",
    ]


def test_a_shift_whose_start_the_clock_leaps_over_starts_at_the_leap() -> None:
    night = local(BERLIN, 2026, 3, 29, 1)
    assert starts_shown(night, night + timedelta(hours=3), "shift@02:30,14:30", BERLIN)[1] == "03-29 03:00"


def test_a_midnight_that_the_clock_leaps_over_is_the_first_instant_of_its_day() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # on from midnight to one o'clock, 24 April 2026
    noon = local(cairo, 2026, 4, 24, 12)
    assert starts_shown(noon, noon, "day", cairo) == ["04-24 01:00", "04-25 00:00"]


def test_a_day_that_a_zone_left_out_is_no_step() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    start, end = local(apia, 2011, 12, 29), local(apia, 2012, 1, 1)
    assert starts_shown(start, end, "day", apia) == ["12-29 00:00", "12-31 00:00", "01-01 00:00"]


def test_a_plant_day_begins_at_its_own_hour() -> None:
    start = local(SHANGHAI, 2026, 5, 2, 3)
    assert starts_shown(start, start + timedelta(hours=4), "day@06:00", SHANGHAI) == [
        "05-01 06:00",
        "05-02 06:00",
        "05-03 06:00",
    ]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    start, end = local(SHANGHAI, 2026, 2, 27), local(SHANGHAI, 2026, 3, 3)
    assert starts_shown(start, end, "week", SHANGHAI) == ["02-23 00:00", "03-02 00:00", "03-09 00:00"]
    assert starts_shown(start, end, "month", SHANGHAI) == ["02-01 00:00", "03-01 00:00", "04-01 00:00"]
    assert starts_shown(start, end, "year", SHANGHAI) == ["01-01 00:00", "01-01 00:00"]


def test_fixed_steps_count_from_local_midnight() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")  # 05:45 ahead of UTC
    noon = local(kathmandu, 2026, 5, 2, 12)
    assert starts_shown(noon, noon + timedelta(hours=1), "1h", kathmandu) == ["05-02 12:00", "05-02 13:00"]


@given(
    start=instants(2000, 2036),
    length=st.timedeltas(timedelta(0), timedelta(days=3)),
    step=st.sampled_from(STEPS),
    zone=st.sampled_from(ZONES),
)
def test_edges_ascend_and_hold_the_span_with_none_to_spare(
    start: datetime, length: timedelta, step: str, zone: ZoneInfo
) -> None:
    span = Span(start, start + length)
    found = edges(span, parse_step(step), zone)
    assert found.dtype == np.int64
    assert np.all(np.diff(found) > 0)
    assert found[0] <= span.start_us
    assert found[-1] >= span.end_us
    assert np.all(found[1:-1] > span.start_us)
    assert np.all(found[1:-1] < span.end_us)


@given(
    start=instants(2026, 2027),
    step=st.sampled_from(STEPS[1:]),
    zone=st.sampled_from(ZONES),
)
def test_edges_do_not_depend_on_the_span_that_asks(start: datetime, step: str, zone: ZoneInfo) -> None:
    whole = edges(Span(start, start + timedelta(days=4)), parse_step(step), zone)
    part = Span(start + timedelta(days=1), start + timedelta(days=2))
    inner = edges(part, parse_step(step), zone)
    assert inner.tolist() == [edge for edge in whole.tolist() if inner[0] <= edge <= inner[-1]]


def test_ten_years_of_quarter_hours_are_found_at_once() -> None:
    span = Span(local(BERLIN, 2016, 1, 1), local(BERLIN, 2026, 1, 1))
    found = edges(span, parse_step("15m"), BERLIN)
    assert len(found) - 1 == 3653 * 96
    assert set(np.diff(found).tolist()) == {900_000_000}
    assert (found[0], found[-1]) == (microseconds(span.start), microseconds(span.end))


@pytest.mark.parametrize("text", STEPS)
def test_a_step_is_printed_as_it_is_read(text: str) -> None:
    assert str(parse_step(text)) == text


def test_a_length_is_printed_in_its_largest_unit() -> None:
    assert [str(fixed(timedelta(seconds=seconds))) for seconds in (1, 90, 900, 43_200)] == ["1s", "90s", "15m", "12h"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7m",
        "0m",
        "24h",
        "1d",
        "15 m",
        "fixed",
        "shift@",
        "shift@25:00",
        "shift@16:00,08:00",
        "day@06:00,18:00",
        "1.5h",
        "Day",
    ],
)
def test_a_text_that_is_no_step_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UnknownStepError, match="15m or 1h, or one of shift, day, week, month, year"):
        parse_step(text)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Step(StepKind.FIXED),
        lambda: Step(StepKind.DAY, timedelta(hours=1)),
        lambda: Step(StepKind.SHIFT, starts=()),
        lambda: Step(StepKind.DAY, starts=(time(6, tzinfo=UTC),)),
        lambda: Step(StepKind.FIXED, timedelta(hours=1), (time(6),)),
        lambda: fixed(timedelta(milliseconds=1500)),
    ],
)
def test_a_step_that_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(UnknownStepError):
        wrong()  # type: ignore[operator]
