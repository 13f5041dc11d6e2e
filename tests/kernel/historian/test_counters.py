from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.calendar import edges, parse_step
from athanor.kernel.historian.counters import (
    Increments,
    MeterEvent,
    MeterEvents,
    Split,
    booked,
    increments,
)
from athanor.kernel.historian.port import Span, microseconds
from athanor.kernel.plant.meter import Meter, Replacement
from athanor.kernel.telemetry import Quality

S = 1_000_000
START = datetime(2026, 3, 29, 8, tzinfo=UTC)
START_US = microseconds(START)
HOUR = 3600
SIX_DIGITS = Meter(width=1e6, max_rate_per_s=1.0)  # up to 3,600 kWh an hour
UNKNOWN = Meter()

Row = tuple[float, float] | tuple[float, float, Quality]


def counted(meter: Meter, *rows: Row) -> tuple[Increments, MeterEvents]:
    """Rows of (second, reading[, quality]) of tag 1."""
    return increments(
        np.ones(len(rows), np.int32),
        START_US + (np.array([row[0] for row in rows]) * S).astype(np.int64),
        np.array([row[1] for row in rows], np.float64),
        np.array([row[2] if len(row) == 3 else Quality.GOOD for row in rows], np.uint8),
        {1: meter},
    )


def hourly(meter: Meter, *readings: float) -> tuple[Increments, MeterEvents]:
    return counted(meter, *((number * HOUR, reading) for number, reading in enumerate(readings)))


def kinds(events: MeterEvents) -> list[MeterEvent]:
    return [MeterEvent(kind) for kind in events.kind.tolist()]


def hours_from_start(*hours: float) -> np.ndarray:
    return START_US + (np.array(hours) * HOUR * S).astype(np.int64)


def test_growth_is_counted() -> None:
    between, events = hourly(SIX_DIGITS, 100, 150, 150, 151.5)
    assert between.amount.tolist() == [50, 0, 1.5]
    assert between.from_us.tolist() == hours_from_start(0, 1, 2).tolist()
    assert between.to_us.tolist() == hours_from_start(1, 2, 3).tolist()
    assert kinds(events) == []


def test_large_registers_lose_nothing_to_rounding() -> None:
    rows = 10_000
    value = 1e9 + np.arange(rows) * 0.01
    between, _ = increments(
        np.ones(rows, np.int32), START_US + np.arange(rows) * S, value, np.zeros(rows, np.uint8), {}
    )
    assert set(between.amount.tolist()) == {0.01}
    _, _, amount = booked(between, np.array([START_US, START_US + rows * S]))
    assert amount.tolist() == [99.99]


def test_a_rollover_is_counted_through() -> None:
    between, events = hourly(SIX_DIGITS, 999_990, 15, 20)
    assert between.amount.tolist() == [25, 5]
    assert kinds(events) == [MeterEvent.ROLLOVER]
    assert (events.before[0], events.after[0], events.counted[0]) == (999_990, 15, 25)
    assert events.time_us.tolist() == hours_from_start(1).tolist()


def test_a_rollover_that_the_meter_is_too_slow_for_is_none() -> None:
    between, events = hourly(SIX_DIGITS, 950_000, 45_000, 45_010)  # 95,000 kWh in an hour
    assert between.amount.tolist() == [0, 10]
    assert kinds(events) == [MeterEvent.NEGATIVE_JUMP]


def test_a_fall_from_the_middle_of_the_register_is_no_rollover() -> None:
    between, events = hourly(Meter(width=1e6), 500_000, 499_000, 499_005)
    assert between.amount.tolist() == [0, 5]
    assert kinds(events) == [MeterEvent.NEGATIVE_JUMP]


def test_a_reset_counts_from_zero() -> None:
    between, events = hourly(SIX_DIGITS, 5_000, 5_100, 30, 80)
    assert between.amount.tolist() == [100, 30, 50]
    assert kinds(events) == [MeterEvent.RESET]
    assert events.counted.tolist() == [30]


def test_without_a_known_rate_only_a_fall_to_zero_itself_is_a_reset() -> None:
    between, events = hourly(UNKNOWN, 5_000, 5_100, 0, 80)
    assert between.amount.tolist() == [100, 0, 80]
    assert kinds(events) == [MeterEvent.RESET]
    between, events = hourly(UNKNOWN, 5_000, 5_100, 30, 80)
    assert between.amount.tolist() == [100, 0, 50]
    assert kinds(events) == [MeterEvent.NEGATIVE_JUMP]


def test_a_register_that_is_reset_again_and_again_is_counted_each_time() -> None:
    between, events = hourly(UNKNOWN, 0, 5, 0, 3, 0, 2)
    assert between.amount.tolist() == [5, 0, 3, 0, 2]
    assert kinds(events) == [MeterEvent.RESET] * 2


