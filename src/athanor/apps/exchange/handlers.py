"""What is done by the clock."""

from datetime import UTC, datetime

from athanor.apps.exchange.services.contracts import Checking
from athanor.kernel.bus.port import Bus
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import Historian
from athanor.kernel.plant.running import RunningPlant


async def check_contracts(
    park: RunningPlant, historian: Historian, current: CurrentValues, db: Database, bus: Bus
) -> None:
    """Check every contract; say what was breached and what is kept again."""
    await Checking(db, park, historian, current, bus).check(datetime.now(UTC))
