"""Routing: notices become messages, those that nobody acknowledges are told further, and what is held back goes out.

`route` may run at any time, anywhere and twice: servers take turns, a notice is marked in the transaction that makes
its messages, and the database takes no message twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

import structlog
from sqlalchemy import Table, bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.rule import Priority
from athanor.kernel.notify import digest
from athanor.kernel.notify.built_in import DIRECT, ensure_built_in
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.policy import About, Policy, concerns, covers
from athanor.kernel.notify.quiet import ends_at, is_within
from athanor.kernel.notify.reading import InForce, read_around, read_policies
from athanor.kernel.notify.recipients import Around, Reached, Target, named, reached
from athanor.kernel.notify.tables import MessageRow, NoticeRow, State
from athanor.kernel.notify.templates import in_language, local_time, place_of, priority_word, told
from athanor.kernel.plant.model import Plant

MOST = 2000  # notices that one call takes, so that a burst holds the database for moments only

_LOCK = 0x6E6F7469  # PostgreSQL's, for who routes
_PIECE = 1000
_SOON = timedelta(minutes=2)  # a digest of late notices waits for more of them
_LIMITED = timedelta(minutes=5)  # how often, at most, a digest tells of what a limit holds back
_INBOX_MOST = 200  # in an hour; an inbox makes no noise, but 100,000 lines help nobody

_log = structlog.get_logger(__name__)


class Fate(StrEnum):
    """What came of a notice."""

    TOLD = "told"  # somebody is told, now or in a digest
    NOBODY = "nobody"  # no policy is about it
    UNREACHED = "unreached"  # a policy is, but it reaches nobody
    PAST = "past"  # it was over before anybody was told
    ENDING = "ending"  # it says that something is over; whoever wished to hear of that does


@dataclass(frozen=True, slots=True)
class Routed:
    """What one call did. `has_more`: call again at once."""

    notices: int = 0
    messages: int = 0
    held: int = 0  # notices put onto piles, once for each address
    released: int = 0  # digests that go out
    nobody: int = 0
    has_more: bool = False


async def route(session: AsyncSession, now: datetime, plant: Plant, language: str = "en") -> Routed:
    """Do all that is due; kept with the caller's commit.

    Pass a session of the whole database, and the language of whoever chose none.
    """
    await prepare(session, now)
    released = await digest.release(session, now, plant)
    fresh = (await session.scalars(_FRESH)).all()
    due = (await session.scalars(_DUE.where(NoticeRow.next_step_at <= now))).all()
    if not fresh and not due:
        return Routed(released=released)
    around = await read_around(session, now, plant.timezone, language)
    policies = await read_policies(session)
    run = _Run(plant, around, policies, await _counts(session, policies, now))
    ended = await _ended(session, [*fresh, *due])
    fates = {row.id: run.first(row, is_past=_is_past(row, ended)) for row in sorted(fresh, key=_urgent_first)}
    for row in due:
        run.further(row, is_past=_is_past(row, ended))
    await _end(session, run, [row for row in fresh if row.is_over])
    await _keep(session, run, now)
    await _mark(session, [*fresh, *due], fates, run.next_steps, now)
    nobody = sum(fate is Fate.NOBODY for fate in fates.values())
    if nobody:
        _log.warning("notify.nobody-told", notices=nobody)
    return Routed(
        len(fresh), len(run.messages), run.held_count, released, nobody, has_more=MOST in (len(fresh), len(due))
    )


@dataclass
class _Run:
    """One call's work, in memory."""

    plant: Plant
    around: Around
    policies: Sequence[InForce]
    counts: dict[tuple[int, int, str], int]  # messages by minutes of a limit, channel and address
    messages: list[dict[str, Any]] = field(default_factory=list)
    held: dict[tuple[int, str], tuple[Target, list[digest.Held]]] = field(default_factory=dict)
    next_steps: dict[int, datetime] = field(default_factory=dict)
    _reached: dict[tuple[int, int, str | None], Reached] = field(default_factory=dict)

    def first(self, row: NoticeRow, *, is_past: bool) -> Fate:
        """Tell of a notice for the first time."""
        if row.is_over:
            return Fate.ENDING
        if is_past:
            return Fate.PAST
        mine = self._concerned(row)
        words = _Words(row, self.plant, self.around)
        seen: set[tuple[int, str]] = set()
        for one in mine:
            for target in self._targets(one, 0, row.tenant):
                self._tell(words, one, 0, target, seen)
        for target in named(row.logins, row.tenant, self.around) if row.logins else ():
            self._tell(words, DIRECT, 0, target, seen)
        self._plan(row, mine, self.around.now, self.around.now)
        if seen:
            return Fate.TOLD
        return Fate.UNREACHED if mine or row.logins else Fate.NOBODY

    def further(self, row: NoticeRow, *, is_past: bool) -> None:
        """Tell whoever is next, where it is time."""
        began, since, now = row.routed_at, row.next_step_at, self.around.now
        if is_past or began is None or since is None:
            return
        mine = self._concerned(row)
        words = _Words(row, self.plant, self.around)
        for one in mine:
            for number, step in enumerate(one.policy.steps):
                if number and since <= began + timedelta(minutes=step.after_min) <= now:
                    seen: set[tuple[int, str]] = set()
                    for target in self._targets(one, number, row.tenant):
                        self._tell(words, one, number, target, seen)
        self._plan(row, mine, began, now)

    def over(self, row: NoticeRow, policy: int, target: Target) -> None:
        """Tell somebody who was told of its beginning that it is over."""
        one = next(one for one in self.policies if one.id == policy)
        self._tell(_Words(row, self.plant, self.around), one, 0, target, set())

    @property
    def held_count(self) -> int:
        """How often a notice was held back."""
        return sum(len(held) for _, held in self.held.values())

    def _concerned(self, row: NoticeRow) -> list[InForce]:
        about = about_of(row)
        return [
            one
            for one in self.policies
            if concerns(one.policy, one.tenant, about, self.around.now, self.around.zone)
        ]  # fmt: skip

    def _targets(self, one: InForce, number: int, tenant: str | None) -> tuple[Target, ...]:
        key = (one.id, number, tenant)
        if key not in self._reached:
            self._reached[key] = found = reached(one.policy.steps[number], one.tenant, tenant, self.around)
            for fault in found.faults:
                _log.warning(
                    "notify.policy-fault", policy=one.id, step=number, fault=fault.lack, login=fault.login,
                    channel=fault.channel,
                )  # fmt: skip
        return self._reached[key].targets

    def _plan(self, row: NoticeRow, mine: Sequence[InForce], began: datetime, now: datetime) -> None:
        times = [began + timedelta(minutes=step.after_min) for one in mine for step in one.policy.steps[1:]]
        if later := [time for time in times if time > now]:
            self.next_steps[row.id] = min(later)

    def _tell(self, words: "_Words", one: InForce, number: int, target: Target, seen: set[tuple[int, str]]) -> None:
        key = (target.way.id, target.address)
        if key in seen:
            return
        row, policy, now = words.row, one.policy, self.around.now
        is_output = KINDS[target.way.kind].is_output
        until = held_until(policy, target, row.priority, self.around, is_late=row.is_late)
        if is_output and until is not None:
            return  # a siren is for now: what is told later is told to people
        seen.add(key)
        minutes, most = _limit(policy, target)
        count = self.counts.get((minutes, *key), 0)
        if until is None and count >= most and not is_output:
            until = now + min(timedelta(minutes=minutes), _LIMITED)
        if until is not None:
            self.held.setdefault(key, (target, []))[1].append(digest.Held(row.id, row.priority, until))
            return
        self.counts[minutes, *key] = count + 1
        state = State.SENT if target.way.kind == INBOX else State.WAITING
        title, body = words.told(policy, target.language)
        self.messages.append(digest.message(row.id, one.id, number, target, title, body, state, now, now))


