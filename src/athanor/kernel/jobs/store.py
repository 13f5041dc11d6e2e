"""The runs of jobs in the database: added, claimed by one server, kept alive, ended, found again.

All that changes a running job names its server and attempt, so that whoever lost it changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, CursorResult, Select, and_, delete, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.kinds import LONGEST_BACK_OFF_S, JobKind
from athanor.kernel.jobs.port import ADMINISTER, Job, JobInterruptedError, JobState
from athanor.kernel.jobs.tables import RunRow
from athanor.kernel.jobs.telling import tell_failed
from athanor.kernel.jobs.whose import shown

BY_SCHEDULE = ""  # owner of what a schedule started: nobody's login
Beats = Sequence[tuple[str, str, int, int]]  # job, server, attempt, beat
_OPEN = (JobState.QUEUED, JobState.RUNNING)
_JUMPED = timedelta(seconds=2 * LONGEST_BACK_OFF_S)  # nothing waits that long: the clock was set back


@dataclass(frozen=True, slots=True)
class Order:
    """A job that somebody, or a schedule, wants."""

    kind: JobKind
    title: str
    owner: str
    tenant: str | None
    arguments: Mapping[str, Any]
    schedule_id: int | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs to find; what is None leaves all."""

    kind: str | None = None
    state: JobState | None = None
    owner: str | None = None
    text: str = ""  # part of the title, kind, owner or error
    since: datetime | None = None
    oldest_first: bool = False
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Held:
    """A running job that a server has, as the database knows it."""

    id: str
    attempt: int
    is_cancel_wanted: bool


def add(session: AsyncSession, order: Order, now: datetime) -> str:
    """Let a job wait for a server; its id."""
    run_id = uuid4().hex
    session.add(
        RunRow(
            id=run_id,
            kind=order.kind.name,
            title=order.title,
            owner=order.owner,
            tenant=order.tenant,
            state=JobState.QUEUED,
            is_declared=True,
            arguments=dict(order.arguments),
            schedule_id=order.schedule_id,
            due_at=order.due_at,
            created_at=now,
            start_after=now,
            attempts=order.kind.retries + 1,
        )
    )
    return run_id


async def is_one_waiting(database: Database, kinds: Collection[str], now: datetime) -> bool:
    """Whether it is worth while to claim; without keeping others from writing."""
    async with database.reading() as session:
        return await session.scalar(select(RunRow.id).where(*_claimable(kinds, now)).limit(1)) is not None


async def claim(database: Database, server: str, kinds: Iterable[JobKind], now: datetime) -> RunRow | None:
    """Take the job that has waited longest and whose kind has room; None where there is none.

    A job is claimed by one server: on PostgreSQL its row is locked and others skip it, on SQLite writers take turns.
    """
    at_once = {kind.name: kind.at_once for kind in kinds}
    try:
        async with database.session() as session:
            taken = await _slots(session)
            free = {name: _free(taken.get(name, frozenset()), most) for name, most in at_once.items()}
            open_kinds = [name for name, slot in free.items() if slot is not None]
            query = select(RunRow).where(*_claimable(open_kinds, now)).order_by(RunRow.start_after, RunRow.created_at)
            row = await session.scalar(query.limit(1).with_for_update(skip_locked=True))
            if row is None:
                return None
            row.state, row.server, row.slot = JobState.RUNNING, server, free[row.kind]
            row.attempt += 1
            row.started_at, row.ended_at, row.beat = now, None, row.beat + 1
            row.stage, row.fraction, row.rows = "", None, None
            return row
    except IntegrityError:  # another server took the slot in the same moment
        return None


async def beat(database: Database, server: str) -> list[Held]:
    """Say that a server lives; what of its jobs it still has."""
    async with database.session() as session:
        mine = and_(RunRow.server == server, RunRow.state.in_(_OPEN))
        await session.execute(update(RunRow).where(mine).values(beat=RunRow.beat + 1))
        rows = await session.execute(select(RunRow.id, RunRow.attempt, RunRow.is_cancel_wanted).where(mine))
        return [Held(*row) for row in rows]


async def tell(database: Database, server: str, attempt: int, job: Job) -> bool:
    """Keep how far a running job is. False where the server has it no longer."""
    values = {"stage": job.stage, "fraction": job.fraction, "rows": job.rows, "summary": dict(job.summary)}
    async with database.session() as session:
        return await _changed(session, server, job.id, attempt, values)


