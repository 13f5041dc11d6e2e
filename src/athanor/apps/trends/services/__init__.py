"""What the trends app does for a person: draw tags, sum them up."""

from athanor.apps.trends.services.drawing import STEPS, Newcomers, lines
from athanor.apps.trends.services.finding import MOST_TAGS, is_drawn, known, power_tags
from athanor.apps.trends.services.summing import NOTHING_KNOWN, Statistics, statistics

__all__ = [
    "MOST_TAGS",
    "NOTHING_KNOWN",
    "STEPS",
    "Newcomers",
    "Statistics",
    "is_drawn",
    "known",
    "lines",
    "power_tags",
    "statistics",
]
