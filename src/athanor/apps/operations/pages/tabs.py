"""The pages of Operations beside each other, as far as the viewer may see them."""

from athanor.apps.operations.services.rights import looks_after_all
from athanor.kernel.identity.user import User
from athanor.web.components import empty_state, link, page_title, region
from athanor.web.language import _


def tabs(here: str, viewer: User) -> None:
    """The heading of the page at `here`; one tab needs no bar."""
    titles = {
        "/operations": _("Services"),
        "/operations/jobs": _("Jobs"),
        "/operations/schedules": _("Schedules"),
        "/operations/logs": _("Log"),
    }
    with page_title(_("Operations")):
        if not looks_after_all(viewer):
            return
        with region("ath-tabs", "nav", aria_label=_("Operations")):
            for address, title in titles.items():
                tab = link(title, address)
                if address == here:
                    tab.props["aria-current"] = "page"


def is_turned_away(viewer: User) -> bool:
    """Say that this is for the park's administrators, where the viewer is none."""
    if looks_after_all(viewer):
        return False
    empty_state(
        _("This is looked after by the park."), _("Your own jobs are on the page Jobs."), glyph="lock",
        action=(_("To your jobs"), "/operations/jobs"),
        is_refused=True,
    )  # fmt: skip
    return True