async def end(database: Database, server: str, attempt: int, job: Job, retry_at: datetime | None) -> bool:
    """Keep how a job ended, or, with `retry_at`, let it wait for its next attempt; False where it was lost before."""
    values: dict[str, Any] = {
        "state": job.state if retry_at is None else JobState.QUEUED,
        "ended_at": job.ended_at,
        "server": server if retry_at is None else None,
        "slot": None,
        "stage": job.stage,
        "fraction": job.fraction,
        "rows": job.rows,
        "summary": dict(job.summary),
        "error": job.error,
        "error_code": job.error_code,
        "file_name": job.file_name,
        "file_bytes": job.file_bytes,
    }
    if retry_at is not None:
        values["start_after"] = retry_at
    is_for_good = retry_at is None and job.state in (JobState.FAILED, JobState.INTERRUPTED)
    async with database.session() as session:
        is_ours = await _changed(session, server, job.id, attempt, values)
        if is_ours and is_for_good:
            row = await session.get_one(RunRow, job.id)
            await tell_failed(session, row, job.ended_at or row.created_at)
        return is_ours


async def holds(session: AsyncSession, server: str, run_id: str, attempt: int) -> bool:
    """Whether a server still has a job, and keeps it until the session's end."""
    query = select(RunRow.id).where(*_mine(server, run_id, attempt)).with_for_update()
    return await session.scalar(query) is not None


async def others_beats(database: Database, server: str) -> Beats:
    """Id, server, attempt and beat of the jobs that other servers have."""
    async with database.reading() as session:
        query = select(RunRow.id, RunRow.server, RunRow.attempt, RunRow.beat).where(
            RunRow.state.in_(_OPEN), RunRow.server.is_not(None), RunRow.server != server
        )
        return [(row.id, row.server or "", row.attempt, row.beat) for row in await session.execute(query)]


async def interrupt(database: Database, run_id: str, attempt: int, seen_beat: int, now: datetime) -> JobState | None:
    """Take a job from a server that is gone: it waits for its next attempt, or is interrupted for good.

    None where that server beat, or another one was first.
    """
    async with database.session() as session:
        same = (RunRow.id == run_id, RunRow.attempt == attempt, RunRow.beat == seen_beat, RunRow.state.in_(_OPEN))
        row = await session.scalar(select(RunRow).where(*same).with_for_update())
        if row is None:
            return None
        error: AthanorError = JobInterruptedError(shown(row.server or ""))
        row.slot, row.error, row.error_code, row.ended_at = None, str(error), error.code, now
        if row.is_cancel_wanted:
            row.state = JobState.CANCELLED
        elif row.is_declared and row.attempt < row.attempts:
            row.state, row.start_after, row.server = JobState.QUEUED, now, None
        else:
            row.state = JobState.INTERRUPTED
            await tell_failed(session, row, now)
        return JobState(row.state)


async def cancel(session: AsyncSession, run_id: str, viewer: User, now: datetime) -> tuple[Job, bool]:
    """Let a job end: one that waits for a server at once, another one when its server hears; whether it was not over.

    Raises NotFoundError.
    """
    row = await session.scalar(_seen(viewer).where(RunRow.id == run_id).with_for_update())
    if row is None:
        raise NotFoundError("job", run_id)
    was_open = row.state in _OPEN
    if row.state == JobState.QUEUED and row.server is None:
        row.state, row.ended_at, row.is_cancel_wanted = JobState.CANCELLED, now, True
    elif was_open:
        row.is_cancel_wanted = True
    return job_of(row), was_open


async def get(database: Database, run_id: str, viewer: User) -> Job:
    """Raises NotFoundError."""
    async with database.reading() as session:
        row = await session.scalar(_seen(viewer).where(RunRow.id == run_id))
    if row is None:
        raise NotFoundError("job", run_id)
    return job_of(row)


async def find(database: Database, viewer: User, wanted: Wanted) -> tuple[list[Job], int]:
    """The jobs of one page that the viewer may see, newest first, and how many there are in all."""
    query = _seen(viewer).where(*_filters(wanted))
    order = RunRow.created_at.asc() if wanted.oldest_first else RunRow.created_at.desc()
    async with database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.scalars(query.order_by(order, RunRow.id).offset(wanted.offset).limit(wanted.limit))
        return [job_of(row) for row in rows], int(total or 0)


