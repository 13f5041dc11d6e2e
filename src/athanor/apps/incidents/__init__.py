"""Incidents: what has to be dealt with until it is closed."""

from datetime import timedelta

from athanor.apps.incidents import api, handlers, pages
from athanor.kernel.alarms.records import CHANGED_TOPIC
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Incidents adds. Runs once, before anything starts; does no work itself."""
    app.page("/incidents", pages.incidents_page, permission="incidents.view")
    app.page("/incidents/{case_id}", pages.incident_page, permission="incidents.view")
    app.api(api.router, permission="incidents.view")
    app.on(CHANGED_TOPIC, handlers.follow_alarms)
    app.every(timedelta(minutes=1), handlers.catch_up)
    app.every(timedelta(minutes=1), handlers.escalate_overdue)
