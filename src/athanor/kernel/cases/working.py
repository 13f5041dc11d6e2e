"""What people do with cases. Each is one transaction, with its history, its notices and the audit trail."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.cases import telling
from athanor.kernel.cases.errors import CaseChangedError, CaseRefusedError
from athanor.kernel.cases.flow import Action, Disposition, State, TaskState, after
from athanor.kernel.cases.opening import note
from athanor.kernel.cases.records import CHANGED_TOPIC, case_of
from athanor.kernel.cases.tables import CaseHistoryRow, CaseRow, CaseSourceRow, CaseTaskRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.notice import put

LONGEST_TEXT = 4000
_MOST_URGENT_CAUSE = 2  # from this priority up nobody closes a case without saying what the cause was

Stands = Callable[[str], bool]  # whether what a subject names still holds, such as an alarm that stands


class Working:
    """Assigning, working, resolving, verifying and closing.

    What is not the viewer's to see is as if it were not there (NotFoundError). Who has but a task in a case of another
    enterprise may read it, say something and finish that task.
    """

    def __init__(self, database: Database, bus: Bus, stands: Stands, now: Callable[[], datetime]) -> None:
        self._database = database
        self._bus = bus
        self._stands = stands
        self._now = now

    async def assign(
        self, viewer: User, case_id: int, owner: str, *, team: str = "", revision: int | None = None, address: str = ""
    ) -> None:
        """Give a case to somebody, who hears of it. Raises NotFoundError, CaseRefusedError, CaseChangedError."""
        async with self._own(viewer, case_id, Action.ASSIGN, revision) as (session, row):
            await _check_person(session, row, owner)
            detail = {"from": row.owner, "to": owner, "team": team}
            row.owner, row.team = owner, team
            row.acknowledged_at = row.acknowledged_at or self._now()
            self._note(session, viewer, row, "assigned", address, detail=detail)
            await put(session, [telling.assigned(row, viewer.login, self._now())], self._now())

    async def start(self, viewer: User, case_id: int, *, revision: int | None = None, address: str = "") -> None:
        """Begin to work on it; whoever begins an open case has it."""
        async with self._own(viewer, case_id, Action.START, revision) as (session, row):
            row.owner = row.owner or viewer.login
            row.acknowledged_at = row.acknowledged_at or self._now()
            self._note(session, viewer, row, "started", address)

    async def resolve(
        self, viewer: User, case_id: int, text: str, *, revision: int | None = None, address: str = ""
    ) -> None:
        """Say what was done. Refused while a task in it is open."""
        async with self._own(viewer, case_id, Action.RESOLVE, revision) as (session, row):
            _check_text(row, text, "say what was done.")
            await _check_tasks_over(session, row)
            row.resolved_at = self._now()
            self._note(session, viewer, row, "resolved", address, text=text)

    async def send_back(
        self, viewer: User, case_id: int, text: str, *, revision: int | None = None, address: str = ""
    ) -> None:
        """Not content with what was done: it goes on."""
        async with self._own(viewer, case_id, Action.SEND_BACK, revision) as (session, row):
            _check_text(row, text, "say what is missing.")
            row.resolved_at = None
            self._note(session, viewer, row, "sent-back", address, text=text)

    async def close(
        self,
        viewer: User,
        case_id: int,
        disposition: Disposition,
        cause: str = "",
        *,
        revision: int | None = None,
        address: str = "",
    ) -> None:
        """Verify what was done, and close. Not by whoever resolved it, and not while what it is about still stands.

        The last does not hold for what is accepted or handed over.
        """
        async with self._own(viewer, case_id, Action.CLOSE, revision) as (session, row):
            await _check_other_than_resolver(session, row, viewer)
            if row.priority <= _MOST_URGENT_CAUSE and not cause.strip():
                raise CaseRefusedError(row.id, "say what the cause was; a case of this priority is not closed without.")
            lives_on = disposition in (Disposition.ACCEPTED, Disposition.HANDED_OVER)
            still = [one for one in await _subjects(session, row) if not lives_on and self._stands(one)]
            if still:
                raise CaseRefusedError(
                    row.id,
                    "the alarm that it is about still stands. Bring it back to normal, hand it over or accept it.",
                )
            now = self._now()
            row.disposition, row.cause = disposition, cause.strip()[:LONGEST_TEXT]
            row.verified_at = row.closed_at = now
            detail = {"disposition": disposition.value}
            self._note(session, viewer, row, "closed", address, text=row.cause, detail=detail)
            await put(session, [telling.over(row, now)], now)

    async def reopen(
        self, viewer: User, case_id: int, text: str, *, revision: int | None = None, address: str = ""
    ) -> None:
        """It was not over after all."""
        async with self._own(viewer, case_id, Action.REOPEN, revision) as (session, row):
            _check_text(row, text, "say why it is opened again.")
            row.closed_at = row.verified_at = row.resolved_at = None
            row.disposition = ""
            self._note(session, viewer, row, "reopened", address, text=text)

    async def say(
        self, viewer: User, case_id: int, text: str, *, documents: Sequence[int] = (), address: str = ""
    ) -> None:
        """Say something in a case, or bring evidence: ids of documents."""
        async with self._session(viewer, case_id) as (session, row):
            if not documents:
                _check_text(row, text, "write something, or bring a document.")
            row.revision += 1
            what = "evidence" if documents else "said"
            self._note(session, viewer, row, what, address, text=text, detail={"documents": list(documents)})

    async def add_task(
        self,
        viewer: User,
        case_id: int,
        title: str,
        *,
        owner: str | None = None,
        body: str = "",
        tenant: str | None = None,
        due_at: datetime | None = None,
        address: str = "",
    ) -> int:
        """A task for a person or a department; of another enterprise where `tenant` names it: they then see the case.

        Only the park's people give tasks to an enterprise other than the case's.
        """
        async with self._session(viewer, case_id, guests=False) as (session, row):
            _check_text(row, title, "say what is to be done.")
            if State(row.state).is_over:
                raise CaseRefusedError(row.id, "it is closed. Open it again first.")
            whose = tenant or row.tenant
            if whose != row.tenant and viewer.tenants is not None:
                raise NotAllowedError("Only the park's people give tasks to another enterprise. Ask them to.")
            if owner:
                await _check_person(session, row, owner, tenant=whose)
            now = self._now()
            task = CaseTaskRow(
                tenant=whose, case_id=row.id, title=title.strip()[:400], body=body, owner=owner or None,
                state=TaskState.OPEN, due_at=due_at, escalated=0, done_at=None, done_by=None, result="",
                made_by=viewer.login, made_at=now,
            )  # fmt: skip
            session.add(task)
            await session.flush()
            row.revision += 1
            self._note(session, viewer, row, "task-given", address, text=task.title, detail={"task": task.id})
            await put(session, [telling.task_given(row, task, viewer.login, now)], now)
            return task.id

    async def end_task(
        self, viewer: User, case_id: int, task_id: int, result: str, *, is_dropped: bool = False, address: str = ""
    ) -> None:
        """Say that a task is done and with what result, or that it need not be done any more."""
        async with self._session(viewer, case_id) as (session, row):
            task = await session.get(CaseTaskRow, task_id, with_for_update=True)
            if task is None or task.case_id != row.id or (_is_guest(viewer, row) and task.tenant != viewer.tenant):
                raise NotFoundError("task", task_id)
            if task.state != TaskState.OPEN:
                raise CaseRefusedError(row.id, f"{task.done_by} ended the task already.")
            _check_text(row, result, "say what came of it.")
            task.state = TaskState.DROPPED if is_dropped else TaskState.DONE
            task.done_at, task.done_by, task.result = self._now(), viewer.login, result.strip()[:LONGEST_TEXT]
            row.revision += 1
            what = "task-dropped" if is_dropped else "task-done"
            self._note(session, viewer, row, what, address, text=task.title, detail={"task": task.id, "result": result})

    @asynccontextmanager
    async def _own(
        self, viewer: User, case_id: int, action: Action, revision: int | None
    ) -> AsyncIterator[tuple[AsyncSession, CaseRow]]:
        """A case that the viewer may take a step in, which is taken at the end."""
        async with self._session(viewer, case_id, guests=False) as (session, row):
            if revision is not None and revision != row.revision:
                raise CaseChangedError(case_id)
            state = after(State(row.state), action)
            if state is None:
                raise CaseRefusedError(case_id, f"it is {row.state}. Look at it again.")
            row.state = state
            row.revision += 1
            yield session, row

    @asynccontextmanager
    async def _session(
        self, viewer: User, case_id: int, *, guests: bool = True
    ) -> AsyncIterator[tuple[AsyncSession, CaseRow]]:
        async with self._database.session() as session:
            row = await session.get(CaseRow, case_id, with_for_update=True)
            if row is None or not await _sees(session, viewer, row):
                raise NotFoundError("case", case_id)
            if not guests and _is_guest(viewer, row):
                raise CaseRefusedError(case_id, "it is another enterprise's; you have a task in it.")
            yield session, row
            await session.flush()
            changed = case_of(row)
        self._bus.publish(Event(CHANGED_TOPIC, changed, self._now()))

    def _note(
        self,
        session: AsyncSession,
        viewer: User,
        row: CaseRow,
        what: str,
        address: str,
        *,
        text: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        now = self._now()
        note(session, row, viewer.login, what, now, text=text.strip()[:LONGEST_TEXT], detail=detail)
        record(session, viewer.login, f"cases.{what}", str(row.id), address=address, detail=detail, at=now)


def seen_by(viewer: User) -> ColumnElement[bool] | None:
    """What holds for the cases that a viewer sees: their enterprise's, and those with a task for it. None for all."""
    if viewer.tenants is None:
        return None
    theirs = select(CaseTaskRow.case_id).where(CaseTaskRow.tenant.in_(viewer.tenants))
    return or_(CaseRow.tenant.in_(viewer.tenants), CaseRow.id.in_(theirs))


