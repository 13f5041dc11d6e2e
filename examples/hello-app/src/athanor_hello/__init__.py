"""Hello: a third party's app, in a package of its own."""

from athanor.kernel.apps.app import App
from athanor_hello import pages


def setup(app: App) -> None:
    """Declare what Hello adds. Runs once, before anything starts; does no work itself."""
    app.page("/hello", pages.hello, permission="hello.view")
