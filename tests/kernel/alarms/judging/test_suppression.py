from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.judging import Judge, Unjudged
from athanor.kernel.alarms.judging.schedule import Schedule
from athanor.kernel.alarms.rule import Hours, Limit, Side
from athanor.kernel.telemetry import Quality

from .samples import SECOND, START, alarm, at, found, one_a_second, take

HIGH = Limit(side=Side.HIGH, at=100, deadband=2)
STOPPED = alarm(HIGH, suppressed_while="{.running} == 0", names={".running": 8})
DAY = Hours(from_minute=8 * 60, to_minute=17 * 60)
HOUR_S = 3600


def test_an_alarm_is_suppressed_while_its_formula_is_true_and_goes_on_being_judged() -> None:
    judge = Judge([STOPPED], grace_us=0)
    assert found(take(judge, [(8, 0, 0, Quality.GOOD), (7, 0, 90, Quality.GOOD)])) == [(1, What.SUPPRESSED, 0)]
    findings = take(judge, one_a_second([101, 101], begin_s=1))
    assert found(findings) == [(1, What.RAISED, 1)]
    findings = take(judge, [(8, 3, 1, Quality.GOOD), (7, 4, 101, Quality.GOOD)])
    assert found(findings) == [(1, What.RESUMED, 3)]
    assert findings.is_active.tolist() == [True]


def test_a_suppression_that_ends_says_when_there_is_no_alarm() -> None:
    judge = Judge([STOPPED], grace_us=0)
    take(judge, [(8, 0, 0, Quality.GOOD)])
    take(judge, one_a_second([101, 90], begin_s=1))
    findings = take(judge, [(8, 4, 1, Quality.GOOD)])
    assert found(findings) == [(1, What.RESUMED, 4)]
    assert findings.is_active.tolist() == [False]


def test_suppression_outlives_a_restart() -> None:
    first = Judge([STOPPED], grace_us=0)
    take(first, [(8, 0, 0, Quality.GOOD)])
    second = Judge([STOPPED], grace_us=0)
    second.restore(first.state())
    assert found(take(second, [(8, 1, 0, Quality.GOOD)])) == []
    assert found(take(second, [(8, 2, 1, Quality.GOOD)])) == [(1, What.RESUMED, 2)]


def test_an_alarm_whose_rule_no_longer_suppresses_it_resumes() -> None:
    first = Judge([STOPPED], grace_us=0)
    take(first, [(8, 0, 0, Quality.GOOD)])
    second = Judge([alarm(HIGH)], grace_us=0)
    second.restore(first.state())
    assert found(second.tick(at(5))) == [(1, What.RESUMED, 5)]


def test_what_the_database_knows_of_suppression_wins() -> None:
    judge = Judge([STOPPED, alarm(HIGH, 2)], grace_us=0)
    judge.set_suppressed(1, True)
    judge.set_suppressed(2, True)
    judge.set_suppressed(99, True)
    assert found(judge.tick(at(1))) == [(2, What.RESUMED, 1)]
    assert found(take(judge, [(8, 2, 1, Quality.GOOD)])) == [(1, What.RESUMED, 2)]


def test_a_suppression_that_ended_unseen_is_told_when_the_database_still_has_it() -> None:
    judge = Judge([STOPPED], grace_us=0)
    assert found(take(judge, [(8, 0, 1, Quality.GOOD)])) == []
    judge.set_suppressed(1, True)
    assert judge.suppressed.tolist() == [1]
    assert found(judge.tick(at(1))) == [(1, What.RESUMED, 1)]
    assert judge.suppressed.tolist() == []


def test_a_schedule_suppresses_outside_its_hours() -> None:
    judge = Judge([alarm(HIGH, schedule=(DAY,), timezone="UTC")], grace_us=0)
    rows = [(7, 7 * HOUR_S, 101, Quality.GOOD), (7, 9 * HOUR_S, 101, Quality.GOOD), (7, 20 * HOUR_S, 0, Quality.GOOD)]
    assert found(take(judge, rows)) == [
        (1, What.SUPPRESSED, 7 * HOUR_S),
        (1, What.RAISED, 7 * HOUR_S + 1e-6),
        (1, What.RESUMED, 8 * HOUR_S),
        (1, What.SUPPRESSED, 17 * HOUR_S),
        (1, What.CLEARED, 20 * HOUR_S),
    ]


