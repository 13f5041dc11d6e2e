import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.units import (
    Conversion,
    IncompatibleUnitsError,
    UnknownUnitError,
    check_unit,
    conversion,
    display_unit,
)

KNOWN = [
    "kW", "MW", "kvar", "kVA", "kWh", "MWh", "kvarh", "GJ", "tce", "kgce", "degC", "°C", "K", "%", "1", "ppm", "ppb",
    "t/h", "t/d", "kg/t", "kWh/t", "m3/h", "Nm3/h", "kNm3/h", "L/min", "m/s2", "mm/s", "um", "μm", "µm", "mg/m3",
    "mg/Nm3", "g/L", "Pa", "kPa", "MPa", "bar", "mbar", "mmH2O", "kA", "mV", "ohm", "Ω", "Hz", "rpm", "r/min", "1/min",
    "pH", "NTU", "dB", "dBA", "uS/cm", "μS/cm", "W/m2", "W/(m2*K)", "kJ/(kg*K)", "m^-1", "deg", "%RH", "%LEL", "vol%",
    "wt%", "tCO2e", "kgCO2e/kWh", "CNY/kWh", "lx", "mol/L",
]  # fmt: skip

RUBBISH = [
    "", " ", "kWhh", "bananas", "2kW", "10 kW", "kW kW", "kW*", "/h", "()", "((kW))", "kW**2", "m^99", "1e5", "kW^",
    "9**9**9", "(1)**(9**9)", "m^9^9^9", "__import__", "kW\n", "kW;", "公斤", "m" * 61,
]  # fmt: skip


@pytest.mark.parametrize("unit", KNOWN)
def test_units_of_plants_are_known_and_convert_into_themselves(unit: str) -> None:
    check_unit(unit)
    assert conversion(unit, unit) == Conversion(1.0, 0.0)


@pytest.mark.parametrize("unit", RUBBISH)
def test_rubbish_is_no_unit(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        check_unit(unit)


@pytest.mark.parametrize(
    ("source", "target", "scale", "offset"),
    [
        ("MW", "kW", 1000, 0),
        ("kWh", "MJ", 3.6, 0),
        ("degC", "K", 1, 273.15),
        ("degF", "degC", 5 / 9, -160 / 9),
        ("degC/h", "K/h", 1, 0),  # a rate of change knows no zero
        ("bar", "kPa", 100, 0),
        ("mmH2O", "Pa", 9.80665, 0),
        ("%", "1", 0.01, 0),
        ("ppb", "ppm", 0.001, 0),
        ("t/d", "kg/h", 1000 / 24, 0),
        ("kNm3/h", "Nm3/h", 1000, 0),
        ("tce", "GJ", 29.3076, 0),  # GB/T 2589
        ("kgce/t", "tce/t", 0.001, 0),
        ("rpm", "Hz", 1 / 60, 0),
        ("degree", "rad", 0.017453292519943295, 0),
        ("lx", "lm/m2", 1, 0),
        ("r/min", "1/min", 1, 0),
        ("tCO2e", "kgCO2e", 1000, 0),
    ],
)
def test_a_conversion_is_the_known_one(source: str, target: str, scale: float, offset: float) -> None:
    found = conversion(source, target)
    assert (found.scale, found.offset) == pytest.approx((scale, offset), rel=1e-11)
    back = conversion(target, source)
    assert back.scale * found.scale == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("m3/h", "Nm3/h"),  # needs temperature and pressure
        ("kvar", "kW"),
        ("kVA", "kW"),
        ("kVA", "kvar"),
        ("mg/m3", "mg/Nm3"),
        ("dB", "1"),
        ("dB", "dBA"),
        ("dBm", "W"),
        ("pH", "1"),
        ("%RH", "%"),
        ("vol%", "wt%"),
        ("rad/s", "Hz"),  # 1 Hz is 2π rad/s; Pint would say 1
        ("deg", "1"),
        ("degC", "kW"),
        ("kg", "kgCO2e"),
    ],
)
def test_what_measures_different_things_does_not_convert(source: str, target: str) -> None:
    with pytest.raises(IncompatibleUnitsError, match="measure different things"):
        conversion(source, target)


@given(st.text("kWm3%/*^()-1 9.°e", max_size=30) | st.text(max_size=10))
def test_any_text_is_a_unit_or_refused(text: str) -> None:
    try:
        check_unit(text)
    except UnknownUnitError:
        return
    assert conversion(text, text) == Conversion(1.0, 0.0)


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("Nm3/h", "Nm³/h"), ("degC", "°C"), ("1", ""), ("m/s2", "m/s²"), ("kJ/(kg*K)", "kJ/(kg·K)"), ("mohm", "mΩ")],
)
def test_a_unit_is_shown_as_people_read_it(unit: str, shown: str) -> None:
    assert display_unit(unit) == shown
