import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.judging import BadAlarmFormulaError, Formula, Judge, Unjudged
from athanor.kernel.alarms.rule import Expression, Limit, Side
from athanor.kernel.telemetry import Quality

from .samples import alarm, at, found, one_a_second, take


def truth(text: str, *values: float) -> float:
    formula = Formula(text)
    answer, _one, _other = formula.judge(np.array([values], float), np.array([formula.numbers], float))
    return float(answer[0])


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{.temperature} > 1250 and {.running} == 1", (1300, 1), 1),
        ("{.temperature} > 1250 and {.running} == 1", (1300, 0), 0),
        ("{works.a.flow} - {works.b.flow} >= 2 * 3", (10, 4), 1),
        ("1 < {a} <= 3", (3,), 1),
        ("1 < {a} <= 3", (1,), 0),
        ("not {a} or {b} != 2", (5, 2), 0),
        ("min({a}, {b}, 3) == 3 and max({a}, {b}) > 8 and abs(-{a}) == 4", (4, 9), 1),
        ("{a} ** 2 + {a} / 2 == 18", (4,), 1),
        ("{a}", (0,), 0),
        ("{a}", (0.1,), 1),
        ("{a} > \n 3", (4,), 1),
        ("{ a } + {a} == 4", (2,), 1),
        ("{a} > 0 and 5 / {a} > 1", (0,), 0),  # what stands behind is not needed
        ("{a} == 0 or 5 / {a} > 1", (0,), 1),
        ("5 / {a} > 1", (0,), math.nan),
        ("{a} > 1 and {b} > 1", (2, math.nan), math.nan),
        ("{a} > 1 or {b} > 1", (2, math.nan), 1),
        ("not {a}", (math.nan,), math.nan),
        ("{a} ** 0.5 > 1", (-4,), math.nan),
    ],
)
def test_a_formula_comes_to(text: str, values: tuple[float, ...], expected: float) -> None:
    assert truth(text, *values) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it names no tag"),
        ("1 > 0", "it names no tag"),
        ("{} > 1", "it names no tag"),
        ("{a} >", "it cannot be read"),
        ("{a", "it names no tag"),
        ("temperature > {a}", "a tag stands in braces, as in {temperature}"),
        ("tag_0_ > {a}", "a tag stands in braces"),
        ("{a} > 'x'", "'x' is no number"),
        ("{a} == True", "True is no number"),
        ("{a} > 1e999", "a number is beyond 1e+300"),
        ("{a} if {b} else 1", "'{a} if {b} else 1' is not allowed"),
        ("__import__('os').system('{a}')", "not allowed"),
        ("{a}.real > 1", "not allowed"),
        ("[{a}][0] > 1", "not allowed"),
        ("(lambda: {a})()", "not allowed"),
        ("{a} % 2 == 1", "not allowed"),
        ("{a} in {b}", "not allowed"),
        ("min({a}) > 1", "min takes several numbers"),
        ("abs({a}, 2) > 1", "abs takes one number"),
        ("{a} > 1; {b}", "it cannot be read"),
        ("{a} > " + "(" * 300 + "1" + ")" * 300, "it cannot be read"),
        ("{a} > " + "-" * 100 + "1", "it is too long"),
        ("{a} > " + "+".join("1" * 600), "it is too long"),
        ("{a} > 1" + " " * 2000, "it is longer than 2000 characters"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadAlarmFormulaError, match="is no formula") as raised:
        Formula(text)
    assert reason in str(raised.value)


@given(text=st.text(st.sampled_from("{}a.1 +-*/()<>=andortmix,'\n"), max_size=40))
def test_any_text_is_a_formula_or_is_refused(text: str) -> None:
    try:
        formula = Formula(text)
    except BadAlarmFormulaError:
        return
    assert formula.names


def test_formulas_that_differ_in_tags_and_numbers_only_have_one_shape() -> None:
    first, second = Formula("{a.t} > 10 and {a.f} < 2"), Formula("{b.t}>99 and {b.f} < 3.5")
    assert first.shape == second.shape
    assert (second.names, second.numbers) == (("b.t", "b.f"), (99, 3.5))
    assert Formula("{a} > {a}").shape != Formula("{a} > {b}").shape


def test_an_expression_holds_the_last_known_values_of_its_tags() -> None:
    hot = alarm(
        Expression(formula="{.temperature} > 1250 and {.running} == 1"),
        tag=None,
        names={".temperature": 7, ".running": 8},
    )
    judge = Judge([hot], grace_us=0)
    take(judge, [(8, 0, 1, Quality.GOOD), (7, 0, 1200, Quality.GOOD)])
    assert found(take(judge, one_a_second([1300, 1300], begin_s=10))) == [(1, What.RAISED, 10)]
    take(judge, [(8, 20, 0, Quality.GOOD)])
    assert found(judge.tick(at(20))) == [(1, What.CLEARED, 20)]


def test_a_division_by_zero_holds_the_alarm_and_no_other_is_disturbed() -> None:
    ratio = alarm(Expression(formula="{.a} / {.b} > 2"), 1, tag=None, names={".a": 7, ".b": 8})
    limit = alarm(Limit(side=Side.HIGH, at=9), 2, tag=7)
    judge = Judge([ratio, limit])
    assert sorted(found(take(judge, [(7, 0, 9, Quality.GOOD), (8, 0, 3, Quality.GOOD)]))) == [
        (1, What.RAISED, 0),
        (2, What.RAISED, 0),
    ]
    assert found(take(judge, [(7, 1, 1, Quality.GOOD), (8, 1, 0, Quality.GOOD)])) == [(2, What.CLEARED, 1)]
    assert dict(judge.faults()) == {1: Unjudged.ARITHMETIC}
    assert found(take(judge, [(7, 2, 1, Quality.GOOD), (8, 2, 1, Quality.GOOD)])) == [(1, What.CLEARED, 2)]
    assert dict(judge.faults()) == {}


def test_alarms_that_cannot_be_judged_are_named_and_the_others_go_on() -> None:
    instances = [
        alarm(Expression(formula="{.a} >"), 1, tag=None, names={".a": 7}),
        alarm(Expression(formula="{.gone} > 1"), 2, tag=None, names={}),
        alarm(Limit(side=Side.HIGH, at=5), 3, tag=None),
        alarm(Limit(side=Side.HIGH, at=5), 4, tag=8),
        alarm(Limit(side=Side.HIGH, at=5), 5, tag=9, suppressed_while="{.gone} == 1"),
    ]
    judge = Judge(instances)
    rows = [*one_a_second(["hello"], tag=8), *one_a_second([6], tag=9), *one_a_second([9])]
    assert found(take(judge, rows)) == [(5, What.RAISED, 0)]
    assert dict(judge.faults()) == {
        1: Unjudged.FORMULA,
        2: Unjudged.NAME,
        3: Unjudged.NAME,
        4: Unjudged.TEXT,
        5: Unjudged.NAME,
    }


def test_a_rule_that_raises_its_own_input_does_not_loop() -> None:
    """Its findings come back as samples, as of a tag that counts alarms: each batch has an end."""
    judge = Judge([alarm(Limit(side=Side.HIGH, at=1))])
    count, findings = 0, take(judge, one_a_second([1]))
    for second in range(1, 20):
        count += len(findings)
        findings = take(judge, [(7, second, float(count), Quality.GOOD)])
    assert count == 1
