"""Judging: from samples and the plant's alarm rules to what began and what ended."""

from athanor.kernel.alarms.judging.faults import Unjudged
from athanor.kernel.alarms.judging.formula import BadAlarmFormulaError, Formula
from athanor.kernel.alarms.judging.judge import Judge
from athanor.kernel.alarms.judging.slopes import slope_per_s, time_to_limit_s

__all__ = ["BadAlarmFormulaError", "Formula", "Judge", "Unjudged", "slope_per_s", "time_to_limit_s"]
