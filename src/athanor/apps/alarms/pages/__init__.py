"""What a person sees of Alarms."""

from athanor.apps.alarms.pages.desk import desk
from athanor.apps.alarms.pages.desk_bell import bell
from athanor.apps.alarms.pages.desk_speed import speed

__all__ = ["bell", "desk", "speed"]
