"""Times are read as they were written, however that was, and nothing else is taken for one."""

# ruff: noqa: DTZ001 what a clock on a wall shows has no zone

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.times import TimeLayout, joined, layouts_of, read_times

EPOCH = datetime(1970, 1, 1)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2261, 12, 31)).map(lambda one: one.replace(microsecond=0))
SPELLINGS = {
    TimeLayout.YMD: [
        "{t:%Y-%m-%d %H:%M:%S}",
        "{t:%Y-%m-%dT%H:%M:%S}",
        "{t:%Y}/{t.month}/{t.day} {t.hour}:{t:%M:%S}",
        "{t:%Y.%m.%d %H:%M:%S}",
        "{t:%Y}年{t.month}月{t.day}日 {t.hour}时{t.minute}分{t.second}秒",
        "{t:%Y}年{t.month}月{t.day}日{t.hour}:{t:%M:%S}",
        " {t:%Y-%m-%d %H:%M:%S} ",
        "{t:%Y-%m-%d %I:%M:%S %p}",
        "{t:%Y-%m-%d %H:%M:%S}.000",
        "{t:%Y-%m-%d %H:%M:%S}:000",
    ],
    TimeLayout.DMY: [
        "{t:%d.%m.%Y %H:%M:%S}",
        "{t.day}/{t.month}/{t:%Y} {t.hour}:{t:%M:%S}",
        "{t:%d-%b-%Y %H:%M:%S}",
        "{t.day} {t:%B %Y %H:%M:%S}",
        "{t:%d-%b-%Y %I:%M:%S %p}",
    ],
    TimeLayout.MDY: ["{t.month}/{t.day}/{t:%Y} {t:%I:%M:%S %p}", "{t:%b %d, %Y %H:%M:%S}", "{t:%m-%d-%Y %H:%M:%S}"],
    TimeLayout.COMPACT: ["{t:%Y%m%d%H%M%S}", "{t:%Y%m%d %H%M%S}", "{t:%Y%m%dT%H%M%S}", "{t:%Y%m%d%H%M%S}000"],
}
CASES = [(layout, spelling) for layout, spellings in SPELLINGS.items() for spelling in spellings]


def read(text: str, layout: TimeLayout) -> datetime | None:
    """One text as a time on the local clock, or in UTC where it says so; None where it is none."""
    times = read_times(pa.array([text]), layout)
    return EPOCH + timedelta(microseconds=int(times.us[0])) if times.is_read[0] else None


@pytest.mark.parametrize(("layout", "spelling"), CASES)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_a_time_comes_back_from_every_spelling(layout: TimeLayout, spelling: str, moments: list[datetime]) -> None:
    texts = [spelling.format(t=moment) for moment in moments]
    times = read_times(pa.array(texts), layout)
    assert times.is_read.all()
    assert not times.is_utc.any()
    assert [EPOCH + timedelta(microseconds=us) for us in times.us.tolist()] == moments


