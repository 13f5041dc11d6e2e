"""What the trends app does for a person: find tags, draw them, sum them up, export them."""

from athanor.apps.trends.services.drawing import STEPS, Newcomers, lines
from athanor.apps.trends.services.exporting import Export, TooManyRowsError, csv_of, excel_of, export_of
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
from athanor.apps.trends.services.summing import slices, statistics

__all__ = [
    "MOST_FOUND",
    "MOST_TAGS",
    "STEPS",
    "Export",
    "Newcomers",
    "TooManyRowsError",
    "below",
    "csv_of",
    "excel_of",
    "export_of",
    "find_tags",
    "is_drawn",
    "known",
    "lines",
    "power_tags",
    "slices",
    "statistics",
    "way_to",
]
