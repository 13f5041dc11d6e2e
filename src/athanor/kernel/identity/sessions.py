"""Signing in and out, and who holds a session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.accounts import folded, row_of, user_of_row
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.directories import PasswordDirectory
from athanor.kernel.identity.grants import Grants
from athanor.kernel.identity.hashing import fresh_secret, hashed
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.roles import Roles
from athanor.kernel.identity.tables import SessionRow, SignInFailureRow, UserRow
from athanor.kernel.identity.user import User

SESSION_LASTS = timedelta(hours=12)  # after the last request
SESSION_LONGEST = timedelta(days=30)  # however often it is used; then the password is asked again
UNFINISHED_LASTS = timedelta(minutes=10)  # a sign-in that waits for its second step

FREE_ATTEMPTS = 5  # then the login is locked, and for twice as long with each further failure
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(hours=1)
FAILURES_FORGOTTEN_AFTER = timedelta(days=1)

_TOUCH_EVERY = timedelta(minutes=1)  # a session's expiry is moved at most so often: a request is no write
_AGENT_LENGTH = 200


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


class Lack(StrEnum):
    """What a session still lacks before it opens anything."""

    SECOND_FACTOR = "second-factor"  # the code of the one that is set up
    ENROLMENT = "enrolment"  # a second factor, which the person's role demands
    PASSWORD = "password"  # noqa: S105 a new one: the old has come of age, or somebody else has set it


@dataclass(frozen=True, slots=True)
class Rules:
    """How long sessions last, and who needs a second factor."""

    lasts: timedelta = SESSION_LASTS
    second_factor_for: frozenset[str] = frozenset()  # roles
    longest: timedelta = SESSION_LONGEST


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody sits."""

    address: str = ""
    agent: str = ""  # what the browser says that it is


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Somebody signed in somewhere."""

    handle: str  # names it, and opens nothing
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        roles: Roles,
        grants: Grants,
        now: Callable[[], datetime],
        rules: Rules,
    ) -> None:
        self.rules = rules
        self.directories: tuple[PasswordDirectory, ...] = ()  # asked about who has no password here
        self._database = database
        self._passwords = passwords
        self._roles = roles
        self._grants = grants
        self._now = now

    async def sign_in(self, login: str, password: str, where: Where = Where()) -> str:
        """Begin a session: its token, for the cookie; `lack_of` tells whether another step is needed.

        An attempt counts as failed until its password has proved right, so that many at once are no way round the
        lock. A login that nobody has takes as long and is locked likewise. Who is of another directory, or unknown, is
        asked for there. Raises SignInRefusedError, DirectoryUnreachableError, NotAdmittedError, LoginTakenError.
        """
        login = folded(login)
        await self.count_attempt(login, where)
        async with self._database.reading() as session:
            row = await session.scalar(select(UserRow).where(UserRow.login == login))
        for directory in self.directories:
            if row is None or row.directory == directory.name:
                person = await directory.check(login, password)
                if person is not None:
                    row = await directory.admit(person)
                    return await self._begin(row, self._lack(row, has_password=False), where)
        is_right = await self._passwords.check(password, row.password_hash if row else None)
        if not is_right or row is None or row.disabled_at is not None:
            raise await self.refused(login, where)
        better_hash = None
        if self._passwords.is_outdated(row.password_hash):
            better_hash = await self._passwords.hash_again(password)
        return await self._begin(row, self._lack(row, has_password=True), where, better_hash=better_hash)

    async def open(self, login: str, *, actor: str) -> str:
        """Begin a session without a password: its token. For programs that own the server's files anyway.

        Raises NotFoundError, SignInRefusedError for somebody who is disabled.
        """
        async with self._database.reading() as session:
            row = await row_of(session, folded(login))
        return await self._begin(row, None, Where(actor))

    async def begin_for(self, row: UserRow, where: Where) -> str:
        """Begin a session of somebody whom another directory has identified, second factor and all.

        Raises SignInRefusedError for somebody who is disabled.
        """
        return await self._begin(row, None, where)

    async def go_on(self, token: str, lack: Lack, where: Where) -> str:
        """What the session lacked is done: a new token, as the old one was known before. Raises NotFoundError."""
        async with self._database.session() as session:
            found = await self._row_of(session, token)
            held = (SessionRow.token_hash == hashed(token), SessionRow.lacks == lack)
            ended = await session.execute(delete(SessionRow).where(*held))
            if found is None or not ended.rowcount:  # type: ignore[attr-defined]  # two at once: one goes on
                raise NotFoundError("session", "this one")
            following = self._lack(found[0], has_password=True, passed=lack)
            return await self._begin_within(session, found[0], following, where)

    async def user_of(self, token: str, *, lasts_on: bool = True) -> User | None:
        """Who holds this session, which then lasts on; None when it is over, lacks something or never was."""
        found = await self._holder(token, lasts_on=lasts_on)
        return None if found is None or found[1] is not None else found[0]

    async def lack_of(self, token: str) -> tuple[User, Lack] | None:
        """Who is signing in by this session and what it lacks; None where it lacks nothing or is none."""
        found = await self._holder(token)
        return None if found is None or found[1] is None else (found[0], found[1])

    async def of(self, login: str) -> Sequence[OpenSession]:
        """Somebody's sessions, the newest first. Raises NotFoundError."""
        async with self._database.reading() as session:
            user = await row_of(session, folded(login))
            query = (
                select(SessionRow)
                .where(SessionRow.user_id == user.id, SessionRow.expires_at > self._now())
                .order_by(SessionRow.seen_at.desc())
            )
            return [
                OpenSession(handle_of_hash(row.token_hash), row.created_at, row.seen_at, row.address, row.agent)
                for row in await session.scalars(query)
            ]

    async def end(self, login: str, handle: str, *, actor: str, address: str = "") -> None:
        """End one of somebody's sessions. Raises NotFoundError."""
        async with self._database.session() as session:
            user = await row_of(session, folded(login))
            rows = await session.scalars(select(SessionRow).where(SessionRow.user_id == user.id))
            ended = [row for row in rows if handle_of_hash(row.token_hash) == handle]
            if not ended:
                raise NotFoundError("session", handle)
            await session.delete(ended[0])
            record(session, actor, "identity.session-ended", user.login, address=address, at=self._now())

    async def end_others(self, token: str, *, address: str = "") -> int:
        """End all sessions of whoever holds this one, but this one: how many."""
        async with self._database.session() as session:
            found = await self._row_of(session, token)
            if found is None:
                return 0
            user = found[0]
            ended = await session.execute(
                delete(SessionRow).where(SessionRow.user_id == user.id, SessionRow.token_hash != hashed(token))
            )
            detail = {"sessions": ended.rowcount}  # type: ignore[attr-defined]
            record(
                session, user.login, "identity.sessions-ended", user.login, address=address, detail=detail,
                at=self._now(),
            )  # fmt: skip
            return detail["sessions"]  # type: ignore[no-any-return]

    async def sign_out(self, token: str, *, address: str = "") -> None:
        """End a session; one that is over already is no error."""
        async with self._database.session() as session:
            found = await self._row_of(session, token)
            if found is not None:
                await session.delete(found[1])
                record(session, found[0].login, "identity.signed-out", found[0].login, address=address, at=self._now())

    async def count_attempt(self, login: str, where: Where) -> None:
        """Count an attempt on a folded login, until `_begin` forgets it. Raises SignInRefusedError while locked."""
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
            detail = {"locked": True}
            record(session, login, "identity.sign-in-refused", login, address=where.address, detail=detail, at=now)
        raise SignInRefusedError(retry_after_s=max(1, round((locked_until - now).total_seconds())))

    async def refused(self, login: str, where: Where, step: str = "password") -> SignInRefusedError:
        """Note that somebody was refused: the error to raise."""
        async with self._database.session() as session:
            detail = {} if step == "password" else {"step": step}
            record(session, login, "identity.sign-in-refused", login, address=where.address, detail=detail,
                   at=self._now())  # fmt: skip
        return SignInRefusedError()

    async def confirm(self, login: str, password: str, where: Where) -> None:
        """Whether who is signed in knows the password, asked again before something grave; counted as at a sign-in.

        Raises SignInRefusedError, NotFoundError.
        """
        login = folded(login)
        async with self._database.reading() as session:
            row = await row_of(session, login)
        await self.count_attempt(login, where)
        if not await self._passwords.check(password, row.password_hash):
            raise await self.refused(login, where, "confirmation")
        async with self._database.session() as session:
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == hashed(login)))

    def _lack(self, row: UserRow, *, has_password: bool, passed: Lack | None = None) -> Lack | None:
        order = [Lack.SECOND_FACTOR, Lack.ENROLMENT, Lack.PASSWORD]
        if passed in (Lack.SECOND_FACTOR, Lack.ENROLMENT):
            order = [Lack.PASSWORD]
        elif passed is Lack.PASSWORD:
            return None
        lasts = self._passwords.policy.lasts
        set_at = row.password_set_at or row.created_at
        needed = {
            Lack.SECOND_FACTOR: row.second_factor is not None,
            Lack.ENROLMENT: row.second_factor is None and not self.rules.second_factor_for.isdisjoint(row.roles),
            Lack.PASSWORD: has_password and (row.must_change or (lasts is not None and self._now() >= set_at + lasts)),
        }
        return next((lack for lack in order if needed[lack]), None)

    async def _begin(self, row: UserRow, lack: Lack | None, where: Where, *, better_hash: str | None = None) -> str:
        async with self._database.session() as session:
            held = await session.get_one(UserRow, row.id, with_for_update=True)
            if held.password_hash != row.password_hash or held.disabled_at is not None:
                raise SignInRefusedError  # it was changed, or they were disabled, while the password was being checked
            held.password_hash = better_hash or held.password_hash
            return await self._begin_within(session, held, lack, where)

    async def _begin_within(self, session: AsyncSession, row: UserRow, lack: Lack | None, where: Where) -> str:
        token = fresh_secret()
        now = self._now()
        await session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
        if lack is not Lack.SECOND_FACTOR:  # else guesses at it go on counting
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == hashed(row.login)))
        if lack is None:
            await session.execute(update(UserRow).where(UserRow.id == row.id).values(signed_in_at=now))
            record(session, row.login, "identity.signed-in", row.login, address=where.address, at=now)
        session.add(
            SessionRow(
                token_hash=hashed(token),
                user_id=row.id,
                lacks=lack,
                created_at=now,
                seen_at=now,
                expires_at=now + (self.rules.lasts if lack is None else UNFINISHED_LASTS),
                address=where.address,
                agent=where.agent[:_AGENT_LENGTH],
            )
        )
        return token

    async def _holder(self, token: str, *, lasts_on: bool = True) -> tuple[User, Lack | None] | None:
        now = self._now()
        async with self._database.reading() as session:
            found = await self._row_of(session, token)
        if found is None:
            return None
        row, held = found
        if lasts_on and held.lacks is None and held.seen_at < now - _TOUCH_EVERY:
            expires_at = min(now + self.rules.lasts, held.created_at + self.rules.longest)
            async with self._database.session() as session:
                await session.execute(
                    update(SessionRow)
                    .where(SessionRow.token_hash == held.token_hash)
                    .values(seen_at=now, expires_at=expires_at)
                )
        return await self.whole(row), None if held.lacks is None else Lack(held.lacks)

    async def whole(self, row: UserRow) -> User:
        """Somebody with all that they may do and see."""
        return replace(
            user_of_row(row),
            made_here=await self._roles.granted_by(row.roles),
            shares=await self._grants.in_effect(row.tenant),
        )

    async def _row_of(self, session: AsyncSession, token: str) -> tuple[UserRow, SessionRow] | None:
        query = (
            select(UserRow, SessionRow)
            .join(SessionRow, SessionRow.user_id == UserRow.id)
            .where(
                SessionRow.token_hash == hashed(token),
                SessionRow.expires_at > self._now(),
                UserRow.disabled_at.is_(None),
            )
        )
        found = (await session.execute(query)).one_or_none()
        return None if found is None else (found[0], found[1])


def handle_of(token: str) -> str:
    """What names a session in lists."""
    return handle_of_hash(hashed(token))


def handle_of_hash(token_hash: str) -> str:
    """As `handle_of`, of what is kept of the token."""
    return token_hash[:16]


def _lock_after(attempts: int) -> timedelta:
    doublings = min(attempts - FREE_ATTEMPTS, 16)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


async def _failures_of(session: AsyncSession, login: str, now: datetime) -> SignInFailureRow:
    """The login's row, made where there was none, and held until the transaction ends."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = insert(SignInFailureRow).values(login_hash=hashed(login), attempts=0, last_at=now)
    await session.execute(fresh.on_conflict_do_nothing())
    return await session.get_one(SignInFailureRow, hashed(login), with_for_update=True)
