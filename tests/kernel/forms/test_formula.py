# ruff: noqa: E501 (tables of cases)
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.forms.formula import BadFormulaError, Formula


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a * (100 - b) / 100", 9.2),
        ("-a + 2 ** 3", -2.0),
        ("max(a, b, 3) - min(a, b)", 2.0),
        ("round(a / 3, 2)", 3.33),
        ("abs(b - a)", 2.0),
        ("sum(rows.t) + a", 16.5),
    ],
)
def test_a_formula_computes(text: str, expected: float) -> None:
    assert Formula(text).value({"a": 10.0, "b": 8.0}, {"rows.t": [1.5, 5.0]}) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a.b", "a.__class__", "[1]", "lambda: 1", "(x := 1)", "f(1)", "'a'", "True",
        "a if b else c", "a < b", "sum(a)", "sum(a.b, 1)", "a[0]", "1 +", "", "a; b", "{}", "1j", "a @ b", "a // b", "a % b",
        "round(1, 2, 3)", "max(*a)", "max(key=a)", "open", "sum(a.b.c)", "await a", "f'{a}'", "a" * 501, "+".join("a" * 120),
        "(" * 300 + "1" + ")" * 300,
    ],
)  # fmt: skip
def test_whatever_is_no_arithmetic_is_refused(text: str) -> None:
    if text == "open":  # a name like any other; the definition refuses what is no field
        assert Formula(text).names == {"open"}
        return
    with pytest.raises(BadFormulaError):
        Formula(text)


@pytest.mark.parametrize(
    "text", ["1 / 0", "a / (b - b)", "9 ** 9 ** 9", "10.0 ** 10 * 1e300 * 1e300", "(0-8) ** 0.5", "missing + 1"]
)
def test_what_has_no_finite_answer_is_none(text: str) -> None:
    assert Formula(text).value({"a": 1.0, "b": 2.0}) is None


@given(st.text(max_size=60))
def test_no_text_does_harm(text: str) -> None:
    try:
        formula = Formula(text)
    except BadFormulaError:
        return
    value = formula.value(dict.fromkeys(formula.names, 2.0))
    assert value is None or math.isfinite(value)