def test_the_clock_alone_begins_and_ends_hours() -> None:
    judge = Judge([alarm(HIGH, schedule=(DAY,), timezone="UTC")], grace_us=0)
    assert found(judge.tick(at(9 * HOUR_S))) == []
    assert found(judge.tick(at(17 * HOUR_S - 1))) == []
    judge.tick(at(17 * HOUR_S))
    assert found(judge.tick(at(17 * HOUR_S + 10))) == [(1, What.SUPPRESSED, 17 * HOUR_S)]


def test_an_unknown_time_zone_is_said_and_the_alarm_is_judged_all_the_time() -> None:
    judge = Judge([alarm(HIGH, schedule=(DAY,), timezone="Mars/Olympus")])
    assert found(take(judge, one_a_second([101]))) == [(1, What.RAISED, 0)]
    assert dict(judge.faults()) == {1: Unjudged.SCHEDULE}


def turns(schedule: Schedule, begin: datetime, count: int) -> list[str]:
    time_us: int | None = round(begin.timestamp() * SECOND)
    found_at: list[str] = []
    while len(found_at) < count and time_us is not None:
        time_us = schedule.next_us(time_us)
        if time_us is not None:
            on = "on" if schedule.is_on(time_us) else "off"
            found_at.append(f"{datetime.fromtimestamp(time_us / SECOND, UTC):%d %H:%M} {on}")
    return found_at


def test_hours_follow_the_sites_clock_when_it_is_put_forward() -> None:
    schedule = Schedule((Hours(from_minute=90, to_minute=210),), "Europe/Berlin")  # 01:30 to 03:30
    assert turns(schedule, datetime(2026, 3, 28, tzinfo=UTC), 4) == [
        "28 00:30 on",
        "28 02:30 off",
        "29 00:30 on",
        "29 01:30 off",
    ]


def test_hours_follow_the_sites_clock_when_it_is_put_back() -> None:
    schedule = Schedule((Hours(from_minute=150, to_minute=240),), "Europe/Berlin")  # 02:30 to 04:00; 02:30 comes twice
    assert turns(schedule, datetime(2026, 10, 25, tzinfo=UTC), 4) == [
        "25 00:30 on",
        "25 01:00 off",
        "25 01:30 on",
        "25 03:00 off",
    ]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    schedule = Schedule((Hours(days=(4,), from_minute=22 * 60, to_minute=6 * 60),), "Asia/Shanghai")
    assert turns(schedule, datetime(2026, 1, 1, tzinfo=UTC), 2) == ["02 14:00 on", "02 22:00 off"]


@pytest.mark.parametrize("hours", [(), (Hours(),)])
def test_hours_of_the_whole_week_never_turn(hours: tuple[Hours, ...]) -> None:
    schedule = Schedule(hours, "Asia/Shanghai")
    assert schedule.is_on(START)
    assert schedule.next_us(START) is None


_minutes = st.integers(0, 1439)


@given(
    days=st.lists(st.integers(0, 6), unique=True, min_size=1),
    from_minute=_minutes,
    to_minute=_minutes.map(lambda minute: minute + 1),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "America/St_Johns"]),
    hour=st.integers(0, 24 * 365),
)
def test_nothing_turns_before_the_next_turn(
    days: list[int], from_minute: int, to_minute: int, zone: str, hour: int
) -> None:
    schedule = Schedule((Hours(days=tuple(days), from_minute=from_minute, to_minute=to_minute),), zone)
    begin_us = START + hour * 3600 * SECOND
    next_us = schedule.next_us(begin_us)
    end_us = begin_us + 8 * 86_400 * SECOND if next_us is None else next_us
    now = schedule.is_on(begin_us)
    steps = range(begin_us, end_us, 600 * SECOND)
    assert all(schedule.is_on(one) == now for one in [*steps[:2000], end_us - 1])
    assert next_us is None or schedule.is_on(next_us) != now
