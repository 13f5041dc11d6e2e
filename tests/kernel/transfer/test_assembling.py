"""Cells become samples of the right tag, time, unit and quality, or are refused with their reason and their words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.port import microseconds
from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.assembling import Assembled, Assembler
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.matching import Matcher
from athanor.kernel.transfer.plan import plan_of
from athanor.kernel.transfer.row_samples import Chunk
from athanor.kernel.units import IncompatibleUnitsError

from .plants import FLOW, LOT, OTHERS, POWER, TEMPERATURE, VALVE, ZONE, plant

PLANT = plant().visible_to(frozenset({"copper"}))
WIDE: dict[str, Any] = {
    "shape": "wide",
    "time": {"columns": ["Time"], "layout": "ymd", "zone": ZONE},
    "columns": {"T": {"tag": TEMPERATURE}, "P": {"tag": POWER}},
}
LONG: dict[str, Any] = {
    "shape": "long",
    "time": {"columns": ["Time"], "layout": "ymd", "zone": ZONE},
    "long": {"tag": "Tag", "value": "Value"},
}
NOON = "2026-03-01 20:00"  # in Shanghai
AT_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def assemble(content: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], first_row: int = 2) -> Assembled:
    """The samples of some columns, by a plan."""
    arrays = {name: pa.array(cells) for name, cells in columns.items()}
    rows = len(next(iter(arrays.values())))
    assembler = Assembler(
        plan_of(content),
        PLANT,
        Matcher(PLANT),
        list(columns),
        oldest_us=microseconds(datetime(1990, 1, 1, tzinfo=UTC)),
        newest_us=microseconds(datetime(2027, 1, 1, tzinfo=UTC)),
    )
    return assembler.assemble(Chunk(arrays, np.arange(first_row, first_row + rows)))


def samples(assembled: Assembled) -> list[tuple[str, datetime, float | str | None, int]]:
    """Path, time, value and quality of each sample."""
    return [
        (PLANT.path_of(one["tag"]), one["time"], one["value"] if one["text"] is None else one["text"], one["quality"])
        for one in assembled.stored.to_pylist()
    ]


def refusals(assembled: Assembled) -> list[tuple[int, str, str, str]]:
    """Row, column, value and reason of each refusal."""
    return [(one["row"], one["column"], one["value"], one["reason"]) for one in assembled.refused.to_pylist()]


def test_a_wide_table_has_a_sample_in_each_filled_cell() -> None:
    found = assemble(WIDE, {"Time": [NOON, "2026-03-01 20:01"], "T": ["1200", ""], "P": ["7.5", "-"]})
    assert samples(found) == [(TEMPERATURE, AT_NOON, 1200.0, 0), (POWER, AT_NOON, 7.5, 0)]
    assert found.row.tolist() == [2, 2]
    assert (found.empty, refusals(found)) == (2, [])


def test_values_are_converted_into_the_tags_unit() -> None:
    content = WIDE | {"columns": {"T": {"tag": TEMPERATURE, "unit": "degF"}, "P": {"tag": POWER, "unit": "MW"}}}
    found = assemble(content, {"Time": [NOON], "T": ["212"], "P": ["1.5"]})
    assert [round(value, 6) for _path, _time, value, _quality in samples(found)] == [100.0, 1500.0]  # type: ignore[arg-type,call-overload]


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"columns": {"X": {"tag": POWER}}}, BadPlanError, "the file has no column 'X'"),
        ({"columns": {}}, BadPlanError, "no column is mapped"),
        ({"columns": {"T": {"tag": "no.tag"}}}, BadPlanError, "no tag that you may see"),
        ({"columns": {"T": {"tag": OTHERS}}}, BadPlanError, "no tag that you may see"),
        ({"columns": {"T": {"tag": POWER}, "P": {"tag": POWER}}}, BadPlanError, "2 columns are mapped to"),
        ({"columns": {"T": {"tag": TEMPERATURE, "unit": "kW"}}}, IncompatibleUnitsError, "measure different things"),
        ({"time": WIDE["time"] | {"zone": "Mars"}}, BadPlanError, "There is no time zone"),
        ({"time": WIDE["time"] | {"columns": []}}, BadPlanError, "time.columns"),
        ({"shape": "long"}, BadPlanError, "needs `long`"),
        ({"colour": "red"}, BadPlanError, "colour"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_before_anything_is_read(
    change: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        assemble(WIDE | change, {"Time": [NOON], "T": ["1"], "P": ["2"]})


def test_what_is_refused_is_named_by_row_column_and_its_own_words() -> None:
    found = assemble(
        WIDE,
        {
            "Time": [NOON, "yesterday", "1970-01-01 00:00", "2026-02-29 00:00", ""],
            "T": ["Bad Input", "1", "2", "3", ""],
            "P": ["5", "1", "2", "3", ""],
        },
    )
    assert samples(found) == [(POWER, AT_NOON, 5.0, 0)]
    assert sorted(refusals(found)) == [
        (2, "T", "Bad Input", "not-a-number"),
        (3, "Time", "yesterday", "unreadable-time"),
        (4, "P", "2", "impossible-time"),
        (4, "T", "2", "impossible-time"),
        (5, "Time", "2026-02-29 00:00", "unreadable-time"),
    ]


@pytest.mark.parametrize("text", ["1970-01-01", "2262-04-12", "9999-12-31 23:59:59", "0001-01-01"])
def test_a_time_that_no_plant_has_is_impossible_and_not_wrapped_around(text: str) -> None:
    found = assemble(WIDE, {"Time": [text], "T": ["1"], "P": ["1"]})
    assert {reason for *_rest, reason in refusals(found)} == {"impossible-time"}


def test_the_hour_of_a_changed_clock_is_refused_unless_somebody_says_what_it_means() -> None:
    columns = {"Time": ["2025-10-26 02:30", "2025-03-30 02:30", "2025-10-26 02:30+02:00"], "T": ["1", "2", "3"]}
    time = WIDE["time"] | {"zone": "Europe/Berlin"}
    content = WIDE | {"time": time, "columns": {"T": {"tag": TEMPERATURE}}}
    found = assemble(content, columns)
    assert [(row, reason) for row, _column, _value, reason in refusals(found)] == [(2, "time-twice"), (3, "time-never")]
    assert samples(found) == [(TEMPERATURE, datetime(2025, 10, 26, 0, 30, tzinfo=UTC), 3.0, 0)]
    for change, hour in (("before", 0), ("after", 1)):
        resolved = assemble(content | {"time": time | {"clock_change": change}}, columns)
        assert refusals(resolved) == []
        assert samples(resolved)[0][1] == datetime(2025, 10, 26, hour, 30, tzinfo=UTC)


def test_a_value_outside_its_range_is_uncertain_or_refused_as_somebody_says() -> None:
    columns = {"Time": [NOON, NOON], "T": ["1600", "1500"], "P": ["", ""]}
    kept = assemble(WIDE, columns)
    assert [quality for *_rest, quality in samples(kept)] == [Quality.UNCERTAIN, Quality.GOOD]
    assert kept.uncertain == 1
    strict = assemble(WIDE | {"out_of_range": "refuse"}, columns)
    assert samples(strict) == [(TEMPERATURE, AT_NOON, 1500.0, 0)]
    assert (strict.row.tolist(), refusals(strict)) == ([3], [(2, "T", "1600", "out-of-range")])
    assert strict.uncertain == 0


def test_a_state_comes_by_number_or_by_its_name_in_any_language() -> None:
    content = WIDE | {"columns": {"V": {"tag": VALVE}}}
    cells = ["1", "closed", "开", "TRUE", "stuck", ""]
    found = assemble(content, {"Time": [f"2026-03-01 20:0{row}" for row in range(6)], "V": cells})
    assert [value for _path, _time, value, _quality in samples(found)] == [1.0, 0.0, 1.0, 1.0, "stuck"]


def test_texts_of_a_tag_of_texts_stay_as_they_are_written() -> None:
    content = WIDE | {"columns": {"L": {"tag": LOT}}}
    found = assemble(content, {"Time": [NOON, NOON, NOON], "L": ["4711", " A-7 ", ""]})
    assert [value for _path, _time, value, _quality in samples(found)] == ["4711", "A-7"]


def test_a_long_table_has_its_samples_in_rows() -> None:
    content = LONG | {
        "long": {"tag": "Tag", "value": "Value", "quality": "Q", "unit": "U", "names": {"TI": {"tag": TEMPERATURE}}}
    }
    found = assemble(
        content,
        {
            "Tag": ["TI", "Power", POWER, "Kiln Temperature", "Lot", "Valve", POWER, FLOW, POWER, "TI"],
            "Time": [NOON] * 10,
            "Value": ["100", "1", "2", "3", "77", "Open", "", "8", "9", "oops"],
            "Q": ["Good", "", "Uncertain", "Good", "Good", "Good", "Bad", "Good", "perhaps", "Good"],
            "U": ["degF", "MW", "", "", "", "", "", "m3/h", "", ""],
        },
    )
    assert [(path, value, quality) for path, _time, value, quality in samples(found)] == [
        (TEMPERATURE, pytest.approx(37.777778), 0),
        (POWER, 1000.0, 0),
        (POWER, 2.0, 1),
        (LOT, "77", 0),
        (VALVE, 1.0, 0),
        (POWER, None, 2),
    ]
    assert sorted(refusals(found)) == [
        (5, "Value", "3", "unknown-tag"),
        (9, "Value", "8", "incompatible-unit"),
        (10, "Q", "perhaps", "unknown-quality"),
        (11, "Value", "oops", "not-a-number"),
    ]


def test_qualities_of_opc_da_are_not_those_of_opc_ua() -> None:
    content = LONG | {"long": LONG["long"] | {"quality": "Q"}}
    columns = {"Tag": [POWER] * 4, "Time": [NOON] * 4, "Value": ["1", "2", "3", "4"], "Q": ["192", "64", "0", "24"]}
    da = assemble(content | {"quality_coding": "opc_da"}, columns)
    assert [quality for *_rest, quality in samples(da)] == [0, 1, 2, 2]
    ua = assemble(content, columns | {"Q": ["0", "1", "2", str(0x80350000)]})
    assert [quality for *_rest, quality in samples(ua)] == [0, 1, 2, 2]


def test_a_column_of_texts_speaks_where_there_is_no_number() -> None:
    content = LONG | {"long": LONG["long"] | {"text": "Text"}}
    columns = {"Tag": [LOT, VALVE, POWER], "Time": [NOON] * 3, "Value": ["", "", "7"], "Text": ["A-7", "Open", ""]}
    assert [value for _path, _time, value, _quality in samples(assemble(content, columns))] == ["A-7", 1.0, 7.0]


def test_columns_of_other_types_than_texts_are_read_too() -> None:
    time = pa.array([AT_NOON.replace(tzinfo=None)], pa.timestamp("ns"))
    found = assemble(WIDE, {"Time": time.to_pylist(), "T": [1200], "P": [float("nan")]})
    assert samples(found) == [(TEMPERATURE, datetime(2026, 3, 1, 4, tzinfo=UTC), 1200.0, 0)]
    assert found.empty == 1


CELLS = st.one_of(
    st.text(max_size=12), st.floats().map(repr), st.sampled_from(["", "1,5", "Good", "TI", POWER, LOT, NOON])
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=20))
def test_whatever_a_file_holds_each_cell_is_a_sample_empty_or_refused(rows: list[tuple[str, str, str, str]]) -> None:
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("Time", "Tag", "Value", "Q"))}
    arrays = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    long = LONG | {"long": LONG["long"] | {"quality": "Q"}}
    wide = WIDE | {"columns": {"Tag": {"tag": LOT}, "Value": {"tag": POWER}}}
    for content in (long, wide):
        found = assemble(content, arrays, first_row=1)
        assert len(found.row) == found.stored.num_rows
        assert not np.isinf(found.stored["value"].to_numpy(zero_copy_only=False)).any()
        assert set(found.refused["row"].to_pylist()) | set(found.row.tolist()) <= set(range(1, len(rows) + 1))


TIMED = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(TIMED)
def test_every_value_of_a_good_file_comes_back(values: list[float]) -> None:
    times = [f"2026-03-01 20:{place:02d}" for place in range(len(values))]
    found = assemble(LONG, {"Tag": [POWER] * len(values), "Time": times, "Value": [repr(one) for one in values]})
    assert found.stored["value"].to_pylist() == values
    assert found.refused.num_rows == 0
