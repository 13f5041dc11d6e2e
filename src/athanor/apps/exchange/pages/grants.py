"""Areas that enterprises lend each other: what there is, and one of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.exchange.pages import lending_words, wording
from athanor.apps.exchange.pages.tabs import tabs
from athanor.apps.exchange.services import lending
from athanor.kernel.identity.grants import Grant
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    Said,
    Words,
    button,
    data_table,
    dialog_form,
    empty_state,
    form_lines,
    link,
    page_title,
    region,
    status,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import date_time
from athanor.web.language import _


async def grants(park: RunningPlant, identity: Identity, viewer: User) -> None:
    """What one's enterprise lends and is lent; for the park's people, all."""
    listed = await lending.listed(identity, viewer)
    may_lend = viewer.may("exchange.publish")
    with tabs("/exchange/grants"):
        region("ath-space")
        if may_lend:
            link(_("Lend an area"), "/exchange/grants/new", "ath-button is-main")
    if not listed:
        empty_state(
            _("No area is lent yet"),
            _("An enterprise lets another one see a part of its plant, live, for a purpose and a time."),
            glyph="handshake",
            action=(_("Lend the first one"), "/exchange/grants/new") if may_lend else None,
        )
        return
    zone, now = ZoneInfo(park.model.timezone), datetime.now(UTC)
    with region("ath-card", "section"):
        data_table(
            [_row(one, park, zone, now) for one in listed],
            [
                Column("area", _("Area"), is_wide=True),
                Column("owner", _("Lends")),
                Column("consumer", _("Is lent to")),
                Column("kinds", _("Kinds of tags")),
                Column("since", _("Data from")),
                Column("begins", _("First day")),
                Column("ends", _("Last day")),
                Column("state", _("State")),
                Column("purpose", _("Purpose"), is_wide=True),
            ],
            caption=_("Lent areas"),
            nothing=_("No lent area has all these words."),
            export_name="lent-areas",
        )


def _row(grant: Grant, park: RunningPlant, zone: ZoneInfo, now: datetime) -> Row:
    offer = grant.offer
    text, state = lending_words.state(lending.state_of(grant, now))
    return {
        "area": Cell(
            lending_words.area_text(park, offer.area), note=offer.area, address=f"/exchange/grants/{grant.id}"
        ),
        "owner": wording.tenant_name(park, offer.owner),
        "consumer": wording.tenant_name(park, offer.consumer),
        "kinds": lending_words.kinds_text(offer.kinds),
        "since": lending_words.data_from_text(offer, zone),
        "begins": lending_words.day(offer.begins_at, zone),
        "ends": lending_words.last_day(offer, zone),
        "state": Cell(text, state=str(state)),
        "purpose": offer.purpose,
    }


async def grant(number: int, park: RunningPlant, identity: Identity, viewer: User, request: Request) -> None:
    """One of them, and ending it."""
    found = await lending.found(identity, viewer, number)
    zone, now = ZoneInfo(park.model.timezone), datetime.now(UTC)
    with page_title(lending_words.area_text(park, found.offer.area)):
        status(*lending_words.state(lending.state_of(found, now)))
        region("ath-space")
        if lending.may_end(viewer, found, now):
            dialog = Dialog()
            address = request.client.host if request.client else ""
            button(_("Revoke…"), lambda: _ask_to_end(dialog, found, identity, viewer, address))
        link(_("Lent areas"), "/exchange/grants", "ath-button")
    with (
        region("ath-card", "section"),
        region("ath-table", "table", aria_label=_("Lent area")),
        region(tag="tbody"),
    ):
        for title, text in _facts(found, park, zone):
            with region(tag="tr"):
                Words(title, "td", "is-nowrap")
                Words(text, "td", "is-wide")


def _facts(grant: Grant, park: RunningPlant, zone: ZoneInfo) -> list[tuple[str, str]]:
    offer = grant.offer
    facts = [
        (_("Area"), offer.area),
        (_("Lends"), wording.tenant_name(park, offer.owner)),
        (_("Is lent to"), wording.tenant_name(park, offer.consumer)),
        (_("Kinds of tags"), lending_words.kinds_text(offer.kinds)),
        (_("Data from"), lending_words.data_from_text(offer, zone)),
        (_("First day"), lending_words.day(offer.begins_at, zone)),
        (_("Last day"), lending_words.last_day(offer, zone)),
        (_("Purpose"), offer.purpose),
        (_("Lent by"), f"{grant.made_by}, {date_time(grant.made_at, zone)}"),
    ]
    if grant.revoked_at is not None:
        facts += [
            (_("Revoked by"), f"{grant.revoked_by}, {date_time(grant.revoked_at, zone)}"),
            (_("Reason"), grant.revocation or ""),
        ]
    return facts


def _ask_to_end(dialog: Dialog, grant: Grant, identity: Identity, viewer: User, address: str) -> None:
    async def end(said: Said) -> None:
        await lending.end(identity, viewer, grant.id, said.get("reason", ""), address)
        ui.navigate.reload()

    with dialog.filling(_("Revoke the lending")), dialog_form(end, _("Revoke"), on_cancel=dialog.close):
        Words(_("It ends with the next request. Pages that are open are loaded again within half a minute."), "p")
        form_lines(_("Reason"), "reason")
