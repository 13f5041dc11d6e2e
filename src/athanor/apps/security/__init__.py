"""Security: the audit trail for people, and how the installation stands."""

from datetime import timedelta

from athanor.apps.security import api, handlers, pages
from athanor.kernel.apps.app import App

PERMISSION = "security.administer"


def setup(app: App) -> None:
    """Declare what Security adds. Runs once, before anything starts; does no work itself."""
    app.page("/security", pages.posture, permission=PERMISSION)
    app.page("/security/audit", pages.audit, permission=PERMISSION)
    app.page("/security/audit/{number}", pages.entry, permission=PERMISSION)
    app.api(api.router, permission=PERMISSION)
    app.every(timedelta(minutes=1), handlers.watch)
    app.every(timedelta(minutes=10), handlers.verify_daily)
