"""Rollups answer as samples do: against one-sample-at-a-time arithmetic, and against each other."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.aggregation import Measure, Steps, aggregate, aggregate_samples
from athanor.kernel.historian.calendar import edges, parse_step
from athanor.kernel.historian.gaps import NONE, Between, GapPolicy, GapPolicyNeededError, hold, linear
from athanor.kernel.historian.port import Span
from athanor.kernel.historian.summaries import (
    SUMMARIES,
    Summaries,
    doubtful,
    each,
    joined,
    merge,
    summarise,
)
from athanor.kernel.telemetry import Quality

S = 1_000_000
FINE = np.arange(0, 121, 10) * S
COARSE = np.array([0, 30, 60, 120]) * S
POLICIES = [
    NONE,
    hold(timedelta(seconds=7)),
    hold(timedelta(seconds=45)),
    linear(timedelta(seconds=7)),
    linear(timedelta(seconds=45)),
]
WEIGHED = [policy for policy in POLICIES if policy != NONE]


@dataclass(frozen=True)
class Point:
    time_us: int
    value: float
    good: bool


Series = list[list[Point]]
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Told = tuple[float, float]  # value, covered


def columns_of(series: Series) -> Columns:
    rows = [(tag, point) for tag, points in enumerate(series) for point in points]
    return (
        np.array([tag for tag, _ in rows], np.int32),
        np.array([point.time_us for _, point in rows], np.int64),
        np.array([point.value for _, point in rows], np.float64),
        np.array([Quality.GOOD if point.good else Quality.BAD for _, point in rows], np.uint8),
    )


def points_of(*rows: tuple[float, float] | tuple[float, float, bool]) -> list[Point]:
    """Rows of (second, value[, good])."""
    return [Point(round(row[0] * S), row[1], row[2] if len(row) == 3 else True) for row in rows]


def told(steps: Steps) -> dict[tuple[int, int], Told]:
    """Value and covered share by tag and start of the step."""
    assert not steps.needs_samples.any()
    keys = zip(steps.tag.tolist(), steps.start_us.tolist(), strict=True)
    return dict(zip(keys, zip(steps.value.tolist(), steps.covered.tolist(), strict=True), strict=True))


def drawn(points: list[Point], policy: GapPolicy) -> list[tuple[int, int, float, float]]:
    """What a policy draws: from, until, value there, value here."""
    lines = []
    followers = [*points[1:], None]
    for point, after in zip(points, followers, strict=False):
        if not point.good:
            continue
        if policy.between is Between.HOLD:
            until = point.time_us + policy.limit_us
            lines.append((point.time_us, min(until, after.time_us) if after else until, point.value, point.value))
        elif after and after.good and after.time_us - point.time_us <= policy.limit_us:
            lines.append((point.time_us, after.time_us, point.value, after.value))
    return lines


def expected_step(points: list[Point], begin: int, end: int, how: Measure, policy: GapPolicy) -> Told | None:
    """One step of one tag, as one would reckon it by hand."""
    inside = [point for point in points if begin <= point.time_us < end]
    good = [point.value for point in inside if point.good]
    pieces = []
    for start, stop, first, last in drawn(points, policy):
        cut = [max(start, begin), min(stop, end)]
        if cut[0] < cut[1]:
            at = [first + (last - first) * (instant - start) / (stop - start) for instant in cut]
            pieces.append((cut[0], cut[1] - cut[0], *at))
    known = sum(length for _, length, _, _ in pieces)
    covered = math.nan if policy == NONE else known / (end - begin)
    integral = math.fsum((first + last) / 2 * length / S for _, length, first, last in pieces)
    # (time, order, value at its start, value at its end) of everything that is known
    signal = [(start, 1, first, last) for start, _, first, last in pieces]
    signal += [(point.time_us, 0, point.value, point.value) for point in inside if point.good]
    signal.sort()
    mean = math.fsum(good) / len(good) if good else math.nan
    value = {
        Measure.COUNT: lambda: float(len(good)) if good else None,
        Measure.SUM: lambda: math.fsum(good) if good else None,
        Measure.STD: lambda: math.sqrt(math.fsum((v - mean) ** 2 for v in good) / len(good)) if good else None,
        Measure.MIN: lambda: min(min(row[2:]) for row in signal) if signal else None,
        Measure.MAX: lambda: max(max(row[2:]) for row in signal) if signal else None,
        Measure.FIRST: lambda: signal[0][2] if signal else None,
        Measure.LAST: lambda: signal[-1][3] if signal else None,
        Measure.MEAN: lambda: (mean if good else None) if policy == NONE else integral / known * S if known else None,
        Measure.INTEGRAL: lambda: integral if known else None,
        Measure.SHARE_GOOD: lambda: (
            (len(good) / len(inside) if policy == NONE else covered) if inside or pieces else None
        ),
    }[how]()
    return None if value is None else (value, covered)


def expected(series: Series, step_edges: np.ndarray, how: Measure, policy: GapPolicy) -> dict[tuple[int, int], Told]:
    bounds = step_edges.tolist()
    steps = {
        (tag, begin): expected_step(points, begin, end, how, policy)
        for tag, points in enumerate(series)
        for begin, end in pairwise(bounds)
    }
    return {key: step for key, step in steps.items() if step is not None}


def assert_same(found: dict[tuple[int, int], Told], wanted: dict[tuple[int, int], Told], scale: float = 1000.0) -> None:
    assert found.keys() == wanted.keys()
    for key, one in wanted.items():
        assert found[key] == pytest.approx(one, rel=1e-9, abs=1e-9 * scale, nan_ok=True), key


def assert_equal_summaries(found: Summaries, wanted: Summaries) -> None:
    for name, column in wanted.columns().items():
        np.testing.assert_allclose(found.columns()[name], column, rtol=1e-9, atol=1e-6, err_msg=name)


def measures_for(policy: GapPolicy) -> list[Measure]:
    return [how for how in Measure if how is not Measure.INTEGRAL or policy != NONE]


times = st.integers(-20, 140).map(lambda second: second * S) | st.integers(-20 * S, 140 * S)
values = st.floats(-1000, 1000, allow_nan=False).map(lambda value: round(value, 3))
all_series = st.lists(
    st.dictionaries(times, st.tuples(values, st.sampled_from([True, True, True, False])), max_size=25).map(
        lambda one: [Point(time_us, *rest) for time_us, rest in sorted(one.items())]
    ),
    min_size=1,
    max_size=3,
)


@given(series=all_series, policy=st.sampled_from(POLICIES), step_edges=st.sampled_from([FINE, COARSE]))
def test_samples_come_to_what_one_would_reckon_by_hand(
    series: Series, policy: GapPolicy, step_edges: np.ndarray
) -> None:
    for how in measures_for(policy):
        found = told(aggregate_samples(*columns_of(series), step_edges, how, policy))
        assert_same(found, expected(series, step_edges, how, policy))


@given(series=all_series, limit_us=st.sampled_from([None, 7 * S, 45 * S]))
def test_fine_summaries_merge_into_the_coarse_one(series: Series, limit_us: int | None) -> None:
    columns = columns_of(series)
    coarse = summarise(*columns, COARSE, limit_us=limit_us)
    assert_equal_summaries(merge(summarise(*columns, FINE, limit_us=limit_us), COARSE), coarse)
    if limit_us is None:
        assert_equal_summaries(merge(each(*columns), COARSE), coarse)


@given(series=all_series, policy=st.sampled_from(POLICIES))
def test_rollups_answer_as_samples_do_or_say_that_they_cannot(series: Series, policy: GapPolicy) -> None:
    columns = columns_of(series)
    fine = summarise(*columns, FINE)
    for how in measures_for(policy):
        found = aggregate(merge(fine, COARSE) if policy == NONE else fine, COARSE, how, policy)
        samples = told(aggregate_samples(*columns, COARSE, how, policy))
        keys = list(zip(found.tag.tolist(), found.start_us.tolist(), strict=True))
        assert keys == sorted(samples | dict.fromkeys(keys, (0.0, 0.0)))
        for row, key in enumerate(keys):
            if found.needs_samples[row]:
                assert math.isnan(found.value[row])
            else:
                assert found.value[row] == pytest.approx(samples[key][0], rel=1e-9, abs=1e-6)
                if not math.isnan(found.covered[row]):
                    assert found.covered[row] == samples[key][1]


@given(series=all_series, policy=st.sampled_from(WEIGHED))
def test_rollups_with_samples_where_they_are_doubtful_answer_as_samples_do(series: Series, policy: GapPolicy) -> None:
    columns = columns_of(series)
    fine = summarise(*columns, FINE)
    samples = summarise(*columns, FINE, limit_us=policy.limit_us)
    mask = doubtful(fine, policy)
    whole = joined([fine.take(~mask).limited_to(policy), samples.take(mask)])
    for how in measures_for(policy):
        assert_same(told(aggregate(whole, COARSE, how, policy)), expected(series, COARSE, how, policy))


@given(series=all_series, policy=st.sampled_from(POLICIES))
def test_a_mean_lies_between_the_lowest_and_the_highest(series: Series, policy: GapPolicy) -> None:
    low, mean, high = (
        told(aggregate_samples(*columns_of(series), COARSE, how, policy))
        for how in (Measure.MIN, Measure.MEAN, Measure.MAX)
    )
    for key, (value, _) in mean.items():
        assert low[key][0] - 1e-9 <= value <= high[key][0] + 1e-9


@given(series=all_series)
def test_summaries_survive_the_table_they_are_kept_in(series: Series) -> None:
    summaries = summarise(*columns_of(series), FINE)
    table = summaries.to_arrow()
    assert table.schema == SUMMARIES
    table.validate(full=True)
    assert_equal_summaries(Summaries.from_arrow(table), summaries)


def test_a_mean_is_weighed_by_time() -> None:
    points = points_of((0, 10.0), (45, 20.0))
    minute = np.array([0, 60]) * S
    by_hold = told(aggregate_samples(*columns_of([points]), minute, Measure.MEAN, hold(timedelta(minutes=1))))
    assert by_hold == {(0, 0): (12.5, 1.0)}  # (45·10 + 15·20) / 60
    by_line = told(aggregate_samples(*columns_of([points]), minute, Measure.MEAN, linear(timedelta(minutes=1))))
    assert by_line == {(0, 0): (15.0, 0.75)}  # nothing is known after the last sample
    alone = told(aggregate_samples(*columns_of([points]), minute, Measure.MEAN, NONE))
    assert alone[0, 0][0] == 15.0


def test_a_value_from_before_the_span_holds_into_it_up_to_its_limit() -> None:
    points = points_of((-30, 8.0), (100, 2.0))
    found = aggregate_samples(*columns_of([points]), FINE, Measure.INTEGRAL, hold(timedelta(seconds=45)))
    assert told(found) == {
        (0, 0): (80.0, 1.0),
        (0, 10 * S): (40.0, 0.5),
        (0, 100 * S): (20.0, 1.0),
        (0, 110 * S): (20.0, 1.0),
    }


def test_a_bad_sample_ends_what_holds_before_it_over_an_edge_too() -> None:
    points = points_of((5, 8.0), (25, 0.0, False), (55, 4.0))
    found = told(aggregate_samples(*columns_of([points]), FINE, Measure.MEAN, hold(timedelta(minutes=1))))
    assert {start // S: one for (_, start), one in found.items() if start < 60 * S} == {
        0: (8.0, 0.5),
        10: (8.0, 1.0),
        20: (8.0, 0.5),
        50: (4.0, 0.5),
    }


def test_a_line_is_cut_where_it_crosses_an_edge() -> None:
    points = points_of((5, 0.0), (25, 20.0))
    columns = columns_of([points])
    policy = linear(timedelta(minutes=1))
    assert told(aggregate_samples(*columns, FINE, Measure.INTEGRAL, policy)) == {
        (0, 0): (12.5, 0.5),
        (0, 10 * S): (100.0, 1.0),
        (0, 20 * S): (87.5, 0.5),
    }
    assert [one[0] for one in told(aggregate_samples(*columns, FINE, Measure.LAST, policy)).values()] == [5, 15, 20]


@pytest.mark.parametrize(("month", "day", "hours"), [(10, 25, 25), (3, 29, 23)])
def test_constant_power_over_a_day_of_changed_clocks_is_the_energy_of_its_hours(
    month: int, day: int, hours: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, month, day, 12, tzinfo=zone)
    day_edges = edges(Span(noon, noon), parse_step("day"), zone)
    time_us = np.arange(day_edges[0] - 30 * S, day_edges[1] + 60 * S, 60 * S)
    rows = len(time_us)
    quarters = edges(Span(*(datetime.fromtimestamp(edge / S, UTC) for edge in day_edges)), parse_step("15m"), zone)
    rollup = summarise(np.zeros(rows, np.int32), time_us, np.full(rows, 150.0), np.zeros(rows, np.uint8), quarters)
    for policy in (hold(timedelta(minutes=5)), linear(timedelta(minutes=5))):
        energy = aggregate(rollup, day_edges, Measure.INTEGRAL, policy)
        assert energy.value / 3600 == pytest.approx([hours * 150.0], rel=1e-12)  # [kWh]
        assert energy.covered.tolist() == [1.0]


def test_a_gap_as_long_as_the_limit_is_reached_over_and_a_longer_one_is_not() -> None:
    columns = columns_of([points_of((1, 4.0), (8, 8.0), (15.1, 8.0))])
    found = aggregate_samples(*columns, COARSE, Measure.INTEGRAL, linear(timedelta(seconds=7)))
    assert told(found) == {(0, 0): (42.0, 7 / 30)}


def test_nothing_is_drawn_from_one_tag_to_another() -> None:
    columns = columns_of([points_of((1, 4.0)), points_of((3, 8.0), (12, 8.0))])
    found = aggregate_samples(*columns, FINE, Measure.INTEGRAL, linear(timedelta(minutes=1)))
    assert told(found) == {(1, 0): (56.0, 0.7), (1, 10 * S): (16.0, 0.2)}


def test_a_rollup_does_not_answer_across_a_gap_beyond_the_limit() -> None:
    points = points_of((1, 8.0), (28, 8.0), (31, 8.0))
    rollup = summarise(*columns_of([points]), COARSE)
    policy = hold(timedelta(seconds=10))
    found = aggregate(rollup, COARSE, Measure.MEAN, policy)
    assert found.needs_samples.tolist() == [True, False]
    assert found.start_us.tolist() == [0, 30 * S]
    assert aggregate(rollup, COARSE, Measure.MAX, policy).value.tolist() == [8.0, 8.0]


def test_deviation_of_small_noise_on_a_large_value_is_sound() -> None:
    value = 1e9 + np.array([4.0, 7.0, 13.0, 16.0] * 30)
    time_us = np.arange(120) * S
    rollup = summarise(np.zeros(120, np.int32), time_us, value, np.zeros(120, np.uint8), FINE)
    found = aggregate(rollup, np.array([0, 120]) * S, Measure.STD, NONE)
    assert found.value == pytest.approx([math.sqrt(22.5)], rel=1e-9)


def test_many_samples_are_summarised_in_parts_that_fit_together() -> None:
    rows = 200_000
    tag = np.repeat(np.arange(2, dtype=np.int32), rows // 2)
    time_us = np.tile(np.arange(rows // 2), 2) * S
    value = np.tile(np.sin(np.arange(rows // 2)), 2)
    whole = np.array([0, rows]) * S
    found = summarise(tag, time_us, value, np.zeros(rows, np.uint8), whole)
    assert found.count.tolist() == [rows // 2, rows // 2]
    assert found.known_hold_us.tolist() == [(rows // 2 - 1) * S] * 2
    assert found.total == pytest.approx([math.fsum(value[: rows // 2])] * 2, abs=1e-9)


def test_an_integral_of_samples_that_stand_for_themselves_is_refused() -> None:
    rollup = summarise(*columns_of([points_of((1, 8.0))]), COARSE)
    with pytest.raises(GapPolicyNeededError, match="Name a gap policy: hold or linear"):
        aggregate(rollup, COARSE, Measure.INTEGRAL, NONE)


def test_summaries_that_reach_over_an_edge_are_refused() -> None:
    rollup = summarise(*columns_of([points_of((1, 8.0), (29, 8.0))]), COARSE)
    with pytest.raises(ValueError, match="reaches over an edge"):
        aggregate(rollup, FINE, Measure.MEAN, hold(timedelta(minutes=1)))


def test_summaries_for_one_limit_are_refused_for_another_and_not_kept() -> None:
    limited = summarise(*columns_of([points_of((1, 8.0), (29, 8.0))]), COARSE, limit_us=10 * S)
    with pytest.raises(ValueError, match="needs others"):
        aggregate(limited, COARSE, Measure.MEAN, hold(timedelta(minutes=1)))
    with pytest.raises(ValueError, match="may be kept"):
        limited.to_arrow()
    whole = summarise(*columns_of([points_of((1, 8.0), (29, 8.0))]), COARSE)
    with pytest.raises(ValueError, match="from samples"):
        whole.limited_to(hold(timedelta(seconds=10)))
    with pytest.raises(ValueError, match="different limits"):
        joined([limited, whole])


def test_edges_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        summarise(*columns_of([points_of((1, 8.0))]), np.array([10, 0]) * S)


def test_nothing_comes_to_nothing() -> None:
    for policy in POLICIES:
        for how in measures_for(policy):
            assert told(aggregate_samples(*columns_of([[]]), COARSE, how, policy)) == {}
            outside = columns_of([points_of((-100, 1.0), (900, 1.0))])
            assert told(aggregate_samples(*outside, COARSE, how, policy)) == {}
    alone = aggregate_samples(*columns_of([points_of((1, 8.0))]), COARSE[:1], Measure.MEAN, NONE)
    assert told(alone) == {}
