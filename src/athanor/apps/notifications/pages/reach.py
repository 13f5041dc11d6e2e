"""How one wishes to be reached: addresses, proved by a code, and hours in which one is not to be disturbed."""

from fastapi import Request

from athanor.apps.notifications.pages.fields import HoursEditor
from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.wording import kind_name
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.quiet import Wishes
from athanor.kernel.notify.reaching import Reach
from athanor.kernel.notify.service import Notify
from athanor.web.components import (
    Dialog,
    Said,
    Status,
    Words,
    button,
    dialog_form,
    form_choice,
    form_line,
    link,
    region,
    status,
)
from athanor.web.language import _


async def reach(notify: Notify, viewer: User, request: Request) -> None:
    """One's own addresses and quiet hours."""
    tabs("/notifications/reach", viewer)
    page = _Reach(notify, viewer, request.client.host if request.client else "")
    await page.draw()


class _Reach:
    def __init__(self, notify: Notify, viewer: User, address: str) -> None:
        self._notify, self._viewer, self._origin = notify, viewer, address
        self._dialog = Dialog()

    async def draw(self) -> None:
        with region("ath-card", "section", aria_label=_("My addresses")):
            with region("ath-card-head"):
                Words(_("My addresses"), "h2")
                region("ath-space")
                self._add = region()
            self._list = region()
        await self._refresh()
        wishes = await self._notify.reaching.wishes(self._viewer)
        with region("ath-card", "section", aria_label=_("Quiet hours")):
            with region("ath-card-head"):
                Words(_("Quiet hours"), "h2")
            with region("ath-card-body"), region("ath-fields"):
                Words(
                    _("Only what is critical reaches you then. The rest comes in one message when they end; the inbox "
                      "has it at once."), "p", "ath-note",
                )  # fmt: skip
                HoursEditor(_("Not to be disturbed"), wishes.model_dump()["quiet"] and list(
                    wishes.model_dump(mode="json")["quiet"]), self._wish, name="quiet")  # fmt: skip
                self._kept = Words("", "p", "ath-note")
                self._kept.props["role"] = "status"

    async def _refresh(self) -> None:
        kinds = await self._notify.reaching.kinds(self._viewer)
        mine = await self._notify.reaching.mine(self._viewer)
        account = await self._notify.reaching.of_account(self._viewer)
        self._add.clear()
        with self._add:
            if kinds:
                button(_("Add an address…"), lambda: self._ask(kinds), glyph="add", classes="is-main")
        self._list.clear()
        with self._list:
            self._row_of_inbox()
            for kind, address in account.items():
                if not any((one.kind, one.address) == (kind, address) for one in mine):
                    self._row_of_account(kind, address, is_used=kind in kinds)
            for one in mine:
                self._row(one, is_used=one.kind in kinds)
            if not kinds:
                Words(_("No channel for mail or text messages is set up yet; an administrator does that."), "p",
                      "ath-note ath-card-body")  # fmt: skip

    def _row_of_inbox(self) -> None:
        with region("ath-rowed"):
            Words(kind_name("inbox"), "span", "name")
            Words(_("in Athanor itself: always"), "small")

    def _row_of_account(self, kind: str, address: str, *, is_used: bool) -> None:
        with region("ath-rowed"):
            Words(address, "span", "name")
            Words(_("{kind}, from your account").format(kind=kind_name(kind)), "small")
            if not is_used:
                status(_("no channel for it"), Status.UNSURE)
            region("ath-space")
            link(_("My account"), "/account", "ath-button is-plain")

    def _row(self, one: Reach, *, is_used: bool) -> None:
        with region("ath-rowed"):
            Words(one.address, "span", "name")
            Words(kind_name(one.kind), "small")
            if not one.is_verified:
                status(_("not verified"), Status.WARN)
            elif not one.is_enabled:
                status(_("not used"))
            elif not is_used:
                status(_("no channel for it"), Status.UNSURE)
            region("ath-space")
            if not one.is_verified:
                button(_("Verify…"), lambda: self._send_code(one), glyph="verified")
            else:
                button(_("Stop using") if one.is_enabled else _("Use it"), lambda: self._turn(one))
            button(_("Take out"), lambda: self._remove(one), glyph="delete", classes="is-icon is-plain")

    def _ask(self, kinds: list[str]) -> None:
        async def add(said: Said) -> None:
            reaching = self._notify.reaching
            number = await reaching.add(self._viewer, said.get("kind", ""), said.get("address", ""),
                                        origin=self._origin)  # fmt: skip
            self._dialog.close()
            await self._refresh()
            made = next(one for one in await reaching.mine(self._viewer) if one.id == number)
            if not made.is_verified:
                await self._send_code(made)

        with self._dialog.filling(_("Add an address")), dialog_form(add, _("Add"), on_cancel=self._dialog.close):
            form_choice(_("Channel"), "kind", {kind: kind_name(kind) for kind in kinds}, kinds[0])
            form_line(_("Address"), "address")
            Words(_("For example: {address}").format(address=KINDS[kinds[0]].address_example), "p", "ath-note")

    async def _send_code(self, one: Reach) -> None:
        try:
            await self._notify.reaching.send_code(self._viewer, one.id)
            trouble = ""
        except AthanorError as error:
            trouble = str(error)

        async def verify(said: Said) -> None:
            await self._notify.reaching.verify(self._viewer, one.id, said.get("code", ""), origin=self._origin)
            self._dialog.close()
            await self._refresh()

        with self._dialog.filling(_("Verify {address}").format(address=one.address)):
            if trouble:
                Words(trouble, "p", "ath-correct-trouble").props["role"] = "alert"
            else:
                Words(_("A code of six digits was sent there. It holds for ten minutes."), "p")
            with dialog_form(verify, _("Verify"), on_cancel=self._dialog.close):
                form_line(_("Code"), "code")

    async def _turn(self, one: Reach) -> None:
        await self._notify.reaching.turn(self._viewer, one.id, is_enabled=not one.is_enabled, origin=self._origin)
        await self._refresh()

    async def _remove(self, one: Reach) -> None:
        await self._notify.reaching.remove(self._viewer, one.id, origin=self._origin)
        await self._refresh()

    async def _wish(self, hours: list[dict[str, object]]) -> None:
        wishes = Wishes.model_validate({"quiet": hours})
        await self._notify.reaching.wish(self._viewer, wishes, origin=self._origin)
        self._kept.text = _("Saved.")