def held_until(policy: Policy, target: Target, priority: int, around: Around, *, is_late: bool) -> datetime | None:
    """When an address is told of something, if not at once: in a digest. Limits are not looked at here."""
    now = around.now
    if is_late:
        return now + _SOON
    if priority == Priority.CRITICAL or target.way.kind == INBOX:
        return None
    ends = [ends_at(hours, now, around.zone) for hours in (policy.quiet, target.wishes.quiet)
            if is_within(hours, now, around.zone)]  # fmt: skip
    if policy.digest_min:
        ends.append(now + timedelta(minutes=policy.digest_min))
    return max(ends, default=None)


def about_of(row: NoticeRow) -> About:
    """What of a notice policies look at."""
    texts = (*row.text.get("title", {}).values(), *row.text.get("detail", {}).values())
    return About(row.topic, row.priority, row.category, row.path, row.tenant, texts)


class _Words:
    """A notice, put into words once for each policy's way and language."""

    def __init__(self, row: NoticeRow, plant: Plant, around: Around) -> None:
        self.row = row
        self._plant, self._around = plant, around
        self._said: dict[tuple[int, str], tuple[str, str]] = {}

    def told(self, policy: Policy, language: str) -> tuple[str, str]:
        """Title and body."""
        key = (id(policy), language)
        if key not in self._said:
            row = self.row
            said = told(policy.templates, row.topic, self._values(language), language, has_priority=not row.is_over)
            self._said[key] = said.title, said.body
        return self._said[key]

    def _values(self, language: str) -> Mapping[str, str]:
        row, plant = self.row, self._plant
        tenant = plant.tenants.get(row.tenant or "")
        return {
            "title": in_language(row.text["title"], language),
            "detail": in_language(row.text["detail"], language),
            "place": place_of(plant, row.path, language),
            "path": row.path,
            "enterprise": in_language(dict(tenant.name), language) if tenant else "",
            "priority": priority_word(row.priority, language),
            "value": in_language(row.text.get("value", {}), language),
            "time": self._time,
            "link": row.link,
        }

    @cached_property
    def _time(self) -> str:
        return local_time(self.row.at, self._around.zone)


