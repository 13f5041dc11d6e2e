"""People: who there is, what they may do, and how far new enterprises have come."""

from athanor.apps.people import api, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what People adds. Runs once, before anything starts; does no work itself."""
    app.page("/people", pages.people, permission="people.view")
    app.page("/people/roles", pages.roles, permission="people.administer")
    app.page("/people/departments", pages.departments, permission="people.administer")
    app.page("/people/invitations", pages.invitations, permission="people.administer")
    app.page("/people/onboarding", pages.onboarding, permission="people.administer")
    app.page("/people/{login}", pages.person, permission="people.administer")
    app.api(api.router, permission="people.administer")