@given(moment=MOMENTS, minutes=st.integers(-12 * 60, 14 * 60))
def test_an_offset_leads_to_utc(moment: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    for ending in (
        f"{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}",
        f"{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}",
    ):
        text = f"{moment:%Y/%m/%d %H:%M:%S}{sign}{ending}"
        assert read_times(pa.array([text]), TimeLayout.YMD).is_utc.all()
        assert read(text, TimeLayout.YMD) == moment - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "layout", "expected"),
    [
        ("2026-03-01T08:00:00+08:00", TimeLayout.YMD, datetime(2026, 3, 1)),
        ("2026-03-01T08:00:00Z", TimeLayout.YMD, datetime(2026, 3, 1, 8)),
        ("2026-03-01", TimeLayout.YMD, datetime(2026, 3, 1)),
        ("2024-02-29 12:00", TimeLayout.YMD, datetime(2024, 2, 29, 12)),
        ("2024-02-29 24:00:00", TimeLayout.YMD, datetime(2024, 3, 1)),
        ("2026年3月1日 下午3:05", TimeLayout.YMD, datetime(2026, 3, 1, 15, 5)),
        ("2026-03-01 上午12:05", TimeLayout.YMD, datetime(2026, 3, 1, 0, 5)),
        ("2026-03-01 08:05:10.1234567", TimeLayout.YMD, datetime(2026, 3, 1, 8, 5, 10, 123456)),
        ("01.03.26 08:05", TimeLayout.DMY, datetime(2026, 3, 1, 8, 5)),
        ("31/12/99 08:05", TimeLayout.DMY, datetime(1999, 12, 31, 8, 5)),
        ("46082.336805555555", TimeLayout.EXCEL, datetime(2026, 3, 1, 8, 5)),
        ("1772350000", TimeLayout.EPOCH_S, datetime(2026, 3, 1, 7, 26, 40)),
        ("1772350000.25", TimeLayout.EPOCH_S, datetime(2026, 3, 1, 7, 26, 40, 250000)),
        ("1772350000123", TimeLayout.EPOCH_MS, datetime(2026, 3, 1, 7, 26, 40, 123000)),
        ("202603010805", TimeLayout.COMPACT, datetime(2026, 3, 1, 8, 5)),
        ("1970-01-01 00:00:00", TimeLayout.YMD, datetime(1970, 1, 1)),
        ("2262-04-12 00:00:00", TimeLayout.YMD, datetime(2262, 4, 12)),
        ("9999-12-31 23:59:59", TimeLayout.YMD, datetime(9999, 12, 31, 23, 59, 59)),
    ],
)  # fmt: skip
def test_known_times(text: str, layout: TimeLayout, expected: datetime) -> None:
    assert read(text, layout) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-03-01 25:00", "2026-03-01 24:00:01",
        "2026-03-01 08:60", "2026-03-01 08:00:60", "2026-03-01 13:00 PM", "2026-03-01 8:0512", "20260301x", "12.5",
        "", "now", "2026-03-01 08:00:00 +99:00", "０２６-03-01", "2026-03-01\x0008:00", "1-2-3", "01/02/2026 x",
    ],
)  # fmt: skip
def test_what_no_calendar_or_clock_shows_is_no_time(text: str) -> None:
    assert [layout for layout in TimeLayout if layout in (*SPELLINGS,) and read(text, layout) is not None] == []


@given(st.lists(st.text(max_size=30), max_size=30), st.sampled_from(TimeLayout))
def test_no_text_whatever_fails(texts: list[str], layout: TimeLayout) -> None:
    times = read_times(pa.array(texts, pa.string()), layout)
    assert len(times.us) == len(times.is_read) == len(times.is_utc) == len(texts)


def test_a_file_leaves_it_open_which_is_the_day_until_one_is_beyond_twelve() -> None:
    assert layouts_of([["01/02/2026 08:00", "02/02/2026 08:00"]]) == [[TimeLayout.DMY, TimeLayout.MDY]]
    assert layouts_of([["01/02/2026 08:00", "02/13/2026 08:00"]]) == [[TimeLayout.MDY]]
    assert layouts_of([["1-Feb-2026 08:00"]]) == [[TimeLayout.DMY]]


def test_numbers_are_taken_for_times_within_our_lives_only() -> None:
    columns = [["46082.5", "46083.5"], ["1772350000", "1772350001"], ["12.5", "13.5"], ["", ""]]
    assert layouts_of(columns) == [[TimeLayout.EXCEL], [TimeLayout.EPOCH_S], [], []]


def test_columns_that_are_times_already_are_what_they_are() -> None:
    aware = datetime(2026, 3, 1, 8, tzinfo=UTC)
    for column, is_utc in (
        (pa.array([aware], pa.timestamp("ns", tz="Europe/Berlin")), True),
        (pa.array([aware.replace(tzinfo=None)], pa.timestamp("ms")), False),
        (pa.array([date(2026, 3, 1), None], pa.date32()), False),
    ):
        times = read_times(column, TimeLayout.YMD)
        assert EPOCH + timedelta(microseconds=int(times.us[0])) in (datetime(2026, 3, 1, 8), datetime(2026, 3, 1))
        assert times.is_utc[0] == is_utc
        assert times.is_read.tolist() == column.is_valid().to_pylist()


def test_date_and_time_of_day_from_two_columns() -> None:
    days, clocks = pa.array(["2026-03-01 00:00:00", "2026/3/2", None]), pa.array(["08:05:00", "9:5", "10:00"])
    times = read_times(joined(days, clocks), TimeLayout.YMD)
    assert times.is_read.tolist() == [True, True, False]
    assert np.diff(times.us[:2]).tolist() == [25 * 3_600_000_000]
