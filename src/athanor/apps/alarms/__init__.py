"""Alarms: what is abnormal in the plant now, who has seen it, and what is to be done about it."""

from athanor.apps.alarms import pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Alarms adds. Runs once, before anything starts; does no work itself."""
    app.page("/alarms", pages.desk, permission="alarms.view")
