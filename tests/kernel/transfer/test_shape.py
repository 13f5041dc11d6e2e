"""Where a table begins, which column is its time, and whether it is wide or long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.shape import Rows, names_of, rows_of_table, shape_of, width_of
from athanor.kernel.transfer.times import TimeLayout

TAGS = {"TI-101", "FI-202"}


def samples(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The columns of rows."""
    return [list(column) for column in zip(*rows, strict=True)]


WIDE = [[f"2026-03-01 08:{minute:02d}", f"{minute}.5", "7"] for minute in range(10)]


@pytest.mark.parametrize(
    ("above", "rows"),
    [
        ([], Rows(-1, -1, 0)),
        ([["Time", "A", "B"]], Rows(0, -1, 1)),
        ([["Time", "A", "B"], ["", "℃", "kW"]], Rows(0, 1, 2)),
        ([["Report of 2026-03-01"], [], ["Time", "A", "B"]], Rows(2, -1, 3)),
        (
            [["Exported", "2026-03-02 10:00"], ["Plant", "Copper"], ["Time", "A", "B"], ["", "degC", "t/h"]],
            Rows(2, 3, 4),
        ),
        ([["时间", "温度", "功率"], [""]], Rows(0, -1, 2)),
    ],
)
def test_samples_begin_where_times_begin(above: list[list[str]], rows: Rows) -> None:
    assert rows_of_table([*above, *WIDE]) == rows
    assert width_of([*above, *WIDE], rows) == 3


def test_a_table_without_times_begins_in_its_second_row() -> None:
    assert rows_of_table([["a", "b"], ["x", "y"]]) == Rows(0, -1, 1)
    assert rows_of_table([["a", "b"]]) == Rows(-1, -1, 0)
    assert width_of([], Rows(-1, -1, 0)) == 0


def test_every_column_has_a_name_of_its_own() -> None:
    assert names_of(["Time", " Flow ", "", "Flow", "Temp\n(degC)"], 6) == [
        "Time", "Flow", "Column 3", "Flow (2)", "Temp (degC)", "Column 6",
    ]  # fmt: skip


def test_a_column_for_each_tag_is_wide() -> None:
    guess = shape_of(["时间", "A", "B"], samples(WIDE), TAGS.__contains__)
    assert (guess.shape, guess.long) == (Shape.WIDE, {})
    assert guess.time is not None
    assert (guess.time.columns, guess.time.layouts) == ((0,), (TimeLayout.YMD,))


@pytest.mark.parametrize("names", [["x", "y", "z"], ["Tagname", "Timestamp", "Value"], ["位号", "时间", "数值"]])
def test_a_row_for_each_sample_is_long(names: list[str]) -> None:
    rows = [[tag, f"2026-03-01 08:{minute:02d}", "1.5"] for minute in range(5) for tag in sorted(TAGS)]
    guess = shape_of(names, samples(rows), TAGS.__contains__)
    assert (guess.shape, guess.long) == (Shape.LONG, {"tag": 0, "value": 2})


def test_a_long_table_of_unknown_names_is_told_by_its_header() -> None:
    rows = [["PT_7", f"2026-03-01 08:{minute:02d}", "1.5", "Good", "kPa"] for minute in range(5)]
    names = ["Tag", "Time", "Value", "Quality", "Unit"]
    guess = shape_of(names, samples(rows), TAGS.__contains__)
    assert guess.long == {"tag": 0, "value": 2, "quality": 3, "unit": 4}


def test_date_and_time_of_day_are_one_time() -> None:
    rows = [["01.03.2026", f"08:{minute:02d}:00", "1,5"] for minute in range(5)]
    guess = shape_of(["Datum", "Zeit", "T"], samples(rows), TAGS.__contains__, Decimal.COMMA)
    assert guess.time is not None
    assert guess.time.columns == (0, 1)
    assert set(guess.time.layouts) == {TimeLayout.DMY, TimeLayout.MDY}


def test_a_column_of_numbers_is_the_time_only_where_it_says_so_or_stands_first_and_grows() -> None:
    rows = [[str(1_772_350_000 + second), str(40_000 + second)] for second in range(5)]
    guess = shape_of(["a", "flow"], samples(rows), TAGS.__contains__)
    assert guess.time is not None
    assert (guess.time.columns, guess.time.layouts) == ((0,), (TimeLayout.EPOCH_S,))
    assert shape_of(["flow", "b"], samples([["40000", "1"], ["39000", "2"]]), TAGS.__contains__).time is None
    named = shape_of(["flow", "time"], samples([["40000", "46082.5"], ["39000", "46082.4"]]), TAGS.__contains__)
    assert named.time is not None
    assert (named.time.columns, named.time.layouts) == ((1,), (TimeLayout.EXCEL,))


@given(
    st.integers(0, 4),
    st.integers(1, 8),
    st.integers(5, 60),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S"]),
)
def test_any_wide_table_is_found_below_its_titles(titles: int, tags: int, length: int, spelling: str) -> None:
    start = datetime(2026, 1, 30)  # noqa: DTZ001 a clock on a wall
    header = ["when", *(f"P{tag}" for tag in range(tags))]
    body = [
        [(start + timedelta(hours=hour)).strftime(spelling), *(f"{hour * tag}.25" for tag in range(tags))]
        for hour in range(length)
    ]
    table = [*([f"title {line}"] for line in range(titles)), header, *body]
    rows = rows_of_table(table)
    assert rows == Rows(titles, -1, titles + 1)
    guess = shape_of(header, samples(body), TAGS.__contains__)
    assert guess.shape is Shape.WIDE
    assert guess.time is not None
    assert guess.time.columns == (0,)


@given(st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=20))
def test_no_cells_whatever_fail(cells: list[list[str]]) -> None:
    rows = rows_of_table(cells)
    width = width_of(cells, rows)
    names = names_of(cells[rows.header] if rows.header >= 0 else [], width)
    assert len(set(names)) == width
    columns = [[row[index] for row in cells[rows.first :] if len(row) == width] for index in range(width)]
    shape_of(names, columns, TAGS.__contains__)
