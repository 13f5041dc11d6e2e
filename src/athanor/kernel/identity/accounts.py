"""Accounts: who there is, and what they are."""

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import hashed
from athanor.kernel.identity.passwords import PasswordPolicy, Passwords
from athanor.kernel.identity.roles import Roles
from athanor.kernel.identity.tables import (
    DepartmentRow,
    InvitationRow,
    SessionRow,
    SignInFailureRow,
    TokenRow,
    UserRow,
)
from athanor.kernel.identity.user import User

ADMINISTRATOR = "admin"  # login of the first account
ADMINISTER = "people.administer"  # who may make, change and disable accounts

_LOGIN_LENGTH = 100
_OURS = frozenset({"local"})  # directories whose passwords are kept here


class LoginTakenError(AthanorError):
    """Somebody has this login already."""

    code = "identity.login-taken"

    def __init__(self, login: str) -> None:
        super().__init__(f"The login {login!r} is taken. Choose another one.")


class OutsidePasswordError(AthanorError):
    """A password that another directory keeps cannot be set here."""

    code = "identity.outside-password"

    def __init__(self, login: str, directory: str) -> None:
        super().__init__(
            f"The password of {login} is kept by another directory ({directory}), where it is changed, and not here."
        )


class LastAdministratorError(AthanorError):
    """Nobody could administer the park any more."""

    code = "identity.last-administrator"

    def __init__(self, login: str) -> None:
        super().__init__(f"{login} is the park's last administrator. Make somebody else one first.")


