"""One entry of the audit trail with everything that it holds: old and new values, and its place in the chain."""

from urllib.parse import quote
from zoneinfo import ZoneInfo

from athanor.apps.security.pages import words
from athanor.apps.security.pages.entries_table import change_of, plain, value_text
from athanor.apps.security.pages.tabs import tabs
from athanor.apps.security.services import reading
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.trail import Entry
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, Words, data_table, empty_state, link, region
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _


async def entry(number: int, park: RunningPlant, db: Database, viewer: User) -> None:
    """What was done, by whom, from where, and what changed."""
    tabs("/security/audit")
    try:
        found = await reading.read_entry(db, viewer, number)
    except NotFoundError:
        empty_state(
            _("There is no such entry"),
            _("It may be one of somebody whom you may not see."),
            action=(_("All entries"), "/security/audit"),
            is_missing=True,
        )
        return
    one = found.entry
    facts = [
        (_("Time"), date_time(one.at, ZoneInfo(park.model.timezone))),
        (_("Who"), one.actor),
        (_("What"), f"{words.action_text(one.action)} ({one.action})"),
        (_("To what"), words.of_nothing(one.subject)),
        (_("From where"), words.of_nothing(one.address)),
    ]
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("Entry {number}").format(number=one.id), "h2")
        _facts(facts)
        with region("ath-form-foot"):
            link(
                _("Everything by {who}").format(who=one.actor),
                f"/security/audit?actor={quote(one.actor)}",
                "ath-button",
            )
            if one.subject:
                address = f"/security/audit?subject={quote(one.subject)}"
                link(_("Everything done to {what}").format(what=one.subject), address, "ath-button")
    _values(one)
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("Place in the chain"), "h2")
        _facts([(_("Chain before"), found.before), (_("Chain"), one.chain)])


def _facts(facts: list[tuple[str, str]]) -> None:
    with region("ath-table is-stacked", "table"), region(tag="tbody"):
        for name, value in facts:
            with region(tag="tr"):
                Words(name, "th").style("width: 25%; text-align: left")
                Words(value, "td").style("overflow-wrap: anywhere; white-space: normal").props["data-label"] = name


def _values(one: Entry) -> None:
    if not one.detail:
        return
    rows = []
    for name, value in one.detail.items():
        change = change_of(one, value)
        old, new = (NOTHING, value_text(one, value)) if change is None else (plain(change[0]), plain(change[1]))
        rows.append({"name": Cell(words.detail_name(name)), "old": Cell(old), "new": Cell(new)})
    columns = [
        Column("name", _("Field"), is_sortable=False),
        Column("old", _("Old value"), is_sortable=False, is_wide=True),
        Column("new", _("Value"), is_sortable=False, is_wide=True),
    ]
    with region("ath-card", "section"):
        data_table(rows, columns, caption=_("Old and new values"), is_searchable=False)
