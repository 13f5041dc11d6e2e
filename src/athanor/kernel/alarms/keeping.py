"""Taking in what judging found: rows, occurrences, events and notices in one transaction, told once it is durable.

Taking in the same findings again changes nothing. Two servers that find the same wait for each other's rows; the
second finds that all was taken in.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import numpy as np
import structlog
from sqlalchemy import not_, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms import storing
from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.known import KnownRules
from athanor.kernel.alarms.ledger import Act, Held, Ledger, Step
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.records import CHANGED_TOPIC, Change
from athanor.kernel.alarms.tables import AlarmRow, RuleRow
from athanor.kernel.alarms.wording import Wording
from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import microseconds, moment
from athanor.kernel.notify import notice
from athanor.kernel.plant.running import RunningPlant

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")
_MANY = 2000  # findings whose reckoning takes long enough to leave it to a thread
_REPEATS_EVERY = timedelta(seconds=10)  # how often it is asked; rules repeat after a minute at the soonest
_REPEATING = select(RuleRow.id).where(RuleRow.content["repeats_after_s"].as_float().is_not(None))
_TRIGGERS = {
    What.RAISED: Trigger.RAISED,
    What.CLEARED: Trigger.CLEARED,
    What.SUPPRESSED: Trigger.SUPPRESSED,
    What.RESUMED: Trigger.RESUMED,
}


class Keeping:
    """All that changes where alarms stand goes through `changing`, here and in `operating`."""

    def __init__(
        self, database: Database, bus: Bus, plant: Callable[[], RunningPlant], now: Callable[[], datetime]
    ) -> None:
        self.database, self.rules, self.now = database, KnownRules(), now
        self.on_kept: Callable[[], Awaitable[None]] = _nothing  # run before the bus is told
        self._bus, self._plant = bus, plant
        self._repeated_at = datetime.min.replace(tzinfo=UTC)

    @asynccontextmanager
    async def changing(self, session: AsyncSession, ids: Sequence[int]) -> AsyncIterator[Ledger]:
        """These alarms under lock; what the block applies is written at its end, with the caller's commit."""
        alarms = await storing.lock(session, ids)
        rules = await self.rules.load(session, (alarm.rule_id for alarm in alarms.values()))
        ledger = Ledger(rules, self.now(), alarms)
        yield ledger
        if ledger.steps:
            await storing.number(session, ledger)
            notices = await _reckoned(len(ledger.steps), partial(self._notices, ledger))
            await notice.put(session, notices, ledger.seen_at)
            await storing.write(session, ledger)

    def _notices(self, ledger: Ledger) -> list[notice.Notice]:
        wording = Wording(self._plant().model, ledger.rules)
        return [one for one in map(wording.notice, ledger.steps) if one is not None]

    async def tell(self, ledger: Ledger) -> tuple[Change, ...]:
        """Tell the others what was kept, once it is durable."""
        changes = tuple(_change(step, ledger) for step in ledger.steps)
        if changes:
            await self._follow()
            self._bus.publish(Event(CHANGED_TOPIC, changes, ledger.seen_at))
        return changes

    async def _follow(self) -> None:
        """What is kept is kept, even if nobody in this server can read it just now."""
        try:
            await self.on_kept()
        except (SQLAlchemyError, OSError) as error:
            _log.error("alarms.change-not-followed", reason=str(error)[:300])

    async def take(self, findings: Findings, *, late_before: datetime) -> tuple[Change, ...]:
        """See `service.Alarms.take`."""
        if not len(findings):
            return ()
        ids = [int(one) for one in np.unique(findings.alarm)]
        async with self.database.session() as session, self.changing(session, ids) as ledger:
            await _reckoned(len(findings), partial(take_in, findings, ledger, late_before))
        return await self.tell(ledger)

    async def tick(self) -> tuple[Change, ...]:
        """See `service.Alarms.tick`."""
        now = self.now()
        unshelved = await self._unshelve(now)
        if abs(now - self._repeated_at) < _REPEATS_EVERY:
            return unshelved
        self._repeated_at = now
        return (*unshelved, *await self._repeat(now))

    async def retire(self) -> tuple[Change, ...]:
        """See `service.Alarms.retire`."""
        stands = or_(AlarmRow.state != State.NORM, *storing.HIDDEN)
        query = select(AlarmRow.id).where(AlarmRow.is_judged.is_(False), stands)
        async with self.database.reading() as session:
            ids = (await session.scalars(query)).all()
        return await self._each(ids, Trigger.RETIRED, lambda alarm: not alarm.is_judged)

    async def _unshelve(self, now: datetime) -> tuple[Change, ...]:
        async with self.database.reading() as session:
            ids = (await session.scalars(select(AlarmRow.id).where(AlarmRow.shelved_until <= now))).all()
        is_over = lambda alarm: alarm.shelved_until is not None and alarm.shelved_until <= now  # noqa: E731
        return await self._each(ids, Trigger.UNSHELVED, is_over)

    async def _repeat(self, now: datetime) -> tuple[Change, ...]:
        async with self.database.reading() as session:
            repeating = (await session.scalars(_REPEATING)).all()
            query = select(AlarmRow.id, AlarmRow.rule_id, AlarmRow.since).where(AlarmRow.state == State.ACKED)
            query = query.where(AlarmRow.rule_id.in_(repeating), not_(or_(*storing.HIDDEN)))
            rows = (await session.execute(query)).all() if repeating else []
            await self.rules.load(session, {row.rule_id for row in rows})

        def is_due(rule_id: int, since: datetime | None) -> bool:
            repeats_after_s = self.rules[rule_id].rule.repeats_after_s
            return (
                repeats_after_s is not None and since is not None and now - since >= timedelta(seconds=repeats_after_s)
            )

        ids = [row.id for row in rows if is_due(row.rule_id, row.since)]
        return await self._each(ids, Trigger.REPEATED, lambda alarm: is_due(alarm.rule_id, alarm.since))

    async def _each(
        self, ids: Sequence[int], trigger: Trigger, is_still_so: Callable[[Held], bool]
    ) -> tuple[Change, ...]:
        """Let the same happen to these alarms, of those of which it is still so under lock."""
        if not ids:
            return ()
        async with self.database.session() as session, self.changing(session, ids) as ledger:
            for alarm in ledger.alarms.values():
                if is_still_so(alarm):
                    ledger.apply(alarm, Act(trigger, ledger.seen_at))
        return await self.tell(ledger)


