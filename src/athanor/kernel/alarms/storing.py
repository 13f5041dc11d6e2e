"""Alarms under lock, and what a `Ledger` did to them, in bulk statements: as many as there are tables, not rows."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Table, Update, bindparam, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.known import pieces
from athanor.kernel.alarms.ledger import Held, Ledger, Occurrence
from athanor.kernel.alarms.lifecycle import Stand, State
from athanor.kernel.alarms.tables import AlarmRow, EventRow, HeadRow, OccurrenceRow
from athanor.kernel.database.bulk import run

_ALARMS, _OCCURRENCES, _EVENTS = (
    table for row in (AlarmRow, OccurrenceRow, EventRow) if isinstance(table := row.__table__, Table)
)
HIDDEN = (AlarmRow.is_suppressed, AlarmRow.shelved_until.is_not(None), AlarmRow.out_of_service_by.is_not(None))
_AS_THEY_ARE = (
    "id", "rule_id", "tenant", "path", "priority", "category", "is_judged", "shelved_until", "shelved_by",
    "hidden_reason", "hidden_at", "out_of_service_by", "out_of_service_at", "out_of_service_reason", "value", "limit",
    "since", "acknowledged_by", "acknowledged_at", "judged_us", "suppressed_us", "occurrence_id",
)  # fmt: skip
_WRITTEN = (
    "shelved_until", "shelved_by", "hidden_reason", "hidden_at", "out_of_service_by", "out_of_service_at",
    "out_of_service_reason", "value", "limit", "since", "acknowledged_by", "acknowledged_at", "judged_us",
    "suppressed_us",
)  # fmt: skip
_STAND = ("state", "is_active", "is_suppressed", "occurrence_id", "revision")
_ENDS = ("is_announced", "acknowledged_at", "acknowledged_by", "cleared_at", "ended_at")
_LOCKED = (*(_ALARMS.c[name] for name in _AS_THEY_ARE), _ALARMS.c.state, _ALARMS.c.is_suppressed)
_OF_AN_OCCURRENCE = ("id", "raised_at", "seen_at", "is_late", "value", "limit", *_ENDS)


async def lock(session: AsyncSession, ids: Iterable[int]) -> dict[int, Held]:
    """These alarms, theirs until the session's end; unknown ids are left out.

    Always in the order of ids, so that two who lock some of the same never wait for each other.
    """
    held: dict[int, Held] = {}
    for piece in pieces(sorted(set(ids))):
        query = select(*_LOCKED).where(_ALARMS.c.id.in_(piece)).order_by(_ALARMS.c.id).with_for_update()
        for *values, state, is_suppressed in await session.execute(query):
            alarm = _held(values, State(state), is_suppressed=is_suppressed)
            held[alarm.id] = alarm
    await _load_occurrences(session, held)
    return held


def _held(values: list[Any], state: State, *, is_suppressed: bool) -> Held:
    fields = dict(zip(_AS_THEY_ARE, values, strict=True))
    is_shelved, is_out = fields["shelved_until"] is not None, fields["out_of_service_by"] is not None
    return Held(**fields, stand=Stand(state, is_shelved, is_suppressed, is_out))


async def _load_occurrences(session: AsyncSession, held: Mapping[int, Held]) -> None:
    """Read after the lock, not joined to it: who waited for a lock would be given what was there before the wait."""
    by_id = {alarm.occurrence_id: alarm for alarm in held.values() if alarm.occurrence_id is not None}
    columns = [_OCCURRENCES.c[name] for name in _OF_AN_OCCURRENCE]
    for piece in pieces(sorted(by_id)):
        for values in await session.execute(select(*columns).where(_OCCURRENCES.c.id.in_(piece))):
            occurrence = Occurrence(**dict(zip(_OF_AN_OCCURRENCE, values, strict=True)))
            by_id[occurrence.id].occurrence = occurrence


async def number(session: AsyncSession, ledger: Ledger) -> None:
    """Give ids to occurrences and events that are new."""
    ids = await _new_ids(session, OccurrenceRow.__tablename__, len(ledger.made))
    for (alarm, occurrence), occurrence_id in zip(ledger.made, ids, strict=True):
        occurrence.id = occurrence_id
        if alarm.occurrence is occurrence:
            alarm.occurrence_id = occurrence_id
    events = await _new_ids(session, EventRow.__tablename__, len(ledger.steps))
    for step, event_id in zip(ledger.steps, events, strict=True):
        step.event = event_id


async def _new_ids(session: AsyncSession, table: str, count: int) -> list[int]:
    """Ids that nobody else is given; on SQLite nobody else writes until the session's end."""
    if count == 0:
        return []
    if session.get_bind().dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        last = await session.scalar(query, {"table": table}) or 0
        return list(range(last + 1, last + 1 + count))
    query = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return sorted((await session.scalars(query, {"table": table, "count": count})).all())


