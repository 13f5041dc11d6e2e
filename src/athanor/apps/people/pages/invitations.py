"""Links that still open something."""

from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.forms import ask
from athanor.apps.people.pages.tabs import tabs
from athanor.apps.people.services import invitations as service
from athanor.apps.people.services import roles
from athanor.kernel.identity.invitations import Invitation
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, button, empty_state, region
from athanor.web.formatting import date_time
from athanor.web.language import _


async def invitations(plant: RunningPlant, identity: Identity, viewer: User, request: Request) -> None:
    """Open invitations and links for new passwords, the newest first."""
    asked = Asked(identity, viewer, plant, request)
    found = await service.open_invitations(asked.first)
    known = await roles.roles(asked.first)
    zone = ZoneInfo(plant.model.timezone)
    tabs(asked.first, "/people/invitations")
    if not found:
        empty_state(
            _("No link is open"),
            _("Whoever is invited gets a link that opens once, within a week."),
            glyph="mail",
            action=(_("To the people"), "/people"),
        )
        return
    dialog = Dialog()
    titles = (_("For"), _("Purpose"), _("Roles"), _("Enterprise"), _("By"), _("Ends"), "")
    with region("ath-card", "section"), region("ath-table-scroll"), _table(_("Open invitations")):
        with region(tag="thead"), region(tag="tr"):
            for title in titles:
                Words(title, "th")
        with region(tag="tbody"):
            for one in found:
                cells = (
                    f"{one.profile.name} ({one.login})",
                    _("a new password") if one.is_for_password else _("an account"),
                    wording.role_titles(one.profile.roles, known),
                    wording.enterprise(plant, one.profile.tenant),
                    one.made_by,
                    date_time(one.expires_at, zone),
                )
                with region(tag="tr"):
                    for title, text in zip(titles, cells, strict=False):
                        Words(text, "td").props["data-label"] = title
                    with region("is-number", "td"):
                        _withdraw_button(dialog, asked, one)


def _table(label: str) -> ui.element:
    return region("ath-table is-stacked", "table", aria_label=label)


def _withdraw_button(dialog: Dialog, asked: Asked, one: Invitation) -> None:
    async def withdraw() -> None:
        await service.withdraw(await asked.acting(), one.id)

    text = _("The link that {name} has opens nothing from now on.").format(name=one.profile.name)
    button(_("Withdraw…"), lambda: ask(dialog, _("Withdraw the link"), text, _("Withdraw"), withdraw))
