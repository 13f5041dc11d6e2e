"""How much the kernel's tables hold: rows, and when the newest came. Counts only, never a row's content."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from athanor.kernel.corrections.tables import CorrectionRow
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import moment
from athanor.kernel.identity.tables import AuditRow, UserRow
from athanor.kernel.waveforms.tables import WaveformRow


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one table holds."""

    rows: int
    newest: datetime | None = None
    oldest: datetime | None = None
    bytes: int | None = None  # of what it lists and others keep; None for a table that is all there is


async def recorded(database: Database) -> Mapping[str, Recorded]:
    """Accounts, audit trail, corrections and waveforms, by these names."""
    people = select(func.count(), func.max(UserRow.created_at), func.min(UserRow.created_at))
    trail = select(func.count(), func.max(AuditRow.at), func.min(AuditRow.at))
    corrected = select(func.count(), func.max(CorrectionRow.made_at), func.min(CorrectionRow.made_at))
    forms = select(
        func.count(), func.max(WaveformRow.start_us), func.min(WaveformRow.start_us), func.sum(WaveformRow.size)
    )
    async with database.reading() as session:
        dated = {
            name: Recorded(*(await session.execute(query)).one())
            for name, query in (("accounts", people), ("audit", trail), ("corrections", corrected))
        }
        rows, newest_us, oldest_us, size = (await session.execute(forms)).one()
    newest, oldest = (None if one is None else moment(int(one)) for one in (newest_us, oldest_us))
    return {**dated, "waveforms": Recorded(rows, newest, oldest, int(size or 0))}
