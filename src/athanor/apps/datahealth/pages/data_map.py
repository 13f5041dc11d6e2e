"""The data map: what the platform holds, by what it is for."""

from datetime import UTC, datetime

from athanor.apps.datahealth.pages import map_words as words
from athanor.apps.datahealth.pages.tabs import tabs
from athanor.apps.datahealth.services.holdings import Group, Holding, holdings
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, data_table, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, duration, number
from athanor.web.language import _, text_of


async def data_map(
    plant: RunningPlant,
    historian: TieredHistorian,
    current: CurrentValues,
    quarantine: Quarantine,
    sources: SourceStates,
    jobs: Jobs,
    db: Database,
    viewer: User,
) -> None:
    """A table for each group of data: volume, newest entry, owner, who may see it and who uses it."""
    tabs("/datahealth/map")
    found = await holdings(plant, historian, current, quarantine, sources, jobs, db, viewer)
    now = datetime.now(UTC)
    columns = [
        Column("what", _("What"), is_wide=True),
        Column("rows", _("Volume"), is_number=True),
        Column("bytes", _("Size"), is_number=True),
        Column("newest", _("Newest"), is_number=True),
        Column("oldest", _("Oldest"), is_number=True),
        Column("owner", _("Kept by")),
        Column("permission", _("Who may see it")),
        Column("users", _("Used by"), is_wide=True),
    ]
    for group in Group:
        rows = [_row(one, now) for one in found if one.kind.group is group]
        if rows:
            with region("ath-card", "section"):
                data_table(
                    rows,
                    columns,
                    caption=words.group(group),
                    export_name=f"data-map-{group}",
                    is_searchable=False,
                )


def _row(one: Holding, now: datetime) -> Row:
    kind = one.kind
    name, note = words.kind(kind.id)
    return {
        "what": Cell(name, note=note, address=kind.page or ""),
        "rows": Cell(number(one.rows), sort=float(one.rows)),
        "bytes": Cell(words.size(one.bytes), sort=float(one.bytes or 0)),
        "newest": _age(one.newest, now),
        "oldest": _age(one.oldest, now),
        "owner": kind.owner,
        "permission": kind.permission,
        "users": ", ".join(text_of(title) for title in one.users) or NOTHING,
    }


def _age(at: datetime | None, now: datetime) -> Cell:
    if at is None:
        return Cell(NOTHING, sort=float("inf"))
    age_s = (now - at).total_seconds()
    return Cell(_("{age} ago").format(age=duration(age_s)), sort=age_s)
