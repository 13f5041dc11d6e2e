"""The desk: what stands now."""

from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.services.desk_counts import standing_by_priority
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.web.components import empty_state, kpi, kpi_strip
from athanor.web.formatting import number
from athanor.web.language import _


async def desk(viewer: User, db: Database) -> None:
    """How many alarms of each priority stand."""
    tabs("/alarms", viewer)
    counts = await standing_by_priority(db)
    if not counts:
        empty_state(_("No alarm stands."), glyph="notifications")
        return
    names = {1: _("Critical"), 2: _("High"), 3: _("Medium"), 4: _("Low")}
    with kpi_strip():
        for priority, name in names.items():
            kpi(name).set(number(counts.get(priority, 0)))
