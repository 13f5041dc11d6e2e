"""Roles made here, beside the built-in ones: names for sets of permissions."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import RoleRow, UserRow
from athanor.kernel.identity.user import ROLES

_NAME = re.compile(r"[a-z][a-z0-9-]{1,99}")
PATTERN = re.compile(r"(\*|[a-z][a-z0-9_-]*)\.(\*|[a-z][a-z0-9_-]*)")  # of permissions
_FRESH_S = 5.0  # how long another process' change may go unseen


class BadRoleError(AthanorError):
    """A role that cannot be kept as it was given."""

    code = "identity.bad-role"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The role {name!r} cannot be kept: {reason}.")


@dataclass(frozen=True, slots=True)
class Role:
    """A name for what people may do."""

    name: str  # small letters, digits, hyphens
    title: Mapping[str, str]  # by language
    permissions: tuple[str, ...]  # patterns: `energy.view`, `alarms.*`
    is_built_in: bool = False


class Roles:
    """The roles that accounts may have. Those made here hold in the whole park."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._known: Mapping[str, frozenset[str]] = {}
        self._read_at = -_FRESH_S

    async def all(self) -> Sequence[Role]:
        """The built-in ones, then those made here by name."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(RoleRow).order_by(RoleRow.name))).all()
        built_in = [Role(name, {}, patterns, is_built_in=True) for name, patterns in ROLES.items()]
        return [*built_in, *(Role(row.name, row.title, tuple(row.permissions)) for row in rows)]

    async def keep(self, role: Role, *, actor: str, address: str = "") -> None:
        """Make a role, or change one made here; it holds from the next request on. Raises BadRoleError."""
        _check(role)
        async with self._database.session() as session:
            row = await session.get(RoleRow, role.name)
            before = None if row is None else list(row.permissions)
            if row is None:
                row = RoleRow(name=role.name, made_by=actor, made_at=self._now())
                session.add(row)
            row.title, row.permissions = dict(role.title), list(role.permissions)
            detail = {"permissions": [before, list(role.permissions)]}
            record(session, actor, "identity.role-kept", role.name, address=address, detail=detail)
        self._read_at = -_FRESH_S

    async def remove(self, name: str, *, actor: str, address: str = "") -> None:
        """Remove a role that nobody has. Raises NotFoundError, BadRoleError."""
        async with self._database.session() as session:
            row = await session.get(RoleRow, name)
            if row is None:
                raise NotFoundError("role", name)
            users = await session.execute(select(UserRow.login, UserRow.roles))
            having = [login for login, roles in users if name in roles]
            if having:
                raise BadRoleError(name, f"{', '.join(having[:5])} still have it; give them another one first")
            await session.delete(row)
            record(session, actor, "identity.role-removed", name, address=address)
        self._read_at = -_FRESH_S

    async def check(self, names: Sequence[str]) -> None:
        """Raises NotFoundError for a role that there is not."""
        known = await self._made_here()
        for name in names:
            if name not in ROLES and name not in known:
                raise NotFoundError("role", name)

    async def granted_by(self, names: Sequence[str]) -> frozenset[str]:
        """The permission patterns of those roles among these that were made here."""
        if all(name in ROLES for name in names):
            return frozenset()
        known = await self._made_here()
        return frozenset().union(*(known.get(name, frozenset()) for name in names))

    async def _made_here(self) -> Mapping[str, frozenset[str]]:
        if monotonic() - self._read_at >= _FRESH_S:
            async with self._database.reading() as session:
                rows = (await session.execute(select(RoleRow.name, RoleRow.permissions))).all()
            self._known = {name: frozenset(patterns) for name, patterns in rows}
            self._read_at = monotonic()
        return self._known


def _check(role: Role) -> None:
    if not _NAME.fullmatch(role.name):
        raise BadRoleError(role.name, "its name has 2 to 100 small letters, digits and hyphens, and begins with one")
    if role.name in ROLES:
        raise BadRoleError(role.name, "it is built in and stays as it is; make one of another name")
    wrong = [pattern for pattern in role.permissions if not PATTERN.fullmatch(pattern)]
    if wrong:
        raise BadRoleError(role.name, f"{wrong[0]!r} is no permission; they are written app.verb, with * for any")
