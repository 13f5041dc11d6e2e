"""Judging: from samples and the plant's alarm rules to what began and what ended."""

from athanor.kernel.alarms.judging.judge import Judge

__all__ = ["Judge"]
