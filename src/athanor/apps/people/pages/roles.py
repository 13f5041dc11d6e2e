"""Roles: what each may do, and those of the park's own."""

from collections.abc import Sequence
from functools import partial

from fastapi import Request
from nicegui import ui

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.forms import Said, ask, field, form, ticked, ticks
from athanor.apps.people.pages.tabs import tabs
from athanor.apps.people.services import roles as service
from athanor.apps.people.services.roles import Area, Matrix
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, button, region, status
from athanor.web.language import _, text_of

_TICK = "✓"


async def roles(plant: RunningPlant, identity: Identity, viewer: User, request: Request) -> None:
    """What every role may do; the park's administrators make others."""
    asked = Asked(identity, viewer, plant, request)
    matrix = await service.matrix(asked.first)
    page = _Page(asked, matrix)
    with tabs(asked.first, "/people/roles"):
        region("ath-space")
        if asked.first.is_of_the_park:
            button(_("Make a role…"), lambda: page.ask_to_keep(None), glyph="add", classes="is-main")
    page.show_list()
    page.show_matrix()


class _Page:
    def __init__(self, asked: Asked, matrix: Matrix) -> None:
        self._asked, self._matrix = asked, matrix
        self._dialog = Dialog()

    def show_list(self) -> None:
        with region("ath-card", "section", aria_label=_("Roles")):
            with region("ath-card-head"):
                Words(_("Roles"), "h2")
            for role in self._matrix.roles:
                with region("ath-rowed"):
                    with region("name"):
                        Words(wording.role_title(role))
                        Words(f" {role.name}", "small")
                        Words(_explained(role), "div", "ath-summary")
                    region("ath-space")
                    if role.is_built_in:
                        status(_("built in"))
                    elif self._asked.first.is_of_the_park:
                        button(_("Change…"), partial(self.ask_to_keep, role))
                        button(_("Remove…"), partial(self._ask_to_remove, role))

    def show_matrix(self) -> None:
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("What each role may do"), "h2")
            label = _("What each role may do")
            with (
                region("ath-table-scroll", tabindex="0", role="region", aria_label=label),
                region("ath-table ath-matrix", "table", aria_label=label),
            ):
                with region(tag="thead"), region(tag="tr"):
                    Words(_("Permission"), "th")
                    for role in self._matrix.roles:
                        Words(wording.role_title(role), "th", "is-tick")
                with region(tag="tbody"):
                    for area in self._matrix.areas:
                        self._area(area)

    def _area(self, area: Area) -> None:
        with region("is-group", "tr"):
            Words(text_of(area.title), "td")
            for _role in self._matrix.roles:
                region("", "td")
        for permission in area.permissions:
            with region(tag="tr"):
                with region("", "td"):
                    Words(wording.permission_title(permission, area.id))
                    Words(permission, "small")
                for granted in self._matrix.granted:
                    is_granted = permission in granted.permissions
                    cell = Words(_TICK if is_granted else "", "td", "is-tick")
                    cell.props["aria-label"] = _("yes") if is_granted else _("no")

    def ask_to_keep(self, role: Role | None) -> None:
        """Make a role, or change this one."""

        async def keep(said: Said) -> None:
            name = said.get("name", "").strip() if role is None else role.name
            title = {"en": said.get("title_en", ""), "zh_CN": said.get("title_zh", "")}
            wish = Role(name, title, ticked(said))
            acting = await self._asked.acting()
            await (service.make(acting, wish) if role is None else service.keep(acting, wish))
            ui.navigate.reload()

        chosen = frozenset() if role is None else frozenset(role.permissions)
        title = _("Make a role") if role is None else wording.role_title(role)
        with self._dialog.filling(title), form(keep, _("Save"), self._dialog):
            if role is None:
                Words(_("A name of small letters, digits and hyphens, such as energy-manager."), "p")
                field(_("Role's name"), "name", maxlength="100", autocapitalize="none", spellcheck="false")
            with region("ath-fields-row"):
                field(_("Title in English"), "title_en", role.title.get("en", "") if role else "", maxlength="100")
                field(_("Title in Chinese"), "title_zh", role.title.get("zh_CN", "") if role else "", maxlength="100")
            self._permissions(chosen)

    def _permissions(self, chosen: frozenset[str]) -> None:
        everywhere = {f"*.{verb}": wording.verb_title(verb) for verb in self._matrix.verbs}
        ticks(_("In every app, also those that come later"), everywhere, chosen)
        offered = set(everywhere)
        for area in self._matrix.areas:
            options = {one: wording.permission_title(one, area.id) for one in area.permissions}
            ticks(text_of(area.title), options, chosen)
            offered |= set(options)
        others = sorted(chosen - offered)
        if others:
            ticks(_("Others"), {one: one for one in others}, chosen)

    def _ask_to_remove(self, role: Role) -> None:
        async def remove() -> None:
            await service.remove(await self._asked.acting(), role.name)

        title = _("Remove {name}").format(name=wording.role_title(role))
        ask(self._dialog, title, _("A role that somebody has stays until they have another one."), _("Remove"), remove)


def _explained(role: Role) -> str:
    explained = {
        "administrator": _("May do everything; of an enterprise, within that enterprise."),
        "engineer": _("Answers for figures: also corrects, imports and publishes."),
        "operator": _("Runs the plant: sees, exports, operates, edits."),
        "viewer": _("Sees, and changes nothing."),
    }
    return explained[role.name] if role.is_built_in else _permitted(role.permissions)


def _permitted(permissions: Sequence[str]) -> str:
    return ", ".join(permissions)
