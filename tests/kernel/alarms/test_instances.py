"""Rules over a plant: their places, limits, deadbands, delays and names, and what is wrong with them."""

from typing import Any

import pytest

from athanor.kernel.alarms.faults import SENTENCES, Problem
from athanor.kernel.alarms.instances import Expander, Expansion, names_in
from athanor.kernel.alarms.rule import (
    Condition,
    Deviation,
    Expression,
    InState,
    Limit,
    Ramp,
    Reported,
    Rule,
    Side,
    Stale,
    Subject,
)
from tests.kernel.alarms.rule_plants import plant

TEMPERATURE, MODE, GRADE = "copper.furnace.temperature", "copper.furnace.mode", "copper.furnace.grade"


def rule(subject: Subject, condition: Condition, **more: Any) -> Rule:
    return Rule(name={"en": "A rule"}, subject=subject, condition=condition, **more)


def paths(given: Rule, tenant: str | None = None) -> list[str]:
    return [one.path for one in Expander(plant()).expand(given, tenant).instances]


def problems(given: Rule, tenant: str | None = None) -> list[Problem]:
    return [one.problem for one in Expander(plant()).expand(given, tenant).faults]


def test_a_rule_on_a_type_is_about_the_assets_of_types_that_extend_it() -> None:
    given = rule(Subject(type="pump", tag="flow"), Limit(side=Side.LOW, at=10))
    assert paths(given) == ["copper.pump0.flow", "copper.pump1.flow", "copper.pump2.flow", "gas.pump.flow"]
    assert paths(given, "gas") == ["gas.pump.flow"]
    below = rule(Subject(type="pump", tag="flow", under="copper.pump1"), Limit(side=Side.LOW, at=10))
    assert paths(below) == ["copper.pump1.flow"]


def test_a_rule_on_a_type_without_a_tag_is_about_the_assets_themselves() -> None:
    given = rule(Subject(type="centrifugal_pump"), Expression(formula="{.running} == 1 and {.flow} < 5"))
    (first, *_), plants = Expander(plant()).expand(given, "copper").instances, plant()
    assert (first.path, first.tag) == ("copper.pump0", None)
    assert first.names == {
        ".running": plants.ids["copper.pump0.running"],
        ".flow": plants.ids["copper.pump0.flow"],
    }


def test_the_plants_own_limits_make_rules_for_every_tag_that_has_them() -> None:
    (found,) = Expander(plant()).expand(rule(Subject(limit="high"), Limit(side=Side.HIGH)), None).instances
    assert (found.path, found.timezone) == (TEMPERATURE, "Asia/Shanghai")
    assert found.condition == Limit(side=Side.HIGH, at=1250, deadband=7)  # 1 % of 700 K
    assert (found.on_delay_us, found.off_delay_us) == (60_000_000, 60_000_000)
    assert len(paths(rule(Subject(limit="low"), Limit(side=Side.LOW)))) == 5
    assert len(paths(rule(Subject(limit="any"), Limit(side=Side.LOW)))) == 5


def test_a_limit_left_out_is_the_tags_own_on_that_side() -> None:
    (found,) = Expander(plant()).expand(rule(Subject(tag=TEMPERATURE), Ramp(side=Side.LOW)), None).instances
    assert isinstance(found.condition, Ramp)
    assert found.condition.at == 1150
    assert problems(rule(Subject(tag="copper.pump0.flow"), Limit(side=Side.HIGH))) == [Problem.NO_LIMIT]


def test_a_deadband_and_delays_that_are_given_hold() -> None:
    given = rule(Subject(tag=TEMPERATURE), Limit(side=Side.HIGH, at=1200, deadband=0), on_delay_s=5, off_delay_s=0)
    (found,) = Expander(plant()).expand(given, None).instances
    assert found.condition == Limit(side=Side.HIGH, at=1200, deadband=0)
    assert (found.on_delay_us, found.off_delay_us) == (5_000_000, 0)


