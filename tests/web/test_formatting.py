"""Numbers, ages and times as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers

from athanor.kernel.current import CurrentValue
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.plain_cells import plain_cell
from athanor.web.components.data_table import Cell, TableQuery, page_of
from athanor.web.formatting import Trust, date_time, duration, number, percent, read

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
TAG = Tag("site.furnace.temperature", {"en": "Temperature"}, "degC", decimals=1, period_s=1.0)


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (1234567.891, 1, "1,234,567.9"),
        (-0.5, 2, "\u22120.50"),
        (-0.0001, 2, "0.00"),
        (0.0, 0, "0"),
        (float("nan"), 1, "–"),
        (float("inf"), 1, "–"),
        (None, 1, "–"),
    ],
)
def test_numbers_have_thousands_a_real_minus_and_no_minus_zero(value: float, decimals: int, shown: str) -> None:
    assert number(value, decimals) == shown


@given(value=floats(-1e12, 1e12), decimals=integers(0, 6))
def test_a_shown_number_is_the_number_rounded(value: float, decimals: int) -> None:
    shown = float(number(value, decimals).replace(",", "").replace("\u2212", "-"))
    assert shown == pytest.approx(value, abs=0.500001 * 10**-decimals, rel=1e-12)


@given(share=floats(0, 1, exclude_max=True))
def test_only_all_of_it_is_a_hundred_per_cent(share: float) -> None:
    assert percent(share) != "100.0 %"
    assert percent(1.0) == "100.0 %"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_ages_are_in_the_largest_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_times_are_the_plants_own() -> None:
    assert date_time(NOW, ZoneInfo("Asia/Shanghai")) == "2026-05-04 11:02:01"


@pytest.mark.parametrize(
    ("age_s", "quality", "trust", "note"),
    [
        (1, Quality.GOOD, Trust.GOOD, ""),
        (8, Quality.GOOD, Trust.GOOD, ""),
        (9, Quality.GOOD, Trust.STALE, "Stale, 9 s old"),
        (1, Quality.UNCERTAIN, Trust.UNCERTAIN, "Uncertain quality"),
        (9, Quality.BAD, Trust.BAD, "Bad quality, 9 s old"),
    ],
)
def test_a_value_says_when_it_is_not_to_be_trusted(age_s: float, quality: Quality, trust: Trust, note: str) -> None:
    reading = read(TAG, CurrentValue(NOW - timedelta(seconds=age_s), 1203.44, quality), NOW)
    assert (reading.whole, reading.trust, reading.note) == ("1,203.4 °C", trust, note)


def test_a_tag_without_any_value_shows_a_dash() -> None:
    assert (read(TAG, None, NOW).whole, read(TAG, None, NOW).trust) == ("–", Trust.MISSING)


def test_a_state_is_shown_by_its_name() -> None:
    mode = Tag("site.mode", {"en": "Mode"}, "1", TagKind.STATE, states={1: {"en": "Running"}})
    assert read(mode, CurrentValue(NOW, 1.0, Quality.GOOD), NOW).text == "Running"
    assert read(mode, CurrentValue(NOW, 7.0, Quality.GOOD), NOW).text == "7"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


def test_an_ordinary_cell_stays_as_it_is() -> None:
    assert plain_cell("Bath temperature = 3") == "Bath temperature = 3"


def test_a_table_is_searched_sorted_and_cut_on_the_server() -> None:
    rows = [{"name": Cell(f"Pump {n}", sort=float(n), note="Hall A" if n % 2 else "Hall B")} for n in range(10)]
    page = page_of(rows, TableQuery(text="hall a", sort="name", is_descending=True, offset=1, limit=2))
    assert ([row["name"].text for row in page.rows], page.total) == (["Pump 7", "Pump 5"], 5)  # type: ignore[union-attr]
