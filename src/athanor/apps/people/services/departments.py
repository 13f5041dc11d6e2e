"""Departments of enterprises and of the park's own staff."""

from collections.abc import Sequence
from dataclasses import dataclass

from athanor.apps.people.services.acting import Acting
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import may_administer
from athanor.kernel.identity.departments import BadDepartmentError, Department


@dataclass(frozen=True, slots=True)
class Branch:
    """A department in its tree."""

    department: Department
    depth: int  # 0: at the top


async def departments(acting: Acting) -> Sequence[Department]:
    """Those of the enterprises that they administer, by name. Raises NotYoursError."""
    acting.check()
    known = await acting.identity.departments.all(acting.viewer.tenants)
    return [one for one in known if may_administer(acting.viewer, one.tenant)]


async def trees(acting: Acting) -> dict[str | None, Sequence[Branch]]:
    """For each enterprise that they administer, and None for the park, its departments in tree order."""
    known = await departments(acting)
    tenants: list[str | None] = [None] if acting.is_of_the_park else []
    tenants += list(acting.plant.model.tenants)
    tenants += sorted({one.tenant for one in known if one.tenant is not None} - set(tenants))
    return {tenant: _tree([one for one in known if one.tenant == tenant]) for tenant in tenants}


async def department(acting: Acting, number: int) -> Department:
    """One of those that they administer. Raises NotFoundError, NotYoursError."""
    found = next((one for one in await departments(acting) if one.id == number), None)
    if found is None:
        raise NotFoundError("department", str(number))
    return found


async def make(acting: Acting, tenant: str | None, name: str, above_id: int | None = None) -> int:
    """A new one: its number. Raises NotFoundError, NotYoursError, BadDepartmentError."""
    acting.check_tenant(tenant)
    _check_name(name)
    return await acting.identity.departments.make(tenant, name, above_id, actor=acting.login, address=acting.address)


async def rename(acting: Acting, number: int, name: str) -> None:
    """Raises NotFoundError, NotYoursError, BadDepartmentError."""
    known = await department(acting, number)
    _check_name(name)
    await acting.identity.departments.rename(known.id, name, actor=acting.login, address=acting.address)


async def move(acting: Acting, number: int, above_id: int | None) -> None:
    """Raises NotFoundError, NotYoursError, BadDepartmentError."""
    known = await department(acting, number)
    await acting.identity.departments.move(known.id, above_id, actor=acting.login, address=acting.address)


async def remove(acting: Acting, number: int) -> None:
    """Raises NotFoundError, NotYoursError, BadDepartmentError."""
    known = await department(acting, number)
    await acting.identity.departments.remove(known.id, actor=acting.login, address=acting.address)


def _check_name(name: str) -> None:
    if not name.strip().isprintable():
        raise BadDepartmentError(ascii(name)[:100], "its name holds characters that cannot be printed")


def _tree(known: Sequence[Department]) -> Sequence[Branch]:
    below: dict[int | None, list[Department]] = {}
    for one in known:
        below.setdefault(one.above_id, []).append(one)
    branches: list[Branch] = []

    def walk(above: int | None, depth: int) -> None:
        for one in below.get(above, ()):
            branches.append(Branch(one, depth))
            walk(one.id, depth + 1)

    walk(None, 0)
    return branches
