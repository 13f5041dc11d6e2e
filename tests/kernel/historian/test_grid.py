from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.gaps import NONE, Between, GapPolicy, hold, linear
from athanor.kernel.historian.grid import at, on_grid
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import Quality

S = 1_000_000
MINUTE = timedelta(minutes=1)
NAN = float("nan")
POWER, LEVEL, UNKNOWN = TagId(3), TagId(7), TagId(5)

TAG = np.array([3, 3, 3, 3, 7, 7], np.int32)
TIME = np.array([0, 10, 20, 200, 0, 20]) * S
VALUE = np.array([1.0, 2.0, 4.0, 8.0, 50.0, 70.0])
QUALITY = np.array([0, 0, Quality.BAD, 0, 0, 0], np.uint8)
GRID = np.array([-5, 0, 5, 10, 15, 20, 25, 80, 200]) * S


def column(policy: GapPolicy, tag: TagId) -> list[float]:
    matrix = on_grid(TAG, TIME, VALUE, QUALITY, GRID, policy, [tag])
    assert matrix.shape == (len(GRID), 1)
    return matrix[:, 0].tolist()


def test_a_value_holds_until_the_next_sample_and_at_most_for_the_limit() -> None:
    assert column(hold(MINUTE), POWER) == pytest.approx([NAN, 1, 1, 2, 2, NAN, NAN, NAN, 8], nan_ok=True)
    assert column(hold(MINUTE), LEVEL) == pytest.approx([NAN, 50, 50, 50, 50, 70, 70, 70, NAN], nan_ok=True)


def test_lines_join_good_samples_that_follow_each_other() -> None:
    assert column(linear(MINUTE), POWER) == pytest.approx([NAN, 1, 1.5, 2, NAN, NAN, NAN, NAN, 8], nan_ok=True)
    assert column(linear(MINUTE), LEVEL) == pytest.approx([NAN, 50, 55, 60, 65, 70, NAN, NAN, NAN], nan_ok=True)


def test_lines_do_not_reach_over_a_gap_beyond_the_limit() -> None:
    assert column(linear(timedelta(seconds=19)), LEVEL) == pytest.approx(
        [NAN, 50, NAN, NAN, NAN, 70, NAN, NAN, NAN], nan_ok=True
    )


def test_samples_that_stand_for_themselves_are_known_at_their_own_times() -> None:
    assert column(NONE, POWER) == pytest.approx([NAN, 1, NAN, 2, NAN, NAN, NAN, NAN, 8], nan_ok=True)


def test_columns_come_in_the_order_asked_for_and_unknown_tags_are_empty() -> None:
    row = at(TAG, TIME, VALUE, QUALITY, 5 * S, linear(MINUTE), [LEVEL, UNKNOWN, POWER])
    assert row.tolist() == pytest.approx([55, NAN, 1.5], nan_ok=True)


def test_nothing_is_known_without_samples() -> None:
    nothing = (np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8))
    assert np.isnan(on_grid(*nothing, GRID, hold(MINUTE), [POWER])).all()
    assert on_grid(TAG, TIME, VALUE, QUALITY, GRID, hold(MINUTE), []).shape == (len(GRID), 0)


def expected_at(samples: list[tuple[int, float, bool]], time_us: int, policy: GapPolicy) -> float:
    """One sample after the other, as one would by hand."""
    followers = [*samples[1:], (10**15, NAN, False)]
    for (begin, value, good), (end, after, good_after) in zip(samples, followers, strict=False):
        if good and begin == time_us:
            return value
        if good and begin < time_us < end:
            if policy.between is Between.HOLD and time_us - begin <= policy.limit_us:
                return value
            if policy.between is Between.LINEAR and good_after and end - begin <= policy.limit_us:
                return value + (after - value) * (time_us - begin) / (end - begin)
    return NAN


@given(
    series=st.lists(
        st.dictionaries(st.integers(-60, 60), st.tuples(st.floats(-1e6, 1e6), st.booleans()), max_size=12),
        min_size=1,
        max_size=4,
    ),
    grid=st.lists(st.integers(-80, 80), max_size=10),
    policy=st.sampled_from([NONE, hold(timedelta(seconds=10)), linear(timedelta(seconds=10))]),
)
def test_the_matrix_is_what_one_would_find_by_hand(
    series: list[dict[int, tuple[float, bool]]], grid: list[int], policy: GapPolicy
) -> None:
    by_tag = [[(s * S, value, good) for s, (value, good) in sorted(one.items())] for one in series]
    rows = [(tag, *sample) for tag, samples in enumerate(by_tag) for sample in samples]
    matrix = on_grid(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([Quality.GOOD if row[3] else Quality.BAD for row in rows], np.uint8),
        np.array(grid, np.int64) * S,
        policy,
        [TagId(tag) for tag in range(len(series))],
    )
    for column_number, samples in enumerate(by_tag):
        expected = [expected_at(samples, second * S, policy) for second in grid]
        assert matrix[:, column_number].tolist() == pytest.approx(expected, nan_ok=True)
