"""When a value is old."""

import numpy as np

from athanor.kernel.freshness import is_stale, stale_after_s


def test_a_value_is_old_after_three_periods_and_the_time_of_the_way() -> None:
    age_s = np.array([8.0, 8.1, 185.0, 185.1])
    period_s = np.array([1.0, 1.0, 60.0, 60.0])
    assert is_stale(age_s, period_s).tolist() == [False, True, False, True]
    assert (stale_after_s(1.0), stale_after_s(60.0)) == (8.0, 185.0)


def test_a_tag_that_comes_as_it_comes_is_old_only_if_it_never_came() -> None:
    age_s = np.array([1e9, np.inf, np.inf])
    period_s = np.array([np.nan, np.nan, 5.0])
    assert is_stale(age_s, period_s).tolist() == [False, True, True]
