"""The pages of People beside each other."""

from nicegui import ui

from athanor.apps.people.services.acting import Acting
from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(acting: Acting, here: str) -> ui.element:
    """The heading of the page at `here`, with the ways to the others; enter it to put controls beside them."""
    titles = {
        "/people": _("People"),
        "/people/roles": _("Roles"),
        "/people/departments": _("Departments"),
        "/people/invitations": _("Invitations"),
    }
    if acting.is_of_the_park:
        titles["/people/onboarding"] = _("New enterprises")
    heading = page_title(_("People"))
    with heading, region("ath-tabs", "nav", aria_label=_("People")):
        for address, title in titles.items():
            tab = link(title, address)
            if address == here:
                tab.props["aria-current"] = "page"
    return heading
