"""What a person sees of the overview."""

from athanor.apps.overview.pages.park import park

__all__ = ["park"]
