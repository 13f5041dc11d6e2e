"""How samples arrived is counted exactly, for the last day."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.port import microseconds
from athanor.kernel.ingest.arrivals import CELL, KEPT, Arrivals

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TAGS = np.array([3, 0, 7], np.int32)


def note(arrivals: Arrivals, tag: int, taken_at: datetime, came_at: datetime, late_after_s: float = 20.0) -> None:
    arrivals.note(
        np.array([tag], np.int32), np.array([microseconds(taken_at)]), np.array([late_after_s * 1e6]), came_at
    )


def test_a_sample_older_than_its_tag_allows_is_late() -> None:
    arrivals = Arrivals(NOON)
    note(arrivals, 3, NOON, NOON + timedelta(seconds=20))
    note(arrivals, 3, NOON, NOON + timedelta(seconds=21))
    note(arrivals, 7, NOON, NOON + timedelta(hours=3), late_after_s=np.inf)
    came = arrivals.arrived(TAGS, NOON, NOON + CELL)
    assert came.samples.tolist() == [2, 0, 1]
    assert came.late.tolist() == [1, 0, 0]


def test_only_quarters_that_began_after_the_start_and_are_over_are_whole() -> None:
    arrivals = Arrivals(NOON + MINUTE)
    assert arrivals.whole_cells(NOON + 29 * MINUTE) is None
    assert arrivals.whole_cells(NOON + 31 * MINUTE) == (NOON + CELL, NOON + 2 * CELL)
    days_later = NOON + timedelta(days=3, minutes=1)
    assert arrivals.whole_cells(days_later) == (days_later - MINUTE - KEPT, days_later - MINUTE)


def test_what_is_older_than_a_day_is_forgotten() -> None:
    arrivals = Arrivals(NOON)
    note(arrivals, 3, NOON, NOON)
    note(arrivals, 3, NOON + 2 * KEPT, NOON + 2 * KEPT)
    assert arrivals.arrived(TAGS, NOON, NOON + 3 * KEPT).samples.tolist() == [1, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3600), st.integers(0, 60)), max_size=40))
def test_every_sample_is_counted_once_however_it_was_batched(samples: list[tuple[int, int, int]]) -> None:
    arrivals = Arrivals(NOON)
    come_at = NOON + timedelta(hours=2)
    for first in range(0, len(samples), 7):
        tag, second, late_after_s = (np.array(column) for column in zip(*samples[first : first + 7], strict=True))
        arrivals.note(tag.astype(np.int32), microseconds(NOON) + second * 1_000_000, late_after_s * 1e6, come_at)
    came = arrivals.arrived(np.arange(10, dtype=np.int32), NOON, come_at)
    assert came.samples.tolist() == [sum(tag == one for one, _, _ in samples) for tag in range(10)]
    assert came.late.tolist() == came.samples.tolist()  # an hour and more is later than any of these
