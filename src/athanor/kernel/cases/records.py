"""What others are told of cases: values, cut loose from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from athanor.kernel.cases.flow import State, TaskState
from athanor.kernel.cases.tables import CaseHistoryRow, CaseRow, CaseSourceRow, CaseTaskRow

CHANGED_TOPIC = "cases.changed"  # body: a `Case`, durable already


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the list of cases. Instants are None until they come."""

    id: int
    tenant: str | None
    title: Mapping[str, str]
    path: str
    priority: int
    category: str
    state: State
    owner: str | None
    team: str
    occurred_at: datetime
    detected_at: datetime
    notified_at: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    escalated: int
    disposition: str
    cause: str
    made_by: str
    revision: int

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been dealt with by now."""
        return not self.state.is_over and self.resolved_at is None and self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class Source:
    """What a case is about."""

    subject: str
    title: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A task within a case."""

    id: int
    tenant: str | None
    title: str
    body: str
    owner: str | None
    state: TaskState
    due_at: datetime | None
    escalated: int
    done_at: datetime | None
    done_by: str | None
    result: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, or what somebody said."""

    at: datetime
    by: str
    what: str
    text: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All of one case."""

    case: Case
    sources: Sequence[Source]
    tasks: Sequence[Task]
    history: Sequence[Entry]
    is_guest: bool  # the viewer has a task in it and no more


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases there are that are not closed."""

    open: int
    mine: int
    overdue: int
    escalated: int
    to_verify: int


def case_of(row: CaseRow) -> Case:
    """The row as a value."""
    return Case(
        row.id, row.tenant, row.title, row.path, row.priority, row.category, State(row.state), row.owner, row.team,
        row.occurred_at, row.detected_at, row.notified_at, row.acknowledged_at, row.resolved_at, row.verified_at,
        row.closed_at, row.due_at, row.escalated, row.disposition, row.cause, row.made_by, row.revision,
    )  # fmt: skip


def task_of(row: CaseTaskRow) -> Task:
    """The row as a value."""
    return Task(
        row.id, row.tenant, row.title, row.body, row.owner, TaskState(row.state), row.due_at, row.escalated,
        row.done_at, row.done_by, row.result, row.made_by, row.made_at,
    )  # fmt: skip


def source_of(row: CaseSourceRow) -> Source:
    """The row as a value."""
    return Source(row.subject, row.title, row.at)


def entry_of(row: CaseHistoryRow) -> Entry:
    """The row as a value."""
    return Entry(row.at, row.by, row.what, row.text, row.detail)
