"""The pages of Data sharing beside each other."""

from nicegui import ui

from athanor.web.components import link, page_title, region
from athanor.web.language import _


def tabs(here: str) -> ui.element:
    """The heading of the page at `here`, with the way to the other; enter it to put controls beside them."""
    heading = page_title(_("Data sharing"))
    titles = {"/exchange": _("Data products"), "/exchange/grants": _("Lent areas")}
    with heading, region("ath-tabs", "nav", aria_label=_("Data sharing")):
        for address, title in titles.items():
            tab = link(title, address)
            if address == here:
                tab.props["aria-current"] = "page"
    return heading
