"""Trends: any tags over any time."""

from athanor.apps.trends import api, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Trends adds. Runs once, before anything starts; does no work itself."""
    app.page("/trends", pages.trends, permission="trends.view")
    app.api(api.router, permission="trends.export")
