"""A name means a tag where exactly one tag has it; what is only alike is suggested and never taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.transfer.matching import Matcher, are_units, folded, known_unit, without_unit

from .plants import FLOW, LOT, OTHERS, POWER, TEMPERATURE, VALVE, plant

MATCHER = Matcher(plant())
COPPER = Matcher(plant().visible_to(frozenset({"copper"})))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (POWER, POWER),
        ("SMELTER.Bath.Power", POWER),
        ("smelter/bath/power", POWER),
        ("bath.power", POWER),
        ("Power", POWER),
        ("功率", POWER),
        ("Gas flow [Nm3/h]", FLOW),
        ("烟气流量（Nm3/h）", FLOW),
        ("gas_flow", FLOW),
        ("Bath furnace Temperature", TEMPERATURE),
        ("Temperature · Bath furnace", TEMPERATURE),
        ("熔炼炉温度 (℃)", TEMPERATURE),
        (f"Temperature [degC] {TEMPERATURE}", TEMPERATURE),
        ("Lot", LOT),
        ("  Valve ", VALVE),
        ("Temperature", None),
        ("温度", None),
        ("Pressure", None),
        ("", None),
        ("[kW]", None),
    ],
)
def test_a_name_means_the_one_tag_that_has_it(name: str, path: str | None) -> None:
    assert MATCHER.certain(name) == path


def test_a_name_that_two_tags_have_is_asked_about() -> None:
    match = MATCHER.match("Temperature")
    assert match.path is None
    assert set(match.suggestions) == {TEMPERATURE, OTHERS}


def test_what_others_own_is_not_there() -> None:
    assert COPPER.certain("Temperature") == TEMPERATURE
    assert COPPER.certain(OTHERS) is None
    assert OTHERS not in COPPER.match("Kiln temperature").suggestions


def test_what_is_alike_is_suggested_best_first() -> None:
    match = MATCHER.match("bath_temperatur_avg")
    assert match.path is None
    assert match.suggestions[0] == TEMPERATURE
    assert MATCHER.match("xyz").suggestions == ()


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("Power [kW]", "Power", "kW"),
        ("温度（℃）", "温度", "degC"),
        ("Flow (m³/h)", "Flow", "m3/h"),
        ("Power [kW] Line 1", "Power Line 1", "kW"),
        ("Temp (top)", "Temp (top)", None),
        ("TI-101", "TI-101", None),
    ],
)
def test_a_unit_in_brackets_is_no_part_of_the_name(header: str, name: str, unit: str | None) -> None:
    assert without_unit(header) == (name, unit)


def test_a_row_of_units_is_told_from_a_row_of_names() -> None:
    assert are_units(["", "℃", "kW", "[t/h]"])
    assert not are_units(["Time", "Temp", "Power"])
    assert not are_units(["", ""])
    assert known_unit("bananas") is None


@given(st.text(max_size=60))
def test_no_name_whatever_fails(name: str) -> None:
    match = MATCHER.match(name)
    assert match.path is None or match.path in MATCHER.plant.ids
    assert all(path in MATCHER.plant.ids for path in match.suggestions)


@given(st.sampled_from(sorted(plant().ids)), st.sampled_from([" ", "_", "-", "/", "."]))
def test_a_path_is_known_however_its_parts_are_joined_and_whatever_its_case(path: str, sign: str) -> None:
    assert MATCHER.certain(path.replace(".", sign).upper()) == path
    assert folded(path) == folded(path.upper())
