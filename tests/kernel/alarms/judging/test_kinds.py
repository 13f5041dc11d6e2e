import numpy as np
import pytest

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.judging import Judge, slope_per_s, time_to_limit_s
from athanor.kernel.alarms.rule import (
    BadQuality,
    Cusum,
    Deviation,
    Ewma,
    Frozen,
    InState,
    Jump,
    Ramp,
    Rate,
    Reported,
    Side,
    Stale,
)
from athanor.kernel.telemetry import Quality

from .samples import alarm, at, found, one_a_second, take

# D. C. Montgomery, Introduction to Statistical Quality Control, table 9.1: mean 10, sigma 1, shifted from 21 on.
MONTGOMERY = [
    *(9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34),
    *(9.03, 11.47, 10.51, 9.40, 10.08, 9.37, 10.62, 10.31, 8.52, 10.84),
    *(10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52),
]


def test_a_cumulative_sum_signals_where_the_textbook_says() -> None:
    findings = take(Judge([alarm(Cusum(mean=10, sigma=1, slack=0.5, interval=5))]), one_a_second(MONTGOMERY, begin_s=1))
    assert found(findings) == [(1, What.RAISED, 29)]  # period 29, with a sum of 5.28
    assert findings.value.tolist() == [pytest.approx(5.28)]
    assert findings.limit.tolist() == [5]


def test_a_weighted_mean_of_the_textbooks_samples_leaves_its_limits() -> None:
    chart = Ewma(mean=10, sigma=1, weight=0.10, width=2.7)
    findings = take(Judge([alarm(chart)]), one_a_second(MONTGOMERY, begin_s=1))
    assert found(findings) == [(1, What.RAISED, 29)]
    assert findings.value[0] == pytest.approx(10.6468, abs=5e-5)
    assert findings.limit[0] == pytest.approx(10.62, abs=0.005)


def test_a_sum_comes_back_after_a_large_excursion() -> None:
    judge = Judge([alarm(Cusum(mean=10, sigma=1))])
    assert found(take(judge, one_a_second([1e9] + [10.0] * 20))) == [(1, What.RAISED, 0), (1, What.CLEARED, 10)]


def test_a_rate_is_the_change_over_the_window_by_the_minute() -> None:
    judge = Judge([alarm(Rate(at=30, window_s=10))])
    findings = take(judge, one_a_second([0.0] * 15 + [float(n) for n in range(1, 20)]))
    assert found(findings) == [(1, What.RAISED, 20)]
    assert (findings.value.tolist(), findings.limit.tolist()) == ([36], [30])  # 6 within 10 s


def test_a_falling_value_is_too_fast_on_its_own_side_only() -> None:
    falling = one_a_second([100.0 - 2 * n for n in range(30)])
    assert found(take(Judge([alarm(Rate(at=30, window_s=10, side=Side.HIGH))]), falling)) == []
    findings = take(Judge([alarm(Rate(at=30, window_s=10, side=Side.LOW))]), falling)
    assert (findings.value.tolist(), findings.limit.tolist()) == ([-120], [-30])


def test_a_value_that_is_no_longer_sent_no_longer_changes() -> None:
    judge = Judge([alarm(Rate(at=30, window_s=10))], grace_us=0)
    take(judge, one_a_second([float(2 * n) for n in range(20)]))
    assert found(judge.tick(at(28.9))) == []
    assert found(judge.tick(at(29))) == [(1, What.CLEARED, 29)]


def test_a_window_of_fast_samples_keeps_a_thirtieth_of_them() -> None:
    judge = Judge([alarm(Rate(at=60, window_s=30, side=Side.HIGH))])
    rows = [(7, n / 50, n / 50 * 0.99, Quality.GOOD) for n in range(3000)]
    assert found(take(judge, rows)) == []  # 59.4 a minute
    rows = [(7, 60 + n / 50, 60 * 0.99 + n / 50 * 1.02, Quality.GOOD) for n in range(3000)]
    assert [what for _, what, _ in found(take(judge, rows))] == [What.RAISED]