async def write(session: AsyncSession, ledger: Ledger) -> None:
    """Keep what a numbered ledger did. Last of all the revisions: from then on nobody else gets one until the end."""
    await run(session, insert(_OCCURRENCES), [_occurrence(*made) for made in ledger.made])
    ended = [{"key": one.id, **{name: getattr(one, name) for name in _ENDS}} for one in ledger.touched.values()]
    await run(session, _changed(_OCCURRENCES, _ENDS), ended)
    await run(session, insert(_EVENTS), _events(ledger))
    changed = ledger.changed
    first = await next_revisions(session, len(changed)) if changed else 0
    rows = [_alarm(alarm, first + place) for place, alarm in enumerate(changed)]
    await run(session, _changed(_ALARMS, _STAND + _WRITTEN), rows)


async def next_revisions(session: AsyncSession, count: int) -> int:
    """The first of so many revisions that are the session's; others wait for its end before they get theirs."""
    changed = update(HeadRow).values(revision=HeadRow.revision + count).returning(HeadRow.revision)
    last = (await session.execute(changed.execution_options(synchronize_session=False))).scalar_one()
    return last - count + 1


async def touch(session: AsyncSession, rules: Collection[int]) -> None:
    """Let the alarms of these rules that stand count as changed, since what is said of them has."""
    stands = or_(_ALARMS.c.state != State.NORM.value, *HIDDEN)
    query = select(_ALARMS.c.id).where(_ALARMS.c.rule_id.in_(sorted(rules)), stands).order_by(_ALARMS.c.id)
    ids = (await session.scalars(query.with_for_update())).all()
    if ids:
        first = await next_revisions(session, len(ids))
        rows = [{"key": alarm_id, "revision": first + place} for place, alarm_id in enumerate(ids)]
        await run(session, _changed(_ALARMS, ("revision",)), rows)


async def newest_revision(session: AsyncSession) -> int:
    """The newest revision of all alarms."""
    return (await session.scalar(select(func.coalesce(func.max(HeadRow.revision), 0)))) or 0


def _changed(table: Table, names: tuple[str, ...]) -> Update:
    return update(table).where(table.c.id == bindparam("key")).values({name: bindparam(name) for name in names})


def _alarm(alarm: Held, revision: int) -> dict[str, Any]:
    stand = alarm.stand
    return {
        "key": alarm.id,
        "state": stand.own.value,
        "is_active": stand.is_active,
        "is_suppressed": stand.is_suppressed,
        "occurrence_id": alarm.occurrence_id,
        "revision": revision,
        **{name: getattr(alarm, name) for name in _WRITTEN},
    }


def _occurrence(alarm: Held, occurrence: Occurrence) -> dict[str, Any]:
    return {
        "alarm_id": alarm.id,
        "rule_id": alarm.rule_id,
        "path": alarm.path,
        "tenant": alarm.tenant,
        "priority": alarm.priority,
        "category": alarm.category,
        **{name: getattr(occurrence, name) for name in _OF_AN_OCCURRENCE},
    }


def _events(ledger: Ledger) -> list[dict[str, Any]]:
    return [
        {
            "id": step.event,
            "alarm_id": step.alarm.id,
            "occurrence_id": None if step.occurrence is None else step.occurrence.id,
            "what": step.act.trigger.value,
            "from_state": step.before.shown.value,
            "to_state": step.now.shown.value,
            "at": step.act.at,
            "seen_at": ledger.seen_at,
            "by": step.act.by,
            "reason": step.act.reason,
            "value": step.value,
            "limit": step.limit,
            "tenant": step.alarm.tenant,
        }
        for step in ledger.steps
    ]
