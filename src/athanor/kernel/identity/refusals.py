"""What people were refused, in the audit trail; so sparingly that nobody can fill the disk with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User

REFUSED = "identity.permission-refused"
EACH = 10  # refusals of a person in an hour that are entered one by one; then the 20th, 40th, 80th …
_COUNTED_FOR = timedelta(hours=1)
_LONGEST_PLACE = 200


@dataclass(slots=True)
class _Count:
    since: datetime
    refusals: int = 0


class Refusals:
    """Enters refused permissions. A person's entries of an hour grow as the logarithm of what they try."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._counts: dict[str, _Count] = {}  # by login: no more than there are accounts

    async def note(self, user: User, permission: str, place: str, address: str = "") -> None:
        """Somebody who is known was refused a page or a route. `place` is its path, without the query."""
        now = self._now()
        count = self._counts.get(user.login)
        if count is None or now - count.since >= _COUNTED_FOR:
            count = self._counts[user.login] = _Count(now)
        count.refusals += 1
        if not _is_entered(count.refusals):
            return
        detail = {"place": place[:_LONGEST_PLACE], "in_this_hour": count.refusals}
        async with self._database.session() as session:
            record(session, user.login, REFUSED, permission, address=address, detail=detail, at=now)


def _is_entered(number: int) -> bool:
    tens, rest = divmod(number, EACH)
    return number <= EACH or (rest == 0 and tens & (tens - 1) == 0)
