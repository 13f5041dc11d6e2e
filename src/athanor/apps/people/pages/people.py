"""Everybody: found, filtered, taken out as CSV; and adding somebody."""

from collections.abc import Sequence
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.forms import Said, UnreadableFormError, field, form
from athanor.apps.people.pages.links import hand_over
from athanor.apps.people.pages.profile_fields import ProfileFields
from athanor.apps.people.pages.tabs import tabs
from athanor.apps.people.services import people as service
from athanor.apps.people.services import roles
from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.people import Person
from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import ADMINISTER
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Choice,
    Column,
    Dialog,
    TablePage,
    TableQuery,
    Words,
    button,
    data_table,
    page_title,
    region,
)
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _

_ALL = "*"
_PARK = "park"
_ACTIVE, _DISABLED, _LOCKED, _NEVER = "active", "disabled", "locked", "never"


async def people(plant: RunningPlant, identity: Identity, db: Database, viewer: User, request: Request) -> None:
    """Everybody whom one administers; for the others, whom to ask."""
    asked = Asked(identity, viewer, plant, request)
    if viewer.may(ADMINISTER):
        _administered(asked, db, await roles.roles(asked.first))
    else:
        await _colleagues(asked.first)


def _administered(asked: Asked, database: Database, known: Sequence[Role]) -> None:
    plant = asked.plant
    zone = ZoneInfo(plant.model.timezone)
    dialog = Dialog()
    with tabs(asked.first, "/people"):
        region("ath-space")
        button(_("Add with password…"), lambda: _ask_to_add(dialog, asked))
        button(
            _("Invite…"),
            lambda: _ask_to_invite(dialog, asked),
            glyph="person_add",
            classes="is-main",
        )
    tenants = {one: wording.enterprise(plant, one) for one in plant.model.tenants}

    def look_again() -> None:
        table.look_again()

    with region("ath-card", "section"):
        with region("ath-form"), region("ath-choices"):
            options = {_ALL: _("All")} | tenants | {_PARK: wording.enterprise(plant, None)}
            enterprise = Choice(_("Enterprise"), options, _ALL, look_again, name="enterprise")
            enterprise.show(is_shown=asked.first.is_of_the_park)
            role = Choice(
                _("Role"),
                {_ALL: _("All")} | {one.name: wording.role_title(one) for one in known},
                _ALL,
                look_again,
                name="role",
            )
            state = Choice(
                _("State"),
                {
                    _ALL: _("All"),
                    _ACTIVE: _("Active"),
                    _LOCKED: _("Locked for now"),
                    _DISABLED: _("Disabled"),
                    _NEVER: _("Never signed in"),
                },
                _ALL,
                look_again,
                name="state",
            )

        async def source(query: TableQuery) -> TablePage:
            found = [
                one
                for one in await service.people(await asked.acting())
                if enterprise.value in (_ALL, one.account.profile.tenant or _PARK)
                and (role.value == _ALL or role.value in one.account.profile.roles)
                and _is_in(one, state.value)
            ]
            return page_of([_row(one, plant, known, zone) for one in found], query)

        async def note(rows: int) -> None:
            await service.note_export(await asked.acting(), database, rows)

        table = data_table(
            source,
            [
                Column("name", _("Full name")),
                Column("login", _("Login")),
                Column("roles", _("Roles")),
                Column("enterprise", _("Enterprise")),
                Column("department", _("Department")),
                Column("post", _("Post")),
                Column("signed_in", _("Last sign-in")),
                Column("second_factor", _("Second factor")),
                Column("state", _("State")),
            ],
            caption=_("People"),
            nothing=_("Nobody is like that."),
            export_name="people",
            on_export=note,
        )


def _row(person: Person, plant: RunningPlant, known: Sequence[Role], zone: ZoneInfo) -> Row:
    account, profile = person.account, person.account.profile
    text, state = wording.state(person)
    signed_in = account.signed_in_at
    return {
        "name": Cell(profile.name, address=f"/people/{quote(account.login, safe='')}"),
        "login": account.login,
        "roles": wording.role_titles(profile.roles, known),
        "enterprise": wording.enterprise(plant, profile.tenant),
        "department": person.department or NOTHING,
        "post": profile.post or NOTHING,
        "signed_in": Cell(
            _("never") if signed_in is None else date_time(signed_in, zone),
            sort=0.0 if signed_in is None else signed_in.timestamp(),
        ),
        "second_factor": _("yes") if account.has_second_factor else _("no"),
        "state": Cell(text, state=str(state)),
    }


def _is_in(person: Person, wanted: str) -> bool:
    return {
        _ALL: True,
        _ACTIVE: not person.is_disabled and person.locked_until is None,
        _LOCKED: not person.is_disabled and person.locked_until is not None,
        _DISABLED: person.is_disabled,
        _NEVER: person.account.signed_in_at is None,
    }[wanted]


async def _ask_to_invite(dialog: Dialog, asked: Asked) -> None:
    fields = await ProfileFields.of(await asked.acting())

    async def invite(said: Said) -> None:
        link = await service.invite(await asked.acting(), said.get("login", ""), fields.read(said))
        title = _("The link for {login}").format(login=said.get("login", ""))
        hand_over(dialog, title, link, asked.server, ZoneInfo(asked.plant.model.timezone))

    with dialog.filling(_("Invite somebody")), form(invite, _("Make the link"), dialog):
        Words(_("They open the link, choose a password and are in. No password passes through your hands."), "p")
        fields.build(with_login=True)


async def _ask_to_add(dialog: Dialog, asked: Asked) -> None:
    fields = await ProfileFields.of(await asked.acting())

    async def add(said: Said) -> None:
        if not said.get("password"):
            raise UnreadableFormError(_("Give a password for the first sign-in."))
        login = await service.add(await asked.acting(), said.get("login", ""), fields.read(said), said["password"])
        ui.navigate.to(f"/people/{login}")

    with dialog.filling(_("Add somebody")), form(add, _("Add"), dialog):
        Words(_("They sign in with this password once, and then choose their own."), "p")
        fields.build(with_login=True, with_contact=True)
        field(_("Password"), "password", kind="password", maxlength="256", autocomplete="new-password")


async def _colleagues(acting: Acting) -> None:
    page_title(_("People"))
    rows: list[Row] = [
        {
            "name": one.name,
            "enterprise": wording.enterprise(acting.plant, one.tenant),
            "department": one.department or NOTHING,
            "post": one.post or NOTHING,
            "email": one.email or NOTHING,
            "phone": one.phone or NOTHING,
        }
        for one in await service.colleagues(acting)
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("name", _("Full name")),
                Column("enterprise", _("Enterprise")),
                Column("department", _("Department")),
                Column("post", _("Post")),
                Column("email", _("E-mail")),
                Column("phone", _("Telephone")),
            ],
            caption=_("Colleagues"),
        )