def test_a_tag_is_stale_after_what_its_period_says() -> None:
    given = rule(Subject(limit="any"), Stale())
    (found,) = Expander(plant()).expand(given, None).instances  # of the pumps' flows no period is known
    assert (found.path, found.stale_after_us, found.on_delay_us) == (TEMPERATURE, 8_000_000, 0)
    assert problems(rule(Subject(tag="copper.pump0.flow"), Stale())) == [Problem.NO_PERIOD]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule(Subject(tag="copper.furnace.gone"), Limit(side=Side.HIGH, at=1)), Problem.NO_TAG),
        (rule(Subject(tag=GRADE), Limit(side=Side.HIGH, at=1)), Problem.NOT_A_NUMBER),
        (rule(Subject(tag=MODE), Limit(side=Side.HIGH, at=1)), Problem.NOT_A_NUMBER),
        (rule(Subject(tag=MODE), InState(states=(7,))), Problem.NO_SUCH_STATE),
        (rule(Subject(tag=TEMPERATURE), InState(states=(1,))), Problem.NOT_A_STATE),
        (rule(Subject(tag=TEMPERATURE), Limit(side=Side.HIGH, at=1600)), Problem.BEYOND_RANGE),
        (rule(Subject(tag=TEMPERATURE), Deviation(reference=".grade", at=1)), Problem.NOT_A_NUMBER),
        (rule(Subject(tag=TEMPERATURE), Deviation(reference="copper.pump0.flow", at=1)), Problem.OTHER_UNIT),
        (rule(Subject(tag=TEMPERATURE), Deviation(reference=".gone", at=1)), Problem.NO_TAG),
        (rule(Subject(node="copper.gone"), Expression(formula="{.mode} == 1")), Problem.NO_NODE),
        (rule(Subject(node="copper.furnace"), Limit(side=Side.HIGH, at=1)), Problem.NEEDS_A_TAG),
        (rule(Subject(type="rocket", tag="thrust"), Limit(side=Side.HIGH, at=1)), Problem.NO_TYPE),
        (rule(Subject(type="pump", tag="thrust"), Limit(side=Side.HIGH, at=1)), Problem.NOTHING_OF_TYPE),
        (rule(Subject(tag=TEMPERATURE), Limit(side=Side.HIGH), suppressed_while="{.gone} == 1"), Problem.NO_TAG),
        (rule(Subject(tag=TEMPERATURE), Limit(side=Side.HIGH), suppressed_while="{.mode} = 1"), Problem.BAD_FORMULA),
        (rule(Subject(tag=TEMPERATURE), Expression(formula="import os")), Problem.BAD_FORMULA),
        (rule(Subject(tag=TEMPERATURE), Expression(formula="{.grade} == 1")), Problem.NOT_A_NUMBER),
        (rule(Subject(tag=TEMPERATURE, under="mars"), Limit(side=Side.HIGH)), Problem.NO_NODE),
    ],
)
def test_what_cannot_be_judged_is_explained(given: Rule, expected: Problem) -> None:
    (fault,) = Expander(plant()).expand(given, None).faults
    assert fault.problem is expected
    assert fault.english.endswith((".", ".'"))


def test_a_tenants_rule_names_only_its_own() -> None:
    limit = Limit(side=Side.LOW, at=10)
    assert problems(rule(Subject(tag="copper.pump0.flow"), limit), "gas") == [Problem.FOREIGN]
    spying = rule(Subject(tag="gas.pump.flow"), Expression(formula="{copper.furnace.temperature} > 1200"))
    assert problems(spying, "gas") == [Problem.FOREIGN]
    assert problems(spying, None) == []
    # whether it is somebody else's or nobody's, they are told the same
    assert problems(rule(Subject(tag="copper.gone"), limit), "gas") == [Problem.FOREIGN]


def test_one_faulty_place_does_not_stop_the_others() -> None:
    given = rule(Subject(type="pump", tag="flow"), Limit(side=Side.LOW, at=10), suppressed_while="{.running} == 0")
    found = Expander(plant(without="copper.pump1.running")).expand(given, None)
    assert [one.path for one in found.instances] == ["copper.pump0.flow", "copper.pump2.flow", "gas.pump.flow"]
    assert [(one.problem, one.path) for one in found.faults] == [(Problem.NO_TAG, "copper.pump1.flow")]


def test_a_deviation_names_its_sister_on_each_asset() -> None:
    given = rule(Subject(type="furnace", tag="temperature"), Deviation(reference=".setpoint", at=20))
    (found,) = Expander(plant()).expand(given, None).instances
    assert found.names == {".setpoint": plant().ids["copper.furnace.setpoint"]}


def test_names_are_read_between_braces_each_once() -> None:
    assert names_in("{.a} > 1 and {b.c} < { .a } or {b.c}") == [".a", "b.c"]


def test_every_problem_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Problem)


def test_what_apps_report_is_looked_for_nowhere() -> None:
    assert Expander(plant()).expand(rule(Subject(node="copper.gone"), Reported()), None) == Expansion()
