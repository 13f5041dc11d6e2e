"""Reading all that decides who is told: accounts, addresses, channels, rosters and policies as they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.identity.tables import DepartmentRow, RoleRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.quiet import NO_WISHES, Wishes
from athanor.kernel.notify.recipients import EMAIL, SMS, Around, Reachable, Way
from athanor.kernel.notify.roster import Roster
from athanor.kernel.notify.tables import ChannelRow, PolicyRow, ReachRow, RosterRow, WishRow


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy that holds, its id, and whose it is."""

    id: int
    tenant: str | None
    policy: Policy


async def read_policies(session: AsyncSession) -> list[InForce]:
    """Those that are enabled, in the order in which they were made."""
    query = select(PolicyRow).where(PolicyRow.is_enabled, PolicyRow.retired_at.is_(None)).order_by(PolicyRow.id)
    rows = await session.scalars(query)
    return [InForce(row.id, row.tenant, Policy.model_validate(row.content)) for row in rows]


async def read_around(session: AsyncSession, now: datetime, timezone: str, language: str) -> Around:
    """Everything else. Pass a session of the whole database: who is told of something need not be of one tenant."""
    departments = await session.execute(select(DepartmentRow.id, DepartmentRow.above_id))
    channels = await session.scalars(
        select(ChannelRow).where(ChannelRow.is_enabled, ChannelRow.retired_at.is_(None)).order_by(ChannelRow.id)
    )
    rosters = await session.scalars(select(RosterRow).where(RosterRow.retired_at.is_(None)))
    return Around(
        now=now,
        zone=ZoneInfo(timezone),
        language=language,
        people=await _people(session),
        above={number: above for number, above in departments},  # noqa: C416 (rows are no pairs to mypy)
        ways={row.id: Way(row.id, row.kind, row.name, row.tenant) for row in channels if row.kind in KINDS},
        rosters={row.id: (row.tenant, Roster.model_validate(row.content)) for row in rosters},
    )


async def _people(session: AsyncSession) -> dict[str, Reachable]:
    made_here = {name: frozenset(patterns) for name, patterns in await session.execute(_ROLES)}
    wishes = {row.login: Wishes.model_validate(row.content) for row in await session.scalars(select(WishRow))}
    found: dict[str, list[tuple[str, str]]] = {}
    for login, kind, address in await session.execute(_REACHES):
        found.setdefault(login, []).append((kind, address))
    people = {}
    for row in await session.scalars(select(UserRow).where(UserRow.disabled_at.is_(None)).order_by(UserRow.login)):
        granted: frozenset[str] = frozenset().union(*(made_here.get(role, frozenset()) for role in row.roles))
        people[row.login] = Reachable(
            User(row.id, row.login, row.name, tuple(row.roles), row.tenant, row.language, granted),
            row.post,
            row.department_id,
            _addresses(row, found.get(row.login, ())),
            wishes.get(row.login, NO_WISHES),
        )
    return people


def _addresses(row: UserRow, own: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """What they gave themselves, then what the account names."""
    found: dict[str, list[str]] = {}
    for kind, address in (*own, (EMAIL, row.email), (SMS, row.phone)):
        if address and kind in KINDS and KINDS[kind].knows(address):
            found.setdefault(kind, []).append(address)
    return {kind: tuple(dict.fromkeys(addresses)) for kind, addresses in found.items()}


_ROLES = select(RoleRow.name, RoleRow.permissions)
_REACHES = (
    select(ReachRow.login, ReachRow.kind, ReachRow.address)
    .where(ReachRow.is_enabled, ReachRow.verified_at.is_not(None))
    .order_by(ReachRow.id)
)
