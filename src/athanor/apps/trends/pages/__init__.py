"""What a person sees of the trends."""

from athanor.apps.trends.pages.trends import trends

__all__ = ["trends"]
