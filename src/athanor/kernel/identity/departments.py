"""Departments: the parts of an enterprise, and of the park's own staff, that people belong to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import DepartmentRow, UserRow


class BadDepartmentError(AthanorError):
    """A department that cannot be kept, moved or removed as asked."""

    code = "identity.bad-department"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The department {name!r} cannot be that way: {reason}.")


@dataclass(frozen=True, slots=True)
class Department:
    """A part of an enterprise, or of the park's own staff where it has no tenant."""

    id: int
    tenant: str | None
    above_id: int | None
    name: str
    people: int = 0


class Departments:
    """Makes, renames, moves and removes departments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, tenants: frozenset[str] | None = None) -> Sequence[Department]:
        """Those of some tenants, or all, by name, with how many people belong to each directly."""
        count = select(UserRow.department_id, func.count()).group_by(UserRow.department_id)
        async with self._database.reading() as session:
            people: dict[int | None, int] = {row[0]: row[1] for row in await session.execute(count)}
            rows = await session.scalars(select(DepartmentRow).order_by(DepartmentRow.name, DepartmentRow.id))
            return [
                Department(row.id, row.tenant, row.above_id, row.name, people.get(row.id, 0))
                for row in rows
                if tenants is None or row.tenant in tenants
            ]

    async def make(self, tenant: str | None, name: str, above_id: int | None, *, actor: str, address: str = "") -> int:
        """A new one: its number. Raises BadDepartmentError, NotFoundError."""
        name = _checked(name)
        async with self._database.session() as session:
            if above_id is not None:
                above = await session.get(DepartmentRow, above_id)
                if above is None or above.tenant != tenant:
                    raise NotFoundError("department", str(above_id))
            row = DepartmentRow(tenant=tenant, name=name, above_id=above_id)
            session.add(row)
            await session.flush()
            detail = {"tenant": tenant, "name": name, "above": above_id}
            record(session, actor, "identity.department-made", str(row.id), address=address, detail=detail)
            return row.id

    async def rename(self, number: int, name: str, *, actor: str, address: str = "") -> None:
        """Give it another name. Raises NotFoundError, BadDepartmentError."""
        name = _checked(name)
        async with self._database.session() as session:
            row = await session.get(DepartmentRow, number)
            if row is None:
                raise NotFoundError("department", str(number))
            detail = {"name": [row.name, name]}
            row.name = name
            record(session, actor, "identity.department-renamed", str(number), address=address, detail=detail)

    async def move(self, number: int, above_id: int | None, *, actor: str, address: str = "") -> None:
        """Put it below another one of its tenant; None: to the top. Raises NotFoundError, BadDepartmentError."""
        async with self._database.session() as session:
            row = await session.get(DepartmentRow, number)
            if row is None:
                raise NotFoundError("department", str(number))
            step = above_id
            while step is not None:
                above = await session.get(DepartmentRow, step, with_for_update=True)
                if above is None or above.tenant != row.tenant:
                    raise NotFoundError("department", str(step))
                if above.id == number:
                    raise BadDepartmentError(row.name, "it would lie below itself")
                step = above.above_id
            detail = {"above": [row.above_id, above_id]}
            row.above_id = above_id
            record(session, actor, "identity.department-moved", str(number), address=address, detail=detail)

    async def remove(self, number: int, *, actor: str, address: str = "") -> None:
        """Remove one that nobody belongs to and that holds no other. Raises NotFoundError, BadDepartmentError."""
        async with self._database.session() as session:
            row = await session.get(DepartmentRow, number)
            if row is None:
                raise NotFoundError("department", str(number))
            if await session.scalar(select(UserRow.id).where(UserRow.department_id == number).limit(1)):
                raise BadDepartmentError(row.name, "people still belong to it")
            if await session.scalar(select(DepartmentRow.id).where(DepartmentRow.above_id == number).limit(1)):
                raise BadDepartmentError(row.name, "it still holds others")
            await session.delete(row)
            detail = {"name": row.name, "tenant": row.tenant}
            record(session, actor, "identity.department-removed", str(number), address=address, detail=detail)


def _checked(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise BadDepartmentError(name[:100], "a name has 1 to 100 characters")
    return name
