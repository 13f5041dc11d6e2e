"""What a person sees of bringing data in and out."""

from athanor.apps.data.pages.export import export_history
from athanor.apps.data.pages.importing import import_history
from athanor.apps.data.pages.report import import_report
from athanor.apps.data.pages.storage import storage_page
from athanor.apps.data.pages.wizard import import_file

__all__ = ["export_history", "import_file", "import_history", "import_report", "storage_page"]
