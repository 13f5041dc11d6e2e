"""Occurrences by the hundred thousand as columns, for figures that are computed over all of them.

The database joins the rows to one text and Arrow reads it: about four times as fast as rows of objects, which for
300,000 occurrences is two seconds instead of half of one.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow

NEVER_US = int(np.iinfo(np.int64).max)  # the time of what has not happened
_LOOK_BACK = timedelta(
    days=90
)  # for what was raised before and ended within the time; what still stands is found anyway
_PART, _ROW = "\x1f", "\x1e"  # what no path of a plant holds
_TIMES = ("raised_at", "cleared_at", "acknowledged_at", "seen_at")


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Announced occurrences as columns of one length, int64, in no order. Times are µs since 1970 UTC, or NEVER_US."""

    id: np.ndarray
    alarm: np.ndarray
    priority: np.ndarray
    raised_us: np.ndarray
    cleared_us: np.ndarray
    acknowledged_us: np.ndarray
    seen_us: np.ndarray


@dataclass(frozen=True, slots=True)
class Placed:
    """An alarm that has occurrences: of which rule, and where."""

    id: int
    rule: int
    tenant: str | None
    path: str


async def judged_since(session: AsyncSession) -> datetime | None:
    """Since when alarms are judged here: the first rule was made, or the first occurrence is older, as an import's."""
    made: datetime | None = await session.scalar(select(func.min(RuleRow.made_at)))
    raised: datetime | None = await session.scalar(select(func.min(OccurrenceRow.raised_at)))
    known = [moment for moment in (made, raised) if moment is not None]
    return min(known) if known else None


async def occurrences(session: AsyncSession, start: datetime, end: datetime) -> Occurrences:
    """What was announced from `start` up to but without `end`, and what was raised before and stood then.

    Cut to what the session's viewer may see. What ended in that time is found if it was raised less than 90 days
    before it.
    """
    row = OccurrenceRow
    was_standing = or_(row.cleared_at.is_(None), row.cleared_at >= start)
    recent = and_(row.raised_at >= start - _LOOK_BACK, row.raised_at < end, or_(row.raised_at >= start, was_standing))
    standing = select(AlarmRow.occurrence_id).where(AlarmRow.is_active, AlarmRow.occurrence_id.is_not(None))
    old = and_(row.raised_at < start - _LOOK_BACK, row.cleared_at.is_(None), row.id.in_(standing))
    texts = [await _joined(session, which) for which in (recent, old)]
    return await asyncio.to_thread(_columns, "\n".join(text for text in texts if text))


async def placed(session: AsyncSession, start: datetime) -> dict[int, Placed]:
    """The alarms that were raised since `start`, or stand, by id. Cut to what the session's viewer may see."""
    recent = select(OccurrenceRow.alarm_id).where(OccurrenceRow.raised_at >= start - _LOOK_BACK)
    row = AlarmRow
    parts = (cast(row.id, String), cast(row.rule_id, String), func.coalesce(row.tenant, ""), row.path)
    joined = _concatenated(parts, _PART)
    query = select(func.aggregate_strings(joined, _ROW)).where(or_(row.id.in_(recent), row.is_active))
    text = await session.scalar(query) or ""
    found = (line.split(_PART) for line in text.split(_ROW) if line)
    return {int(alarm): Placed(int(alarm), int(rule), tenant or None, path) for alarm, rule, tenant, path in found}


async def _joined(session: AsyncSession, which: ColumnElement[bool]) -> str:
    row = OccurrenceRow
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    numbers = [cast(one, String) for one in (row.id, row.alarm_id, row.priority)]
    times = [_time_text(getattr(row, name), is_sqlite=is_sqlite) for name in _TIMES]
    query = select(func.aggregate_strings(_concatenated([*numbers, *times], ","), "\n"))
    return await session.scalar(query.where(which, row.is_announced)) or ""


def _time_text(column: Any, *, is_sqlite: bool) -> ColumnElement[str]:
    """`2026-05-04 07:03:09.000000`, UTC; nothing for null. SQLite keeps it so."""
    text = cast(column, String) if is_sqlite else func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    return case((column.is_(None), ""), else_=text)


def _concatenated(parts: Any, between: str) -> Any:
    first, *others = parts
    joined = first
    for one in others:
        joined = joined + between + one
    return joined


def _columns(text: str) -> Occurrences:
    names = ["id", "alarm", "priority", *_TIMES]
    if not text:
        return Occurrences(*(np.zeros(0, np.int64) for _name in names))
    types = {name: pa.timestamp("us") if name in _TIMES else pa.int64() for name in names}
    table = arrow_csv.read_csv(
        pa.BufferReader(text.encode()),
        read_options=arrow_csv.ReadOptions(column_names=names),
        convert_options=arrow_csv.ConvertOptions(column_types=types),
    )
    columns = {name: table[name].combine_chunks() for name in names}
    numbers = {
        name: pc.fill_null(pc.cast(column, pa.int64()), NEVER_US).to_numpy(zero_copy_only=False)
        for name, column in columns.items()
    }
    return Occurrences(*(numbers[name] for name in names))
