"""What is done when alarms change, and by the clock."""

from athanor.apps.incidents import services
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Event
from athanor.kernel.cases.service import Cases
from athanor.kernel.plant.running import RunningPlant


async def follow_alarms(event: Event, cases: Cases, plant: RunningPlant) -> None:
    """Open cases of alarms that ask for one; note what was acknowledged."""
    await services.follow_alarms(cases, plant.model, event.body)


async def catch_up(cases: Cases, alarms: Alarms, plant: RunningPlant) -> None:
    """Open cases that alarms ask for and have not."""
    await services.catch_up(cases, plant.model, alarms.standing.everyones())


async def escalate_overdue(cases: Cases) -> None:
    """Give further up what takes too long."""
    await cases.escalate_overdue()
