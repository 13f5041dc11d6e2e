"""Words for how pressing something is and what kind of trouble it is: the same for alarms, incidents and messages."""

from collections.abc import Mapping

from athanor.kernel.alarms.rule import Category, Priority
from athanor.web.language import _


def priorities() -> Mapping[int, str]:
    """The priorities, the most pressing first."""
    return {
        Priority.CRITICAL: _("Critical"),
        Priority.HIGH: _("High"),
        Priority.MEDIUM: _("Medium"),
        Priority.LOW: _("Low"),
    }


def priority_state(priority: int) -> str:
    """The CSS class that says how bad a priority is: only the upper two have a colour."""
    return {Priority.CRITICAL: "is-urgent", Priority.HIGH: "is-warn"}.get(Priority(priority), "")


def categories() -> Mapping[str, str]:
    """Kinds of trouble."""
    return {
        Category.PROCESS: _("Process"),
        Category.EQUIPMENT: _("Equipment"),
        Category.ENERGY: _("Energy"),
        Category.QUALITY: _("Quality"),
        Category.ENVIRONMENT: _("Environment"),
        Category.SAFETY: _("Safety"),
        Category.INSTRUMENT: _("Instrument"),
        Category.SYSTEM: _("System"),
        Category.SECURITY: _("Security"),
    }
