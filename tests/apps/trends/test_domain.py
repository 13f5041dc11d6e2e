"""Gaps and ranges: the pure functions of the trends."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from athanor.apps.trends.domain.gaps import always_bridged, broken_at_gaps
from athanor.apps.trends.domain.view import length_text, parsed_length, view_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
S = 1_000_000


def times(*seconds: float) -> np.ndarray:
    return np.array([int(one * S) for one in seconds], np.int64)


def test_a_line_breaks_where_samples_are_missing() -> None:
    time, value = broken_at_gaps(times(0, 1, 2, 60, 61, 62), np.arange(6.0), 3 * S)
    assert time.tolist() == [*times(0, 1, 2), 2 * S + 1, *times(60, 61, 62)]
    assert np.isnan(value[3])


def test_a_history_kept_at_a_coarser_step_is_not_broken() -> None:
    time = times(*range(0, 600, 60), *range(600, 660))
    assert len(broken_at_gaps(time, np.zeros(len(time)), 3 * S)[0]) == len(time)


def test_a_tag_that_comes_as_it_comes_is_never_broken() -> None:
    time = times(0, 1, 2, 90_000, 90_001)
    assert len(broken_at_gaps(time, np.zeros(5), always_bridged(None, 0))[0]) == 5


def test_a_downsampled_line_bridges_what_one_point_stands_for() -> None:
    assert (always_bridged(1, 0.5), always_bridged(1, 60)) == (3, 240)


@given(lists(integers(1, 10_000), max_size=60), integers(1, 100))
def test_breaking_keeps_every_point_and_their_order(gaps: list[int], bridged: int) -> None:
    time = np.cumsum(np.array(gaps, np.int64))
    broken, value = broken_at_gaps(time, np.ones(len(time)), bridged)
    assert broken[~np.isnan(value)].tolist() == time.tolist()
    assert np.all(np.diff(broken) > 0)


@given(integers(1, 5_000_000))
def test_a_length_reads_back_as_written(seconds: int) -> None:
    assert parsed_length(length_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0h", "h", "5y", "-1h", "99999999999d", "1 h", "999999d"])
def test_what_is_no_length_is_none(text: str) -> None:
    assert parsed_length(text) is None


def test_a_range_that_makes_no_sense_falls_back_to_the_last_hour() -> None:
    for start, end in [("x", "y"), ("2026-05-04", "2026-05-03"), ("0001-01-01T00:00Z", "9999-01-01T00:00Z")]:
        assert view_of(NOON, "", start, end).query() == {"range": "1h"}


def test_a_fixed_range_survives_the_address() -> None:
    view = view_of(NOON, "8h", "2026-05-01T00:00:00+08:00", "2026-05-02T00:00:00+08:00")
    query = view.query()
    assert query == {"from": "2026-04-30T16:00:00Z", "to": "2026-05-01T16:00:00Z"}
    assert view_of(NOON, "", query["from"], query["to"]) == view
    assert view.at(NOON + timedelta(hours=1)) == view


def test_a_live_range_moves_with_the_clock() -> None:
    later = view_of(NOON, "8h").at(NOON + timedelta(minutes=5))
    assert (later.end, later.length) == (NOON + timedelta(minutes=5), timedelta(hours=8))
