"""The channels: how each fares, and the way to add one."""

from zoneinfo import ZoneInfo

from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.wording import channel_name, enterprise, kind_name, zone_of
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channelbook import ChannelView
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    TablePage,
    TableQuery,
    Words,
    button,
    data_table,
    link,
    region,
)
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import NOTHING, date_time, number
from athanor.web.language import _, text_of
from athanor.web.live import every_second

_EVERY = 3  # beats of a second
_HERE = "/notifications/channels"


async def channels(notify: Notify, plant: RunningPlant, viewer: User) -> None:
    """The table, kept up to date."""
    tabs(_HERE, viewer)
    zone = zone_of(plant)
    dialog = Dialog()

    async def rows(query: TableQuery) -> TablePage:
        found = [one for one in await notify.channels.all(viewer) if one.kind != INBOX]
        return page_of([_row(one, plant, zone) for one in found], query)

    def choose() -> None:
        with dialog.filling(_("Add a channel")), region("ath-form-starts"):
            for kind in notify.channels.kinds(viewer):
                with link("", f"{_HERE}/new/{kind.kind}", "ath-form-start"), region("", "span"):
                    Words(text_of(kind.title), "strong")

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            Words(_("The inbox is always there and needs no channel."), "span", "ath-note")
            region("ath-space")
            button(_("Add a channel…"), choose, glyph="add", classes="is-main")
        table = data_table(
            rows,
            [
                Column("name", _("Channel"), is_wide=True),
                Column("kind", _("Kind")),
                Column("tenant", _("Enterprise")),
                Column("state", _("State")),
                Column("waiting", _("Waiting"), is_number=True),
                Column("given_up", _("Given up"), is_number=True),
                Column("last", _("Last sent")),
            ],
            caption=_("Channels"),
            nothing=_("No channel yet: people are told in their inbox only."),
            export_name="channels",
        )
    await table.refresh()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1
        if beats % _EVERY == 0:
            await table.refresh()

    every_second(beat)


def _row(one: ChannelView, plant: RunningPlant, zone: ZoneInfo) -> Row:
    return {
        "name": Cell(channel_name(one.kind, one.name), address=f"{_HERE}/{one.id}"),
        "kind": kind_name(one.kind),
        "tenant": enterprise(plant, one.tenant),
        "state": state(one),
        "waiting": Cell(number(one.waiting), sort=one.waiting),
        "given_up": Cell(number(one.given_up), sort=one.given_up),
        "last": NOTHING if one.last_sent_at is None else date_time(one.last_sent_at, zone),
    }


def state(one: ChannelView) -> Cell:
    """How a channel fares, in words."""
    if not one.is_enabled:
        return Cell(_("off"))
    if one.is_failing:
        return Cell(_("fails"), note=one.last_error, state="is-urgent")
    return Cell(_("on")) if one.last_sent_at else Cell(_("not tried yet"), state="is-unsure")
