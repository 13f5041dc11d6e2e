"""People: seen, added, changed, disabled; and what opens the door to them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import NotYourselfError, NotYoursError
from athanor.apps.people.services.profiles import checked, checked_login
from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import Account, LoginTakenError, Profile, folded, may_administer
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.invitations import LASTS
from athanor.kernel.identity.sessions import OpenSession
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.identity.tokens import ApiToken

VIEW = "people.view"  # who sees colleagues
_ENTRIES = 25  # of the audit trail, on a person's page


@dataclass(frozen=True, slots=True)
class Person:
    """An account with what is not in it."""

    account: Account
    department: str  # from the top down; empty: none
    locked_until: datetime | None  # after failed attempts

    @property
    def is_disabled(self) -> bool:
        return self.account.disabled_at is not None


@dataclass(frozen=True, slots=True)
class Colleague:
    """What everybody who may look sees of somebody."""

    name: str
    tenant: str | None
    department: str
    post: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail."""

    at: datetime
    actor: str
    action: str
    subject: str
    address: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that an administrator sees of one person."""

    person: Person
    may_change: bool  # they may no more than who looks
    sessions: Sequence[OpenSession]
    tokens: Sequence[ApiToken]
    entries: Sequence[Entry]  # the newest first


@dataclass(frozen=True, slots=True)
class Link:
    """What opens an account to somebody, told only now."""

    token: str
    lasts: timedelta


async def people(acting: Acting) -> Sequence[Person]:
    """Those whom they administer, by login. Raises NotYoursError."""
    acting.check()
    accounts = [
        account
        for account in await acting.identity.accounts.accounts(acting.viewer.tenants)
        if may_administer(acting.viewer, account.profile.tenant)
    ]
    places = await department_places(acting)
    locks = await acting.identity.locks.of([account.login for account in accounts])
    return [
        Person(account, places.get(account.profile.department_id or 0, ""), locks.get(account.login))
        for account in accounts
    ]


async def colleagues(acting: Acting) -> Sequence[Colleague]:
    """Those of their own enterprise, or for the park's people everybody, who may sign in; by name.

    Raises NotYoursError.
    """
    if not acting.viewer.may(VIEW):
        raise NotYoursError(f"Your role ({acting.viewer.role}) does not see people.")
    places = await department_places(acting)
    accounts = await acting.identity.accounts.accounts(acting.viewer.tenants)
    found = [
        Colleague(
            one.profile.name,
            one.profile.tenant,
            places.get(one.profile.department_id or 0, ""),
            one.profile.post,
            one.profile.email,
            one.profile.phone,
        )
        for one in accounts
        if one.disabled_at is None
    ]
    return sorted(found, key=lambda one: one.name.casefold())


async def person(acting: Acting, login: str) -> Person:
    """One of those whom they administer. Raises NotFoundError, NotYoursError."""
    account = await acting.account(login)
    places = await department_places(acting)
    locks = await acting.identity.locks.of([account.login])
    return Person(account, places.get(account.profile.department_id or 0, ""), locks.get(account.login))


async def dossier(acting: Acting, database: Database, login: str) -> Dossier:
    """All of one person. Raises NotFoundError, NotYoursError."""
    found = await person(acting, login)
    return Dossier(
        found,
        await acting.may_handle(found.account),
        await sessions(acting, login),
        await tokens(acting, login),
        await _entries(database, found.account.login),
    )


async def invite(acting: Acting, login: str, profile: Profile) -> Link:
    """A link by which somebody makes their account.

    Raises LoginTakenError, also where another enterprise has invited this login, and as `profiles.checked`.
    """
    login = checked_login(login)
    profile = await checked(acting, profile)
    for open_one in await acting.identity.invitations.open():
        if open_one.login == login and not may_administer(acting.viewer, open_one.profile.tenant):
            raise LoginTakenError(login)  # a new link would end theirs
    token = await acting.identity.invitations.invite(login, profile, actor=acting.login, address=acting.address)
    return Link(token, LASTS)


async def add(acting: Acting, login: str, profile: Profile, password: str) -> str:
    """An account at once; its password is changed at the first sign-in. The login as kept.

    Raises LoginTakenError, WeakPasswordError, and as `profiles.checked`.
    """
    login = checked_login(login)
    profile = await checked(acting, profile)
    user = await acting.identity.accounts.create(
        login, profile, password, must_change=True, actor=acting.login, address=acting.address
    )
    return user.login


async def change(acting: Acting, login: str, profile: Profile) -> None:
    """Change what is said of somebody; rights change with the next request.

    Raises LastAdministratorError, and as `profiles.checked`.
    """
    account = await acting.below(login)
    kept = await checked(acting, profile, before=account.profile)
    await acting.identity.accounts.change(account.login, kept, actor=acting.login, address=acting.address)


async def disable(acting: Acting, login: str) -> None:
    """Let nobody sign in as them; who is signed in is signed out. Raises NotYourselfError, LastAdministratorError."""
    account = await acting.below(login)
    if account.login == acting.login:
        raise NotYourselfError
    await acting.identity.accounts.disable(account.login, actor=acting.login, address=acting.address)


async def enable(acting: Acting, login: str) -> None:
    """Let them sign in again."""
    account = await acting.below(login)
    await acting.identity.accounts.enable(account.login, actor=acting.login, address=acting.address)


async def link_to_password(acting: Acting, login: str) -> Link:
    """A link by which somebody sets a new password. Raises OutsidePasswordError."""
    account = await acting.below(login)
    token = await acting.identity.invitations.invite_to_new_password(
        account.login, actor=acting.login, address=acting.address
    )
    return Link(token, LASTS)


async def remove_second_factor(acting: Acting, login: str) -> None:
    """Somebody's phone is lost: sign-in asks for the password alone, until they set up another one."""
    account = await acting.below(login)
    await acting.identity.second_factors.remove(account.login, actor=acting.login, address=acting.address)


