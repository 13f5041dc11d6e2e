"""The pages of Data health beside each other."""

from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(here: str) -> None:
    """The heading of the page at `here`, with the ways to those beside it."""
    titles = {
        "/datahealth": _("Now"),
        "/datahealth/quality": _("Quality score"),
        "/datahealth/map": _("Data map"),
        "/datahealth/lookup": _("Look up"),
    }
    with page_title(_("Data health")), region("ath-tabs", "nav", aria_label=_("Data health")):
        for address, title in titles.items():
            tab = link(title, address)
            if address == here:
                tab.props["aria-current"] = "page"
