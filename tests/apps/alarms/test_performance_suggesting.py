"""What a suggestion says a setting would have done is what judging does with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, sampled_from

from athanor.apps.alarms.domain.suggestions import Case, Setting, activations
from athanor.apps.alarms.services.performance_suggesting import NotSuggestibleError, case_of
from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Limit, Priority, Rate, Rule, Side, Subject
from athanor.kernel.plant.model import TagId

from .alarm_log import MODEL, TEMPERATURE

SECOND = 1_000_000
TAG = MODEL.tags[TEMPERATURE]


@given(
    lists(floats(95, 105).map(lambda value: round(value, 1)), min_size=1, max_size=60),
    sampled_from([0.0, 1.5]),
    sampled_from([0.0, 2.0, 5.0]),
    sampled_from([0.0, 3.0]),
)
def test_activations_are_those_that_the_judge_finds(
    levels: list[float], deadband: float, on_s: float, off_s: float
) -> None:
    setting = Setting(deadband, on_s, off_s)
    time = (np.arange(len(levels), dtype=np.int64) + 1_000_000) * SECOND
    value = np.array(levels, float)
    found = activations(time, value, Case(100, is_high=True, setting=setting), setting)
    condition = Limit(side=Side.HIGH, at=100, deadband=deadband)
    tag = TagId(1)
    delays = {"on_delay_us": int(on_s * SECOND), "off_delay_us": int(off_s * SECOND)}
    judge = Judge([Instance(1, TEMPERATURE, tag, condition, Priority.HIGH, **delays)])
    rows = len(levels)
    judged = judge.take(np.full(rows, tag, np.int32), time, value, np.zeros(rows, np.uint8), None)
    raised = judged.at_us[judged.what == What.RAISED]
    cleared = judged.at_us[judged.what == What.CLEARED]
    end = int(time[-1])
    assert found.raised_us.tolist() == raised[raised <= end].tolist()
    assert found.cleared_us[: len(cleared)].tolist() == cleared[cleared <= end].tolist()


def test_a_rules_case_has_every_default_as_judging_has_it() -> None:
    rule = Rule(name={"en": "High"}, subject=Subject(limit="high"), condition=Limit(side=Side.HIGH))
    case = case_of(rule, MODEL, TAG)
    assert (case.at, case.next_at, case.is_high) == (100, 110, True)
    assert case.setting == Setting(deadband=2.0, on_delay_s=60, off_delay_s=60)  # temperature: 1 % of range, 60 s
    own = rule.model_copy(update={"on_delay_s": 1.0, "respond_within_s": 600.0})
    assert (case_of(own, MODEL, TAG).setting.on_delay_s, case_of(own, MODEL, TAG).most_delay_s) == (1, 150)


def test_a_rule_on_something_else_than_a_limit_has_no_suggestions() -> None:
    rule = Rule(name={"en": "Fast"}, subject=Subject(tag=TEMPERATURE), condition=Rate(at=5))
    with pytest.raises(NotSuggestibleError, match="only alarms on a limit"):
        case_of(rule, MODEL, TAG)