def _limit(policy: Policy, target: Target) -> tuple[int, int]:
    """Minutes, and how many messages in them."""
    if target.way.kind == INBOX:
        return 60, _INBOX_MOST
    return policy.limit.per_min, policy.limit.most


def _urgent_first(row: NoticeRow) -> tuple[int, int]:
    return row.priority, row.id


def _is_past(row: NoticeRow, ended: Mapping[str, int]) -> bool:
    return ended.get(row.subject, 0) > row.id


_FRESH = select(NoticeRow).where(NoticeRow.routed_at.is_(None)).order_by(NoticeRow.id).limit(MOST)
_DUE = select(NoticeRow).order_by(NoticeRow.next_step_at, NoticeRow.id).limit(MOST)


async def prepare(session: AsyncSession, now: datetime) -> None:
    """Make what there is before anybody has configured anything; servers that start at once make it once."""
    await _take_turn(session)
    await ensure_built_in(session, now)


async def is_needed(session: AsyncSession, now: datetime) -> bool:
    """Whether `route` would find anything to do; a question that keeps nobody from writing."""
    held = select(MessageRow.id).where(MessageRow.state == State.WITHHELD, MessageRow.due_at <= now)
    due = select(NoticeRow.id).where(NoticeRow.next_step_at <= now)
    fresh = select(NoticeRow.id).where(NoticeRow.routed_at.is_(None))
    return bool(await session.scalar(select(or_(fresh.exists(), due.exists(), held.exists()))))


