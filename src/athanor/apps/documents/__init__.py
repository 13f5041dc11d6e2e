"""Documents: files that people keep, in versions, tied to what they are about."""

from datetime import timedelta

from athanor.apps.documents import api, handlers, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Documents adds. Runs once, before anything starts; does no work itself."""
    app.page("/documents", pages.documents_page, permission="documents.view")
    app.page("/documents/retention", pages.retention_page, permission="documents.administer")
    app.page("/documents/{document_id}", pages.document_page, permission="documents.view")
    app.api(api.router, permission="documents.view")
    app.every(timedelta(minutes=1), handlers.scan_waiting)
    app.every(timedelta(hours=6), handlers.sweep)
