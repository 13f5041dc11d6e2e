"""Data sharing: data products between enterprises, with contracts."""

from datetime import timedelta

from athanor.apps.exchange import api, handlers, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Data sharing adds. Runs once, before anything starts; does no work itself."""
    app.page("/exchange", pages.catalogue, permission="exchange.view")
    app.page("/exchange/publish", pages.publish, permission="exchange.publish")
    app.page("/exchange/products/{product_id}", pages.product, permission="exchange.view")
    app.page("/exchange/products/{product_id}/change", pages.change, permission="exchange.publish")
    app.page("/exchange/grants", pages.grants, permission="exchange.view")
    app.page("/exchange/grants/new", pages.lend, permission="exchange.publish")
    app.page("/exchange/grants/{number}", pages.grant, permission="exchange.view")
    app.api(api.products, permission=None)  # by session or by a token of one grant
    app.api(api.grants, permission="exchange.view")
    app.every(timedelta(minutes=1), handlers.check_contracts)
