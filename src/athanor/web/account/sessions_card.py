"""The card of where one is signed in."""

from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.kernel.identity.sessions import OpenSession, handle_of
from athanor.web.account.acting import Acting
from athanor.web.account.agents import browser_of
from athanor.web.components.status import status
from athanor.web.components.words import Words, button, region
from athanor.web.formatting import date_time
from athanor.web.language import _


class SessionsCard:
    """Lists the open sessions and ends them."""

    def __init__(self, acting: Acting, login: str, zone: ZoneInfo) -> None:
        self._acting, self._login, self._zone = acting, login, zone

    async def show(self) -> None:
        """Build the card."""
        sessions = await self._acting.identity.sessions.of(self._login)
        this_one = handle_of(self._acting.token)
        with region("ath-card", "section", aria_label=_("Where you are signed in")):
            with region("ath-card-head"):
                Words(_("Where you are signed in"), "h2")
                region("ath-space")
                if len(sessions) > 1:
                    button(_("Sign out everywhere else"), self._end_others, classes="is-plain", glyph="logout")
            titles = (_("Browser"), _("Address"), _("Signed in"), _("Last seen"), "")
            with (
                region("ath-table-scroll"),
                region("ath-table is-stacked", "table", aria_label=_("Where you are signed in")),
            ):
                with region(tag="thead"), region(tag="tr"):
                    for title in titles:
                        Words(title, "th")
                with region(tag="tbody"):
                    for session in sessions:
                        self._row(session, titles, is_this_one=session.handle == this_one)

    def _row(self, session: OpenSession, titles: tuple[str, ...], *, is_this_one: bool) -> None:
        texts = (
            browser_of(session.agent) or _("Unknown"),
            session.address,
            date_time(session.created_at, self._zone),
            date_time(session.seen_at, self._zone),
        )
        with region(tag="tr"):
            for text, title in zip(texts, titles, strict=False):
                with region("is-nowrap", "td", data_label=title):
                    Words(text)
            with region("is-number", "td"):
                if is_this_one:
                    status(_("This one"))
                else:
                    name = _("Sign out {browser} at {address}").format(browser=texts[0], address=texts[1])
                    end = button(_("Sign out"), lambda: self._end(session.handle), classes="is-plain")
                    end.props["aria-label"] = name

    async def _end(self, handle: str) -> None:
        user = await self._acting.person()
        where = self._acting.where.address
        await self._acting.identity.sessions.end(user.login, handle, actor=user.login, address=where)
        ui.navigate.reload()

    async def _end_others(self) -> None:
        await self._acting.person()
        await self._acting.identity.sessions.end_others(self._acting.token, address=self._acting.where.address)
        ui.navigate.reload()
