"""Readings that tell nothing are left out, and nothing that they would have told is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.counters import Split, bookings, increments
from athanor.kernel.historian.thinning import KEPT_AROUND, telling
from athanor.kernel.plant.meter import Meter
from athanor.kernel.telemetry import Quality

S = 1_000_000
MINUTE = 60 * S
HOURS = np.arange(0, 13) * 3600 * S


def counting(minutes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A register that counts on, a reading a minute from the full hour on."""
    time_us = np.arange(minutes) * MINUTE
    return np.ones(minutes, np.int32), time_us, 100.0 + np.arange(minutes), np.zeros(minutes, np.uint8)


def test_of_a_register_that_counts_on_only_the_ends_of_steps_are_kept() -> None:
    keep = telling(*counting(12 * 60), HOURS, {1: Meter(1, 1e6)})
    kept = np.flatnonzero(keep)
    assert len(kept) == 2 * (KEPT_AROUND + 1) + 2 * 11
    assert {60, 61, 120, 121} <= set(kept.tolist())  # the last of an hour closes it at its full end


def test_around_what_is_odd_all_is_kept() -> None:
    tag, time_us, value, quality = counting(12 * 60)
    value[330] = 0.0
    keep = telling(tag, time_us, value, quality, HOURS, {1: Meter(1, 1e6)})
    assert keep[330 - KEPT_AROUND : 330 + KEPT_AROUND + 1].all()
    quality[200:210] = Quality.BAD
    assert not telling(tag, time_us, value, quality, HOURS, {})[200:210].any()


def test_with_a_greatest_rate_every_reading_is_kept() -> None:
    assert telling(*counting(100), HOURS, {1: Meter(1, 1e6, 5.0)}).all()
    assert len(telling(*(column[:0] for column in counting(1)), HOURS, {})) == 0


@st.composite
def registers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two registers of whatever happens to registers."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = []
    for number in (1, 2):
        count = int(random.integers(1, 400))
        value = np.cumsum(random.integers(0, 3, count)).astype(float)
        for _ in range(int(random.integers(0, 5))):
            at = int(random.integers(0, count))
            kind = random.integers(0, 4)
            if kind == 0:
                value[at:] -= value[at]  # reset
            elif kind == 1:
                value[at : at + int(random.integers(1, 4))] = 0.0
            elif kind == 2:
                value[at] = random.choice([value[at] / 2, value[at] * 2])
            else:
                value[at:] = (value[at:] + 900.0) % 1000.0  # towards a rollover
        time_us = np.cumsum(random.integers(1, 4, count)) * MINUTE
        quality = (random.random(count) < 0.05).astype(np.uint8) * np.uint8(Quality.BAD)
        parts.append((np.full(count, number, np.int32), time_us, value, quality))
    tag, time_us, value, quality = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return tag, time_us, value, quality


@given(registers(), st.sampled_from([Meter(1, 1000.0), Meter(0), Meter(1, 1000.0, 0.5)]), st.sampled_from(Split))
def test_what_is_left_out_would_have_told_nothing(
    readings: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], meter: Meter, split: Split
) -> None:
    meters = {1: meter, 2: meter}
    keep = telling(*readings, HOURS, meters)
    whole, events = increments(*readings, meters)
    thin, same_events = increments(*(column[keep] for column in readings), meters)
    expected, found = bookings(whole, HOURS, split), bookings(thin, HOURS, split)
    assert found.tag.tolist() == expected.tag.tolist()
    assert found.step.tolist() == expected.step.tolist()
    assert found.counts.tolist() == pytest.approx(expected.counts.tolist())
    assert found.known_us.tolist() == pytest.approx(expected.known_us.tolist())
    for name in ("tag", "time_us", "kind", "before", "after", "counted"):
        assert getattr(same_events, name).tolist() == pytest.approx(getattr(events, name).tolist(), nan_ok=True)