async def unlock(acting: Acting, login: str) -> None:
    """Forget failed attempts, so that they may try again now."""
    account = await acting.below(login)
    await acting.identity.locks.lift(account.login, actor=acting.login, address=acting.address)


async def sessions(acting: Acting, login: str) -> Sequence[OpenSession]:
    """Where somebody is signed in, the newest first. Raises NotFoundError, NotYoursError."""
    account = await acting.account(login)
    return await acting.identity.sessions.of(account.login)


async def tokens(acting: Acting, login: str) -> Sequence[ApiToken]:
    """Somebody's programs' tokens, the newest first. Raises NotFoundError, NotYoursError."""
    account = await acting.account(login)
    return await acting.identity.tokens.of(account.login)


async def end_session(acting: Acting, login: str, handle: str) -> None:
    """Sign somebody out somewhere. Raises NotFoundError."""
    account = await acting.below(login)
    await acting.identity.sessions.end(account.login, handle, actor=acting.login, address=acting.address)


async def revoke_token(acting: Acting, login: str, number: int) -> None:
    """End a program's token. Raises NotFoundError."""
    account = await acting.below(login)
    await acting.identity.tokens.revoke(account.login, number, actor=acting.login, address=acting.address)


async def note_export(acting: Acting, database: Database, rows: int) -> None:
    """Note in the audit trail who takes a list of people out."""
    async with database.session() as session:
        record(session, acting.login, "people.exported", address=acting.address, detail={"rows": rows})


async def department_places(acting: Acting) -> dict[int, str]:
    """The departments that they see, each with those above it: `Smelting › Shift A`."""
    known = {one.id: one for one in await acting.identity.departments.all(acting.viewer.tenants)}

    def place(number: int) -> str:
        names: list[str] = []
        step: int | None = number
        while step is not None and step in known and len(names) < len(known):
            names.append(known[step].name)
            step = known[step].above_id
        return " › ".join(reversed(names))

    return {number: place(number) for number in known}


async def _entries(database: Database, login: str) -> Sequence[Entry]:
    """What they did, and what was done to their account."""
    of_account = and_(AuditRow.subject == folded(login), AuditRow.action.startswith("identity."))
    query = (
        select(AuditRow)
        .where(or_(AuditRow.actor == folded(login), of_account))
        .order_by(AuditRow.id.desc())
        .limit(_ENTRIES)
    )
    async with database.reading() as session:
        rows = await session.scalars(query)
        return [Entry(row.at, row.actor, row.action, row.subject, row.address) for row in rows]