async def _take_turn(session: AsyncSession) -> None:
    """One server routes at a time; on SQLite writers take turns anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def _counts(session: AsyncSession, policies: Sequence[InForce], now: datetime) -> dict[tuple[int, int, str], int]:
    """How many messages went to each address within the minutes of each limit."""
    found = {}
    for minutes in sorted({60, *(one.policy.limit.per_min for one in policies)}):
        query = (
            select(MessageRow.channel_id, MessageRow.recipient, func.count())
            .where(MessageRow.made_at > now - timedelta(minutes=minutes), MessageRow.state != State.WITHHELD)
            .group_by(MessageRow.channel_id, MessageRow.recipient)
        )
        for channel, recipient, count in await session.execute(query):
            found[minutes, channel, recipient] = count
    return found


async def _ended(session: AsyncSession, rows: Sequence[NoticeRow]) -> dict[str, int]:
    """The subjects among these that are over, each with the last notice that says so."""
    found: dict[str, int] = {}
    for piece in _pieces(sorted({row.subject for row in rows})):
        query = (
            select(NoticeRow.subject, func.max(NoticeRow.id))
            .where(NoticeRow.is_over, NoticeRow.subject.in_(piece))
            .group_by(NoticeRow.subject)
        )
        found |= {subject: last for subject, last in await session.execute(query)}  # noqa: C416 as in `reading`
    return found


async def _end(session: AsyncSession, run: _Run, rows: Sequence[NoticeRow]) -> None:
    """Nothing of what is over escalates, and those who wish to hear it, and were told of its beginning, do."""
    wishing = {one.id for one in run.policies if one.policy.says_over}
    by_subject = {row.subject: row for row in rows}
    for piece in _pieces(sorted(by_subject)):
        began = select(NoticeRow.id).where(NoticeRow.subject.in_(piece), NoticeRow.is_over.is_(False))
        await session.execute(
            update(NoticeRow).where(NoticeRow.id.in_(began)).values(next_step_at=None)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        await session.execute(
            update(MessageRow)
            .where(
                MessageRow.notice_id.in_(began), MessageRow.step > 0, MessageRow.claimed_by.is_(None),
                MessageRow.state.in_((State.WAITING, State.FAILED)),
            )
            .values(state=State.CANCELLED)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        for subject, message in await _told(session, piece, wishing) if wishing else ():
            row = by_subject[subject]
            policy = next(one.policy for one in run.policies if one.id == message.policy_id)
            way = run.around.ways.get(message.channel_id)
            if way is not None and covers(policy, None, about_of(row)):
                person = run.around.people.get(message.login or "")
                language = (person and person.user.language) or run.around.language
                run.over(
                    row, message.policy_id, Target(way, message.recipient, message.login, message.tenant, language)
                )


async def _told(session: AsyncSession, subjects: Sequence[str], policies: set[int]) -> Sequence[tuple[str, MessageRow]]:
    """Who was told of subjects by some policies, each address once."""
    query = (
        select(NoticeRow.subject, MessageRow)
        .join(MessageRow, MessageRow.notice_id == NoticeRow.id)
        .where(NoticeRow.subject.in_(subjects), MessageRow.policy_id.in_(policies), NoticeRow.is_over.is_(False))
        .order_by(MessageRow.id)
    )
    found: dict[tuple[str, int, str], tuple[str, MessageRow]] = {}
    for subject, message in await session.execute(query):
        found.setdefault((subject, message.channel_id, message.recipient), (subject, message))
    return list(found.values())


async def _keep(session: AsyncSession, run: _Run, now: datetime) -> None:
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    if run.messages:
        connection = await session.connection()
        await connection.execute(insert(_table(MessageRow)).on_conflict_do_nothing(), run.messages)
    for target, held in run.held.values():
        await digest.hold(session, target, held, now)
    await session.flush()


async def _mark(
    session: AsyncSession,
    rows: Sequence[NoticeRow],
    fates: Mapping[int, Fate],
    next_steps: Mapping[int, datetime],
    now: datetime,
) -> None:
    """Note that these have had their turn."""
    table = _table(NoticeRow)
    values = [
        {
            "this": row.id,
            "routed_at": row.routed_at or now,
            "fate": fates.get(row.id) or row.fate,
            "next_step_at": next_steps.get(row.id),
        }
        for row in rows
    ]
    statement = update(table).where(table.c.id == bindparam("this"))
    connection = await session.connection()
    await connection.execute(
        statement.values({name: bindparam(name) for name in ("routed_at", "fate", "next_step_at")}), values
    )


def _table(row: type[MessageRow] | type[NoticeRow]) -> Table:
    return cast("Table", row.__table__)


def _pieces(subjects: Sequence[str]) -> Iterator[Sequence[str]]:
    return (subjects[start : start + _PIECE] for start in range(0, len(subjects), _PIECE))
