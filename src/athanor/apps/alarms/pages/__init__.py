"""What a person sees of Alarms."""

from athanor.apps.alarms.pages.desk import desk
from athanor.apps.alarms.pages.desk_bell import bell
from athanor.apps.alarms.pages.desk_speed import speed
from athanor.apps.alarms.pages.performance import performance
from athanor.apps.alarms.pages.performance_occurrences import occurrences as performance_occurrences

__all__ = ["bell", "desk", "performance", "performance_occurrences", "speed"]
