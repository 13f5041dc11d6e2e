"""The pages of Data beside each other. One more page is one more line in `_TABS`."""

from athanor.kernel.identity.user import User
from athanor.web.components import link, page_title, region
from athanor.web.language import _

_TABS = (  # address, permission
    ("/data", "data.import"),
    ("/data/export", "data.export"),
    ("/data/storage", "data.view"),
)


def tabs(here: str, viewer: User) -> None:
    """The heading of the page at `here`, with the ways to those beside it that the viewer may see."""
    titles = {"/data": _("Import"), "/data/export": _("Export"), "/data/storage": _("Storage")}
    with page_title(_("Data")):
        allowed = [address for address, permission in _TABS if viewer.may(permission)]
        if len(allowed) < 2:
            return
        with region("ath-tabs", "nav", aria_label=_("Data")):
            for address in allowed:
                tab = link(titles[address], address)
                if address == here:
                    tab.props["aria-current"] = "page"
