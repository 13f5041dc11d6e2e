"""Steps out of samples, against an implementation so slow that it is plainly right."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.port import Aggregate
from athanor.kernel.historian.resampling import resampled

START, END = 1_000, 2_000

samples = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(START, END - 1)),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
    max_size=40,
)
steps = st.integers(1, 1_200)


def ask(found: dict[tuple[int, int], float], step: int, how: Aggregate) -> list[tuple[int, int, float]]:
    """`resampled` of {(tag, time): value} as rows."""
    ordered = sorted(found.items())
    columns = resampled(
        np.array([tag for (tag, _), _ in ordered], np.int32),
        np.array([time for (_, time), _ in ordered], np.int64),
        np.array([value for _, value in ordered], np.float64),
        start_us=START,
        end_us=END,
        step_us=step,
        how=how,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def plainly(
    found: dict[tuple[int, int], float], step: int, one: Callable[[list[float]], float]
) -> list[tuple[int, int, float]]:
    """Every aggregate but the mean, step by step."""
    rows = []
    for tag in sorted({tag for tag, _ in found}):
        for start in range(START, END, step):
            values = [found[tag, time] for time in range(start, min(start + step, END)) if (tag, time) in found]
            if values:
                rows.append((tag, start, one(values)))
    return rows


def plain_mean(found: dict[tuple[int, int], float], tag: int, start: int, step: int) -> float | None:
    """The mean over every microsecond of a step at which the value is known."""
    end = min(start + step, END)
    own = [time for time in range(start, end) if (tag, time) in found]
    if not own:
        return None
    before = [time for time in range(start - step, start) if (tag, time) in found]
    held = found[tag, before[-1]] if before else None
    known = []
    for time in range(start, end):
        held = found.get((tag, time), held)
        if held is not None:
            known.append(held)
    return math.fsum(known) / len(known)


@pytest.mark.parametrize(
    ("how", "one"),
    [
        (Aggregate.MIN, min),
        (Aggregate.MAX, max),
        (Aggregate.FIRST, lambda values: values[0]),
        (Aggregate.LAST, lambda values: values[-1]),
        (Aggregate.SUM, math.fsum),
        (Aggregate.COUNT, len),
    ],
)
@given(found=samples, step=steps)
def test_each_aggregate_is_what_its_name_says(
    how: Aggregate, one: Callable[[list[float]], float], found: dict[tuple[int, int], float], step: int
) -> None:
    rows, expected = ask(found, step, how), plainly(found, step, one)
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    assert [row[2] for row in rows] == pytest.approx([row[2] for row in expected], rel=1e-9, abs=1e-6)


@given(found=samples, step=st.integers(50, 1_200))
def test_a_mean_is_the_mean_of_every_microsecond_at_which_the_value_is_known(
    found: dict[tuple[int, int], float], step: int
) -> None:
    expected = [
        (tag, start, mean)
        for tag in sorted({tag for tag, _ in found})
        for start in range(START, END, step)
        if (mean := plain_mean(found, tag, start, step)) is not None
    ]
    rows = ask(found, step, Aggregate.MEAN)
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    assert [row[2] for row in rows] == pytest.approx([row[2] for row in expected], rel=1e-9, abs=1e-6)


@given(found=samples, step=steps)
def test_a_mean_lies_between_the_least_and_the_greatest_value_that_it_can_be_made_of(
    found: dict[tuple[int, int], float], step: int
) -> None:
    for tag, _, mean in ask(found, step, Aggregate.MEAN):
        values = [value for (one, _), value in found.items() if one == tag]
        assert min(values) - 1e-6 <= mean <= max(values) + 1e-6


def test_a_value_is_not_carried_over_a_step_without_samples() -> None:
    found = {(0, START): 10.0, (0, START + 250): 20.0}
    assert ask(found, 100, Aggregate.MEAN) == [(0, START, 10.0), (0, START + 200, 20.0)]


def test_a_value_is_carried_into_a_step_whose_own_sample_comes_late() -> None:
    found = {(0, START): 10.0, (0, START + 175): 20.0}
    mean = (75 * 10.0 + 25 * 20.0) / 100
    assert ask(found, 100, Aggregate.MEAN) == [(0, START, 10.0), (0, START + 100, mean)]


def test_the_last_step_ends_with_the_span() -> None:
    found = {(0, END - 100): 1.0, (0, END - 10): 5.0}
    assert ask(found, 900, Aggregate.MEAN) == [(0, START + 900, (90 * 1.0 + 10 * 5.0) / 100)]


def test_time_weighting_stays_exact_far_from_1970() -> None:
    start = 1_774_785_600_000_000
    _, _, value = resampled(
        np.array([0, 0], np.int32),
        np.array([start, start + 45_000_000], np.int64),
        np.array([10.0, 20.0]),
        start_us=start,
        end_us=start + 60_000_000,
        step_us=60_000_000,
        how=Aggregate.MEAN,
    )
    assert value.tolist() == [12.5]