@dataclass(frozen=True, slots=True)
class Profile:
    """What an account says of its person, and may be changed."""

    name: str
    roles: tuple[str, ...]
    tenant: str | None = None
    department_id: int | None = None
    post: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it."""

    id: int
    login: str
    profile: Profile
    directory: str  # who checks the password: local, ldap, oidc
    has_second_factor: bool
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


class Accounts:
    """Makes, changes and disables accounts. One is never deleted: the audit trail and records name it."""

    def __init__(self, database: Database, passwords: Passwords, roles: Roles, now: Callable[[], datetime]) -> None:
        self._database = database
        self._passwords = passwords
        self._roles = roles
        self._now = now

    async def ensure_administrator(self, *, must_change: bool = False) -> str | None:
        """Make the first account, `admin`, if there is none at all: its generated password, told only now.

        With `must_change` that password opens nothing but the page on which another one is chosen.
        """
        async with self._database.reading() as session:
            if await session.scalar(select(func.count()).select_from(UserRow)):
                return None
        password = secrets.token_urlsafe(12)
        try:
            profile = Profile("Administrator", ("administrator",))
            await self.create(ADMINISTRATOR, profile, password, must_change=must_change, actor="system")
        except LoginTakenError:  # another server was quicker
            return None
        return password

    async def create(
        self,
        login: str,
        profile: Profile,
        password: str,
        *,
        language: str | None = None,
        must_change: bool = False,
        actor: str,
        address: str = "",
    ) -> User:
        """A new account.

        Raises NotFoundError for an unknown role and for a department that is not of this tenant, LoginTakenError,
        WeakPasswordError.
        """
        await self._roles.check(profile.roles)
        login = folded(login)
        row = UserRow(
            login=login,
            language=language,
            password_hash=await self._passwords.hash(password, login, profile.name),
            password_set_at=self._now(),
            must_change=must_change,
            created_at=self._now(),
            recovery_hashes=[],
        )
        _take(row, profile)
        return await self.add(row, actor=actor, address=address)

    async def add(self, row: UserRow, *, actor: str, address: str = "") -> User:
        """Keep a row that is whole. Raises LoginTakenError."""
        try:
            async with self._database.session() as session:
                await _check_department(session, row.department_id, row.tenant)
                session.add(row)
                await session.flush()
                detail = {"roles": row.roles, "tenant": row.tenant, "directory": row.directory or "local"}
                record(session, actor, "identity.user-created", row.login, address=address, detail=detail)
        except IntegrityError as error:
            raise LoginTakenError(row.login) from error
        return user_of_row(row)

    async def change(self, login: str, profile: Profile, *, actor: str, address: str = "") -> None:
        """Change what an account says of its person; a change of rights holds from the next request on.

        Raises NotFoundError, LastAdministratorError.
        """
        await self._roles.check(profile.roles)
        async with self._database.session() as session:
            row = await row_of(session, folded(login), held=True)
            before = profile_of(row)
            if (profile.department_id, profile.tenant) != (row.department_id, row.tenant):
                await _check_department(session, profile.department_id, profile.tenant)
            _take(row, profile)
            await session.flush()
            await _check_administered(session, row.login)
            changed = {
                name: [_plain(getattr(before, name)), _plain(getattr(profile, name))]
                for name in Profile.__dataclass_fields__
                if getattr(before, name) != getattr(profile, name)
            }
            if changed:
                record(session, actor, "identity.user-changed", row.login, address=address, detail=changed)

    async def disable(self, login: str, *, actor: str, address: str = "") -> None:
        """Let nobody sign in as them; sessions, tokens, and links that they made or got end now.

        Raises NotFoundError, LastAdministratorError.
        """
        async with self._database.session() as session:
            row = await row_of(session, folded(login), held=True)
            row.disabled_at = row.disabled_at or self._now()
            await session.flush()
            await _check_administered(session, row.login)
            await session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            await session.execute(
                update(TokenRow)
                .where(TokenRow.user_id == row.id, TokenRow.revoked_at.is_(None))
                .values(revoked_at=self._now())
            )
            ours = (InvitationRow.made_by == row.login) | (InvitationRow.for_user_id == row.id)
            await _withdraw(session, ours, self._now())
            record(session, actor, "identity.user-disabled", row.login, address=address)

    async def enable(self, login: str, *, actor: str, address: str = "") -> None:
        """Let them sign in again; tokens stay revoked. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await row_of(session, folded(login))
            row.disabled_at = None
            record(session, actor, "identity.user-enabled", row.login, address=address)

    async def set_password(
        self,
        login: str,
        password: str,
        *,
        actor: str,
        address: str = "",
        must_change: bool = False,
        keep: str | None = None,
    ) -> None:
        """Change a password; who is signed in with the old one is signed out, and a lock is lifted.

        Links to set a new one end too. `keep` is the token of the one session that goes on: that of who changes their
        own. Raises NotFoundError, WeakPasswordError, OutsidePasswordError.
        """
        login = folded(login)
        async with self._database.reading() as session:
            row = await row_of(session, login)
        check_kept_here(row)
        password_hash = await self._passwords.hash(password, login, row.name)
        ended = delete(SessionRow).where(SessionRow.user_id == row.id)
        if keep is not None:
            ended = ended.where(SessionRow.token_hash != hashed(keep))
        async with self._database.session() as session:
            row = await row_of(session, login, held=True)
            row.password_hash, row.password_set_at, row.must_change = password_hash, self._now(), must_change
            await session.execute(ended)
            await _withdraw(session, InvitationRow.for_user_id == row.id, self._now())
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == hashed(login)))
            record(session, actor, "identity.password-set", login, address=address)

    def check_password(self, password: str, login: str, name: str) -> None:
        """Whether it could be set for somebody of this login and name. Raises WeakPasswordError."""
        self._passwords.policy.check(password, login, name)

    @property
    def policy(self) -> PasswordPolicy:
        """What a password must be like."""
        return self._passwords.policy

    async def has_password(self, login: str, password: str) -> bool:
        """Whether it is the one that they have. Whoever asks has proved to be them already: nothing is counted."""
        async with self._database.reading() as session:
            row = await row_of(session, folded(login))
        return await self._passwords.check(password, row.password_hash)

    async def set_language(self, login: str, language: str | None) -> None:
        """The language that pages come in for this person; None for the server's. Raises NotFoundError."""
        async with self._database.session() as session:
            (await row_of(session, folded(login))).language = language

    async def users(self) -> list[User]:
        """All accounts, by login."""
        return [user_of_row(row) for row in await self._rows()]

    async def accounts(self, tenants: frozenset[str] | None = None) -> Sequence[Account]:
        """Those of some tenants, or all, by login."""
        return [account_of(row) for row in await self._rows() if tenants is None or row.tenant in tenants]

    async def account(self, login: str) -> Account:
        """One of them. Raises NotFoundError."""
        async with self._database.reading() as session:
            return account_of(await row_of(session, folded(login)))

    async def _rows(self) -> Sequence[UserRow]:
        async with self._database.reading() as session:
            return (await session.scalars(select(UserRow).order_by(UserRow.login))).all()


