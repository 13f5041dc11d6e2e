"""Schedules: when jobs are due by themselves. Any server looks; a moment that one took is taken for all."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.jobs import store
from athanor.kernel.jobs.kinds import MOST_CAUGHT_UP, CatchUp, JobKind, JobKinds
from athanor.kernel.jobs.port import Job
from athanor.kernel.jobs.store import BY_SCHEDULE, Order
from athanor.kernel.jobs.tables import RunRow, ScheduleRow
from athanor.kernel.jobs.times import BadScheduleError, Cron, Every, Times, between

_log = structlog.get_logger(__name__)

MISSED_AFTER = timedelta(minutes=1)  # later than that a moment counts as missed: no server looked
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What a schedule is to be: `cron` or `every_s`, one of them. `timezone` is the site's where None."""

    name: str
    kind: str
    cron: str | None = None
    every_s: int | None = None
    timezone: str | None = None
    catch_up: CatchUp = CatchUp.ONCE
    is_on: bool = True
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands."""

    id: int
    plan: Plan
    is_declared: bool
    next_at: datetime
    made_by: str
    changed_by: str | None
    changed_at: datetime | None
    last: Job | None = None  # the newest run that is still known


class Schedules:
    """Adds, changes and keeps schedules.

    Parameters
    ----------
    zone
        The site's time zone, as it is named now.
    on_due
        Called when jobs were let wait.
    """

    def __init__(
        self,
        database: Database,
        kinds: JobKinds,
        *,
        zone: Callable[[], str],
        on_due: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._kinds = database, kinds
        self._zone, self._on_due, self._now = zone, on_due, now

    async def all(self) -> list[Schedule]:
        """By name, with their last runs."""
        last = await store.latest_of_schedules(self._database)
        async with self._database.reading() as session:
            rows = await session.scalars(select(ScheduleRow).order_by(ScheduleRow.name))
            return [replace(_schedule_of(row), last=last.get(row.id)) for row in rows]

    async def add(self, plan: Plan, actor: str, *, address: str = "") -> int:
        """Keep a new schedule; its id. Raises BadScheduleError, UnknownKindError, BadArgumentsError."""
        plan = self._checked(plan)
        now = self._now()
        try:
            async with self._database.session() as session:
                row = ScheduleRow(**self._columns(plan, now), is_declared=False, made_by=actor, made_at=now)
                session.add(row)
                await session.flush()
                record(session, actor, "jobs.schedule-added", plan.name, address=address, detail=_told(plan))
                return row.id
        except IntegrityError as error:
            raise BadScheduleError(f"there is one called {plan.name!r} already. Give another name.") from error

    async def change(self, schedule_id: int, plan: Plan, actor: str, *, address: str = "") -> None:
        """Let a schedule be this. Raises NotFoundError, and what `add` does."""
        plan = self._checked(plan)
        now = self._now()
        try:
            async with self._database.session() as session:
                row = await self._row(session, schedule_id)
                if row.is_declared and (plan.name, plan.kind) != (row.name, row.kind):
                    raise BadScheduleError(
                        f"{row.name!r} comes with its app, so its name and job stay. Add another schedule instead."
                    )
                before = _told(_schedule_of(row).plan)
                for name, value in self._columns(plan, now).items():
                    setattr(row, name, value)
                row.changed_by, row.changed_at = actor, now
                await session.flush()
                detail = {"before": before, "after": _told(plan)}
                record(session, actor, "jobs.schedule-changed", plan.name, address=address, detail=detail)
        except IntegrityError as error:
            raise BadScheduleError(f"there is one called {plan.name!r} already. Give another name.") from error

    async def turn(self, schedule_id: int, actor: str, *, is_on: bool, address: str = "") -> None:
        """Let it run, or pause it: what is due meanwhile is left out. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await self._row(session, schedule_id)
            if is_on and not row.is_on:
                row.next_at = self.times(_schedule_of(row).plan, row.since).after(self._now())
            row.is_on, row.changed_by, row.changed_at = is_on, actor, self._now()
            action = "jobs.schedule-resumed" if is_on else "jobs.schedule-paused"
            record(session, actor, action, row.name, address=address)

    async def remove(self, schedule_id: int, actor: str, *, address: str = "") -> None:
        """Forget a schedule; its runs stay. Raises NotFoundError, BadScheduleError for one that an app declares."""
        async with self._database.session() as session:
            row = await self._row(session, schedule_id)
            if row.is_declared:
                raise BadScheduleError(f"{row.name!r} comes with its app and cannot be removed. Pause it instead.")
            await session.delete(row)
            record(
                session, actor, "jobs.schedule-removed", row.name, address=address, detail=_told(_schedule_of(row).plan)
            )

    async def take_declared(self) -> None:
        """Add the schedules that kinds come with; one that a person changed stays as it is."""
        now = self._now()
        async with self._database.session() as session:
            rows = await session.scalars(select(ScheduleRow).where(ScheduleRow.is_declared.is_(True)))
            known = {row.name: row for row in rows}
            for kind in self._kinds:
                if kind.cron is None:
                    continue
                plan = self._checked(Plan(kind.name, kind.name, cron=kind.cron, catch_up=kind.catch_up))
                row = known.get(kind.name)
                if row is None:
                    columns = self._columns(plan, now)
                    session.add(ScheduleRow(**columns, is_declared=True, made_by=BY_SCHEDULE, made_at=now))
                elif row.changed_by is None and row.cron != kind.cron:
                    for name, value in self._columns(plan, now).items():
                        setattr(row, name, value)

    async def look(self) -> None:
        """Let jobs wait that are due by now; whoever looks again finds the same moments taken."""
        now = self._now()
        async with self._database.reading() as session:
            rows = (await session.scalars(select(ScheduleRow).where(ScheduleRow.is_on.is_(True)))).all()
        due = [row.id for row in rows if row.kind in self._kinds and self._is_news(row, now)]
        for schedule_id in due:
            await self._let_wait(schedule_id, now)
        if due:
            self._on_due()

    def times(self, plan: Plan, since: datetime) -> Times:
        """When a plan is due. Raises BadScheduleError."""
        if (plan.cron is None) == (plan.every_s is None):
            raise BadScheduleError("it needs a cron expression or an interval, one of them.")
        if plan.every_s is not None:
            return Every(timedelta(seconds=plan.every_s), since)
        name = plan.timezone or self._zone()
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadScheduleError(f"there is no time zone {name!r}. Give one such as Asia/Shanghai.") from error
        return Cron(plan.cron or "", zone)

    def _is_news(self, row: ScheduleRow, now: datetime) -> bool:
        """Whether it is due; or waits for a moment after the next one, since the clock was set back."""
        return row.next_at <= now or row.next_at > self.times(_schedule_of(row).plan, row.since).after(now)

    async def _let_wait(self, schedule_id: int, now: datetime) -> None:
        async with self._database.session() as session:
            row = await session.get(ScheduleRow, schedule_id, with_for_update=True)
            if row is None or not row.is_on or not self._is_news(row, now):
                return
            times = self.times(_schedule_of(row).plan, row.since)
            moments = await asyncio.to_thread(_to_catch_up, times, row.next_at, now, CatchUp(row.catch_up))
            kind = self._kinds.get(row.kind)
            for moment in moments:
                if not await _is_taken(session, row.id, moment):
                    self._add_run(session, row, kind, moment, now)
            row.next_at = times.after(now)

    def _add_run(self, session: AsyncSession, row: ScheduleRow, kind: JobKind, moment: datetime, now: datetime) -> None:
        order = Order(kind, row.name, BY_SCHEDULE, None, row.arguments, row.id, moment)
        run_id = store.add(session, order, now)
        _log.info("jobs.due", schedule=row.name, kind=row.kind, job=run_id, due_at=moment.isoformat())

    def _checked(self, plan: Plan) -> Plan:
        name = plan.name.strip()
        if not name or len(name) > _LONGEST_NAME:
            raise BadScheduleError(f"its name has {len(name)} characters. Give one of 1 to {_LONGEST_NAME}.")
        self._kinds.get(plan.kind).checked(plan.arguments)
        self.times(plan, self._now()).after(self._now())
        return replace(plan, name=name, timezone=plan.timezone or None)

    def _columns(self, plan: Plan, now: datetime) -> dict[str, Any]:
        return {
            "name": plan.name,
            "kind": plan.kind,
            "arguments": dict(plan.arguments),
            "cron": plan.cron,
            "every_s": plan.every_s,
            "since": now,
            "timezone": plan.timezone,
            "catch_up": plan.catch_up,
            "is_on": plan.is_on,
            "next_at": self.times(plan, now).after(now),
        }

    async def _row(self, session: AsyncSession, schedule_id: int) -> ScheduleRow:
        row = await session.get(ScheduleRow, schedule_id, with_for_update=True)
        if row is None:
            raise NotFoundError("schedule", str(schedule_id))
        return row


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def _is_taken(session: AsyncSession, schedule_id: int, moment: datetime) -> bool:
    query = select(RunRow.id).where(RunRow.schedule_id == schedule_id, RunRow.due_at == moment)
    return await session.scalar(query) is not None


def _to_catch_up(times: Times, start: datetime, now: datetime, catch_up: CatchUp) -> list[datetime]:
    """The moments of `start` to `now` for which a job is to run."""
    if start > now:
        return []
    most = MOST_CAUGHT_UP if catch_up is CatchUp.ALL else 1
    moments = between(times, start, now, most)
    if catch_up is CatchUp.SKIP:
        return [moment for moment in moments if now - moment <= MISSED_AFTER]
    return moments


def _schedule_of(row: ScheduleRow) -> Schedule:
    plan = Plan(
        row.name,
        row.kind,
        row.cron,
        row.every_s,
        row.timezone,
        CatchUp(row.catch_up),
        row.is_on,
        row.arguments,
    )
    return Schedule(row.id, plan, row.is_declared, row.next_at, row.made_by, row.changed_by, row.changed_at)


def _told(plan: Plan) -> dict[str, Any]:
    """A plan for the audit trail."""
    return {
        "kind": plan.kind,
        "cron": plan.cron,
        "every_s": plan.every_s,
        "timezone": plan.timezone,
        "catch_up": plan.catch_up,
        "is_on": plan.is_on,
        "arguments": dict(plan.arguments),
    }
