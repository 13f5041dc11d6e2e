"""What Alarms does by itself: it wakes the pages that show alarms, and reports on each month."""

from datetime import UTC, datetime

from athanor.apps.alarms.services.desk_watch import watch_of
from athanor.apps.alarms.services.report_monthly import keep_month
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.documents.service import Documents
from athanor.kernel.jobs.carrying import Claim
from athanor.kernel.jobs.port import JobResult
from athanor.kernel.plant.running import RunningPlant


async def wake_pages(_event: Event, bus: Bus) -> None:
    """An alarm has changed."""
    watch_of(bus).wake()


async def look_again(bus: Bus, alarms: Alarms) -> None:
    """Another server may have changed one."""
    watch_of(bus).note(alarms.standing.revision)


async def keep_report(
    progress: Claim, db: Database, documents: Documents, plant: RunningPlant, month: str = ""
) -> JobResult:
    """Keep the reports on a month such as `2026-05`; without one on the month before. Raises BadPeriodError."""
    progress.tell(stage="reporting", fraction=0.0)
    kept: list[int] = []
    async for one in keep_month(db, documents, plant, month, progress.due_at or datetime.now(UTC)):
        progress.check_cancelled()
        progress.tell(stage="reporting", fraction=one.number / one.of)
        kept.append(one.document)
    return JobResult({"documents": kept})
