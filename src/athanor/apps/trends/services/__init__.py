"""What the trends app does for a person: find tags, draw them, sum them up."""

from athanor.apps.trends.services.drawing import STEPS, Newcomers, lines
from athanor.apps.trends.services.finding import (
    MOST_FOUND,
    MOST_TAGS,
    below,
    find_tags,
    is_drawn,
    known,
    power_tags,
    way_to,
)
from athanor.apps.trends.services.summing import NOTHING_KNOWN, Statistics, statistics

__all__ = [
    "MOST_FOUND",
    "MOST_TAGS",
    "NOTHING_KNOWN",
    "STEPS",
    "Newcomers",
    "Statistics",
    "below",
    "find_tags",
    "is_drawn",
    "known",
    "lines",
    "power_tags",
    "statistics",
    "way_to",
]
