"""Limits, freshness, indicators and the choice of a few: the overview's pure functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists

from athanor.apps.overview.domain.freshness import healthy_share
from athanor.apps.overview.domain.indicator import scale_for
from athanor.apps.overview.domain.limits import Crossing, by_severity, crossings, limits_crossed
from athanor.apps.overview.domain.selection import spread

NAN = np.nan


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_the_worst_limit_counts_and_a_value_at_its_limit_is_not_beyond_it() -> None:
    value = column(5, 10, 15, 20, 85, 90, 95, NAN)
    limits = [np.full(len(value), limit) for limit in (10.0, 20.0, 80.0, 90.0)]
    assert crossings(value, *limits).tolist() == [
        Crossing.LOW_LOW,
        Crossing.LOW,
        Crossing.LOW,
        Crossing.NONE,
        Crossing.HIGH,
        Crossing.HIGH,
        Crossing.HIGH_HIGH,
        Crossing.NONE,
    ]


def test_a_tag_without_limits_is_never_outside() -> None:
    none = column(NAN, NAN)
    assert crossings(column(1e9, -1e9), none, none, none, none).tolist() == [0, 0]


def test_the_limit_crossed_is_the_one_of_the_crossing() -> None:
    limits = (column(1, 1), column(2, 2), column(8, 8), column(9, 9))
    crossing = crossings(column(8.5, 0.5), *limits)
    assert limits_crossed(crossing, *limits).tolist() == [8, 1]


def test_the_most_severe_comes_first_then_the_farthest_beyond() -> None:
    crossing = np.array([1, 2, 0, -1, -2], np.int8)
    value, limit = column(110, 101, 50, 1, 4), column(100, 100, NAN, 10, 5)
    assert by_severity(crossing, value, limit).tolist() == [4, 1, 3, 0]


@given(value=lists(floats(-100, 100), min_size=1, max_size=20))
def test_what_is_listed_is_exactly_what_is_outside(value: list[float]) -> None:
    values = np.array(value)
    limits = [np.full(len(values), limit) for limit in (-50.0, -20.0, 20.0, 50.0)]
    crossing = crossings(values, *limits)
    listed = by_severity(crossing, values, limits_crossed(crossing, *limits))
    assert sorted(listed.tolist()) == np.flatnonzero((values < -20) | (values > 20)).tolist()


def test_health_is_the_share_of_fresh_and_good() -> None:
    stale, good = np.array([False, False, True, True]), np.array([True, False, True, False])
    assert healthy_share(stale, good) == 0.25
    assert np.isnan(healthy_share(stale[:0], good[:0]))


def test_between_two_limits_normal_takes_half_the_indicator() -> None:
    scale = scale_for(None, None, 100, 200)
    assert scale is not None
    assert (scale.place(100), scale.place(200), scale.place(150)) == (0.25, 0.75, 0.5)
    assert (scale.place(-1e9), scale.place(1e9)) == (0, 1)


@pytest.mark.parametrize(
    ("limits", "normal"), [((None, 80), (0.0, 2 / 3)), ((20, None), (1 / 3, 1.0)), ((None, None), None)]
)
def test_with_one_limit_normal_reaches_to_the_end_of_the_range(
    limits: tuple[float | None, float | None], normal: tuple[float, float] | None
) -> None:
    scale = scale_for(-1000 if limits[1] is None else 0, 100 if limits[0] else 1000, *limits)
    shown = None if scale is None else (scale.place(scale.normal_low), scale.place(scale.normal_high))
    assert shown == (None if normal is None else pytest.approx(normal))


@given(items=lists(integers(0, 5), max_size=30), most=integers(0, 10))
def test_a_few_are_taken_from_every_group_before_two_from_one(items: list[int], most: int) -> None:
    numbered = list(enumerate(items))
    taken = spread(numbered, lambda one: one[1], most)
    counts = [sum(group == one for _n, one in taken) for group in set(items)]
    assert len(taken) == min(most, len(items))
    assert taken == sorted(taken)
    assert most < len(set(items)) or min(counts, default=1) >= 1
