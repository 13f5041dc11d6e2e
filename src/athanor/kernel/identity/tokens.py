"""Tokens by which programs act for a person, within scopes and until a day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.accounts import folded, row_of
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import fresh_secret, hashed
from athanor.kernel.identity.roles import PATTERN
from athanor.kernel.identity.sessions import Sessions
from athanor.kernel.identity.tables import TokenRow, UserRow
from athanor.kernel.identity.user import User

PREFIX = "ath_"  # so that scanners for leaked secrets, and people, know what it is
LONGEST = timedelta(days=366)
MOST = 50  # that still open something, for one person
NAME_LENGTH = 100
_TOUCH_EVERY = timedelta(minutes=1)


class BadTokenError(AthanorError):
    """A token that cannot be made as it was asked for."""

    code = "identity.bad-token"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The token cannot be made: {reason}.")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as its owner sees it."""

    id: int
    name: str
    scopes: tuple[str, ...]  # permission patterns
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None
    revoked_at: datetime | None


class ApiTokens:
    """Makes, checks and revokes tokens. A token never may more than its owner may at that moment."""

    def __init__(self, database: Database, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._database = database
        self._sessions = sessions
        self._now = now

    async def make(
        self, login: str, name: str, scopes: Sequence[str], expires_at: datetime, *, actor: str, address: str = ""
    ) -> str:
        """A new token, told only now. Raises BadTokenError, NotFoundError."""
        now = self._now()
        if not 1 <= len(name.strip()) <= NAME_LENGTH:
            raise BadTokenError(f"give it a name of 1 to {NAME_LENGTH} characters that says which program has it")
        if not scopes:
            raise BadTokenError("it has no scopes; choose what the program may do")
        if wrong := [scope for scope in scopes if not PATTERN.fullmatch(scope)]:
            raise BadTokenError(f"{wrong[0][:100]!r} is no permission; they are written app.verb, with * for any")
        if not now < expires_at <= now + LONGEST:
            raise BadTokenError(f"it must end, and within {LONGEST.days} days")
        token = PREFIX + fresh_secret()
        async with self._database.session() as session:
            user = await row_of(session, folded(login), held=True)
            if await session.scalar(_open_ones(user.id, now)) >= MOST:  # type: ignore[operator]
                raise BadTokenError(f"{MOST} are open already; revoke some that no program needs any more")
            session.add(
                TokenRow(
                    token_hash=hashed(token),
                    user_id=user.id,
                    name=name.strip(),
                    scopes=list(scopes),
                    made_at=now,
                    expires_at=expires_at,
                )
            )
            detail = {"name": name.strip(), "scopes": list(scopes), "expires_at": expires_at.isoformat()}
            record(session, actor, "identity.token-made", user.login, address=address, detail=detail, at=now)
        return token

    async def of(self, login: str) -> Sequence[ApiToken]:
        """Somebody's tokens, the newest first. Raises NotFoundError."""
        async with self._database.reading() as session:
            user = await row_of(session, folded(login))
            rows = await session.scalars(
                select(TokenRow).where(TokenRow.user_id == user.id).order_by(TokenRow.id.desc())
            )
            return [_token(row) for row in rows]

    async def revoke(self, login: str, number: int, *, actor: str, address: str = "") -> None:
        """End one of somebody's tokens now. Raises NotFoundError."""
        async with self._database.session() as session:
            user = await row_of(session, folded(login))
            row = await session.get(TokenRow, number)
            if row is None or row.user_id != user.id:
                raise NotFoundError("token", str(number))
            row.revoked_at = row.revoked_at or self._now()
            detail = {"name": row.name}
            record(session, actor, "identity.token-revoked", user.login, address=address, detail=detail,
                   at=self._now())  # fmt: skip

    async def user_of(self, token: str, address: str = "") -> User | None:
        """Whom the program acts for, limited to the token's scopes; None where it opens nothing."""
        now = self._now()
        query = (
            select(UserRow, TokenRow)
            .join(TokenRow, TokenRow.user_id == UserRow.id)
            .where(
                TokenRow.token_hash == hashed(token),
                TokenRow.revoked_at.is_(None),
                TokenRow.expires_at > now,
                UserRow.disabled_at.is_(None),
            )
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            return None
        user, row = found
        if row.used_at is None or row.used_at < now - _TOUCH_EVERY:
            async with self._database.session() as session:
                await session.execute(
                    update(TokenRow).where(TokenRow.id == row.id).values(used_at=now, used_from=address)
                )
        return replace(await self._sessions.whole(user), scopes=frozenset(row.scopes))


def _open_ones(user_id: int, now: datetime) -> Select[int]:
    """How many of somebody's tokens open something."""
    return select(func.count()).where(
        TokenRow.user_id == user_id, TokenRow.revoked_at.is_(None), TokenRow.expires_at > now
    )


def _token(row: TokenRow) -> ApiToken:
    return ApiToken(
        row.id,
        row.name,
        tuple(row.scopes),
        row.made_at,
        row.expires_at,
        row.used_at,
        row.used_from,
        row.revoked_at,
    )
