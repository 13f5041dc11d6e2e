"""Scores of data's quality, and what tags cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from athanor.apps.datahealth.domain import quality
from athanor.apps.datahealth.domain.quality import Dimension

POINTS = st.one_of(st.floats(0, 100), st.just(np.nan))
DIMENSIONS = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=POINTS)
COUNTS = st.integers(0, 10**9).map(float)


def test_what_is_known_half_of_the_time_is_half_complete_and_what_is_never_due_is_not_judged() -> None:
    share, is_due = np.array([0.5, np.nan, 1.0, 0.5]), np.array([True, True, True, False])
    assert quality.completeness(share, is_due).tolist()[:3] == [50.0, 0.0, 100.0]
    assert np.isnan(quality.completeness(share, is_due)[3])


def test_refused_samples_cost_validity_as_bad_ones_do() -> None:
    good, other, refused = np.array([90.0, 90.0, 0.0]), np.array([10.0, 0.0, 0.0]), np.array([0.0, 10.0, 5.0])
    assert quality.validity(good, other, refused).tolist() == [90.0, 90.0, 0.0]


def test_late_samples_cost_timeliness_and_an_overdue_value_all_of_it() -> None:
    arrived, late = np.array([10.0, 10.0, 0.0]), np.array([1.0, 0.0, 0.0])
    told = quality.timeliness(arrived, late, np.array([False, True, True]))
    assert told.tolist() == [90.0, 0.0, 0.0]
    assert np.isnan(quality.timeliness(np.zeros(1), np.zeros(1), np.array([False])))


def test_what_came_twice_costs_uniqueness_and_what_was_imported_besides_does_not() -> None:
    assert quality.uniqueness(np.array([10.0, 10.0]), np.array([8.0, 500.0])).tolist() == [80.0, 100.0]


def test_hours_in_a_state_without_a_name_cost_consistency() -> None:
    assert quality.consistency(np.array([24.0, 24.0]), np.array([6.0, 0.0])).tolist() == [75.0, 100.0]


def test_a_tag_scores_as_its_worst_dimension() -> None:
    dimensions = np.array([[90.0, np.nan], [80.0, np.nan], [np.nan, np.nan], [100.0, np.nan], [80.0, np.nan]])
    assert quality.tag_scores(dimensions)[0] == 80.0
    assert np.isnan(quality.tag_scores(dimensions)[1])
    assert list(Dimension)[quality.worst_dimensions(dimensions)[0]] is Dimension.VALIDITY


@given(DIMENSIONS)
def test_no_tag_scores_above_any_of_its_dimensions(dimensions: np.ndarray) -> None:
    scores = quality.tag_scores(dimensions)
    assert not (scores > dimensions).any()
    assert (np.isnan(scores) == np.isnan(dimensions).all(axis=0)).all()


@given(DIMENSIONS)
def test_what_tags_cost_adds_up_to_what_their_group_lacks(dimensions: np.ndarray) -> None:
    scores = quality.tag_scores(dimensions)
    if np.isnan(scores).all():
        assert np.isnan(quality.mean_score(scores))
        assert quality.costs(scores).sum() == 0.0
    else:
        assert quality.mean_score(scores) + quality.costs(scores).sum() == pytest.approx(100.0)


@given(COUNTS, COUNTS, COUNTS)
def test_every_dimension_lies_within_0_and_100(first: float, second: float, third: float) -> None:
    one, two, three = (np.array([count]) for count in (first, second, third))
    told = [
        quality.validity(one, two, three),
        quality.timeliness(one, np.minimum(one, two), np.array([False])),
        quality.uniqueness(one, two),
        quality.consistency(one, np.minimum(one, two)),
    ]
    assert all(np.isnan(value[0]) or 0 <= value[0] <= 100 for value in told)