def test_a_replaced_meter_is_counted_to_its_end_and_the_new_one_from_its_start() -> None:
    swap = Replacement(START + timedelta(minutes=90), old_final=130, new_initial=7)
    between, events = hourly(Meter(max_rate_per_s=1, replacements=(swap,)), 100, 120, 12, 20)
    assert between.amount.tolist() == [20, 10, 5, 8]
    assert between.to_us.tolist() == hours_from_start(1, 1.5, 2, 3).tolist()
    assert kinds(events) == [MeterEvent.REPLACEMENT]
    assert (events.before[0], events.after[0], events.counted[0]) == (130, 7, 0)


def test_a_replacement_outside_the_readings_changes_nothing() -> None:
    swaps = (
        Replacement(START - timedelta(days=30), old_final=900, new_initial=0),
        Replacement(START, old_final=900, new_initial=90),
        Replacement(START + timedelta(days=30), old_final=900, new_initial=0),
    )
    between, events = hourly(Meter(replacements=swaps), 100, 120)
    assert between.amount.tolist() == [20]
    assert kinds(events) == []


def test_a_reading_at_the_moment_of_a_replacement_is_the_new_meter_s() -> None:
    swap = Replacement(START + timedelta(hours=1), old_final=130, new_initial=0)
    between, _ = hourly(Meter(replacements=(swap,)), 100, 1, 5)
    assert between.amount.sum() == 30 + 1 + 4
    assert np.all(between.from_us < between.to_us)


def test_a_jump_beyond_what_the_meter_measures_is_not_counted() -> None:
    between, events = hourly(SIX_DIGITS, 100, 150, 90_000, 90_010)
    assert between.amount.tolist() == [50, 0, 10]
    assert kinds(events) == [MeterEvent.IMPLAUSIBLE_JUMP]
    assert (events.before[0], events.after[0]) == (150, 90_000)


@pytest.mark.parametrize("meter", [SIX_DIGITS, UNKNOWN])
@pytest.mark.parametrize(
    ("disturbed", "kind"),
    [(90_000, MeterEvent.IMPLAUSIBLE_JUMP), (0, MeterEvent.NEGATIVE_JUMP), (37, MeterEvent.NEGATIVE_JUMP)],
)
def test_a_single_disturbed_reading_is_counted_across(meter: Meter, disturbed: float, kind: MeterEvent) -> None:
    between, events = hourly(meter, 5_000, 5_010, disturbed, 5_030, 5_040)
    assert between.amount.tolist() == [10, 20, 10]
    assert kinds(events) == [kind]
    assert (events.before[0], events.after[0], events.counted[0]) == (5_010, disturbed, 0)


def test_zeros_that_a_lost_meter_sends_are_counted_across() -> None:
    between, events = hourly(UNKNOWN, 5_000, 5_010, 0, 0, 0, 5_030)
    assert between.amount.tolist() == [10, 20]
    assert kinds(events) == [MeterEvent.NEGATIVE_JUMP] * 3


def test_what_the_register_cannot_show_is_counted_across() -> None:
    between, events = hourly(SIX_DIGITS, 5_000, 2e6, -4, 1e300, 5_030)
    assert between.amount.tolist() == [30]
    assert kinds(events) == [MeterEvent.IMPLAUSIBLE_JUMP, MeterEvent.NEGATIVE_JUMP, MeterEvent.IMPLAUSIBLE_JUMP]


def test_a_gap_in_which_the_register_may_have_gone_round_is_said() -> None:
    between, events = counted(SIX_DIGITS, (0, 100), (30 * 24 * HOUR, 900))
    assert between.amount.tolist() == [800]
    assert kinds(events) == [MeterEvent.MAY_HAVE_TURNED]


def test_bad_readings_do_not_count() -> None:
    between, events = counted(SIX_DIGITS, (0, 100), (60, 0, Quality.BAD), (120, 99_999, Quality.UNCERTAIN), (180, 130))
    assert between.amount.tolist() == [30]
    assert between.from_us.tolist() == [START_US]
    assert kinds(events) == []


def test_meters_do_not_mix() -> None:
    tag = np.array([1, 1, 2, 2, 9, 9], np.int32)
    time_us = START_US + np.tile([0, HOUR * S], 3)
    value = np.array([999_990.0, 10, 50, 60, 1.2345, 1.2349])
    between, events = increments(tag, time_us, value, np.zeros(6, np.uint8), {1: SIX_DIGITS, 9: Meter(decimals=4)})
    assert between.tag.tolist() == [1, 2, 9]
    assert between.amount.tolist() == [20, 10, 0.0004]
    assert events.tag.tolist() == [1]


