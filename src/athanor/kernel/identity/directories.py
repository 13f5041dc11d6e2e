"""People whom another directory knows: LDAP or an OpenID provider says who they are, and its groups what they may do.

Their account here comes with their first sign-in and follows their groups at each. An account of another origin that
has the same login is never taken over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.accounts import LoginTakenError, folded
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.roles import Roles
from athanor.kernel.identity.tables import UserRow


class DirectoryUnreachableError(AthanorError):
    """Another directory does not answer, or not as it should."""

    code = "identity.directory-unreachable"

    def __init__(self, place: str, reason: object) -> None:
        super().__init__(
            f"The directory {place} does not answer ({reason}). Accounts of this server can sign in; the others when "
            "it is back. An administrator finds its address in the settings."
        )


class NotAdmittedError(AthanorError):
    """The other directory knows them, and none of its groups gives them a role here, or they contradict each other."""

    code = "identity.not-admitted"

    def __init__(self, login: str, reason: str) -> None:
        super().__init__(f"{login} may not sign in here: {reason}. Ask an administrator.")


@dataclass(frozen=True, slots=True)
class OutsidePerson:
    """Somebody as another directory describes them."""

    key: str  # names them there for ever, whatever they are called
    login: str
    name: str
    email: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What the members of a group of the other directory are here."""

    group: str
    roles: tuple[str, ...]
    tenant: str | None  # None: the park's own people


def rules_of(groups: Mapping[str, str]) -> list[GroupRule]:
    """From settings: a group's name to `ROLE,ROLE@ENTERPRISE`."""
    rules = []
    for group, standing in groups.items():
        roles, _at, tenant = standing.partition("@")
        rules.append(GroupRule(group, tuple(role.strip() for role in roles.split(",")), tenant.strip() or None))
    return rules


class PasswordDirectory(Protocol):
    """A directory that is asked with a login and a password."""

    name: str  # what `UserRow.directory` says

    async def check(self, login: str, password: str) -> OutsidePerson | None:
        """Who they are; None where it knows no such person or the password is wrong.

        Raises DirectoryUnreachableError.
        """

    async def admit(self, person: OutsidePerson) -> UserRow:
        """See `Admission.admit`."""


class Admission:
    """Makes and renews the accounts of people whom one directory knows."""

    def __init__(
        self, directory: str, database: Database, roles: Roles, rules: Sequence[GroupRule], now: Callable[[], datetime]
    ) -> None:
        self._directory = directory
        self._database = database
        self._roles = roles
        self._rules = rules
        self._now = now

    async def admit(self, person: OutsidePerson) -> UserRow:
        """Their account, as their groups are now. Raises NotAdmittedError, LoginTakenError."""
        login = folded(person.login)
        roles, tenant = self._standing(person)
        await self._roles.check(roles)
        async with self._database.session() as session:
            row = await session.scalar(select(UserRow).where(UserRow.outside_id == self._outside_id(person)))
            if row is None:
                return await self._make(session, person, login, roles, tenant)
            changed = {
                name: [before, after]
                for name, before, after in (("roles", row.roles, list(roles)), ("tenant", row.tenant, tenant))
                if before != after
            }
            row.name, row.email, row.roles, row.tenant = person.name, person.email, list(roles), tenant
            if changed:
                record(session, self._directory, "identity.user-changed", row.login, detail=changed, at=self._now())
        return row

    async def _make(
        self, session: AsyncSession, person: OutsidePerson, login: str, roles: tuple[str, ...], tenant: str | None
    ) -> UserRow:
        if not login or await session.scalar(select(UserRow.id).where(UserRow.login == login)) is not None:
            raise LoginTakenError(login)
        row = UserRow(
            login=login,
            name=person.name or login,
            email=person.email,
            roles=list(roles),
            tenant=tenant,
            directory=self._directory,
            outside_id=self._outside_id(person),
            password_hash="",
            recovery_hashes=[],
            created_at=self._now(),
        )
        session.add(row)
        await session.flush()
        detail = {"roles": list(roles), "tenant": tenant, "directory": self._directory}
        record(session, self._directory, "identity.user-created", login, detail=detail, at=self._now())
        return row

    def _standing(self, person: OutsidePerson) -> tuple[tuple[str, ...], str | None]:
        """Roles and tenant that their groups give."""
        own = [rule for rule in self._rules if rule.group in person.groups]
        if not own:
            raise NotAdmittedError(person.login, "none of their groups has a role here")
        tenants = {rule.tenant for rule in own}
        if len(tenants) > 1:
            raise NotAdmittedError(person.login, "their groups belong to several enterprises")
        return tuple(dict.fromkeys(role for rule in own for role in rule.roles)), tenants.pop()

    def _outside_id(self, person: OutsidePerson) -> str:
        return f"{self._directory}:{person.key}"
