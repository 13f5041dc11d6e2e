"""Once a month: a report on the month before, for the park and for each enterprise, in every language."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from athanor.apps.alarms.services import report_making
from athanor.apps.alarms.services.performance_period import month_before, month_of
from athanor.apps.alarms.services.performance_record import Wish
from athanor.apps.alarms.services.report_making import Form
from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.language import LANGUAGES

HOUSE = User(0, "athanor", "Athanor", ("administrator",))  # as whom a schedule keeps documents


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that was kept: how many of how many, and the document."""

    number: int
    of: int
    document: int


async def keep_month(
    database: Database, documents: Documents, plant: RunningPlant, month: str, now: datetime
) -> AsyncIterator[Kept]:
    """Keep the reports on a month such as `2026-05`, the one before `now` where it is empty. Raises BadPeriodError.

    Each enterprise has its own, of its own alarms; nobody else reads it but the park's people, who have one on all.
    """
    zone = ZoneInfo(plant.model.timezone)
    start, end = month_of(month, zone) if month else month_before(now, zone)
    owners, files = (None, *sorted(plant.model.tenants)), [(form, language) for form in Form for language in LANGUAGES]
    of, number = len(owners) * len(files), 0
    for tenant in owners:
        own = frozenset() if tenant is None else frozenset({tenant})
        seen = database if tenant is None else SeenDatabase(database, own)
        part = plant if tenant is None else plant.visible_to(own)
        material = await report_making.gather(seen, part, Wish(start, end, tenant))
        for form, language in files:
            report = await report_making.make(material, form, language, now)
            number += 1
            yield Kept(number, of, await report_making.store(documents, HOUSE, report, tenant))
