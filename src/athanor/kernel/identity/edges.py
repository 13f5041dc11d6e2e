"""What edges prove themselves with."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic

from sqlalchemy import delete, select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import fresh_secret, hashed
from athanor.kernel.identity.tables import EdgeTokenRow

_FRESH_S = 30.0  # how long another process' change may go unseen


class EdgeTokens:
    """One token for each edge."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._known: Mapping[str, str] = {}  # edge to hash
        self._read_at = -_FRESH_S

    async def make(self, edge: str = "edge", *, actor: str = "system") -> str:
        """A new token for an edge, told only now; the one it had before ends."""
        token = fresh_secret()
        async with self._database.session() as session:
            await session.execute(delete(EdgeTokenRow).where(EdgeTokenRow.edge == edge))
            session.add(EdgeTokenRow(edge=edge, token_hash=hashed(token), created_at=self._now()))
            record(session, actor, "identity.edge-token-made", edge)
        self._read_at = -_FRESH_S
        return token

    async def edge_of(self, token: str) -> str | None:
        """The edge whose token this is; None for nobody's. Cheap: hashes are kept in memory for half a minute."""
        if monotonic() - self._read_at >= _FRESH_S:
            async with self._database.reading() as session:
                rows = await session.execute(select(EdgeTokenRow.edge, EdgeTokenRow.token_hash))
                self._known = {row.edge: row.token_hash for row in rows}
            self._read_at = monotonic()
        given = hashed(token)
        known = [edge for edge, held in self._known.items() if hmac.compare_digest(held, given)]
        return known[0] if known else None
