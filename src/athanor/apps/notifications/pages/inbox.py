"""Everybody's own messages."""

from nicegui import ui

from athanor.apps.notifications.pages.fields import tick
from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.wording import zone_of
from athanor.kernel.identity.user import User
from athanor.kernel.notify.inbox import InboxMessage
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, button, empty_state, link, region, text_field
from athanor.web.formatting import date_time
from athanor.web.language import _
from athanor.web.live import every_second
from athanor.web.severity import priorities

_PAGE = 30
_EVERY = 5  # beats of a second


async def inbox(notify: Notify, plant: RunningPlant, viewer: User) -> None:
    """The list, the newest first, kept up to date."""
    tabs("/notifications", viewer)
    await _Inbox(notify, plant, viewer).begin()


class _Inbox:
    def __init__(self, notify: Notify, plant: RunningPlant, viewer: User) -> None:
        self._notify, self._viewer, self._zone = notify, viewer, zone_of(plant)
        self._text, self._only_unread, self._limit = "", False, _PAGE
        self._shown: list[InboxMessage] = []
        with region("ath-card", "section", aria_label=_("Inbox")):
            with region("ath-toolbar"):
                text_field(_("Search"), "", self._search, name="search")
                tick(_("Unread only"), self._turn, is_on=False, name="unread")
                region("ath-space")
                self._count = Words("", "span", "ath-note")
                button(_("Mark all as read"), self._read_all, glyph="done_all")
            self._list = region("ath-inbox", "ul")
            self._more = region("ath-actions")
            with self._more:
                button(_("Show more"), self._show_more)
        self._nothing = region()
        self._beats = 0

    async def begin(self) -> None:
        await self._refresh(is_forced=True)
        every_second(self._beat)

    async def _beat(self) -> None:
        self._beats += 1
        if self._beats % _EVERY == 0:
            await self._refresh()

    async def _refresh(self, *, is_forced: bool = False) -> None:
        found, total = await self._notify.inbox.find(
            self._viewer, text=self._text, only_unread=self._only_unread, limit=self._limit
        )
        unread = await self._notify.inbox.unread(self._viewer)
        self._count.text = _("{unread} unread of {total}").format(unread=unread, total=total)
        self._more.set_visibility(total > len(found))
        if found != self._shown or is_forced:
            self._shown = found
            self._draw()

    def _draw(self) -> None:
        self._list.clear()
        self._nothing.clear()
        with self._list:
            for one in self._shown:
                self._message(one)
        if not self._shown:
            with self._nothing:
                empty_state(
                    _("No messages"), _("Whatever concerns you is shown here, whichever other way you are told."),
                    glyph="drafts",
                )  # fmt: skip

    def _message(self, one: InboxMessage) -> None:
        with region("ath-inbox-message" + ("" if one.read_at else " is-unread"), "li"):
            mark = Words(str(one.priority), "span", f"ath-prio is-p{one.priority}")
            mark.props["title"] = mark.props["aria-label"] = priorities().get(one.priority, str(one.priority))
            with region("ath-inbox-text"):
                Words(one.title, "strong")
                if one.body:
                    Words(one.body, "p")
                with region("ath-inbox-foot"):
                    came_in = date_time(one.at, self._zone)
                    if came_in not in one.body:
                        Words(came_in, "small")
                    if one.link.startswith("/") and not one.link.startswith("//") and one.link != "/notifications":
                        link(_("Open it"), one.link)
            if not one.read_at:
                button(_("Mark as read"), lambda: self._read(one.id), glyph="done", classes="is-icon is-plain")

    async def _read(self, number: int) -> None:
        await self._notify.inbox.read(self._viewer, [number])
        await self._refresh()

    async def _read_all(self) -> None:
        await self._notify.inbox.read(self._viewer)
        await self._refresh()

    async def _search(self, text: str) -> None:
        self._text, self._limit = text[:200], _PAGE
        await self._refresh(is_forced=True)

    async def _turn(self, is_on: bool) -> None:  # noqa: FBT001 (a value that is told)
        self._only_unread, self._limit = is_on, _PAGE
        await self._refresh(is_forced=True)

    def _show_more(self) -> None:
        self._limit += _PAGE
        ui.timer(0, self._refresh, once=True)
