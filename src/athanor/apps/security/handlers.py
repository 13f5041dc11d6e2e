"""What is done by the clock."""

from datetime import UTC, datetime

from athanor.apps.security.services.chain import verify_when_due
from athanor.apps.security.services.watching import Watch
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.running import RunningPlant


async def watch(db: Database, bus: Bus, sources: SourceStates, park: RunningPlant) -> None:
    """Look for patterns, and for edges that came or went."""
    await Watch(db, bus, sources, park.version).look(datetime.now(UTC))


async def verify_daily(db: Database, bus: Bus) -> None:
    """Follow the chain of the audit trail where nobody did for a day."""
    await verify_when_due(db, bus, datetime.now(UTC))
