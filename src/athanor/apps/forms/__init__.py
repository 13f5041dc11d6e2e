"""Forms: built without code, filled in, decided step by step."""

from datetime import timedelta

from athanor.apps.forms import api, handlers, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Forms adds. Runs once, before anything starts; does no work itself."""
    app.page("/forms", pages.home, permission="forms.view")
    app.page("/forms/new/{form_id}", pages.new_entry, permission="forms.view")
    app.page("/forms/entries/{entry_id}", pages.entry, permission="forms.view")
    app.page("/forms/build", pages.build_list, permission="forms.administer")
    app.page("/forms/build/{form_id}", pages.build, permission="forms.administer")
    app.api(api.router, permission="forms.view")
    app.every(timedelta(minutes=1), handlers.tell_overdue)
