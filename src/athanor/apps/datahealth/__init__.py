"""Data health: can the numbers be believed, and if not, what to do."""

from athanor.apps.datahealth import pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Data health adds. Runs once, before anything starts; does no work itself."""
    app.page("/datahealth", pages.datahealth, permission="datahealth.view")
    app.page("/datahealth/quality", pages.quality, permission="datahealth.view")
    app.page("/datahealth/map", pages.data_map, permission="datahealth.view")
    app.page("/datahealth/lookup", pages.lookup, permission="datahealth.view")
