"""The pages of Notifications beside each other, as far as the viewer may see them."""

from athanor.kernel.identity.user import User
from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(here: str, viewer: User) -> None:
    """The heading of the page at `here`."""
    titles = {"/notifications": _("Inbox"), "/notifications/reach": _("How I am reached")}
    titles["/notifications/rosters"] = _("Duty rosters")
    if viewer.may("notifications.configure"):
        titles["/notifications/policies"] = _("Policies")
    if viewer.may("notifications.administer"):
        titles |= {"/notifications/channels": _("Channels"), "/notifications/messages": _("Delivery")}
    with page_title(_("Notifications")), region("ath-tabs", "nav", aria_label=_("Notifications")):
        for address, title in titles.items():
            tab = link(title, address)
            if address == here:
                tab.props["aria-current"] = "page"
