"""What Alarms does by itself: it wakes the pages that show alarms."""

from athanor.apps.alarms.services.desk_watch import watch_of
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.bus.port import Bus, Event


async def wake_pages(_event: Event, bus: Bus) -> None:
    """An alarm has changed."""
    watch_of(bus).wake()


async def look_again(bus: Bus, alarms: Alarms) -> None:
    """Another server may have changed one."""
    watch_of(bus).note(alarms.standing.revision)
