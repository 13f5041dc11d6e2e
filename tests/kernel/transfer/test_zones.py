"""Local times become UTC as the zone's own rules say; what a changed clock makes doubtful is said."""

# ruff: noqa: DTZ001 what a clock on a wall shows has no zone

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.zones import ClockChange, Doubt, UnknownZoneError, to_utc

EPOCH = datetime(1970, 1, 1)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC")


def us(*parts: int) -> int:
    return (datetime(*parts) - EPOCH) // timedelta(microseconds=1)  # type: ignore[arg-type]


@given(
    st.sampled_from(ZONES), st.lists(st.datetimes(datetime(1920, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=30)
)
def test_every_local_time_means_what_the_standard_library_says(zone: str, local: list[datetime]) -> None:
    given_us = np.array([(one - EPOCH) // timedelta(microseconds=1) for one in local])
    for policy, fold in ((ClockChange.BEFORE, 0), (ClockChange.AFTER, 1)):
        utc, doubt = to_utc(given_us, zone, policy)
        for moment, found, what in zip(local, utc.tolist(), doubt.tolist(), strict=True):
            aware = moment.replace(tzinfo=ZoneInfo(zone), fold=fold)
            expected = (aware.astimezone(UTC).replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
            assert found == expected
            other = moment.replace(tzinfo=ZoneInfo(zone), fold=1 - fold)
            assert (what != Doubt.NONE) == (aware.utcoffset() != other.utcoffset())


@pytest.mark.parametrize(
    ("local", "doubt"),
    [
        (us(2026, 3, 29, 1, 59, 59), Doubt.NONE),
        (us(2026, 3, 29, 2), Doubt.NEVER),
        (us(2026, 3, 29, 2, 59, 59), Doubt.NEVER),
        (us(2026, 3, 29, 3), Doubt.NONE),
        (us(2026, 10, 25, 1, 59, 59), Doubt.NONE),
        (us(2026, 10, 25, 2), Doubt.TWICE),
        (us(2026, 10, 25, 2, 59, 59), Doubt.TWICE),
        (us(2026, 10, 25, 3), Doubt.NONE),
    ],
)
def test_the_hours_of_a_changed_clock_are_doubtful_and_no_other(local: int, doubt: Doubt) -> None:
    assert to_utc(np.array([local]), "Europe/Berlin", ClockChange.REFUSE)[1].tolist() == [doubt]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    twice = np.array([us(2026, 10, 25, 2, 30)])
    before, after = (to_utc(twice, "Europe/Berlin", policy)[0][0] for policy in (ClockChange.BEFORE, ClockChange.AFTER))
    assert (before, after) == (us(2026, 10, 25, 0, 30), us(2026, 10, 25, 1, 30))


def test_times_beyond_all_rules_do_not_fail() -> None:
    far = np.array([us(1, 1, 1), us(9999, 12, 31)])
    assert to_utc(far, "Europe/Berlin", ClockChange.REFUSE)[1].tolist() == [Doubt.NONE, Doubt.NONE]
    assert len(to_utc(np.empty(0, np.int64), "UTC", ClockChange.REFUSE)[0]) == 0


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_a_zone_that_nobody_has_defined_is_refused(name: str) -> None:
    with pytest.raises(UnknownZoneError, match="Asia/Shanghai"):
        to_utc(np.array([0]), name, ClockChange.REFUSE)