def test_a_ramp_warns_before_the_limit_is_reached_and_says_how_long_that_takes() -> None:
    ramp = Ramp(side=Side.HIGH, at=100, window_s=60, horizon_s=30)
    judge = Judge([alarm(ramp)])
    findings = take(judge, one_a_second([0.5 * n for n in range(200)]))
    (raised,) = found(findings)
    assert raised == (1, What.RAISED, 170)  # 15 below, at half a unit a second
    assert (findings.value.tolist(), findings.limit.tolist()) == ([85], [100])
    assert time_to_limit_s(findings.value, np.array([0.5]), findings.limit).tolist() == [30]


def test_a_ramp_sees_through_noise() -> None:
    random = np.random.default_rng(5)
    ramp = Ramp(side=Side.LOW, at=0, window_s=600, horizon_s=600)
    steady = take(Judge([alarm(ramp)]), one_a_second((10 + random.normal(0, 0.5, 3000)).tolist()))
    assert found(steady) == []
    falling = 20 - 0.01 * np.arange(2000) + random.normal(0, 0.5, 2000)
    raised_s = found(take(Judge([alarm(ramp)]), one_a_second(falling.tolist())))[0][2]
    assert 1150 < raised_s < 1450  # without noise 1400: the limit is reached at 2000


def test_a_ramp_is_over_when_the_value_stands_still() -> None:
    judge = Judge([alarm(Ramp(side=Side.HIGH, at=100, window_s=60, horizon_s=30))], grace_us=0)
    take(judge, one_a_second([0.5 * n for n in range(180)]))
    assert found(judge.tick(at(239))) == [(1, What.CLEARED, 239)]


