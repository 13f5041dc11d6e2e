"""Gaps, statistics, search and ranges: the pure functions of the trends."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, tuples

from athanor.apps.trends.domain.gaps import always_bridged, broken_at_gaps
from athanor.apps.trends.domain.search import entry, search
from athanor.apps.trends.domain.statistics import Gathering
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


def gathered(
    time: np.ndarray, value: list[float], end_s: float, hold_s: float, cuts: tuple[int, ...] = ()
) -> Gathering:
    gathering = Gathering(0, int(end_s * S), hold_s * S)
    for part in np.split(np.arange(len(time)), sorted(cuts)):
        gathering.take_in(time[part], np.array(value)[part])
    return gathering


def test_the_mean_is_weighted_by_the_time_that_each_value_held() -> None:
    statistics = gathered(times(0, 8), [10.0, 20.0], end_s=10, hold_s=60).result()
    assert statistics.mean == pytest.approx(12.0)
    assert (statistics.count, statistics.minimum, statistics.maximum, statistics.last) == (2, 10.0, 20.0, 20.0)
    assert statistics.good_share == 1.0


def test_a_value_is_not_believed_long_after_its_source_fell_silent() -> None:
    statistics = gathered(times(0, 1, 2, 3), [5.0] * 4, end_s=100, hold_s=3).result()
    assert statistics.good_share == pytest.approx(0.06)


def test_bad_samples_end_the_value_before_and_count_for_nothing() -> None:
    statistics = gathered(times(0, 4, 6), [10.0, np.nan, 30.0], end_s=10, hold_s=60).result()
    assert (statistics.count, statistics.last) == (2, 30.0)
    assert statistics.good_share == pytest.approx(0.8)
    assert statistics.mean == pytest.approx((10 * 4 + 30 * 4) / 8)


def test_without_a_good_number_there_is_nothing_to_tell() -> None:
    statistics = gathered(times(1), [np.nan], end_s=10, hold_s=60).result()
    assert (statistics.count, statistics.good_share) == (0, 0.0)
    assert np.isnan(statistics.mean)


@given(
    lists(tuples(integers(1, 50), floats(-1e6, 1e6)), min_size=1, max_size=40),
    lists(integers(0, 40), max_size=4),
    integers(1, 100),
)
def test_the_slices_in_which_samples_come_change_nothing(
    samples: list[tuple[int, float]], cuts: list[int], hold_s: int
) -> None:
    time = times(*np.cumsum([gap for gap, _value in samples]))
    value = [value for _gap, value in samples]
    end_s = time[-1] / S + 5
    whole = gathered(time, value, end_s, hold_s).result()
    sliced = gathered(time, value, end_s, hold_s, tuple(min(cut, len(value)) for cut in cuts)).result()
    assert sliced.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
    assert sliced.good_share == pytest.approx(whole.good_share)
    assert (sliced.count, sliced.minimum, sliced.maximum) == (whole.count, whole.minimum, whole.maximum)
    assert whole.minimum - 1e-6 <= whole.mean <= whole.maximum + 1e-6
    assert 0 <= whole.good_share <= 1


ENTRIES = [
    entry("smelter.furnace.temperature", ["Bath temperature", "熔体温度"], ["Furnace", "熔炼炉"]),
    entry("smelter.furnace.power", ["Active power", "有功功率"], ["Furnace", "熔炼炉"]),
    entry("kilns.kiln.power", ["Furnace power", "窑功率"], ["Kiln", "窑"]),
]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("furnace power", ["kilns.kiln.power", "smelter.furnace.power"]),
        ("熔炼炉 温度", ["smelter.furnace.temperature"]),
        ("SMELTER.FURN", ["smelter.furnace.temperature", "smelter.furnace.power"]),
        ("nothing like it", []),
        ("   ", []),
    ],
)
def test_tags_are_found_by_all_words_in_any_language_own_names_first(wish: str, found: list[str]) -> None:
    assert search(ENTRIES, wish, 50) == (found, len(found))


def test_a_search_tells_how_many_it_left_out() -> None:
    assert search(ENTRIES, "power", 1) == (["smelter.furnace.power"], 2)


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
