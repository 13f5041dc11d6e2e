"""The duty rosters: who is on duty now, and the way to each."""

from datetime import UTC, datetime, timedelta

from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.wording import enterprise, zone_of
from athanor.apps.notifications.services.duty import names_of
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify.roster import gaps, on_duty
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, TablePage, TableQuery, data_table, link, region
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _, text_of

_AHEAD = timedelta(days=14)


async def rosters(notify: Notify, identity: Identity, plant: RunningPlant, viewer: User) -> None:
    """The table."""
    tabs("/notifications/rosters", viewer)
    zone = zone_of(plant)

    async def rows(query: TableQuery) -> TablePage:
        now = datetime.now(UTC)
        found: list[Row] = []
        for one in await notify.rosters.all(viewer):
            names = await names_of(identity, one.tenant)
            duty = on_duty(one.roster, now, zone)
            people = [names[login] for each in duty for login in each.people if login in names]
            missing = gaps(one.roster, now, now + _AHEAD, zone, names.__contains__)
            found.append(
                {
                    "name": Cell(text_of(one.roster.name), address=f"/notifications/rosters/{one.id}"),
                    "tenant": enterprise(plant, one.tenant),
                    "team": _(", ").join(each.team for each in duty) or NOTHING,
                    "now": _(", ").join(people) or Cell(_("nobody"), state="is-urgent"),
                    "until": date_time(min(each.end for each in duty), zone) if duty else NOTHING,
                    "gap": Cell(date_time(missing[0].start, zone), state="is-warn") if missing else NOTHING,
                }
            )
        return page_of(found, query)

    with region("ath-card", "section"):
        if viewer.may("notifications.configure"):
            with region("ath-toolbar"):
                region("ath-space")
                link(_("Add a roster"), "/notifications/rosters/new", "ath-button is-main")
        table = data_table(
            rows,
            [
                Column("name", _("Roster"), is_wide=True),
                Column("tenant", _("Enterprise")),
                Column("team", _("Team")),
                Column("now", _("On duty now")),
                Column("until", _("Until")),
                Column("gap", _("Next time without anybody")),
            ],
            caption=_("Duty rosters"),
            nothing=_("No roster yet. A policy may tell whoever is on duty, once there is one."),
            export_name="rosters",
        )
    await table.refresh()
