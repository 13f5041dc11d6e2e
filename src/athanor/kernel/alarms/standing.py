"""The standing alarms in memory, for every page: read once, then what changed, by revision.

A change of this server's own is read at once; another server's with the next look, within a second or two.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.known import KnownRules
from athanor.kernel.alarms.lifecycle import Stand, State
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.seeing import Sight
from athanor.kernel.alarms.storing import HIDDEN, newest_revision, touch
from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant

_log = structlog.get_logger(__name__)
_COLUMNS = (
    *(AlarmRow.id, AlarmRow.rule_id, AlarmRow.occurrence_id, AlarmRow.tenant, AlarmRow.path, AlarmRow.priority),
    *(AlarmRow.category, AlarmRow.state, AlarmRow.is_active, AlarmRow.is_suppressed, AlarmRow.value, AlarmRow.limit),
    *(AlarmRow.since, AlarmRow.acknowledged_by, AlarmRow.acknowledged_at, AlarmRow.shelved_until, AlarmRow.shelved_by),
    *(AlarmRow.hidden_reason, AlarmRow.out_of_service_by, AlarmRow.out_of_service_reason, AlarmRow.revision),
    *(OccurrenceRow.raised_at, OccurrenceRow.seen_at, OccurrenceRow.ended_at),
)
_PIECE = 5000  # changed alarms that one query reads
_MOST_GONE = 50_000  # alarms of which it is remembered that they stand no more
_LOOK_S = 1.0  # how often it is asked what other servers changed
_RULES_S = 10.0  # how often it is asked whether a rule was reworded


@dataclass(frozen=True, slots=True)
class Counts:
    """How many alarms stand."""

    by_state: Mapping[State, int]
    by_priority: Mapping[int, int]  # of those that nothing hides
    unacknowledged: Mapping[int, int]  # of these by priority


@dataclass(frozen=True, slots=True)
class Changed:
    """What is another than it was at a revision.

    Parameters
    ----------
    revision
        Up to which it was looked.
    alarms
        That stand and are new or another, the latest change last.
    gone
        Ids of those that stand no more.
    is_whole
        The revision was too old to say what is gone: `alarms` are all there are.
    """

    revision: int
    alarms: Sequence[StandingAlarm]
    gone: Sequence[int]
    is_whole: bool = False


class Standing:
    """Alarms that are not normal, or that something hides. `revision` grows with every change of any of them."""

    def __init__(self, database: Database, plant: Callable[[], RunningPlant], rules: KnownRules) -> None:
        self._database, self._plant, self._rules = database, plant, rules
        self.revision = 0
        self._alarms: dict[int, StandingAlarm] = {}  # in the order of their revisions
        self._gone: dict[int, StandingAlarm] = {}  # as they were last, but for the revision; in its order
        self._all_since = 0  # from this revision on `_gone` is complete
        self._seen: dict[object, tuple[int, int, tuple[StandingAlarm, ...]]] = {}
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._rules_as_of: tuple[object, ...] = ()

    # ---- looking

    def alarms_of(self, viewer: User) -> Sequence[StandingAlarm]:
        """Those that somebody may see, the latest change last: their tenant's, and what others share with them."""
        key = (viewer.tenants, viewer.shares)
        version = self._plant().version
        known = self._seen.get(key)
        if known is None or known[:2] != (self.revision, version):
            sight = Sight(viewer, self._plant())
            known = (self.revision, version, tuple(one for one in self._alarms.values() if sight.covers(one)))
            if len(self._seen) > 1000:  # nobody's rights change that often; but forget those of long ago
                self._seen.clear()
            self._seen[key] = known
        return known[2]

    def changed_since(self, viewer: User, revision: int) -> Changed:
        """What somebody may see and is another than at a revision: 0 for all."""
        if revision < self._all_since or revision > self.revision:
            return Changed(self.revision, self.alarms_of(viewer), (), is_whole=True)
        sight = Sight(viewer, self._plant())
        alarms = [one for one in _since(self._alarms, revision) if sight.covers(one)]
        gone = [one.id for one in _since(self._gone, revision) if sight.covers(one)]
        return Changed(self.revision, alarms[::-1], gone)

    def counts(self, viewer: User) -> Counts:
        """How many of those that somebody may see are in which state, and of which priority."""
        alarms = self.alarms_of(viewer)
        visible = [one for one in alarms if one.state == one.own_state]
        return Counts(
            Counter(one.state for one in alarms),
            Counter(one.priority for one in visible),
            Counter(one.priority for one in visible if one.state in (State.UNACK, State.RTNUN, State.LTUNK)),
        )

    def get(self, viewer: User, alarm_id: int) -> StandingAlarm | None:
        """One that stands and that they may see."""
        alarm = self._alarms.get(alarm_id)
        return alarm if alarm is not None and Sight(viewer, self._plant()).covers(alarm) else None

    def everyones(self) -> Sequence[StandingAlarm]:
        """Every one, whosoever's: for what runs for all."""
        return tuple(self._alarms.values())

    def stands(self, subject: str) -> bool:
        """Whether the condition of what notices and cases call `alarms.occurrence:12` still holds."""
        return any(one.is_active and subject == f"alarms.occurrence:{one.occurrence}" for one in self._alarms.values())

    # ---- following

    async def start(self) -> None:
        """Read all, and look from then on for what changes."""
        await self.load()
        self._task = asyncio.create_task(self._look(), name="alarms:standing")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def load(self) -> None:
        """Read all that stand."""
        async with self._reading, self._database.reading() as session:
            revision = await newest_revision(session)
            stands = or_(AlarmRow.state != State.NORM, *HIDDEN)
            rows = (await session.execute(_query().where(stands).order_by(AlarmRow.revision, AlarmRow.id))).all()
            await self._rules.load(session, {row.rule_id for row in rows})
            self._rules_as_of = await _rules_as_of(session)
        alarms = [_standing(row, self._rules) for row in rows]
        self._alarms = {one.id: one for one in alarms}
        self._gone, self._all_since, self.revision = {}, revision, revision
        self._seen.clear()

    async def refresh(self) -> None:
        """Read what changed since the last time."""
        async with self._reading:
            last: tuple[int, int] | None = (
                self.revision,
                (1 << 31) - 1,
            )  # revision and id: some alarms may share a revision
            while last is not None:
                last = await self._read_on(*last)

    async def _read_on(self, revision: int, alarm_id: int) -> tuple[int, int] | None:
        """Read some of what changed after a place; where to go on, or None once that was all."""
        later = or_(AlarmRow.revision > revision, and_(AlarmRow.revision == revision, AlarmRow.id > alarm_id))
        changed = _query().where(later).order_by(AlarmRow.revision, AlarmRow.id).limit(_PIECE)
        async with self._database.reading() as session:
            newest = await newest_revision(session)
            if newest == self.revision:
                return None
            rows = (await session.execute(changed)).all()
            await self._rules.load(session, {row.rule_id for row in rows})
        for row in rows:
            self._take(_standing(row, self._rules))
        if len(rows) < _PIECE:
            self.revision = newest
            return None
        last = rows[-1]
        self.revision = last.revision - 1  # there may be more of the same
        return last.revision, last.id

    def _take(self, alarm: StandingAlarm) -> None:
        self._alarms.pop(alarm.id, None)
        self._gone.pop(alarm.id, None)
        if alarm.state is not State.NORM:
            self._alarms[alarm.id] = alarm
            return
        self._gone[alarm.id] = alarm
        if len(self._gone) > _MOST_GONE:
            oldest = self._gone.pop(next(iter(self._gone)))
            self._all_since = oldest.revision

    async def _look(self) -> None:
        is_lost, reworded_at = False, monotonic()
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.refresh()
                if monotonic() - reworded_at >= _RULES_S:
                    reworded_at = monotonic()
                    await self.reword()
            except Exception as error:  # noqa: BLE001 the database is away: say it once, and go on looking
                if not is_lost:
                    _log.error("alarms.standing-not-read", reason=str(error)[:300])
                is_lost = True
            else:
                if is_lost:
                    _log.info("alarms.standing-read-again")
                is_lost = False

    async def reword(self) -> None:
        """A rule that was changed has another name, another limit: its alarms count as changed."""
        async with self._database.reading() as session:
            as_of = await _rules_as_of(session)
            if as_of != self._rules_as_of:
                await self._rules.load(session, {one.rule for one in self._alarms.values()})
        # An alarm is made with the very words of its rule: other words are of another revision.
        changed = {one.rule for one in self._alarms.values() if one.name is not self._rules[one.rule].rule.name}
        if changed:
            async with self._database.session() as session:
                await touch(session, changed)
            await self.refresh()
        self._rules_as_of = as_of


