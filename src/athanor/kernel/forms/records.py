"""What is told of an entry: the value types, and how they are read from the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.forms.conditions import with_computed
from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.definition import Definition, Step
from athanor.kernel.forms.flow import State, Verdict
from athanor.kernel.forms.tables import DecisionRow, EntryRow, HistoryRow, WaitingRow
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Entry:
    """A form that somebody fills in or has filled in."""

    id: int
    tenant: str | None
    form_id: int
    version: int
    definition: Definition  # that version
    author: str
    subject: str  # what another app has it filled in for
    state: State
    round: int  # how often it was sent
    values: Mapping[str, Any]  # by field, computed ones too; see `validation`
    made_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that is asked now."""

    step: Step
    asked_at: datetime
    due_at: datetime | None
    escalated_to: str | None
    deciders: tuple[str, ...]  # logins
    is_mine: bool  # the viewer may decide it


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided."""

    step: str
    round: int
    verdict: Verdict
    reason: str
    signature: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an entry's history; `what` is made, changed, sent, decided, overdue, escalated, withdrawn, ended."""

    at: datetime
    by: str
    what: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that a viewer is told of one entry."""

    entry: Entry
    asked: Sequence[Asked] = ()
    decisions: Sequence[Decision] = ()
    history: Sequence[Happening] = ()
    names: Mapping[str, str] = field(default_factory=dict)  # of people, by login
    may_change: bool = False
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True)
class Pointed:
    """What the fields of an entry may point at: the plant of its tenant, and the people. A `validation.Known`."""

    plant: RunningPlant
    people: People
    tenant: str | None

    def has_asset(self, path: str) -> bool:
        """Whether there is such an asset, and it is the tenant's."""
        node = self.plant.model.nodes.get(path)
        return node is not None and self.tenant in (None, node.tenant)

    def has_tag(self, path: str) -> bool:
        """Whether there is such a tag, and it is the tenant's."""
        tag = self.plant.model.tags.get(path)
        return tag is not None and self.has_asset(tag.node_path)

    def has_person(self, login: str) -> bool:
        """Whether there is such a person, of the tenant or of the park."""
        person = self.people.by_login.get(login)
        return person is not None and (self.tenant is None or person.user.tenant in (None, self.tenant))


def entry_of(row: EntryRow, definition: Definition) -> Entry:
    """A row, with its computed fields computed."""
    return Entry(
        row.id, row.tenant, row.definition_id, row.version, definition, row.author, row.subject, State(row.state),
        row.round, with_computed(definition, row.entered), row.made_at, row.changed_at, row.sent_at, row.ended_at,
    )  # fmt: skip


async def asked_of(session: AsyncSession, row: EntryRow, definition: Definition, people: People) -> list[Asked]:
    """The steps that an entry's flow asks now; `is_mine` is not yet said."""
    waiting = await session.scalars(select(WaitingRow).where(WaitingRow.entry_id == row.id).order_by(WaitingRow.id))
    return [
        Asked(
            step, one.asked_at, one.due_at, one.escalated_to,
            tuple(people.deciders(step, row.author, row.tenant, one.escalated_to)), is_mine=False,
        )
        for one in waiting
        for step in [definition.step(one.step)]
    ]  # fmt: skip


async def decisions_of(session: AsyncSession, entry_id: int, round_: int | None = None) -> list[Decision]:
    """What was decided about an entry, oldest first: all, or in one round."""
    query = select(DecisionRow).where(DecisionRow.entry_id == entry_id).order_by(DecisionRow.id)
    if round_ is not None:
        query = query.where(DecisionRow.round == round_)
    return [
        Decision(one.step, one.round, Verdict(one.verdict), one.reason, one.signature, one.by, one.at)
        for one in await session.scalars(query)
    ]


async def history_of(session: AsyncSession, entry_id: int) -> list[Happening]:
    """What happened to an entry, oldest first."""
    query = select(HistoryRow).where(HistoryRow.entry_id == entry_id).order_by(HistoryRow.id)
    return [Happening(one.at, one.by, one.what, one.detail) for one in await session.scalars(query)]
