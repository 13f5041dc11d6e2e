"""Departments: a tree for each enterprise."""

from collections.abc import Sequence
from functools import partial

from fastapi import Request
from nicegui import ui

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.forms import Said, ask, choice, field, form
from athanor.apps.people.pages.tabs import tabs
from athanor.apps.people.services import departments as service
from athanor.apps.people.services.departments import Branch
from athanor.kernel.identity.departments import Department
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, button, region
from athanor.web.language import _

_INDENT_PX = 24


async def departments(plant: RunningPlant, identity: Identity, viewer: User, request: Request) -> None:
    """The departments of every enterprise that one administers."""
    asked = Asked(identity, viewer, plant, request)
    trees = await service.trees(asked.first)
    tabs(asked.first, "/people/departments")
    page = _Page(asked)
    with region("ath-cards"):
        for tenant, branches in trees.items():
            page.show(tenant, branches)


class _Page:
    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._dialog = Dialog()

    def show(self, tenant: str | None, branches: Sequence[Branch]) -> None:
        name = wording.enterprise(self._asked.plant, tenant)
        with region("ath-card", "section", aria_label=name):
            with region("ath-card-head"):
                Words(name, "h2")
                region("ath-space")
                if tenant is None or tenant in self._asked.plant.model.tenants:
                    button(_("Add…"), partial(self._ask_to_add, tenant, None), glyph="add")
            if not branches:
                Words(_("No department yet."), "div", "ath-table-none")
            for branch in branches:
                self._row(branch, branches)

    def _row(self, branch: Branch, branches: Sequence[Branch]) -> None:
        one = branch.department
        with region("ath-rowed", style=f"padding-left: {16 + _INDENT_PX * branch.depth}px"):
            with region("name"):
                Words(one.name)
                Words(" " + _("people: {n}").format(n=one.people), "small")
            region("ath-space")
            self._icon(_("Add below {name}").format(name=one.name), "add", partial(self._ask_to_add, one.tenant, one))
            self._icon(_("Rename {name}").format(name=one.name), "edit", partial(self._ask_to_rename, one))
            self._icon(_("Move {name}").format(name=one.name), "drive_file_move", partial(self._ask_to_move, one,
                                                                                           branches))  # fmt: skip
            self._icon(_("Remove {name}").format(name=one.name), "delete", partial(self._ask_to_remove, one))

    def _icon(self, text: str, glyph: str, act: partial[None]) -> None:
        button(text, act, glyph=glyph, classes="is-icon is-plain")

    def _ask_to_add(self, tenant: str | None, above: Department | None) -> None:
        async def add(said: Said) -> None:
            acting = await self._asked.acting()
            await service.make(acting, tenant, said.get("name", ""), None if above is None else above.id)
            ui.navigate.reload()

        title = _("A department") if above is None else _("A department below {name}").format(name=above.name)
        with self._dialog.filling(title), form(add, _("Add"), self._dialog):
            field(_("Name"), "name", maxlength="100")

    def _ask_to_rename(self, one: Department) -> None:
        async def rename(said: Said) -> None:
            await service.rename(await self._asked.acting(), one.id, said.get("name", ""))
            ui.navigate.reload()

        with self._dialog.filling(_("Rename")), form(rename, _("Save"), self._dialog):
            field(_("Name"), "name", one.name, maxlength="100")

    def _ask_to_move(self, one: Department, branches: Sequence[Branch]) -> None:
        async def move(said: Said) -> None:
            above = said.get("above", "")
            await service.move(await self._asked.acting(), one.id, int(above) if above.isdecimal() else None)
            ui.navigate.reload()

        options = {"": _("At the top")} | {
            str(branch.department.id): f"{'– ' * branch.depth}{branch.department.name}"
            for branch in branches
            if branch.department.id != one.id
        }
        with self._dialog.filling(_("Move {name}").format(name=one.name)), form(move, _("Move"), self._dialog):
            choice(_("Below"), "above", options, "" if one.above_id is None else str(one.above_id))

    def _ask_to_remove(self, one: Department) -> None:
        async def remove() -> None:
            await service.remove(await self._asked.acting(), one.id)

        title = _("Remove {name}").format(name=one.name)
        text = _("A department that people belong to, or that holds others, stays until they are elsewhere.")
        ask(self._dialog, title, text, _("Remove"), remove)
