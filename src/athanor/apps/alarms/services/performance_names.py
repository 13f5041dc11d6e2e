"""What the alarms of figures are called: by rule and place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, select

from athanor.apps.alarms.domain.response import Spread, spread
from athanor.apps.alarms.services.performance import Figures, Learned
from athanor.apps.alarms.services.performance_record import Record
from athanor.kernel.alarms.tables import RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import microseconds
from athanor.kernel.notify.tables import MessageRow, NoticeRow
from athanor.kernel.plant.model import Plant, Text

_PIECE = 500  # ids that one query names
_MOST_MESSAGES = 200_000


@dataclass(frozen=True, slots=True)
class Named:
    """An alarm as people know it: its rule's name and number, and the way to the place, from the area down."""

    id: int
    rule: int
    name: Text
    path: str
    place: tuple[Text, ...]


async def named(database: Database, plant: Plant, record: Record, alarms: Iterable[int]) -> dict[int, Named]:
    """The names of some alarms of a record."""
    wanted = [record.alarms[alarm] for alarm in dict.fromkeys(alarms) if alarm in record.alarms]
    names = await _rule_names(database, {one.rule for one in wanted})
    return {
        one.id: Named(one.id, one.rule, names.get(one.rule, {}), one.path, place_of(plant, one.path)) for one in wanted
    }


def place_of(plant: Plant, path: str) -> tuple[Text, ...]:
    """The names of the nodes on the way to a place and of the tag, at most the last three."""
    parts = path.split(".")
    paths = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    names = [plant.nodes[one].name for one in paths if one in plant.nodes]
    if path in plant.tags:
        names.append(plant.tags[path].name)
    return tuple(names[-3:])


def shown_alarms(found: Figures, known: Learned | None = None) -> set[int]:
    """Every alarm that a page or a report on these figures names."""
    shown = {one.alarm for one in (*found.chattering, *found.fleeting)} | {one.alarm for one in found.stale}
    shown |= set(found.top.alarm.tolist())
    for flood in found.floods:
        shown |= {flood.first_alarm, *(one.first for one in flood.groups[:3])}
    if known is not None:
        shown |= {one for pair in known.pairs for one in (pair.first, pair.then)}
    return shown


async def told_after(database: Database, start: datetime, end: datetime) -> Spread:
    """How long from an alarm's source time to its first message that was sent, of those raised in a time."""
    first = (
        select(NoticeRow.at, func.min(MessageRow.sent_at))
        .join(MessageRow, MessageRow.notice_id == NoticeRow.id)
        .where(NoticeRow.topic == "alarms.raised", NoticeRow.at >= start, NoticeRow.at < end)
        .where(MessageRow.sent_at.is_not(None))
        .group_by(NoticeRow.id, NoticeRow.at)
        .limit(_MOST_MESSAGES)
    )
    async with database.reading() as session:
        rows = (await session.execute(first)).all()
    return spread(_lengths([(at, sent_at) for at, sent_at in rows if sent_at is not None]))


def _lengths(rows: Sequence[tuple[datetime, datetime]]) -> np.ndarray:
    return np.array([microseconds(sent_at) - microseconds(at) for at, sent_at in rows], np.int64)


async def _rule_names(database: Database, rules: set[int]) -> dict[int, Text]:
    ids = sorted(rules)
    found: dict[int, Text] = {}
    async with database.reading() as session:
        for start in range(0, len(ids), _PIECE):
            query = select(RuleRow.id, RuleRow.content).where(RuleRow.id.in_(ids[start : start + _PIECE]))
            found |= {number: dict(content["name"]) for number, content in (await session.execute(query)).all()}
    return found
