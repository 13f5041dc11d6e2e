"""The table of figures: the reference's worked examples, and the marks where a value meets its goal."""

import numpy as np
import pytest

from athanor.apps.alarms.domain.kpis import Figure, Level, Verdict, combined, judged, level, measured, table
from athanor.apps.alarms.domain.log import DAY_US, HOUR_US, log_of
from athanor.apps.alarms.domain.ranking import by_priority, most_frequent
from athanor.apps.alarms.domain.rates import per_step, week
from athanor.apps.alarms.domain.response import response

SECOND = 1_000_000


def test_4600_alarms_in_30_days_are_the_rates_of_the_worked_example() -> None:
    raised = np.linspace(0, 30 * DAY_US, 4600, endpoint=False).astype(np.int64)
    values = measured(log_of(np.arange(4600) % 700, raised), 0, 30 * DAY_US)
    assert values[Figure.PER_DAY] == pytest.approx(153.33, abs=0.005)
    assert values[Figure.PER_HOUR] == pytest.approx(6.389, abs=0.0005)
    assert values[Figure.PER_TEN_MINUTES] == pytest.approx(1.0648, abs=0.00005)
    verdicts = {one.figure: one.verdict for one in table(values)}
    assert verdicts[Figure.PER_HOUR] is Verdict.MANAGEABLE
    assert verdicts[Figure.IN_FLOOD] is Verdict.ON_TARGET


def test_priorities_are_the_shares_of_the_worked_example() -> None:
    priority = np.repeat([4, 3, 2], [3700, 640, 260])
    counts = by_priority(log_of(np.zeros(4600), np.arange(4600), priority=priority))
    assert counts.tolist() == [0, 260, 640, 3700]
    assert (counts / 46).tolist() == pytest.approx([0, 5.65, 13.91, 80.43], abs=0.005)


@pytest.mark.parametrize(
    ("figure", "value", "verdict"),
    [
        (Figure.PER_DAY, 150, Verdict.ON_TARGET),
        (Figure.PER_DAY, 150.1, Verdict.MANAGEABLE),
        (Figure.PER_DAY, 300, Verdict.MANAGEABLE),
        (Figure.PER_DAY, 300.1, Verdict.BEYOND),
        (Figure.IN_FLOOD, 0.0099, Verdict.ON_TARGET),
        (Figure.IN_FLOOD, 0.01, Verdict.BEYOND),
        (Figure.PEAK, 10, Verdict.ON_TARGET),
        (Figure.PEAK, 11, Verdict.BEYOND),
        (Figure.TOP_TEN, 0.03, Verdict.MANAGEABLE),
        (Figure.CHATTERING, 0, Verdict.ON_TARGET),
        (Figure.CHATTERING, 1, Verdict.BEYOND),
        (Figure.STALE, 4, Verdict.ON_TARGET),
        (Figure.STALE, 5, Verdict.BEYOND),
        (Figure.TOP_TEN, float("nan"), Verdict.UNKNOWN),
    ],
)
def test_a_value_at_its_goal_has_the_mark_of_the_standard(figure: Figure, value: float, verdict: Verdict) -> None:
    assert judged(figure, value).verdict is verdict


@pytest.mark.parametrize(
    ("mean", "most", "name"),
    [
        (0.5, 9, Level.PREDICTIVE),
        (0.5, 10, Level.ROBUST),
        (1.0, 50, Level.ROBUST),
        (1.0, 500, Level.STABLE),
        (9, 100, Level.STABLE),
        (50, 100, Level.REACTIVE),
        (50, 1000, Level.REACTIVE),
        (1, 1001, Level.OVERLOADED),
        (101, 20, Level.OVERLOADED),
    ],
)
def test_the_level_is_that_of_the_worse_of_mean_and_peak(mean: float, most: float, name: Level) -> None:
    assert level(mean, most) is name


def test_several_positions_share_the_load_and_the_worst_gives_the_peak() -> None:
    busy = log_of(np.zeros(40), np.arange(40) * SECOND)
    calm = log_of(np.ones(2), np.array([0, 2 * HOUR_US]))
    each = [measured(one, 0, DAY_US) for one in (busy, calm)]
    both = log_of(np.concatenate([busy.alarm, calm.alarm]), np.concatenate([busy.raised_us, calm.raised_us]))
    values = combined(each, measured(both, 0, DAY_US))
    assert (values[Figure.PER_DAY], values[Figure.PEAK]) == (21, 40)
    assert values[Figure.IN_FLOOD] == pytest.approx(each[0][Figure.IN_FLOOD] / 2)


def test_the_first_ten_are_listed_with_the_part_that_they_make() -> None:
    log = log_of(np.repeat(np.arange(12), [20, 10, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]), np.arange(80))
    found = most_frequent(log)
    assert (found.alarm[:2].tolist(), found.count[:2].tolist()) == ([0, 1], [20, 10])
    assert found.part == pytest.approx(70 / 80)


def test_no_alarm_at_all_is_on_target_with_nothing_to_rank() -> None:
    values = measured(log_of(np.zeros(0), np.zeros(0)), 0, DAY_US)
    assert values[Figure.PER_DAY] == 0
    assert {one.figure: one.verdict for one in table(values)}[Figure.TOP_TEN] is Verdict.UNKNOWN


def test_a_step_holds_its_start_and_not_its_end() -> None:
    assert per_step(np.array([0, 9, 10, 19, 20]), np.array([0, 10, 20])).tolist() == [2, 2]


def test_hours_of_the_week_begin_on_monday_on_the_plants_clock() -> None:
    monday = 4 * DAY_US  # 1970-01-05
    raised = np.array([monday, monday - HOUR_US, monday + 25 * HOUR_US])
    assert week(raised)[0, 0] == week(raised)[6, 23] == week(raised)[1, 1] == 1
    assert week(raised, 8 * HOUR_US)[0, 8] == 1


def test_times_are_counted_from_the_source_and_only_where_they_are_known() -> None:
    log = log_of(
        np.arange(2),
        np.zeros(2, np.int64),
        seen_us=np.array([SECOND, 3 * SECOND]),
        acknowledged_us=np.array([30 * SECOND, np.iinfo(np.int64).max]),
        cleared_us=np.array([60 * SECOND, np.iinfo(np.int64).max]),
    )
    found = response(log, 100 * SECOND)
    assert (found.detected.median_s, found.detected.p90_s) == (2, pytest.approx(2.8))
    assert (found.acknowledged.known, found.acknowledged.median_s) == (1, 30)
    assert (found.returned.known, found.returned.median_s) == (1, 60)
    assert (found.in_alarm.known, found.in_alarm.longest_s) == (2, 100)
