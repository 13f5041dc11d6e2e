"""Whether an operator is being flooded: announced alarms of the last ten minutes, by the rule of the standard."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import func, select

from athanor.apps.alarms.domain.floods import BEGINS_ABOVE, ENDS_BELOW, WINDOW_US
from athanor.kernel.alarms.tables import OccurrenceRow
from athanor.kernel.database.database import Database

WINDOW = timedelta(microseconds=WINDOW_US)

_ASK_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Flood:
    """How it is now."""

    announced: int  # within the window
    is_on: bool


class FloodWatch:
    """Counts for all who see the same, every few seconds at most."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[datetime, Flood]] = {}

    async def now(self, db: Database, whose: Hashable, now: datetime) -> Flood:
        """As these people see it; `db` is cut to what they see. A flood lasts until it is well below where it began."""
        asked_at, flood = self._last.get(whose, (None, Flood(0, is_on=False)))
        if asked_at is not None and now - asked_at < _ASK_EVERY:
            return flood
        announced = await _announced(db, now)
        is_on = announced > BEGINS_ABOVE or (flood.is_on and announced >= ENDS_BELOW)
        flood = Flood(announced, is_on)
        self._last[whose] = (now, flood)
        return flood


async def _announced(db: Database, now: datetime) -> int:
    query = select(func.count()).select_from(OccurrenceRow)
    recent = query.where(OccurrenceRow.raised_at > now - WINDOW, OccurrenceRow.raised_at <= now)
    async with db.reading() as session:
        counted = await session.scalar(recent.where(OccurrenceRow.is_announced, ~OccurrenceRow.is_late))
    return counted or 0


_watches: WeakKeyDictionary[object, FloodWatch] = WeakKeyDictionary()


def flood_watch_of(server: object) -> FloodWatch:
    """That of the server whose alarms or bus this is."""
    return _watches.setdefault(server, FloodWatch())
