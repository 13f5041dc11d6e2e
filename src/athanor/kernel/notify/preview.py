"""Who would be told, and who was not: what policies come to, asked without telling anybody."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.notify.policy import About, concerns
from athanor.kernel.notify.reading import InForce, read_around, read_policies
from athanor.kernel.notify.recipients import Around, Fault, Target, reached
from athanor.kernel.notify.routing import Fate, held_until
from athanor.kernel.notify.tables import NoticeRow


@dataclass(frozen=True, slots=True)
class Line:
    """One message that there would be."""

    policy: InForce
    step: int
    after_min: int
    target: Target
    person: str  # their name; "" for an address that is nobody's
    held_until: datetime | None  # it would go into a digest then


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """Something of a policy that does not work as it says."""

    policy: InForce
    step: int
    tenant: str | None  # for whose notices
    fault: Fault


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would be told of something, and what is at fault with it."""

    lines: tuple[Line, ...]
    faults: tuple[PolicyFault, ...]


@dataclass(frozen=True, slots=True)
class Unheard:
    """Notices of one kind that reached nobody."""

    topic: str
    priority: int
    tenant: str | None
    fate: str
    count: int
    last_at: datetime
    title: dict[str, str]  # of the last


class Previews:
    """Answers what policies come to. An enterprise's people see what concerns their own people and policies."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def of(
        self, viewer: User, about: About, timezone: str, language: str, extra: Sequence[InForce] = ()
    ) -> Preview:
        """Who would be told now. `extra` holds, too: policies that are being written; each replaces that of its id.

        What several policies say comes by the first of them; those of `extra` come before the others.
        """
        policies, around = await self._read(timezone, language)
        replaced = {one.id for one in extra}
        policies = [*extra, *(one for one in policies if one.id not in replaced)]
        lines, faults = told(about, policies, around)
        return Preview(
            tuple(line for line in lines if viewer.tenant in (line.target.tenant, line.policy.tenant, None)),
            tuple(fault for fault in faults if viewer.tenant in (fault.policy.tenant, None)),
        )

    async def faults(self, viewer: User, tenants: Iterable[str], timezone: str, language: str) -> list[PolicyFault]:
        """What is at fault with policies now, for the notices of these enterprises; each once."""
        policies, around = await self._read(timezone, language)
        found: dict[tuple[int, int, Fault], PolicyFault] = {}
        for one in policies:
            if viewer.tenant not in (one.tenant, None):
                continue
            for tenant in (one.tenant,) if one.tenant else (*(one.policy.match.tenants or tenants),):
                for number, step in enumerate(one.policy.steps):
                    for fault in reached(step, one.tenant, tenant, around).faults:
                        found.setdefault((one.id, number, fault), PolicyFault(one, number, tenant, fault))
        return list(found.values())

    async def unheard(self, viewer: User, since: timedelta = timedelta(days=7)) -> list[Unheard]:
        """Notices that nobody was told of, by kind, the most urgent first."""
        keys = (NoticeRow.topic, NoticeRow.priority, NoticeRow.tenant, NoticeRow.fate)
        query = (
            select(*keys, func.count(), func.max(NoticeRow.id))
            .where(NoticeRow.fate.in_((Fate.NOBODY, Fate.UNREACHED)), NoticeRow.made_at > self._now() - since)
            .group_by(*keys)
            .order_by(NoticeRow.priority, func.count().desc())
            .limit(50)
        )
        if viewer.tenant is not None:
            query = query.where(NoticeRow.tenant == viewer.tenant)
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
            last = {
                row.id: row
                for row in await session.scalars(select(NoticeRow).where(NoticeRow.id.in_([one[-1] for one in rows])))
            }
        return [
            Unheard(topic, priority, tenant, fate or "", count, last[number].at, last[number].text.get("title", {}))
            for topic, priority, tenant, fate, count, number in rows
        ]

    async def _read(self, timezone: str, language: str) -> tuple[list[InForce], Around]:
        async with self._database.reading() as session:
            return await read_policies(session), await read_around(session, self._now(), timezone, language)


def told(about: About, policies: Sequence[InForce], around: Around) -> tuple[list[Line], list[PolicyFault]]:
    """The messages that there would be, each address once for each step, and the faults."""
    lines: list[Line] = []
    faults: list[PolicyFault] = []
    seen: set[tuple[int, int, str]] = set()
    for one in policies:
        if not concerns(one.policy, one.tenant, about, around.now, around.zone):
            continue
        for number, step in enumerate(one.policy.steps):
            found = reached(step, one.tenant, about.tenant, around)
            faults += [PolicyFault(one, number, about.tenant, fault) for fault in found.faults]
            for target in found.targets:
                key = (step.after_min, target.way.id, target.address)
                if key not in seen:
                    seen.add(key)
                    person = around.people.get(target.login or "")
                    name = (person.user.name or person.user.login) if person else ""
                    until = held_until(one.policy, target, about.priority, around, is_late=False)
                    lines.append(Line(one, number, step.after_min, target, name, until))
    return sorted(lines, key=lambda line: line.after_min), faults
