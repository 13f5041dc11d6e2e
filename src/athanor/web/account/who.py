"""The card that says who one is, and in which language pages come."""

import json

from nicegui import ui

from athanor.kernel.identity.accounts import Account
from athanor.kernel.identity.user import ROLES, User
from athanor.web.account.acting import Acting
from athanor.web.components.fields import choice
from athanor.web.components.words import Words, region
from athanor.web.language import LANGUAGES, _, current_language


def show_who(acting: Acting, user: User, account: Account, tenant: str | None) -> None:
    """Name, login, roles, enterprise, post; and the language, which can be changed."""
    rows = (
        (_("Name"), user.name),
        (_("Login"), user.login),
        (_("Roles"), ", ".join(role_name(role) for role in user.roles)),
        (_("Enterprise"), tenant or _("The park")),
        (_("Post"), account.profile.post),
        (_("E-mail"), account.profile.email),
    )
    with region("ath-card", "section", aria_label=_("Who you are")):
        with region("ath-card-head"):
            Words(_("Who you are"), "h2")
        with region("ath-card-body ath-fields"):
            with region("ath-account-about", "dl"):
                for title, value in rows:
                    if value:
                        Words(title, "dt")
                        Words(value, "dd")
            choice(_("Language"), LANGUAGES, current_language(), _Language(acting).choose, name="language")


def role_name(role: str) -> str:
    """What a role is called; one that was made here by its name."""
    names = {
        "administrator": _("Administrator"),
        "engineer": _("Engineer"),
        "operator": _("Operator"),
        "viewer": _("Viewer"),
    }
    return names[role] if role in ROLES and role in names else role


class _Language:
    def __init__(self, acting: Acting) -> None:
        self._acting = acting

    async def choose(self, language: str) -> None:
        user = await self._acting.person()
        if language in LANGUAGES:
            await self._acting.identity.accounts.set_language(user.login, language)
            ui.run_javascript(f"athanor.chooseLanguage({json.dumps(language)})")
