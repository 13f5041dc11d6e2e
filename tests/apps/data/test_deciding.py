"""What a person decides is laid over what was found, step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.data.services.deciding import _UNITS, decided, fits, units_for, without_columns
from athanor.kernel.transfer.plan import merged_content
from athanor.kernel.units import check_unit

PLACES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple)


@given(st.lists(st.tuples(PLACES, st.integers()), max_size=8), PLACES, st.integers())
def test_the_last_decision_about_a_place_counts(
    before: list[tuple[tuple[str, ...], int]], place: tuple[str, ...], value: int
) -> None:
    decisions: dict[str, object] = {}
    for where, what in before:
        decisions = decided(decisions, where, what)
    found: object = decided(decisions, place, value)
    for key in place:
        assert isinstance(found, dict)
        found = found[key]
    assert found == value


def test_what_is_taken_back_is_not_in_the_plan() -> None:
    found = {"columns": {"A": {"tag": "a"}, "B": {"tag": "b"}}}
    assert merged_content(found, decided({}, ("columns", "A"), None)) == {"columns": {"B": {"tag": "b"}}}


def test_another_header_forgets_what_was_said_of_columns_and_keeps_the_zone() -> None:
    decisions = {
        "columns": {"A": None},
        "time": {"zone": "UTC", "columns": ["A"]},
        "quality": 1,
        "file": {"sheet": "x"},
    }
    assert without_columns(decisions) == {"time": {"zone": "UTC"}, "quality": 1, "file": {"sheet": "x"}}


@pytest.mark.parametrize("unit", _UNITS)
def test_every_unit_that_is_offered_is_known_and_offered_for_itself(unit: str) -> None:
    check_unit(unit)
    assert units_for(unit)[0] == unit
    assert all(fits(one, unit) for one in units_for(unit))


def test_units_of_another_quantity_are_not_offered() -> None:
    assert set(units_for("degC")) == {"degC", "degF", "K"}
    assert "m3/h" not in units_for("Nm3/h")
