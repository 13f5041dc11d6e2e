"""The pages of Security beside each other."""

from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(here: str) -> None:
    """The heading of the page at `here`, with the ways to the others beside it."""
    titles = {"/security": _("How things stand"), "/security/audit": _("Audit trail")}
    with page_title(_("Security")), region("ath-tabs", "nav", aria_label=_("Security")):
        for address, title in titles.items():
            tab = link(title, address)
            if address == here:
                tab.props["aria-current"] = "page"