def test_slopes_and_times_to_a_limit() -> None:
    ages = np.array([[3.0, 2.0, 1.0, 0.0], [np.nan, np.nan, 1.0, 0.0], [np.nan, np.nan, np.nan, 0.0]])
    values = np.array([[1.0, 3.0, 5.0, 7.0], [9.0, 9.0, 4.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    assert slope_per_s(ages, values).tolist() == pytest.approx([2, -1, np.nan], nan_ok=True)
    value, slope, limit = np.array([[0, 1, 10], [5, 2, 5], [0, -1, 10], [0, 0, 10], [np.nan, 1, 1]]).T
    times = time_to_limit_s(value, slope, limit).tolist()
    assert times == pytest.approx([10, 0, np.inf, np.inf, np.nan], nan_ok=True)


def test_a_deviation_is_judged_once_both_have_spoken_of_a_time() -> None:
    judge = Judge([alarm(Deviation(reference="works.setpoint", at=5, deadband=1), names={"works.setpoint": 8})])
    both = [(7, 0, 50, Quality.GOOD), (8, 0, 50, Quality.GOOD)]
    step = [(7, 1, 80, Quality.GOOD), (8, 1, 80, Quality.GOOD)]  # with half of it the deviation would be 30
    assert found(take(judge, [*both, *step])) == []
    assert found(take(judge, [(7, 2, 86, Quality.GOOD)])) == []
    findings = take(judge, [(7, 3, 86, Quality.GOOD)])
    assert found(findings) == [(1, What.RAISED, 2)]
    assert (findings.value.tolist(), findings.limit.tolist()) == ([6], [5])
    findings = judge.tick(at(60))
    assert found(findings) == []
    assert found(take(judge, [(8, 61, 84, Quality.GOOD), (7, 61, 86, Quality.GOOD)])) == [(1, What.CLEARED, 61)]


def test_what_is_known_of_one_tag_only_counts_when_nothing_more_comes() -> None:
    judge = Judge([alarm(Deviation(reference=".sp", at=5), names={".sp": 8})])
    take(judge, [(7, 0, 50, Quality.GOOD), (8, 0, 50, Quality.GOOD), (7, 1, 90, Quality.GOOD)])
    assert found(judge.tick(at(3))) == [(1, What.RAISED, 1)]


def test_a_bad_reference_holds_the_state() -> None:
    judge = Judge([alarm(Deviation(reference=".sp", at=5), names={".sp": 8})])
    rows = [(7, 0, 60, Quality.GOOD), (8, 0, 50, Quality.GOOD)]
    assert found(take(judge, rows)) == [(1, What.RAISED, 0)]
    rows = [(7, 1, 50, Quality.GOOD), (8, 1, None, Quality.BAD), (7, 2, 50, Quality.GOOD), (8, 2, 50, Quality.GOOD)]
    assert found(take(judge, rows)) == [(1, What.CLEARED, 2)]


def test_states_are_numbers_or_texts() -> None:
    tripped = alarm(InState(states=(3, 4)), 1, tag=7)
    away = alarm(InState(states=("AUTO", "REMOTE"), is_in=False), 2, tag=8)
    judge = Judge([tripped, away])
    rows = [*one_a_second([1, 3, 4, 5]), *one_a_second(["AUTO", "MANUAL", "other", "REMOTE"], tag=8)]
    assert sorted(found(take(judge, rows))) == [
        (1, What.RAISED, 1),
        (1, What.CLEARED, 3),
        (2, What.RAISED, 1),
        (2, What.CLEARED, 3),
    ]


def test_a_silent_tag_is_stale_without_any_sample() -> None:
    judge = Judge([alarm(Stale(after_s=10), on_s=2)], grace_us=0)
    assert found(judge.tick(at(0))) == []  # it never sent anything: not connected yet
    take(judge, one_a_second([1]))
    assert found(judge.tick(at(11.9))) == []
    assert found(judge.tick(at(12))) == [(1, What.RAISED, 12)]
    assert found(take(judge, [(7, 30, None, Quality.BAD)])) == [(1, What.CLEARED, 30)]


def test_a_gap_in_a_backlog_is_found_with_its_own_times() -> None:
    judge = Judge([alarm(Stale(after_s=10), on_s=2)])
    rows = [(7, 0, 1, Quality.GOOD), (7, 100, 1, Quality.GOOD)]
    assert found(take(judge, rows)) == [(1, What.RAISED, 12), (1, What.CLEARED, 100)]


def test_the_plants_own_period_says_when_a_tag_is_stale() -> None:
    judge = Judge([alarm(Stale(), stale_after_us=3_000_000)], grace_us=0)
    take(judge, one_a_second([1]))
    assert found(judge.tick(at(3))) == [(1, What.RAISED, 3)]


def test_a_bad_quality_is_an_alarm_of_its_own() -> None:
    rows = [(7, 0, 1, Quality.UNCERTAIN), (7, 1, None, Quality.BAD), (7, 2, None, Quality.BAD), (7, 3, 1, Quality.GOOD)]
    assert found(take(Judge([alarm(BadQuality())]), rows)) == [(1, What.RAISED, 1), (1, What.CLEARED, 3)]


def test_a_frozen_value_needs_samples_that_say_so() -> None:
    judge = Judge([alarm(Frozen(for_s=5, band=0.1))])
    values = [1.0, 2.0, 2.05, 1.95, 2.0, 2.0, 2.0, 2.0, 3.0]
    assert found(take(judge, one_a_second(values))) == [(1, What.RAISED, 6), (1, What.CLEARED, 8)]
    assert found(judge.tick(at(500))) == []


def test_a_jump_clears_once_it_was_calm_for_long_enough() -> None:
    judge = Judge([alarm(Jump(by=5, calm_s=10))], grace_us=0)
    findings = take(judge, one_a_second([0, 1, 9, 9, 1, 1]))
    assert found(findings) == [(1, What.RAISED, 2)]
    assert (findings.value.tolist(), findings.limit.tolist()) == ([8], [5])
    assert found(judge.tick(at(13.9))) == []
    assert found(judge.tick(at(14))) == [(1, What.CLEARED, 14)]


def test_what_apps_report_is_not_judged() -> None:
    judge = Judge([alarm(Reported())])
    assert found(take(judge, one_a_second([1, 2]))) == []
    assert dict(judge.faults()) == {}
