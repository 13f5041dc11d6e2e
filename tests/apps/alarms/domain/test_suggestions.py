"""Deadbands and delays that would have kept an alarm quiet: the reference's example, chattering, and what was true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, sampled_from

from athanor.apps.alarms.domain.suggestions import Case, Setting, activations, assess, suggest, true_ones

SECOND = 1_000_000
HIGH = Case(at=100, is_high=True, setting=Setting())


def _samples(*pieces: tuple[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Values that hold for so many seconds each, a sample a second."""
    value = np.concatenate([np.full(length, level, float) for length, level in pieces])
    return np.arange(len(value), dtype=np.int64) * SECOND, value


def test_an_alarm_is_raised_and_cleared_where_the_worked_example_says() -> None:
    time, value = _samples((10, 99), (3, 101), (7, 99), (20, 101), (10, 98.5), (20, 97.9))
    found = activations(time, value, HIGH, Setting(deadband=2, on_delay_s=5, off_delay_s=10))
    assert ((found.raised_us // SECOND).tolist(), (found.cleared_us // SECOND).tolist()) == ([25], [60])


def test_a_low_alarm_is_the_mirror_of_a_high_one() -> None:
    time, value = _samples((10, 99), (3, 101), (7, 99), (20, 101), (10, 98.5), (20, 97.9))
    low = Case(at=-100, is_high=False, setting=Setting())
    setting = Setting(2, 5, 10)
    mirrored, straight = activations(time, -value, low, setting), activations(time, value, HIGH, setting)
    assert mirrored.raised_us.tolist() == straight.raised_us.tolist()
    assert mirrored.cleared_us.tolist() == straight.cleared_us.tolist()


@given(
    lists(floats(95, 105) | sampled_from([float("nan"), 100.0]), max_size=80),
    sampled_from([0.0, 1.0, 3.0]),
    sampled_from([0.0, 2.0, 5.0]),
    sampled_from([0.0, 3.0]),
)
def test_activations_are_those_of_a_walk_from_sample_to_sample(
    levels: list[float], deadband: float, on_s: float, off_s: float
) -> None:
    value = np.array(levels, float)
    time = np.arange(len(levels), dtype=np.int64) * SECOND
    raised, cleared, since, is_on = [], [], None, False
    for second, level in enumerate(levels):
        if np.isnan(level):
            continue
        last = second
        while True:
            is_so = level - 100 < -deadband if is_on else level >= 100
            wait = off_s if is_on else on_s
            since = second if since is None and is_so else since
            if since is None or not (second - since > wait or (second - since == wait and is_so)):
                break
            (cleared if is_on else raised).append(since + wait)
            is_on, since = not is_on, None
        since = since if is_so else None
    if is_on:
        cleared.append(last)
    found = activations(time, value, HIGH, Setting(deadband, on_s, off_s))
    assert (found.raised_us / SECOND).tolist() == raised
    assert (found.cleared_us / SECOND).tolist() == cleared


def _chattering() -> tuple[np.ndarray, np.ndarray]:
    """An hour of noise of half a unit about the limit, in a day that is calm but for one true excursion of 20 min."""
    rng = np.random.default_rng(3)
    value = np.full(24 * 3600, 95.0) + rng.normal(0, 0.2, 24 * 3600)
    value[3600:7200] = 99.8 + rng.normal(0, 0.25, 3600)
    value[40_000:41_200] = 103 + rng.normal(0, 0.2, 1200)
    return np.arange(len(value), dtype=np.int64) * SECOND, value


def test_a_deadband_and_delays_are_suggested_that_remove_nearly_all_and_hide_nothing_true() -> None:
    time, value = _chattering()
    now = activations(time, value, HIGH, HIGH.setting)
    assert len(now) > 300
    assert true_ones(time, value, HIGH, now).sum() == 1
    found = suggest(time, value, HIGH)
    assert found[0].removed >= 0.9
    assert all((one.true, one.kept) == (1, 1) for one in found)
    for one in found:  # what is said of a setting is what it would have done
        then = activations(time, value, HIGH, one.setting)
        assert (one.before, one.after) == (len(now), len(then))
        assert (then.raised_us <= 40_060 * SECOND).any()


def test_a_delay_never_uses_more_than_a_quarter_of_the_time_to_respond() -> None:
    time, value = _chattering()
    hurried = replace(HIGH, respond_within_s=20)
    assert hurried.most_delay_s == 5
    assert all(one.setting.on_delay_s <= 5 and one.most_delay_s <= 5 for one in suggest(time, value, hurried))


def test_what_an_operator_acted_upon_and_what_went_on_to_the_next_limit_was_true() -> None:
    time, value = _samples((5, 99), (2, 101), (5, 99), (2, 101), (5, 99), (2, 111), (5, 99))
    case = replace(HIGH, next_at=110.0, acted_us=(13 * SECOND,))
    now = activations(time, value, case, case.setting)
    assert true_ones(time, value, case, now).tolist() == [False, True, True]


def test_a_delay_that_would_hide_a_true_alarm_is_not_suggested() -> None:
    pulses = [(5, 99.0), (4, 101.0)] * 20
    time, value = _samples(*pulses, (60, 99), (4, 120), (60, 99))
    case = replace(HIGH, next_at=110.0)
    found = suggest(time, value, case)
    assert found
    assert all(one.setting.on_delay_s <= 4 for one in found)
    (delayed,) = assess(time, value, case, [Setting(on_delay_s=5)])
    assert (delayed.is_safe, delayed.true, delayed.kept) == (False, 1, 0)


def test_an_alarm_that_came_once_needs_nothing() -> None:
    time, value = _samples((60, 99), (60, 101), (60, 99))
    assert suggest(time, value, HIGH) == []


@pytest.mark.parametrize("levels", [[], [float("nan")] * 3])
def test_where_nothing_was_measured_nothing_is_suggested(levels: list[float]) -> None:
    time = np.arange(len(levels), dtype=np.int64)
    assert suggest(time, np.array(levels, float), HIGH) == []
