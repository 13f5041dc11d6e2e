"""What a person sees of Alarms."""

from athanor.apps.alarms.pages.desk import desk

__all__ = ["desk"]
