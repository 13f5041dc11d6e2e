"""Data: history in from files and out to them, and where it lies."""

from athanor.apps.data import pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Data adds. Runs once, before anything starts; does no work itself."""
    app.page("/data", pages.import_history, permission="data.export")  # the way in, also for who only exports
    app.page("/data/import/{upload}", pages.import_file, permission="data.import")
    app.page("/data/imports/{job_id}", pages.import_report, permission="data.import")
    app.page("/data/export", pages.export_history, permission="data.export")
    app.page("/data/storage", pages.storage_page, permission="data.view")
