"""How many alarms stand."""

from sqlalchemy import func, select

from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.tables import AlarmRow
from athanor.kernel.database.database import Database


async def standing_by_priority(db: Database) -> dict[int, int]:
    """Alarms that are not in the normal state, by priority."""
    query = select(AlarmRow.priority, func.count()).where(AlarmRow.state != State.NORM).group_by(AlarmRow.priority)
    async with db.reading() as session:
        return dict(row.tuple() for row in (await session.execute(query)).all())
