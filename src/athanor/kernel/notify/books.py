"""The policies and duty rosters as people see and change them: each of its enterprise, or of the park."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotAllowedError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import DepartmentRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.policy import Address, Department, OnDuty, Person, Policy
from athanor.kernel.notify.roster import Roster
from athanor.kernel.notify.tables import ChannelRow, PolicyRow, RosterRow

CONFIGURE = "notifications.configure"

_Row = TypeVar("_Row", PolicyRow, RosterRow)


class BadPolicyError(AthanorError):
    """A policy or roster cannot be kept as it was given."""

    code = "notify.bad-policy"

    def __init__(self, reason: str) -> None:
        super().__init__(f"It was not kept: {reason}. Correct that and save it again.")


class PolicyChangedError(AthanorError):
    """A policy or roster was changed by somebody else since it was opened."""

    code = "notify.policy-changed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} was changed by somebody else meanwhile. Reload the page, then make your change.")


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy as it stands."""

    id: int
    tenant: str | None
    policy: Policy
    is_enabled: bool
    revision: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RosterView:
    """A roster as it stands."""

    id: int
    tenant: str | None
    roster: Roster
    revision: int
    changed_by: str
    changed_at: datetime


def checked_policy(said: object) -> Policy:
    """A policy of what somebody sent. Raises BadPolicyError."""
    return _checked(Policy, said)


def checked_roster(said: object) -> Roster:
    """A roster of what somebody sent. Raises BadPolicyError."""
    return _checked(Roster, said)


