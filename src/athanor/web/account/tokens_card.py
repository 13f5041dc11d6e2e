"""The card of the tokens by which one's programs act."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.kernel.identity.tokens import LONGEST, NAME_LENGTH, ApiToken
from athanor.kernel.identity.user import User
from athanor.web.account.acting import Acting
from athanor.web.account.form import RefusedFormError, Said, field, form, tick_box
from athanor.web.account.scopes import check_scopes, permissions_by_area
from athanor.web.components.dialog import Dialog
from athanor.web.components.status import Status, status
from athanor.web.components.words import Words, button, region
from athanor.web.formatting import date_time
from athanor.web.language import _, text_of

_USUALLY = timedelta(days=90)
_SCOPE = "scope:"


class TokensCard:
    """Lists, makes and revokes them."""

    def __init__(self, acting: Acting, viewer: User, dialog: Dialog, zone: ZoneInfo) -> None:
        self._acting, self._viewer, self._dialog, self._zone = acting, viewer, dialog, zone

    async def show(self) -> None:
        """Build the card."""
        now = datetime.now(UTC)
        tokens = await self._acting.identity.tokens.of(self._viewer.login)
        with region("ath-card", "section", aria_label=_("Tokens for programs")):
            with region("ath-card-head"):
                Words(_("Tokens for programs"), "h2")
                region("ath-space")
                button(_("Make a token…"), self._ask, glyph="key")
            if not tokens:
                with region("ath-card-body"):
                    text = _("None yet. A program proves itself with a token, and may no more than you choose.")
                    Words(text, "p", "ath-note")
                return
            self._table(tokens, now)

    def _table(self, tokens: Sequence[ApiToken], now: datetime) -> None:
        titles = (_("Name"), _("May"), _("Until"), _("Last used"), "")
        with region("ath-table-scroll"), region("ath-table is-stacked", "table", aria_label=_("Tokens for programs")):
            with region(tag="thead"), region(tag="tr"):
                for title in titles:
                    Words(title, "th")
            with region(tag="tbody"):
                for token in tokens:
                    self._row(token, titles, now)

    def _row(self, token: ApiToken, titles: tuple[str, ...], now: datetime) -> None:
        used = _("Never")
        if token.used_at is not None:
            used = f"{date_time(token.used_at, self._zone)} {token.used_from or ''}".strip()
        texts = (token.name, ", ".join(token.scopes), date_time(token.expires_at, self._zone), used)
        with region(tag="tr"):
            for text, title in zip(texts, titles, strict=False):
                with region("ath-account-scopes" if title == titles[1] else "", "td", data_label=title):
                    Words(text)
            with region("is-number", "td"):
                if token.revoked_at is not None:
                    status(_("Revoked"), Status.UNSURE)
                elif token.expires_at <= now:
                    status(_("Over"), Status.UNSURE)
                else:
                    end = button(_("Revoke…"), lambda: self._ask_to_revoke(token), classes="is-plain")
                    end.props["aria-label"] = _("Revoke {name}").format(name=token.name)

    # ---- making one

    def _ask(self) -> None:
        today = datetime.now(self._zone).date()
        with (
            self._dialog.filling(_("A token for a program")),
            form(self._make, _("Make"), on_cancel=self._dialog.close),
        ):
            field(_("Name of the program"), "name", type="text", maxlength=str(NAME_LENGTH), autocomplete="off")
            field(
                _("Last day"),
                "until",
                (today + _USUALLY).isoformat(),
                type="date",
                min=today.isoformat(),
                max=(today + LONGEST - timedelta(days=1)).isoformat(),
            )
            Words(_("What it may do, of what you may:"), "p")
            with region("ath-account-choices"):
                for title, permissions in permissions_by_area(self._viewer):
                    with region(tag="fieldset"):
                        Words(text_of(title), "legend")
                        for permission in permissions:
                            tick_box(permission, f"{_SCOPE}{permission}")

    async def _make(self, said: Said) -> None:
        user = await self._acting.person()
        scopes = [name.removeprefix(_SCOPE) for name in said if name.startswith(_SCOPE)]
        if not scopes:
            raise RefusedFormError(_("Choose at least one thing that the program may do."))
        check_scopes(user, scopes)
        token = await self._acting.identity.tokens.make(
            user.login,
            said.get("name", ""),
            scopes,
            self._end_of(said.get("until", "")),
            actor=user.login,
            address=self._acting.where.address,
        )
        with self._dialog.filling(_("The token, shown only now")), region("ath-fields"):
            Words(_("Copy it into the program's settings; it proves itself with this header:"), "p")
            Words(f"Authorization: Bearer {token}", "code", "ath-token")
            with region("ath-dialog-foot"):
                button(_("Done"), ui.navigate.reload, classes="is-main")

    def _end_of(self, day: str) -> datetime:
        """The first moment after a day at the plant. Raises RefusedFormError."""
        try:
            return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), self._zone)
        except (ValueError, OverflowError) as error:
            raise RefusedFormError(_("Give the last day as a date.")) from error

    # ---- ending one

    def _ask_to_revoke(self, token: ApiToken) -> None:
        async def revoke(_said: Said) -> None:
            user = await self._acting.person()
            where = self._acting.where.address
            await self._acting.identity.tokens.revoke(user.login, token.id, actor=user.login, address=where)
            ui.navigate.reload()

        with (
            self._dialog.filling(_("Revoke the token")),
            form(revoke, _("Revoke"), on_cancel=self._dialog.close),
        ):
            Words(_("The program that has {name} is refused from now on.").format(name=token.name), "p")