def may_administer(viewer: User, tenant: str | None) -> bool:
    """Whether they may change accounts of this tenant: the park's administrators all, an enterprise's its own."""
    return viewer.may(ADMINISTER) and (viewer.tenants is None or tenant in viewer.tenants)


def folded(login: str) -> str:
    """As logins are compared: Anna, ANNA and full-width Ａｎｎａ are one person."""
    return unicodedata.normalize("NFKC", login).strip().casefold().replace("\0", "\ufffd")[:_LOGIN_LENGTH]


async def row_of(session: AsyncSession, login: str, *, held: bool = False) -> UserRow:
    """The account of a folded login; `held` until the transaction ends. Raises NotFoundError."""
    query = select(UserRow).where(UserRow.login == login)
    row = await session.scalar(query.with_for_update() if held else query)
    if row is None:
        raise NotFoundError("user", login)
    return row


def check_kept_here(row: UserRow) -> None:
    """Raises OutsidePasswordError where another directory keeps the account's password."""
    if row.directory not in _OURS:
        raise OutsidePasswordError(row.login, row.directory)


def user_of_row(row: UserRow) -> User:
    """Who the account is of; roles made here grant nothing yet."""
    return User(row.id, row.login, row.name, tuple(row.roles), row.tenant, row.language)


def profile_of(row: UserRow) -> Profile:
    """What the account says of its person."""
    return Profile(row.name, tuple(row.roles), row.tenant, row.department_id, row.post, row.email, row.phone)


def account_of(row: UserRow) -> Account:
    """The account as administrators see it."""
    return Account(
        row.id,
        row.login,
        profile_of(row),
        row.directory,
        row.second_factor is not None,
        row.created_at,
        row.signed_in_at,
        row.disabled_at,
    )


def _take(row: UserRow, profile: Profile) -> None:
    row.name, row.roles, row.tenant = profile.name, list(profile.roles), profile.tenant
    row.department_id, row.post, row.email, row.phone = (
        profile.department_id,
        profile.post,
        profile.email,
        profile.phone,
    )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


async def _check_department(session: AsyncSession, number: int | None, tenant: str | None) -> None:
    """Raises NotFoundError for a department that is not there, or not of this tenant."""
    if number is None:
        return
    row = await session.get(DepartmentRow, number)
    if row is None or row.tenant != tenant:
        raise NotFoundError("department", str(number))


async def _withdraw(session: AsyncSession, which: ColumnElement[bool], at: datetime) -> None:
    """Let these links open nothing, where they still did."""
    open_ones = (InvitationRow.used_at.is_(None), InvitationRow.withdrawn_at.is_(None))
    await session.execute(update(InvitationRow).where(which, *open_ones).values(withdrawn_at=at))


async def _check_administered(session: AsyncSession, login: str) -> None:
    """Raises LastAdministratorError where the change of this account left the park without an administrator."""
    query = select(UserRow.roles).where(UserRow.tenant.is_(None), UserRow.disabled_at.is_(None))
    if not any("administrator" in roles for roles in await session.scalars(query)):
        raise LastAdministratorError(login)