class Policies:
    """Keeps policies. The park's people see all of them and make them for anybody; others see their enterprise's."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def all(self, viewer: User) -> list[PolicyView]:
        """In the order in which they were made."""
        async with self._database.reading() as session:
            return [_policy_view(row) for row in await _rows(session, PolicyRow, viewer)]

    async def get(self, viewer: User, number: int) -> PolicyView:
        """Raises NotFoundError."""
        async with self._database.reading() as session:
            return _policy_view(await _own(session, PolicyRow, viewer, number, "policy"))

    async def add(
        self, viewer: User, policy: Policy, *, tenant: str | None = None, is_enabled: bool = True, address: str = ""
    ) -> int:
        """Keep a new one; its id. `tenant`: whose, where the park's people make it.

        Raises NotAllowedError, BadPolicyError.
        """
        _may(viewer)
        owner = tenant if viewer.tenant is None else viewer.tenant
        async with self._database.session() as session:
            await _check_policy(session, policy, owner)
            row = PolicyRow(
                content=policy.model_dump(mode="json"), is_enabled=is_enabled, revision=1, changed_by=viewer.login,
                changed_at=self._now(), retired_at=None, tenant=owner,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            _note(session, viewer, "notify.policy-kept", row, {"is_enabled": is_enabled}, address)
            return row.id

    async def save(
        self, viewer: User, number: int, policy: Policy, revision: int, *, is_enabled: bool = True, address: str = ""
    ) -> int:
        """Change one that was opened at a revision; the new one.

        Raises NotFoundError, NotAllowedError, BadPolicyError, PolicyChangedError.
        """
        _may(viewer)
        async with self._database.session() as session:
            row = await _own(session, PolicyRow, viewer, number, "policy", held=True)
            _check_revision(row, revision)
            await _check_policy(session, policy, row.tenant)
            row.content, row.is_enabled = policy.model_dump(mode="json"), is_enabled
            _touch(row, viewer, self._now())
            _note(session, viewer, "notify.policy-kept", row, {"is_enabled": is_enabled}, address)
            return row.revision

    async def retire(self, viewer: User, number: int, *, address: str = "") -> None:
        """Remove one; what became of its messages stays. Raises NotFoundError, NotAllowedError."""
        _may(viewer)
        async with self._database.session() as session:
            row = await _own(session, PolicyRow, viewer, number, "policy", held=True)
            row.retired_at, row.is_enabled = self._now(), False
            _touch(row, viewer, self._now())
            _note(session, viewer, "notify.policy-removed", row, {}, address)


class Rosters:
    """Keeps duty rosters, as `Policies` does."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def all(self, viewer: User) -> list[RosterView]:
        """In the order in which they were made."""
        async with self._database.reading() as session:
            return [_roster_view(row) for row in await _rows(session, RosterRow, viewer)]

    async def get(self, viewer: User, number: int) -> RosterView:
        """Raises NotFoundError."""
        async with self._database.reading() as session:
            return _roster_view(await _own(session, RosterRow, viewer, number, "roster"))

    async def add(self, viewer: User, roster: Roster, *, tenant: str | None = None, address: str = "") -> int:
        """Keep a new one; its id. Raises NotAllowedError, BadPolicyError."""
        _may(viewer)
        owner = tenant if viewer.tenant is None else viewer.tenant
        async with self._database.session() as session:
            await _check_people(session, roster.logins, owner)
            row = RosterRow(
                content=roster.model_dump(mode="json"), revision=1, changed_by=viewer.login, changed_at=self._now(),
                retired_at=None, tenant=owner,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            _note(session, viewer, "notify.roster-kept", row, {}, address)
            return row.id

    async def save(self, viewer: User, number: int, roster: Roster, revision: int, *, address: str = "") -> int:
        """Change one that was opened at a revision; the new one.

        People whom the roster named before may stay in it after they have left: the gap shows. Raises NotFoundError,
        NotAllowedError, BadPolicyError, PolicyChangedError.
        """
        _may(viewer)
        async with self._database.session() as session:
            row = await _own(session, RosterRow, viewer, number, "roster", held=True)
            _check_revision(row, revision)
            before = Roster.model_validate(row.content)
            await _check_people(session, roster.logins - before.logins, row.tenant)
            row.content = roster.model_dump(mode="json")
            _touch(row, viewer, self._now())
            _note(session, viewer, "notify.roster-kept", row, {}, address)
            return row.revision

    async def retire(self, viewer: User, number: int, *, address: str = "") -> None:
        """Remove one that no policy asks. Raises NotFoundError, NotAllowedError, BadPolicyError."""
        _may(viewer)
        async with self._database.session() as session:
            row = await _own(session, RosterRow, viewer, number, "roster", held=True)
            for other in await session.scalars(select(PolicyRow).where(PolicyRow.retired_at.is_(None))):
                policy = Policy.model_validate(other.content)
                if any(who == OnDuty(roster=number) for step in policy.steps for who in step.to):
                    raise BadPolicyError(f"the policy {_name(other)!r} tells who is on duty by it")
            row.retired_at = self._now()
            _touch(row, viewer, self._now())
            _note(session, viewer, "notify.roster-removed", row, {}, address)


def _may(viewer: User) -> None:
    if not viewer.may(CONFIGURE):
        raise NotAllowedError("Policies and rosters are changed by engineers and administrators. Ask one of them.")


async def _rows(session: AsyncSession, kind: type[_Row], viewer: User) -> Sequence[_Row]:
    query = select(kind).where(kind.retired_at.is_(None)).order_by(kind.id)
    if viewer.tenant is not None:
        query = query.where(kind.tenant == viewer.tenant)
    return (await session.scalars(query)).all()


async def _own(
    session: AsyncSession, kind: type[_Row], viewer: User, number: int, what: str, *, held: bool = False
) -> _Row:
    row = await session.get(kind, number, with_for_update=held or None)
    if row is None or row.retired_at is not None or viewer.tenant not in (row.tenant, None):
        raise NotFoundError(what, number)
    return row


def _check_revision(row: PolicyRow | RosterRow, revision: int) -> None:
    if row.revision != revision:
        raise PolicyChangedError(_name(row))


def _touch(row: PolicyRow | RosterRow, viewer: User, now: datetime) -> None:
    row.revision, row.changed_by, row.changed_at = row.revision + 1, viewer.login, now


def _name(row: PolicyRow | RosterRow) -> str:
    names = row.content["name"]
    return str(names.get("en") or next(iter(names.values())))


def _note(
    session: AsyncSession, viewer: User, action: str, row: PolicyRow | RosterRow, detail: dict[str, Any], address: str
) -> None:
    said = {"name": _name(row), "tenant": row.tenant, "revision": row.revision} | detail
    record(session, viewer.login, action, str(row.id), address=address, detail=said | {"content": row.content})


async def _check_policy(session: AsyncSession, policy: Policy, owner: str | None) -> None:
    """Whether all that a policy names is there, and may be named by its owner. Raises BadPolicyError."""
    if owner is not None and policy.match.tenants:
        raise BadPolicyError("an enterprise's policy is about its own notices only")
    everybody = [who for step in policy.steps for who in step.to]
    await _check_people(session, frozenset(who.login for who in everybody if isinstance(who, Person)), owner)
    channels = {number for step in policy.steps for number in step.by}
    channels |= {who.channel for who in everybody if isinstance(who, Address)}
    await _check_there(session, ChannelRow, channels, owner, "channel")
    await _check_there(
        session, RosterRow, {who.roster for who in everybody if isinstance(who, OnDuty)}, owner, "roster"
    )
    for who in everybody:
        if isinstance(who, Department):
            department = await session.get(DepartmentRow, who.department)
            if department is None or owner not in (department.tenant, None):
                raise BadPolicyError(f"there is no department {who.department}")


async def _check_there(
    session: AsyncSession, kind: type[ChannelRow] | type[RosterRow], numbers: set[int], owner: str | None, what: str
) -> None:
    for number in sorted(numbers):
        row: ChannelRow | RosterRow | None = await session.get(kind, number)
        if row is None or row.retired_at is not None or row.tenant not in (owner, None):
            raise BadPolicyError(f"there is no {what} {number}")


async def _check_people(session: AsyncSession, logins: frozenset[str], owner: str | None) -> None:
    query = select(UserRow.login, UserRow.tenant).where(UserRow.login.in_(logins), UserRow.disabled_at.is_(None))
    there = {login for login, tenant in await session.execute(query) if owner in (tenant, None)}
    if gone := sorted(logins - there):
        raise BadPolicyError(f"there is nobody with the login {gone[0]!r}")


_Content = TypeVar("_Content", bound=BaseModel)


def _checked(model: type[_Content], said: object) -> _Content:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadPolicyError(f"{place}: {first['msg']}" if place else str(first["msg"])) from error


def _policy_view(row: PolicyRow) -> PolicyView:
    policy = Policy.model_validate(row.content)
    return PolicyView(row.id, row.tenant, policy, row.is_enabled, row.revision, row.changed_by, row.changed_at)


def _roster_view(row: RosterRow) -> RosterView:
    return RosterView(
        row.id, row.tenant, Roster.model_validate(row.content), row.revision, row.changed_by, row.changed_at
    )
