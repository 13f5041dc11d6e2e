"""Grants: what an enterprise lets another one see of its own data, for a purpose and a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlalchemy import or_, select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import GrantRow
from athanor.kernel.identity.user import Share

_FRESH_S = 5.0  # how long another process' change, or the end of a grant, may go unseen


class BadGrantError(AthanorError):
    """A grant that cannot be made as it was given."""

    code = "identity.bad-grant"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The grant cannot be made: {reason}.")


@dataclass(frozen=True, slots=True)
class Offer:
    """What is granted to whom, until when and what for."""

    owner: str  # tenant whose data it is
    consumer: str  # tenant who sees it
    area: str  # path of a node; it and all below it
    kinds: frozenset[str]  # of tags, a TagKind; empty: all
    data_from: datetime | None  # nothing older is seen; None: all there is
    begins_at: datetime
    ends_at: datetime  # excluded
    purpose: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant and what became of it."""

    id: int
    offer: Offer
    made_by: str
    made_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    revocation: str | None


class Grants:
    """Makes, finds and revokes grants."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._known: Mapping[str, tuple[Share, ...]] = {}  # consumer to what is shared with it
        self._read_at = -_FRESH_S

    async def make(self, offer: Offer, *, actor: str, address: str = "") -> int:
        """A new grant: its number. Raises BadGrantError."""
        if offer.owner == offer.consumer:
            raise BadGrantError("owner and consumer are the same enterprise")
        if offer.ends_at <= max(offer.begins_at, self._now()):
            raise BadGrantError("it would end before it begins, or is over already")
        if not offer.purpose.strip():
            raise BadGrantError("say what the data are for")
        row = GrantRow(
            owner=offer.owner,
            consumer=offer.consumer,
            area=offer.area,
            kinds=sorted(offer.kinds),
            data_from=offer.data_from,
            begins_at=offer.begins_at,
            ends_at=offer.ends_at,
            purpose=offer.purpose.strip(),
            made_by=actor,
            made_at=self._now(),
        )
        async with self._database.session() as session:
            session.add(row)
            await session.flush()
            detail = {
                "owner": offer.owner,
                "consumer": offer.consumer,
                "area": offer.area,
                "kinds": row.kinds,
                "ends_at": offer.ends_at.isoformat(),
                "purpose": row.purpose,
            }
            record(session, actor, "identity.grant-made", str(row.id), address=address, detail=detail, at=self._now())
        self._read_at = -_FRESH_S
        return row.id

    async def revoke(self, number: int, reason: str, *, actor: str, address: str = "") -> None:
        """End a grant now. Raises NotFoundError, BadGrantError for one that is over."""
        async with self._database.session() as session:
            row = await session.get(GrantRow, number)
            if row is None:
                raise NotFoundError("grant", str(number))
            if row.revoked_at is not None or row.ends_at <= self._now():
                raise BadGrantError("it is over already")
            row.revoked_by, row.revoked_at, row.revocation = actor, self._now(), reason.strip()
            detail = {"reason": reason.strip()}
            record(session, actor, "identity.grant-revoked", str(number), address=address, detail=detail,
                   at=self._now())  # fmt: skip
        self._read_at = -_FRESH_S

    async def grant(self, number: int) -> Grant:
        """One of them. Raises NotFoundError."""
        async with self._database.reading() as session:
            row = await session.get(GrantRow, number)
        if row is None:
            raise NotFoundError("grant", str(number))
        return _grant(row)

    async def all(self, tenants: frozenset[str] | None = None) -> Sequence[Grant]:
        """Those that tenants have given or got, or all; the newest first."""
        query = select(GrantRow).order_by(GrantRow.id.desc())
        if tenants is not None:
            query = query.where(or_(GrantRow.owner.in_(tenants), GrantRow.consumer.in_(tenants)))
        async with self._database.reading() as session:
            return [_grant(row) for row in await session.scalars(query)]

    async def in_effect(self, tenant: str | None) -> tuple[Share, ...]:
        """What others let a tenant see now. The park's own people see all without."""
        if tenant is None:
            return ()
        if monotonic() - self._read_at >= _FRESH_S:
            now = self._now()
            query = select(GrantRow).where(
                GrantRow.revoked_at.is_(None), GrantRow.begins_at <= now, GrantRow.ends_at > now
            )
            known: dict[str, tuple[Share, ...]] = {}
            async with self._database.reading() as session:
                for row in await session.scalars(query.order_by(GrantRow.id)):
                    share = Share(row.owner, row.area, frozenset(row.kinds), row.data_from)
                    known[row.consumer] = (*known.get(row.consumer, ()), share)
            self._known, self._read_at = known, monotonic()
        return self._known.get(tenant, ())


def _grant(row: GrantRow) -> Grant:
    offer = Offer(
        row.owner, row.consumer, row.area, frozenset(row.kinds), row.data_from, row.begins_at, row.ends_at, row.purpose
    )
    return Grant(row.id, offer, row.made_by, row.made_at, row.revoked_by, row.revoked_at, row.revocation)
