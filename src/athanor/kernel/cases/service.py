"""The port `cases`: what has to be dealt with until it is closed, by whom, until when."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.cases import telling
from athanor.kernel.cases.flow import MOST_ESCALATIONS, State, TaskState, due_within
from athanor.kernel.cases.opening import Opening, note, open_case
from athanor.kernel.cases.records import CHANGED_TOPIC, Case, case_of
from athanor.kernel.cases.seeing import Seeing
from athanor.kernel.cases.tables import CaseRow, CaseSourceRow, CaseTaskRow
from athanor.kernel.cases.working import Stands, Working
from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.notify.notice import Notice, put

_log = structlog.get_logger(__name__)
_PIECE = 500  # subjects that one query asks for


def _nothing_stands(_subject: str) -> bool:
    return False


class Cases:
    """Cases for every app.

    An app opens one with `open(Opening(…, subject="app.thing:12"))`, as often as it likes: what has a case joins it.
    It hears of every change by the event `cases.changed`, whose body is a `Case`.

    Parameters
    ----------
    stands
        Whether what a subject names still holds; asked before a case is closed.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        stands: Stands = _nothing_stands,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._bus = bus
        self._now = now
        self.working = Working(database, bus, stands, now)
        self.seeing = Seeing(database, now)

    async def open(self, opening: Opening, *, address: str = "") -> Case:
        """Open a case, or join the one there is. A person's is audited."""
        return (await self.open_all([opening], address=address))[0]

    async def open_all(self, openings: Sequence[Opening], *, address: str = "") -> list[Case]:
        """The case of each: all are there on return, or none."""
        try:
            found = await self._open_all(openings, address)
        except IntegrityError:  # another server opened one of them at this moment: now it is there to be joined
            found = await self._open_all(openings, address)
        for case in {case.id: case for case in found}.values():
            self._bus.publish(Event(CHANGED_TOPIC, case, self._now()))
        return found

    async def _open_all(self, openings: Sequence[Opening], address: str) -> list[Case]:
        now = self._now()
        rows: list[CaseRow] = []
        async with self._database.session() as session:
            for opening in openings:
                row, is_new = await open_case(session, opening, now)
                rows.append(row)
                if is_new and opening.owner:
                    await put(session, [telling.assigned(row, opening.by, now)], now)
                if opening.by:
                    what = "cases.opened" if is_new else "cases.joined"
                    record(session, opening.by, what, str(row.id), address=address, detail={"subject": opening.subject})
            return [case_of(row) for row in rows]

    async def without(self, subjects: Collection[str]) -> set[str]:
        """Those that no case is about."""
        asked, found = sorted(subjects), set[str]()
        async with self._database.reading() as session:
            for start in range(0, len(asked), _PIECE):
                some = CaseSourceRow.subject.in_(asked[start : start + _PIECE])
                found |= set((await session.scalars(select(CaseSourceRow.subject).where(some))).all())
        return set(asked) - found

    async def note_acknowledged(self, subjects: dict[str, datetime]) -> None:
        """What cases are about was acknowledged, at these times: the first is kept."""
        async with self._database.session() as session:
            query = (
                select(CaseRow, CaseSourceRow.subject)
                .join(CaseSourceRow, CaseSourceRow.case_id == CaseRow.id)
                .where(CaseSourceRow.subject.in_(subjects), CaseRow.acknowledged_at.is_(None))
            )
            for row, subject in (await session.execute(query)).all():
                row.acknowledged_at = row.acknowledged_at or subjects[subject]

    async def escalate_overdue(self) -> int:
        """Give further up what is overdue, each once per period, at most three times; how many. For a routine."""
        now = self._now()
        told: list[Notice] = []
        async with self._database.session() as session:
            query = (
                select(CaseRow)
                .where(CaseRow.due_at < now, CaseRow.state.not_in((State.RESOLVED, State.CLOSED)))
                .where(CaseRow.escalated < MOST_ESCALATIONS)
                .order_by(CaseRow.id)
                .with_for_update()
            )
            for row in (await session.scalars(query)).all():
                if row.due_at is None or now < row.due_at + row.escalated * due_within(row.priority):
                    continue
                row.escalated += 1
                row.revision += 1
                note(session, row, "", "escalated", now, detail={"time": row.escalated})
                told.append(telling.overdue(row, now))
            tasks = (
                select(CaseTaskRow, CaseRow)
                .join(CaseRow, CaseRow.id == CaseTaskRow.case_id)
                .where(CaseTaskRow.due_at < now, CaseTaskRow.state == TaskState.OPEN, CaseTaskRow.escalated == 0)
                .order_by(CaseTaskRow.id)
                .with_for_update()
            )
            for task, row in (await session.execute(tasks)).all():
                task.escalated = 1
                row.revision += 1
                note(session, row, "", "task-overdue", now, text=task.title, detail={"task": task.id})
                told.append(telling.task_overdue(row, task, now))
            await put(session, told, now)
        if told:
            _log.info("cases.overdue", given_further_up=len(told))
        return len(told)
