"""How fast storage grows, how long it lasts, and what a histogram tells of latency."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.disk import Disk, DiskLimits, DiskState
from athanor.kernel.historian.lake import SealedFile
from athanor.kernel.storage.state import Growth, days_left, growth_of, quantile

TODAY = date(2026, 11, 21)
BOUNDS = (0.01, 0.1, 1.0, float("inf"))


def file(age_days: int, rows: int, size: int) -> SealedFile:
    return SealedFile(f"{age_days}", 1, TODAY - timedelta(days=age_days), rows, 0, 1, 0, 1, size)


def test_growth_is_the_mean_of_the_whole_days_of_the_last_week() -> None:
    files = [file(0, 999, 999), file(1, 100, 1000), file(1, 50, 500), file(7, 250, 2500), file(8, 999, 999)]
    assert growth_of(files, TODAY, beside=0.5) == Growth(7, 4000 * 1.5 / 7, 400 / 7)
    assert growth_of([file(2, 10, 100)], TODAY, beside=0) == Growth(2, 50, 5), "a plant that is two days old"
    assert growth_of([file(0, 10, 100), file(30, 10, 100)], TODAY, beside=0).days == 0


def test_a_disk_lasts_until_its_reserve_is_reached() -> None:
    limits, growth = DiskLimits(reserve_mb=100), Growth(7, 10 * 1024**2, 1)
    disk = Disk(Path("/"), 10**10, 200 * 1024**2, DiskState.ENOUGH)
    assert days_left(disk, limits, growth) == 10
    assert days_left(Disk(Path("/"), 10**10, 5, DiskState.FULL), limits, growth) == 0
    assert days_left(disk, limits, Growth(0, 0, 0)) is None
    assert days_left(None, limits, growth) is None


def test_a_quantile_lies_on_a_line_within_its_bucket() -> None:
    assert quantile(BOUNDS, (0, 100, 100, 100), 0.5) == pytest.approx(0.055)
    assert quantile(BOUNDS, (50, 100, 100, 100), 0.99) == pytest.approx(0.0982)
    assert quantile(BOUNDS, (0, 0, 0, 10), 0.5) == 1.0, "beyond the last bound nothing more is known"


@given(st.lists(st.floats(0, 2), min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_in_the_bucket_of_the_value_that_it_stands_for(values: list[float], share: float) -> None:
    counts = [sum(value <= bound for value in values) for bound in BOUNDS]
    true = float(np.quantile(values, share, method="inverted_cdf"))
    found = quantile(BOUNDS, counts, share)
    above = next(bound for bound in BOUNDS if true <= bound)
    below = max((bound for bound in (0.0, *BOUNDS) if bound < above), default=0.0)
    assert below <= found <= min(above, 1.0) or found == pytest.approx(below)