async def counted(database: Database, since: datetime) -> dict[JobState, int]:
    """How many jobs there are in each state that wait, run, or ended since a moment."""
    query = select(RunRow.state, func.count()).where(or_(RunRow.state.in_(_OPEN), RunRow.ended_at >= since))
    async with database.reading() as session:
        rows = await session.execute(query.group_by(RunRow.state))
        return {JobState(state): count for state, count in rows}


async def latest_of_schedules(database: Database) -> dict[int, Job]:
    """The newest run of each schedule."""
    newest = (
        select(RunRow.schedule_id, func.max(RunRow.due_at).label("due_at"))
        .where(RunRow.schedule_id.is_not(None))
        .group_by(RunRow.schedule_id)
        .subquery()
    )
    query = select(RunRow).join(
        newest, and_(RunRow.schedule_id == newest.c.schedule_id, RunRow.due_at == newest.c.due_at)
    )
    async with database.reading() as session:
        return {row.schedule_id: job_of(row) for row in await session.scalars(query) if row.schedule_id is not None}


async def expire(database: Database, before: datetime) -> int:
    """Forget jobs that ended before a moment; how many."""
    ended = (RunRow.ended_at < before, RunRow.state.not_in(_OPEN))
    async with database.session() as session:
        result = await session.execute(delete(RunRow).where(*ended))
        return int(cast("CursorResult[Any]", result).rowcount)


def job_of(row: RunRow) -> Job:
    """A row as everybody else knows it."""
    return Job(
        id=row.id,
        kind=row.kind,
        title=row.title,
        owner=row.owner,
        tenant=row.tenant,
        state=JobState(row.state),
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        stage=row.stage,
        fraction=row.fraction,
        rows=row.rows,
        error=row.error,
        error_code=row.error_code,
        summary=row.summary,
        file_name=row.file_name,
        file_bytes=row.file_bytes,
        attempt=max(row.attempt, 1),
        attempts=row.attempts,
        server=shown(row.server or ""),
        due_at=row.due_at,
        start_after=row.start_after,
        arguments=row.arguments,
    )


def _claimable(kinds: Collection[str], now: datetime) -> list[ColumnElement[bool]]:
    is_due = or_(RunRow.start_after <= now, RunRow.start_after > now + _JUMPED)
    return [RunRow.state == JobState.QUEUED, RunRow.is_declared.is_(True), RunRow.kind.in_(kinds), is_due]


async def _slots(session: AsyncSession) -> dict[str, frozenset[int]]:
    taken: dict[str, set[int]] = {}
    for kind, slot in await session.execute(select(RunRow.kind, RunRow.slot).where(RunRow.slot.is_not(None))):
        taken.setdefault(kind, set()).add(slot or 0)
    return {kind: frozenset(slots) for kind, slots in taken.items()}


def _free(taken: frozenset[int], most: int) -> int | None:
    return next((slot for slot in range(most) if slot not in taken), None)


def _mine(server: str, run_id: str, attempt: int) -> list[ColumnElement[bool]]:
    return [RunRow.id == run_id, RunRow.server == server, RunRow.attempt == attempt, RunRow.state.in_(_OPEN)]


async def _changed(session: AsyncSession, server: str, run_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
    result = await session.execute(update(RunRow).where(*_mine(server, run_id, attempt)).values(**values))
    return cast("CursorResult[Any]", result).rowcount == 1


def _seen(viewer: User) -> Select[RunRow]:
    """What `Job.is_visible_to` says, for the database."""
    if not viewer.may(ADMINISTER):
        return select(RunRow).where(RunRow.owner == viewer.login)
    is_above = true() if viewer.tenants is None else RunRow.tenant.in_(sorted(viewer.tenants))
    return select(RunRow).where(or_(RunRow.owner == viewer.login, is_above))


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        filters.append(RunRow.kind == wanted.kind)
    if wanted.state is not None:
        filters.append(RunRow.state == wanted.state)
    if wanted.owner is not None:
        filters.append(RunRow.owner == wanted.owner)
    if wanted.since is not None:
        filters.append(RunRow.created_at >= wanted.since)
    if wanted.text.strip():
        columns = (RunRow.title, RunRow.kind, RunRow.owner, RunRow.error)
        filters.append(or_(*(column.icontains(wanted.text.strip(), autoescape=True) for column in columns)))
    return filters
