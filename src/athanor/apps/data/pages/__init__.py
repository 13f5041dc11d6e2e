"""What a person sees of bringing data in and out."""

from athanor.apps.data.pages.importing import import_history

__all__ = ["import_history"]
