"""What a person sees of bringing data in and out."""

from athanor.apps.data.pages.export import export_history
from athanor.apps.data.pages.importing import import_history

__all__ = ["export_history", "import_history"]