def test_what_a_reading_at_the_full_hour_closes_belongs_to_the_hour_before() -> None:
    between, _ = hourly(SIX_DIGITS, 100, 150, 180)
    tag, start_us, amount = booked(between, hours_from_start(0, 1, 2))
    assert tag.tolist() == [1, 1]
    assert start_us.tolist() == hours_from_start(0, 1).tolist()
    assert amount.tolist() == [50, 30]


def test_a_gap_is_booked_at_its_end_or_on_request_by_time() -> None:
    between, _ = counted(SIX_DIGITS, (0.5 * HOUR, 100), (3 * HOUR, 150))
    slots = hours_from_start(0, 1, 2, 3, 4)
    _, start_us, amount = booked(between, slots)
    assert (start_us.tolist(), amount.tolist()) == (hours_from_start(2).tolist(), [50])
    _, start_us, amount = booked(between, slots, Split.PRO_RATA)
    assert (start_us.tolist(), amount.tolist()) == (hours_from_start(0, 1, 2).tolist(), [10, 20, 20])


def test_late_readings_move_consumption_and_add_none() -> None:
    early, _ = hourly(SIX_DIGITS, 100, 110, 180)
    late, _ = counted(SIX_DIGITS, (0, 100), (HOUR, 110), (1.5 * HOUR, 150), (2 * HOUR, 180))
    slots = hours_from_start(0, 1, 1.5, 2)
    assert booked(early, slots)[2].tolist() == [10, 70]
    assert booked(late, slots)[2].tolist() == [10, 40, 30]


def test_a_day_of_25_hours_holds_the_energy_of_25_hours() -> None:
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC)
    day = edges(Span(noon, noon), parse_step("day"), ZoneInfo("Europe/Berlin"))
    time_us = np.arange(day[0], day[1] + 1, 900 * S)
    rows = len(time_us)
    between, _ = increments(np.ones(rows, np.int32), time_us, np.arange(rows) * 2.5, np.zeros(rows, np.uint8), {})
    assert booked(between, day)[2].tolist() == [25 * 4 * 2.5]


def test_nothing_counts_as_nothing() -> None:
    between, events = counted(Meter(replacements=(Replacement(START, 1, 0),)))
    assert len(between.tag) == len(events.tag) == 0
    assert [len(column) for column in booked(between, hours_from_start(0, 1))] == [0, 0, 0]
    between, _ = counted(SIX_DIGITS, (0, 5))
    assert len(between.tag) == 0


@given(
    steps=st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 400)), min_size=1, max_size=40),
    first=st.integers(0, 99_999_999),
    cuts=st.sets(st.integers(1, 100_000), max_size=8),
)
def test_steps_add_up_to_the_total_however_often_the_register_rolls_over(
    steps: list[tuple[int, int]], first: int, cuts: set[int]
) -> None:
    meter = Meter(width=1e6, max_rate_per_s=4.0)
    second, register = np.cumsum([0, *(one[0] for one in steps)]), np.cumsum([first, *(one[1] for one in steps)])
    rows = list(zip(second.tolist(), (register % 100_000_000 / 100).tolist(), strict=True))
    between, events = counted(meter, *rows)
    total = int(register[-1] - first)
    assert int(between.counts.sum()) == total
    assert set(kinds(events)) <= {MeterEvent.ROLLOVER}
    bounds = START_US + np.array(sorted({0, int(second[-1])} | {cut for cut in cuts if cut < second[-1]})) * S
    assert booked(between, bounds)[2].sum() == pytest.approx(total / 100, rel=1e-12)
    assert booked(between, bounds, Split.PRO_RATA)[2].sum() == pytest.approx(total / 100, rel=1e-12)


@given(
    rows=st.dictionaries(st.integers(0, 10_000), st.integers(-10, 1000) | st.just(0), max_size=30),
    rate=st.none() | st.floats(1e-3, 1.0),
    width=st.none() | st.just(1000.0),
)
def test_no_increment_is_negative_and_none_beyond_what_the_meter_measures(
    rows: dict[int, int], rate: float | None, width: float | None
) -> None:
    between, events = counted(Meter(2, width, rate), *sorted((float(at), float(value)) for at, value in rows.items()))
    assert np.all(between.counts >= 0)
    if rate is not None:
        length_s = (between.to_us - between.from_us) / S
        assert np.all(between.amount <= rate * length_s + 0.01 + 1e-9)
    if not len(events.tag):
        assert between.amount.sum() == (max(rows.values()) - min(rows.values()) if rows else 0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Meter(decimals=10),
        lambda: Meter(width=0),
        lambda: Meter(max_rate_per_s=-1),
        lambda: Meter(replacements=(Replacement(START, 1, 0), Replacement(START, 2, 0))),
    ],
)
def test_a_meter_that_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"register|Replacements"):
        wrong()  # type: ignore[operator]
