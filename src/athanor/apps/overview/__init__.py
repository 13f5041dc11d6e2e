"""Overview: the park at a glance."""

from athanor.apps.overview import pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Overview adds. Runs once, before anything starts; does no work itself."""
    app.page("/overview", pages.park, permission="overview.view")
