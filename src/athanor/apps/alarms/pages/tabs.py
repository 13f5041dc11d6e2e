"""The pages of Alarms beside each other, as far as the viewer may see them."""

from athanor.kernel.identity.user import User
from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(here: str, viewer: User) -> None:
    """The heading of the page at `here`; one tab needs no bar."""
    titles = [
        ("/alarms", _("Desk"), "alarms.view"),
        ("/alarms/history", _("Past"), "alarms.view"),
        ("/alarms/performance", _("Performance"), "alarms.view"),
        ("/alarms/rules", _("Rules"), "alarms.view"),
        ("/alarms/speed", _("Time to the screen"), "alarms.view"),
    ]
    shown = [(address, title) for address, title, permission in titles if viewer.may(permission)]
    with page_title(_("Alarms")):
        if len(shown) < 2:
            return
        with region("ath-tabs", "nav", aria_label=_("Alarms")):
            for address, title in shown:
                tab = link(title, address)
                if address == here:
                    tab.props["aria-current"] = "page"