def _since(alarms: Mapping[int, StandingAlarm], revision: int) -> Iterator[StandingAlarm]:
    """Those after a revision, the latest first."""
    for alarm in reversed(alarms.values()):  # type: ignore[call-overload]
        if alarm.revision <= revision:
            return
        yield alarm


async def _rules_as_of(session: AsyncSession) -> tuple[object, ...]:
    row = (await session.execute(select(func.count(), func.max(RuleRow.changed_at), func.sum(RuleRow.revision)))).one()
    return tuple(row)


def _query() -> Select[*tuple[Any, ...]]:
    """Columns, not rows of the mapper: of 10,000 alarms that takes a third of the time."""
    return select(*_COLUMNS).outerjoin(OccurrenceRow, OccurrenceRow.id == AlarmRow.occurrence_id)


def _standing(row: Any, rules: KnownRules) -> StandingAlarm:
    rule = rules[row.rule_id].rule
    is_out, is_shelved = row.out_of_service_by is not None, row.shelved_until is not None
    stand = Stand(State(row.state), is_shelved, row.is_suppressed, is_out)
    shown = stand.shown
    shelving = (row.shelved_by, row.hidden_reason) if shown is State.SHLVD else (None, "")
    hidden_by, reason = (row.out_of_service_by, row.out_of_service_reason) if is_out else shelving
    return StandingAlarm(
        id=row.id,
        rule=row.rule_id,
        occurrence=row.occurrence_id,
        tenant=row.tenant,
        path=row.path,
        name=rule.name,
        consequence=rule.consequence,
        action=rule.action,
        priority=row.priority,
        category=row.category,
        state=shown,
        own_state=stand.own,
        is_active=row.is_active,
        is_safety=rule.is_safety,
        value=row.value,
        limit=row.limit,
        raised_at=row.raised_at if row.ended_at is None else None,
        seen_at=row.seen_at if row.ended_at is None else None,
        since=row.since,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        shelved_until=row.shelved_until,
        hidden_by=hidden_by,
        hidden_reason=reason,
        camera=rule.camera,
        revision=row.revision,
    )
