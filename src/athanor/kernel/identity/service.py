"""Identity: accounts, signing in and out, and the tokens of edges."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.tables import EdgeTokenRow, SessionRow, SignInFailureRow, UserRow
from athanor.kernel.identity.user import ROLES, User

SESSION_LASTS = timedelta(hours=12)  # after the last request
ADMINISTRATOR = "admin"  # login of the first account

FREE_ATTEMPTS = 5  # then the login is locked, and for twice as long with each further failure
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(hours=1)
FAILURES_FORGOTTEN_AFTER = timedelta(days=1)

_TOUCH_EVERY = timedelta(minutes=1)  # a session's expiry is moved at most so often: a request is no write
_TOKENS_FRESH_S = 30.0  # how long another process' change of an edge's token may go unseen
_LOGIN_LENGTH = 100


class SignInRefusedError(AthanorError):
    """Wrong login or password, or too many attempts; nobody is told which of the first two it was."""

    code = "identity.sign-in-refused"

    def __init__(self, retry_after_s: int | None = None) -> None:
        self.retry_after_s = retry_after_s  # [s]; None: at once
        super().__init__(
            "Login or password is wrong. Check both; an administrator can set a new password."
            if retry_after_s is None
            else f"Too many failed attempts on this login. Try again in {retry_after_s} s."
        )


class LoginTakenError(AthanorError):
    """Somebody has this login already."""

    code = "identity.login-taken"

    def __init__(self, login: str) -> None:
        super().__init__(f"The login {login!r} is taken. Choose another one.")


class Identity:
    """Who is who. Every change of it is in the audit trail.

    Parameters
    ----------
    database
        Where accounts are kept; the caller closes it.
    passwords
        How passwords are hashed.
    now
        The clock, aware.
    """

    def __init__(
        self,
        database: Database,
        *,
        passwords: Passwords | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._passwords = passwords or Passwords()
        self._now = now
        self._edge_tokens: dict[str, str] = {}  # edge to hash
        self._edge_tokens_read_at = -_TOKENS_FRESH_S

    # Accounts

    async def ensure_administrator(self) -> str | None:
        """Make the first account, `admin`, if there is none at all: its generated password, told only now."""
        async with self._database.reading() as session:
            if await session.scalar(select(func.count()).select_from(UserRow)):
                return None
        password = secrets.token_urlsafe(12)
        try:
            await self.create_user(ADMINISTRATOR, "Administrator", "administrator", password, actor="system")
        except LoginTakenError:  # another server was quicker
            return None
        return password

    async def create_user(
        self,
        login: str,
        name: str,
        role: str,
        password: str,
        *,
        tenant: str | None = None,
        language: str | None = None,
        actor: str,
    ) -> User:
        """A new account. Raises NotFoundError for an unknown role, LoginTakenError, WeakPasswordError."""
        if role not in ROLES:
            raise NotFoundError("role", role)
        login = _folded(login)
        password_hash = await self._passwords.hash(password)
        row = UserRow(
            login=login,
            name=name,
            role=role,
            tenant=tenant,
            language=language,
            password_hash=password_hash,
            created_at=self._now(),
        )
        detail = {"role": role, "tenant": tenant}
        try:
            async with self._database.session() as session:
                session.add(row)
                record(session, actor, "identity.user-created", login, detail=detail, at=self._now())
        except IntegrityError as error:
            raise LoginTakenError(login) from error
        return _user(row)

    async def set_password(self, login: str, password: str, *, actor: str, address: str = "") -> None:
        """Change a password; who is signed in with the old one is signed out, and a lock is lifted.

        Raises NotFoundError, WeakPasswordError.
        """
        login = _folded(login)
        password_hash = await self._passwords.hash(password)
        async with self._database.session() as session:
            row = await _row_of(session, login)
            row.password_hash = password_hash
            await session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == _hash(login)))
            record(session, actor, "identity.password-set", login, address=address, at=self._now())

    async def set_language(self, login: str, language: str | None) -> None:
        """The language that pages come in for this person; None for the server's. Raises NotFoundError."""
        async with self._database.session() as session:
            (await _row_of(session, _folded(login))).language = language

    async def users(self) -> list[User]:
        """All accounts, by login."""
        async with self._database.reading() as session:
            return [_user(row) for row in await session.scalars(select(UserRow).order_by(UserRow.login))]

    # Sessions

    async def sign_in(self, login: str, password: str, *, address: str = "") -> str:
        """Begin a session: its token, for the cookie. Raises SignInRefusedError.

        An attempt counts as failed until its password has proved right, so that many at once are no way round the
        lock. A login that nobody has takes as long and is locked likewise.
        """
        login = _folded(login)
        await self._count_attempt(login, address)
        async with self._database.reading() as session:
            row = await session.scalar(select(UserRow).where(UserRow.login == login))
        if not await self._passwords.check(password, row.password_hash if row else None) or row is None:
            async with self._database.session() as session:
                record(session, login, "identity.sign-in-refused", login, address=address, at=self._now())
            raise SignInRefusedError
        better_hash = await self._passwords.hash(password) if self._passwords.is_outdated(row.password_hash) else None
        return await self._begin_session(row, better_hash, address)

    async def open_session(self, login: str, *, actor: str) -> str:
        """Begin a session without a password: its token. For programs that own the server's files anyway.

        Raises NotFoundError.
        """
        async with self._database.reading() as session:
            row = await _row_of(session, _folded(login))
        return await self._begin_session(row, None, actor)

    async def user_of(self, session_token: str) -> User | None:
        """Who holds this session, which then lasts another 12 h; None when it is over or never was."""
        token_hash = _hash(session_token)
        now = self._now()
        async with self._database.reading() as session:
            found = (
                await session.execute(
                    select(UserRow, SessionRow.expires_at)
                    .join(SessionRow, SessionRow.user_id == UserRow.id)
                    .where(SessionRow.token_hash == token_hash, SessionRow.expires_at > now)
                )
            ).one_or_none()
        if found is None:
            return None
        row, expires_at = found
        if expires_at < now + SESSION_LASTS - _TOUCH_EVERY:
            async with self._database.session() as session:
                await session.execute(
                    update(SessionRow).where(SessionRow.token_hash == token_hash).values(expires_at=now + SESSION_LASTS)
                )
        return _user(row)

    async def sign_out(self, session_token: str, *, address: str = "") -> None:
        """End a session; one that is over already is no error."""
        token_hash = _hash(session_token)
        async with self._database.session() as session:
            login = await session.scalar(
                select(UserRow.login)
                .join(SessionRow, SessionRow.user_id == UserRow.id)
                .where(SessionRow.token_hash == token_hash)
            )
            if login is not None:
                await session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))
                record(session, login, "identity.signed-out", login, address=address, at=self._now())

    async def _count_attempt(self, login: str, address: str) -> None:
        now = self._now()
        async with self._database.session() as session:
            await session.execute(
                delete(SignInFailureRow).where(SignInFailureRow.last_at < now - FAILURES_FORGOTTEN_AFTER)
            )
            row = await _failures_of(session, login, now)
            locked_until = row.locked_until
            if locked_until is None or locked_until <= now:
                row.attempts += 1
                row.last_at = now
                row.locked_until = now + _lock_after(row.attempts) if row.attempts >= FREE_ATTEMPTS else None
                return
            record(session, login, "identity.sign-in-refused", login, address=address, detail={"locked": True}, at=now)
        raise SignInRefusedError(retry_after_s=max(1, round((locked_until - now).total_seconds())))

    async def _begin_session(self, row: UserRow, better_hash: str | None, address: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._now()
        async with self._database.session() as session:
            await session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == _hash(row.login)))
            if better_hash is not None:
                await session.execute(
                    update(UserRow)
                    .where(UserRow.id == row.id, UserRow.password_hash == row.password_hash)
                    .values(password_hash=better_hash)
                )
            session.add(
                SessionRow(
                    token_hash=_hash(token),
                    user_id=row.id,
                    created_at=now,
                    expires_at=now + SESSION_LASTS,
                    address=address,
                )
            )
            record(session, row.login, "identity.signed-in", row.login, address=address, at=now)
        return token

    # Edges

    async def edge_token(self, edge: str = "edge", *, actor: str = "system") -> str:
        """A new token for an edge, told only now; the one it had before ends."""
        token = secrets.token_urlsafe(32)
        async with self._database.session() as session:
            await session.execute(delete(EdgeTokenRow).where(EdgeTokenRow.edge == edge))
            session.add(EdgeTokenRow(edge=edge, token_hash=_hash(token), created_at=self._now()))
            record(session, actor, "identity.edge-token-made", edge, at=self._now())
        self._edge_tokens_read_at = -_TOKENS_FRESH_S
        return token

    async def check_edge_token(self, token: str) -> str | None:
        """The edge whose token this is; None for nobody's. Cheap: hashes are kept in memory for half a minute."""
        if monotonic() - self._edge_tokens_read_at >= _TOKENS_FRESH_S:
            async with self._database.reading() as session:
                rows = await session.execute(select(EdgeTokenRow.edge, EdgeTokenRow.token_hash))
                self._edge_tokens = {row.edge: row.token_hash for row in rows}
            self._edge_tokens_read_at = monotonic()
        given = _hash(token)
        known = [edge for edge, held in self._edge_tokens.items() if hmac.compare_digest(held, given)]
        return known[0] if known else None


def _lock_after(attempts: int) -> timedelta:
    doublings = min(attempts - FREE_ATTEMPTS, 16)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def _folded(login: str) -> str:
    """As logins are compared: Anna, ANNA and full-width Ａｎｎａ are one person."""
    return unicodedata.normalize("NFKC", login).strip().casefold()[:_LOGIN_LENGTH]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def _failures_of(session: AsyncSession, login: str, now: datetime) -> SignInFailureRow:
    """The login's row, made where there was none, and held until the transaction ends."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = insert(SignInFailureRow).values(login_hash=_hash(login), attempts=0, last_at=now)
    await session.execute(fresh.on_conflict_do_nothing())
    return await session.get_one(SignInFailureRow, _hash(login), with_for_update=True)


async def _row_of(session: AsyncSession, login: str) -> UserRow:
    row = await session.scalar(select(UserRow).where(UserRow.login == login))
    if row is None:
        raise NotFoundError("user", login)
    return row


def _user(row: UserRow) -> User:
    return User(row.id, row.login, row.name, row.role, row.tenant, row.language)