async def _nothing() -> None:
    """Nobody else follows."""


async def _reckoned(count: int, work: Callable[[], _T]) -> _T:
    """What `work` gives for so many: done here where these are few; else beside, so that pages go on."""
    return work() if count < _MANY else await asyncio.to_thread(work)


def take_in(findings: Findings, ledger: Ledger, late_before: datetime) -> None:
    """Apply what was found and not taken in before."""
    late_before_us = microseconds(late_before)
    columns = (findings.alarm, findings.what, findings.at_us, findings.value, findings.limit, findings.is_active)
    for alarm_id, what, at_us, value, limit, is_active in zip(*(one.tolist() for one in columns), strict=True):
        alarm = ledger.alarms.get(alarm_id)
        trigger = _TRIGGERS[What(what)]
        if alarm is None or not alarm.is_judged or not is_new(alarm, trigger, at_us):
            continue
        act = Act(
            trigger,
            moment(at_us),
            value=_number(value),
            limit=_number(limit),
            is_active=bool(is_active),
            is_late=at_us < late_before_us,
        )
        was_active = alarm.stand.is_active
        if ledger.apply(alarm, act):
            note_judged(alarm, trigger, at_us, is_judged=alarm.stand.is_active != was_active)


def is_new(alarm: Held, trigger: Trigger, at_us: int) -> bool:
    """Whether a finding was not taken in before. Raises of one alarm never share a time; other findings may."""
    if trigger in (Trigger.SUPPRESSED, Trigger.RESUMED):
        return at_us >= alarm.suppressed_us
    if trigger is Trigger.RAISED and alarm.occurrence is not None:
        return at_us >= alarm.judged_us and at_us > microseconds(alarm.occurrence.raised_at)
    return at_us >= alarm.judged_us


def note_judged(alarm: Held, trigger: Trigger, at_us: int, *, is_judged: bool = True) -> None:
    """Remember that a finding was taken in; `is_judged` where it said that the condition began or ended."""
    if trigger in (Trigger.SUPPRESSED, Trigger.RESUMED):
        alarm.suppressed_us = at_us
    if is_judged:
        alarm.judged_us = max(alarm.judged_us, at_us)


def _number(value: float) -> float | None:
    return value if value == value and value not in (float("inf"), float("-inf")) else None  # noqa: PLR0124 NaN


def _change(step: Step, ledger: Ledger) -> Change:
    alarm = step.alarm
    known = ledger.rules[alarm.rule_id]
    return Change(
        event=step.event,
        alarm=alarm.id,
        rule=alarm.rule_id,
        occurrence=None if step.occurrence is None else step.occurrence.id,
        tenant=alarm.tenant,
        path=alarm.path,
        name=known.rule.name,
        priority=alarm.priority,
        category=alarm.category,
        what=step.act.trigger,
        from_state=step.before.shown,
        to_state=step.now.shown,
        at=step.act.at,
        seen_at=ledger.seen_at,
        by=step.act.by,
        reason=step.act.reason,
        value=step.value,
        limit=step.limit,
        is_announced=step.is_announced,
        is_late=step.act.is_late,
    )
