"""What a person sees of Alarms."""

from athanor.apps.alarms.pages.desk import desk
from athanor.apps.alarms.pages.desk_bell import bell
from athanor.apps.alarms.pages.desk_speed import speed
from athanor.apps.alarms.pages.detail import alarm, occurrence
from athanor.apps.alarms.pages.history import history
from athanor.apps.alarms.pages.performance import performance
from athanor.apps.alarms.pages.performance_occurrences import occurrences as performance_occurrences
from athanor.apps.alarms.pages.rules import rules
from athanor.apps.alarms.pages.rules_edit import new_rule, rule
from athanor.apps.alarms.pages.rules_import import import_rules, import_sheet

__all__ = [
    "alarm",
    "bell",
    "desk",
    "history",
    "import_rules",
    "import_sheet",
    "new_rule",
    "occurrence",
    "performance",
    "performance_occurrences",
    "rule",
    "rules",
    "speed",
]
