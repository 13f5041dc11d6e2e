"""Who may decide a step: found among the accounts, each time anew, since people come and go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.forms.definition import Step, Who
from athanor.kernel.identity.tables import DepartmentRow, RoleRow, UserRow
from athanor.kernel.identity.user import User

DECIDE = "forms.edit"  # the permission without which nobody decides about what others filled in


@dataclass(frozen=True, slots=True)
class Person:
    """An account, as far as flows care."""

    user: User
    post: str
    department_id: int | None


@dataclass(frozen=True, slots=True)
class People:
    """The accounts that are not disabled, and which department lies below which."""

    by_login: Mapping[str, Person]
    above: Mapping[int, int | None]  # department to the one above it

    def may_decide(self, step: Step, person: Person, author: str, tenant: str | None, escalated_to: str | None) -> bool:
        """Whether somebody is one of those whom a step of an entry asks.

        Roles and posts count among the people of the entry's tenant only. Nobody decides about what they filled in
        themselves, unless the step says so.
        """
        login = person.user.login
        if step.who is Who.AUTHOR:
            return login == author
        if (login == author and not step.author_too) or not person.user.may(DECIDE):
            return False
        if step.who is Who.PERSON and login == step.name:
            return person.user.tenant in (tenant, None)
        roles = {escalated_to or "", step.name if step.who is Who.ROLE else ""} - {""}
        is_asked = bool(roles & set(person.user.roles)) or (
            step.who is Who.POST and self._has_post(step.name, person, author)
        )
        return person.user.tenant == tenant and is_asked

    def deciders(self, step: Step, author: str, tenant: str | None, escalated_to: str | None = None) -> list[str]:
        """Logins of those who may decide it, sorted."""
        return sorted(
            login
            for login, person in self.by_login.items()
            if self.may_decide(step, person, author, tenant, escalated_to)
        )

    def name_of(self, login: str) -> str:
        """A person's name, or the login of somebody who is not there any more."""
        person = self.by_login.get(login)
        return login if person is None else person.user.name or login

    def _has_post(self, post: str, person: Person, author: str) -> bool:
        """Whether they have the post in the author's department or one above it; anywhere, if the author has none."""
        if person.post.casefold() != post.casefold():
            return False
        own = self.by_login.get(author)
        department = None if own is None else own.department_id
        if department is None:
            return True
        seen: set[int] = set()
        while department is not None and department not in seen:
            if person.department_id == department:
                return True
            seen.add(department)
            department = self.above.get(department)
        return False


async def read_people(session: AsyncSession) -> People:
    """The accounts as they are now."""
    made_here = {name: frozenset(patterns) for name, patterns in await session.execute(_ROLES)}
    found = {}
    for row in await session.execute(_USERS):
        granted: frozenset[str] = frozenset().union(*(made_here.get(role, frozenset()) for role in row.roles))
        user = User(row.id, row.login, row.name, tuple(row.roles), row.tenant, row.language, granted)
        found[row.login] = Person(user, row.post, row.department_id)
    departments = await session.execute(select(DepartmentRow.id, DepartmentRow.above_id))
    return People(found, {number: above for number, above in departments})  # noqa: C416 (rows are no pairs to mypy)


def roles_of(people: People) -> Sequence[str]:
    """Every role that somebody has, by name."""
    return sorted({role for person in people.by_login.values() for role in person.user.roles})


_ROLES = select(RoleRow.name, RoleRow.permissions)
_USERS = select(
    UserRow.id, UserRow.login, UserRow.name, UserRow.roles, UserRow.tenant, UserRow.language, UserRow.post,
    UserRow.department_id,
).where(UserRow.disabled_at.is_(None))  # fmt: skip
