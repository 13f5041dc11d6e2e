"""One person: what is said of them, what they may, where they are signed in, what they did."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.forms import Said, ask, form
from athanor.apps.people.pages.links import hand_over
from athanor.apps.people.pages.profile_fields import ProfileFields
from athanor.apps.people.services import people, roles
from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.people import Dossier
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    Status,
    Words,
    button,
    data_table,
    empty_state,
    link,
    page_title,
    region,
    status,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _

_Act = Callable[[Acting, str], Awaitable[None]]


async def person(
    login: str, plant: RunningPlant, identity: Identity, db: Database, viewer: User, request: Request
) -> None:
    """One person, for who administers them."""
    asked = Asked(identity, viewer, plant, request)
    try:
        told = await people.dossier(asked.first, db, login)
    except NotFoundError:
        empty_state(
            _("There is nobody of this login"),
            _("It was mistyped, or belongs to somebody whom you do not administer."),
            glyph="person_off",
            action=(_("To the list"), "/people"),
            is_missing=True,
        )
        return
    _Page(asked, told, await roles.roles(asked.first)).show()


class _Page:
    def __init__(self, asked: Asked, told: Dossier, known: Sequence[Role]) -> None:
        self._asked, self._told, self._known = asked, told, known
        self._account = told.person.account
        self._zone = ZoneInfo(asked.plant.model.timezone)
        self._dialog = Dialog()

    def show(self) -> None:
        self._title()
        if not self._told.may_change:
            with region("ath-card ath-notice is-warn", role="status"):
                Words(_("This person's role grants more than yours. Only somebody whose role includes all of it "
                        "changes them."), "p")  # fmt: skip
        with region("ath-cards"):
            self._profile()
            with region("ath-steps"):
                self._sessions()
                self._tokens()
        self._entries()

    def _title(self) -> None:
        account = self._account
        with page_title(account.profile.name, account.login):
            status(*wording.state(self._told.person))
            region("ath-space")
            if self._told.may_change:
                self._actions()
            link(_("People"), "/people", "ath-button")

    def _actions(self) -> None:
        account = self._account
        button(_("Change…"), self._ask_to_change, glyph="edit")
        if account.directory == "local" and not self._told.person.is_disabled:
            button(_("Link for a new password…"), self._ask_for_link)
        if self._told.person.locked_until is not None:
            self._asking(
                _("Unlock…"),
                _("Failed attempts to sign in are forgotten: they may try again at once."),
                _("Unlock"),
                people.unlock,
            )
        if account.has_second_factor:
            self._asking(
                _("Remove the second factor…"),
                _("For a phone that is lost. Until they set up another one, the password alone opens the account: "
                  "be sure that it is they who ask."),
                _("Remove"),
                people.remove_second_factor,
            )  # fmt: skip
        if self._told.person.is_disabled:
            self._asking(
                _("Enable…"),
                _("They can sign in again. Tokens of their programs stay revoked."),
                _("Enable"),
                people.enable,
            )
        else:
            self._asking(
                _("Disable…"),
                _("They are signed out everywhere at once, and their programs' tokens are revoked. "
                  "What they did stays on record."),
                _("Disable"),
                people.disable,
            )  # fmt: skip

    def _asking(self, title: str, text: str, label: str, act: _Act) -> None:
        async def go() -> None:
            await act(await self._asked.acting(), self._account.login)

        button(title, lambda: ask(self._dialog, f"{label}: {self._account.profile.name}", text, label, go))

    async def _ask_to_change(self) -> None:
        before = self._account.profile
        fields = await ProfileFields.of(await self._asked.acting())

        async def change(said: Said) -> None:
            await people.change(await self._asked.acting(), self._account.login, fields.read(said, before))
            ui.navigate.reload()

        with self._dialog.filling(_("Change")), form(change, _("Save"), self._dialog):
            Words(_("A change of roles holds from their next request on."), "p")
            fields.build(before, with_contact=True)

    def _ask_for_link(self) -> None:
        async def make(_said: Said) -> None:
            told = await people.link_to_password(await self._asked.acting(), self._account.login)
            hand_over(self._dialog, _("The link for a new password"), told, self._asked.server, self._zone)

        with self._dialog.filling(_("Link for a new password")), form(make, _("Make the link"), self._dialog):
            Words(_("The old password goes on until the link is used. Links made before for this login end."), "p")

    def _profile(self) -> None:
        account, profile = self._account, self._account.profile
        lines = [
            (_("Login"), account.login),
            (_("Roles"), wording.role_titles(profile.roles, self._known)),
            (_("Enterprise"), wording.enterprise(self._asked.plant, profile.tenant)),
            (_("Department"), self._told.person.department),
            (_("Post"), profile.post),
            (_("E-mail"), profile.email),
            (_("Telephone"), profile.phone),
            (_("Password kept by"), wording.directory(account.directory)),
            (_("Second factor"), _("yes") if account.has_second_factor else _("no")),
            (_("Account since"), date_time(account.created_at, self._zone)),
            (_("Last sign-in"), self._time(account.signed_in_at)),
        ]
        if account.disabled_at is not None:
            lines.append((_("Disabled since"), date_time(account.disabled_at, self._zone)))
        if self._told.person.locked_until is not None:
            lines.append((_("Locked until"), date_time(self._told.person.locked_until, self._zone)))
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("Profile"), "h2")
            with region("ath-table", "table", aria_label=_("Profile")), region(tag="tbody"):
                for title, text in lines:
                    with region(tag="tr"):
                        Words(title, "td", "is-nowrap")
                        Words(text or NOTHING, "td", "is-wide")

    def _time(self, moment: datetime | None) -> str:
        return _("never") if moment is None else date_time(moment, self._zone)

    def _sessions(self) -> None:
        with region("ath-card", "section", aria_label=_("Open sessions")):
            with region("ath-card-head"):
                Words(_("Open sessions"), "h2")
            if not self._told.sessions:
                Words(_("Nowhere."), "div", "ath-table-none")
            for one in self._told.sessions:
                with region("ath-rowed"):
                    with region("name"):
                        Words(one.address or NOTHING, "div")
                        seen = _("since {start}, last seen {seen}").format(
                            start=date_time(one.created_at, self._zone), seen=date_time(one.seen_at, self._zone)
                        )
                        Words(seen, "small")
                        if one.agent:
                            Words(one.agent, "small", "ath-agent")
                    region("ath-space")
                    if self._told.may_change:
                        button(_("Sign out"), lambda handle=one.handle: self._end(handle))

    async def _end(self, handle: str) -> None:
        await people.end_session(await self._asked.acting(), self._account.login, handle)
        ui.navigate.reload()

    def _tokens(self) -> None:
        with region("ath-card", "section", aria_label=_("Tokens of programs")):
            with region("ath-card-head"):
                Words(_("Tokens of programs"), "h2")
            if not self._told.tokens:
                Words(_("None."), "div", "ath-table-none")
            for one in self._told.tokens:
                with region("ath-rowed"):
                    with region("name"):
                        Words(one.name, "div")
                        Words(_("may: {scopes}").format(scopes=", ".join(one.scopes)), "small")
                        used = _("until {end}, last used {used}").format(
                            end=date_time(one.expires_at, self._zone), used=self._time(one.used_at)
                        )
                        Words(f" · {used}", "small")
                    region("ath-space")
                    if one.revoked_at is not None:
                        status(_("Revoked"), Status.UNSURE)
                    elif self._told.may_change:
                        button(_("Revoke"), lambda number=one.id: self._revoke(number))

    async def _revoke(self, number: int) -> None:
        await people.revoke_token(await self._asked.acting(), self._account.login, number)
        ui.navigate.reload()

    def _entries(self) -> None:
        rows: list[Row] = [
            {
                "at": Cell(date_time(one.at, self._zone), sort=one.at.timestamp()),
                "actor": one.actor,
                "action": one.action,
                "subject": one.subject or NOTHING,
                "address": one.address or NOTHING,
            }
            for one in self._told.entries
        ]
        with region("ath-card", "section"):
            data_table(
                rows,
                [
                    Column("at", _("When")),
                    Column("actor", _("Who")),
                    Column("action", _("What")),
                    Column("subject", _("To what"), is_wide=True),
                    Column("address", _("From where")),
                ],
                caption=_("Newest entries of the audit trail"),
                nothing=_("Nothing is on record."),
                is_searchable=False,
            )
