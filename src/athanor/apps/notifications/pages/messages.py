"""The log of delivery: what became of each message, and trying again or calling back."""

from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.wording import channel_name, state_dress, states, zone_of
from athanor.kernel.identity.user import User
from athanor.kernel.notify.messages import MessageView, Wish
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import State
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
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration
from athanor.web.language import _
from athanor.web.live import every_second

_ALL = ""
_EVERY = 3  # beats of a second
_HERE = "/notifications/messages"
_AGAIN = (State.GIVEN_UP, State.CANCELLED)
_OPEN = (State.WAITING, State.FAILED, State.WITHHELD)


async def messages(notify: Notify, plant: RunningPlant, viewer: User, request: Request) -> None:
    """The table; the message that the address names is shown whole."""
    tabs(_HERE, viewer)
    zone = zone_of(plant)
    chosen: dict[str, Choice[str]] = {}
    dialog = Dialog()

    def wish(query: TableQuery) -> Wish:
        state, channel = chosen["state"].value, chosen["channel"].value
        return Wish(
            channel_id=int(channel) if channel else None,
            states=(State(state),) if state else (),
            text=query.text,
            with_inbox=bool(channel),
            offset=query.offset,
            limit=query.limit,
        )

    async def rows(query: TableQuery) -> TablePage:
        wanted = wish(query)
        found = await notify.messages.find(viewer, wanted)
        return TablePage([_row(one, zone) for one in found], await notify.messages.count(viewer, wanted))

    def look_again() -> None:
        table.look_again()

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            known = {str(one.id): channel_name(one.kind, one.name) for one in await notify.channels.all(viewer)}
            chosen["channel"] = Choice(
                _("Channel"), {_ALL: _("All but the inbox")} | known, _ALL, look_again, name="channel"
            )
            chosen["state"] = Choice(_("State"), {_ALL: _("All")} | states(), _ALL, look_again, name="state")
        table = data_table(
            rows,
            [
                Column("title", _("Message"), is_wide=True, is_sortable=False),
                Column("channel", _("Channel"), is_sortable=False),
                Column("to", _("Recipient"), is_sortable=False),
                Column("state", _("State"), is_sortable=False),
                Column("made", _("Made at"), is_sortable=False),
                Column("took", _("Took"), is_number=True, is_sortable=False),
                Column("attempts", _("Attempts"), is_number=True, is_sortable=False),
            ],
            caption=_("Delivery"),
            nothing=_("No message yet."),
            export_name="messages",
        )
    await table.refresh()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1
        if beats % _EVERY == 0:
            await table.refresh()

    every_second(beat)
    wanted = request.query_params.get("message", "")
    if wanted.isdigit() and len(wanted) < len(str(2**31)):
        address = request.client.host if request.client else ""
        found = await notify.messages.get(viewer, int(wanted))
        ui.timer(0.1, lambda: _show(dialog, notify, viewer, found, zone, address), once=True)


def _row(one: MessageView, zone: ZoneInfo) -> Row:
    return {
        "title": Cell(one.title, address=f"{_HERE}?message={one.id}"),
        "channel": channel_name(one.kind, one.channel),
        "to": Cell(one.login or one.recipient or NOTHING, note=one.recipient if one.login else ""),
        "state": Cell(states()[one.state], note=_note(one), state=state_dress(one.state)),
        "made": date_time(one.made_at, zone),
        "took": NOTHING if one.took_s is None else duration(max(0.0, one.took_s)),
        "attempts": str(one.attempts),
    }


def _note(one: MessageView) -> str:
    return " · ".join(filter(None, (_("possibly repeated") if one.is_repeat else "", one.error)))


def _show(dialog: Dialog, notify: Notify, viewer: User, one: MessageView, zone: ZoneInfo, address: str) -> None:
    async def again() -> None:
        await notify.messages.again(viewer, one.id, address=address)
        ui.navigate.to(_HERE)

    async def cancel() -> None:
        await notify.messages.cancel(viewer, one.id, address=address)
        ui.navigate.to(_HERE)

    facts = {
        _("State"): " ".join(filter(None, (states()[one.state], _note(one)))),
        _("Channel"): channel_name(one.kind, one.channel),
        _("Recipient"): one.recipient or NOTHING,
        _("Person"): one.login or NOTHING,
        _("Topic"): one.topic,
        _("Happened at"): date_time(one.at, zone),
        _("Made at"): date_time(one.made_at, zone),
        _("Due at"): date_time(one.due_at, zone),
        _("Sent at"): NOTHING if one.sent_at is None else date_time(one.sent_at, zone),
        _("Attempts"): str(one.attempts),
    }
    with dialog.filling(one.title or _("Message")):
        if one.body:
            Words(one.body, "p", "ath-inbox-body")
        with region("ath-facts", "dl"):
            for name, value in facts.items():
                Words(name, "dt")
                Words(value, "dd")
        with region("ath-dialog-foot"):
            if one.state in _OPEN:
                button(_("Call it back"), cancel, classes="is-danger")
            if one.state in _AGAIN:
                button(_("Send again"), again, classes="is-main")