def _is_guest(viewer: User, row: CaseRow) -> bool:
    return viewer.tenants is not None and row.tenant not in viewer.tenants


async def _sees(session: AsyncSession, viewer: User, row: CaseRow) -> bool:
    if not _is_guest(viewer, row):
        return True
    query = select(CaseTaskRow.id).where(CaseTaskRow.case_id == row.id, CaseTaskRow.tenant == viewer.tenant).limit(1)
    return await session.scalar(query) is not None


def _check_text(row: CaseRow, text: str, wish: str) -> None:
    if not text.strip():
        raise CaseRefusedError(row.id, wish)


async def _check_person(session: AsyncSession, row: CaseRow, login: str, *, tenant: str | None = None) -> None:
    """The case's own people and the park's can have it."""
    person = await session.scalar(select(UserRow).where(UserRow.login == login, UserRow.disabled_at.is_(None)))
    if person is None or person.tenant not in (None, tenant or row.tenant):
        raise CaseRefusedError(row.id, f"there is nobody {login!r} who could have it. Choose one of the list.")


async def _check_tasks_over(session: AsyncSession, row: CaseRow) -> None:
    query = select(CaseTaskRow.title).where(CaseTaskRow.case_id == row.id, CaseTaskRow.state == TaskState.OPEN)
    left = (await session.scalars(query)).all()
    if left:
        raise CaseRefusedError(
            row.id, f"{len(left)} tasks in it are open, such as {left[0]!r}. End or drop them first."
        )


async def _check_other_than_resolver(session: AsyncSession, row: CaseRow, viewer: User) -> None:
    query = (
        select(CaseHistoryRow.by)
        .where(CaseHistoryRow.case_id == row.id, CaseHistoryRow.what == "resolved")
        .order_by(CaseHistoryRow.id.desc())
        .limit(1)
    )
    if await session.scalar(query) == viewer.login:
        raise CaseRefusedError(row.id, "you said that it is resolved, so somebody else verifies it.")


async def _subjects(session: AsyncSession, row: CaseRow) -> Sequence[str]:
    return (await session.scalars(select(CaseSourceRow.subject).where(CaseSourceRow.case_id == row.id))).all()
