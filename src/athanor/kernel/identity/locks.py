"""Logins that are locked after failed attempts: seeing that one is, and lifting it before its time."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import folded, row_of
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import hashed
from athanor.kernel.identity.tables import SignInFailureRow


class Locks:
    """What `Sessions.count_attempt` has locked."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def of(self, logins: Sequence[str]) -> dict[str, datetime]:
        """Until when each of these logins is locked; those that are not are not there."""
        by_hash = {hashed(folded(login)): login for login in logins}
        query = select(SignInFailureRow.login_hash, SignInFailureRow.locked_until).where(
            SignInFailureRow.locked_until > self._now()
        )
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        return {by_hash[key]: until for key, until in rows if key in by_hash and until is not None}

    async def lift(self, login: str, *, actor: str, address: str = "") -> None:
        """Forget the failed attempts, so that they may try again now. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await row_of(session, folded(login))
            await session.execute(delete(SignInFailureRow).where(SignInFailureRow.login_hash == hashed(row.login)))
            record(session, actor, "identity.lock-lifted", row.login, address=address, at=self._now())
