"""Who may call a product: asking, deciding, revoking, tokens for programs."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.exchange.models import GrantRow
from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.pages.forms import day_end, number_of
from athanor.apps.exchange.services import access, tokens
from athanor.apps.exchange.services.access import GrantState
from athanor.apps.exchange.services.catalogue import Told
from athanor.apps.exchange.services.rights import consumes, decides, sees_inside
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Said,
    UnreadableFormError,
    Words,
    button,
    dialog_form,
    form_line,
    form_lines,
    region,
    status,
)
from athanor.web.language import _

_USUALLY = timedelta(days=365)


class AccessCards:
    """What concerns access: the viewer's own, and the grants that they see."""

    def __init__(self, told: Told, park: RunningPlant, database: Database, viewer: User) -> None:
        self._told, self._park, self._database, self._viewer = told, park, database, viewer
        self._zone = ZoneInfo(park.model.timezone)
        self._dialog = Dialog()

    # ---- the consumer's side

    def show_own(self, now: datetime) -> None:
        """The viewer's own access, and how to come by it; nothing for the owner's people."""
        if self._viewer.tenant == self._told.product.owner:
            return
        grant = self._told.grant
        with region("ath-card", "section", aria_label=_("Your access")):
            with region("ath-card-head"):
                Words(_("Your access"), "h2")
                region("ath-space")
                if grant is not None:
                    status(*wording.grant_state(grant, now))
            with region("ath-card-body"), region("ath-fields"):
                if grant is not None:
                    self._said_of(grant)
                if grant is not None and grant.state == GrantState.APPROVED and grant.ends_at > now:
                    self._how_to_call(grant)
                elif grant is not None and grant.state == GrantState.REQUESTED:
                    Words(_("The owner decides on your request."), "p")
                elif self._viewer.may("exchange.edit"):
                    self._ask(now)
                else:
                    Words(_("Your role does not ask for access. Ask a colleague whose role does."), "p")

    def _said_of(self, grant: GrantRow) -> None:
        until = wording.last_day(grant.ends_at, self._zone)
        Words(_("For: {purpose}. Until {day}.").format(purpose=grant.purpose, day=until), "p")
        reason = grant.revocation or grant.decision
        if reason:
            Words(_("The owner says: {reason}").format(reason=reason), "p")
        if grant.quota is not None:
            Words(_("At most {n} calls a day.").format(n=grant.quota), "p")

    def _ask(self, now: datetime) -> None:
        with dialog_form(self._send_request, _("Ask for access")):
            form_lines(_("Purpose"), "purpose")
            until = (now + _USUALLY).astimezone(self._zone).date().isoformat()
            form_line(_("Until"), "until", until, kind="date")

    async def _send_request(self, said: Said) -> None:
        ends_at = self._end(said)
        async with self._database.session() as session:
            await access.request_access(
                session,
                self._viewer,
                self._told.product.id,
                purpose=said.get("purpose", ""),
                ends_at=ends_at,
                now=datetime.now(UTC),
            )
        ui.navigate.reload()

    def _how_to_call(self, grant: GrantRow) -> None:
        address = f"/api/v1/exchange/products/{self._told.product.id}/data?from=…&to=…"
        Words(_("Programs call it with a token; Arrow, CSV or JSON by the header Accept:"), "p")
        Words(f"GET {address}", "code")
        for row in self._told.tokens:
            if row.grant_id == grant.id:
                with region("ath-segments"):
                    status(_("Token {name}, by {who}").format(name=row.name, who=row.made_by))
                    if consumes(self._viewer, grant):
                        button(
                            _("Revoke the token {name}").format(name=row.name),
                            lambda token=row.id: self._end_token(token),
                            glyph="close",
                            classes="is-icon is-plain",
                        )
        if consumes(self._viewer, grant):
            button(_("Make a token…"), lambda: self._ask_for_token(grant), glyph="key")

    def _ask_for_token(self, grant: GrantRow) -> None:
        async def make(said: Said) -> None:
            async with self._database.session() as session:
                token = await tokens.make_token(
                    session, self._viewer, grant.id, name=said.get("name", ""), now=datetime.now(UTC)
                )
            with self._dialog.filling(_("The token, shown only now")):
                Words(_("Copy it into your program's settings. It opens this data product and nothing else."), "p")
                Words(f"Authorization: Bearer {token}", "code", "ath-token")
                button(_("Done"), ui.navigate.reload, classes="is-main")

        with (
            self._dialog.filling(_("A token for a program")),
            dialog_form(make, _("Make"), on_cancel=self._dialog.close),
        ):
            form_line(_("Name of the program"), "name")

    async def _end_token(self, token_id: int) -> None:
        async with self._database.session() as session:
            await tokens.revoke_token(session, self._viewer, token_id, now=datetime.now(UTC))
        ui.navigate.reload()

    # ---- the owner's side

    def show_all(self, now: datetime) -> None:
        """Everybody's requests and grants, for those who see them."""
        if not sees_inside(self._viewer, self._told.product):
            return
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("Who has access"), "h2")
            if not self._told.grants:
                with region("ath-card-body"):
                    Words(_("Nobody has asked yet."), "p")
                return
            titles = (_("Who"), _("Purpose"), _("Until"), _("State"))
            with (
                region("ath-table-scroll"),
                region("ath-table is-stacked", "table", aria_label=_("Who has access")),
            ):
                with region(tag="thead"), region(tag="tr"):
                    for title in (*titles, ""):
                        Words(title, "th")
                with region(tag="tbody"):
                    for grant in self._told.grants:
                        self._row(grant, titles, now)

    def _row(self, grant: GrantRow, titles: tuple[str, ...], now: datetime) -> None:
        quota = "" if grant.quota is None else _("{n} calls a day").format(n=grant.quota)
        cells = (
            (wording.tenant_name(self._park, grant.consumer), grant.requested_by),
            (grant.purpose, grant.revocation or grant.decision or ""),
            (wording.last_day(grant.ends_at, self._zone), quota),
        )
        with region(tag="tr"):
            for (text, note), title in zip(cells, titles, strict=False):
                with region("is-nowrap" if title == titles[2] else "", "td", data_label=title), region():
                    Words(text)
                    if note:
                        Words(note, "small")
            with region("", "td", data_label=titles[-1]), region():
                status(*wording.grant_state(grant, now))
            with region("is-number", "td"):
                if decides(self._viewer, self._told.product.owner):
                    self._actions(grant)

    def _actions(self, grant: GrantRow) -> None:
        if grant.state == GrantState.REQUESTED:
            button(_("Approve…"), lambda: self._ask_to_approve(grant), classes="is-plain")
            button(_("Refuse…"), lambda: self._ask_to_refuse(grant), classes="is-plain")
        elif grant.state == GrantState.APPROVED:
            button(_("Revoke…"), lambda: self._ask_to_revoke(grant), classes="is-plain")

    def _ask_to_approve(self, grant: GrantRow) -> None:
        async def approve(said: Said) -> None:
            quota = number_of(said, "quota", _("Calls a day"))
            if quota is not None and quota != int(quota):
                raise UnreadableFormError(_("Give whole calls a day."))
            ends_at = self._end(said)
            async with self._database.session() as session:
                await access.approve(
                    session,
                    self._viewer,
                    grant.id,
                    reason=said.get("reason", ""),
                    now=datetime.now(UTC),
                    ends_at=ends_at,
                    quota=None if quota is None else int(quota),
                )
            ui.navigate.reload()

        with (
            self._dialog.filling(_("Approve access")),
            dialog_form(approve, _("Approve"), on_cancel=self._dialog.close),
        ):
            Words(f"{wording.tenant_name(self._park, grant.consumer)}: {grant.purpose}", "p")
            with region("ath-fields-row"):
                form_line(_("Until"), "until", wording.last_day(grant.ends_at, self._zone), kind="date")
                form_line(_("Calls a day, empty: any number"), "quota", inputmode="numeric")
            form_lines(_("Reason"), "reason")

    def _ask_to_refuse(self, grant: GrantRow) -> None:
        async def refuse(said: Said) -> None:
            async with self._database.session() as session:
                await access.refuse(
                    session, self._viewer, grant.id, reason=said.get("reason", ""), now=datetime.now(UTC)
                )
            ui.navigate.reload()

        with self._dialog.filling(_("Refuse access")), dialog_form(refuse, _("Refuse"), on_cancel=self._dialog.close):
            form_lines(_("Reason"), "reason")

    def _ask_to_revoke(self, grant: GrantRow) -> None:
        async def revoke(said: Said) -> None:
            async with self._database.session() as session:
                await access.revoke(
                    session, self._viewer, grant.id, reason=said.get("reason", ""), now=datetime.now(UTC)
                )
            ui.navigate.reload()

        with self._dialog.filling(_("Revoke access")), dialog_form(revoke, _("Revoke"), on_cancel=self._dialog.close):
            Words(_("The next call is refused, also one by a token."), "p")
            form_lines(_("Reason"), "reason")

    def _end(self, said: Said) -> datetime:
        ends_at = day_end(said, "until", _("Until"), self._zone)
        if ends_at is None:
            raise UnreadableFormError(_("{field}: give a date.").format(field=_("Until")))
        return ends_at.astimezone(UTC)
