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

_FRESH_S = 5.0  # how long another process' change may go unseen


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


@dataclass(frozen=True, slots=True)
class _Lasting:
    """What is shared, and when."""

    begins_at: datetime
    ends_at: datetime
    share: Share


class Grants:
    """Makes, finds and revokes grants."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._known: Mapping[str, Sequence[_Lasting]] = {}  # consumer to what is shared with it, now or later
        self._read_at = -_FRESH_S
        self._changes = 0  # made here; what was read before one is not kept after it

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
                "data_from": None if offer.data_from is None else offer.data_from.isoformat(),
                "begins_at": offer.begins_at.isoformat(),
                "ends_at": offer.ends_at.isoformat(),
                "purpose": row.purpose,
            }
            record(session, actor, "identity.grant-made", str(row.id), address=address, detail=detail, at=self._now())
        self._look_again()
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
            detail = {
                "owner": row.owner,
                "consumer": row.consumer,
                "area": row.area,
                "reason": reason.strip(),
            }
            record(session, actor, "identity.grant-revoked", str(number), address=address, detail=detail,
                   at=self._now())  # fmt: skip
        self._look_again()

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
        now = self._now()
        while monotonic() - self._read_at >= _FRESH_S:
            changes, began = self._changes, monotonic()
            known = await self._lasting(now)
            if changes == self._changes:
                self._known, self._read_at = known, began
        return tuple(one.share for one in self._known.get(tenant, ()) if one.begins_at <= now < one.ends_at)

    async def _lasting(self, now: datetime) -> Mapping[str, Sequence[_Lasting]]:
        query = select(GrantRow).where(GrantRow.revoked_at.is_(None), GrantRow.ends_at > now)
        known: dict[str, list[_Lasting]] = {}
        async with self._database.reading() as session:
            for row in await session.scalars(query.order_by(GrantRow.id)):
                share = Share(row.owner, row.area, frozenset(row.kinds), row.data_from)
                known.setdefault(row.consumer, []).append(_Lasting(row.begins_at, row.ends_at, share))
        return known

    def _look_again(self) -> None:
        """The next who asks reads anew, also where somebody is reading meanwhile."""
        self._changes += 1
        self._read_at = -_FRESH_S


def _grant(row: GrantRow) -> Grant:
    offer = Offer(
        row.owner, row.consumer, row.area, frozenset(row.kinds), row.data_from, row.begins_at, row.ends_at, row.purpose
    )
    return Grant(row.id, offer, row.made_by, row.made_at, row.revoked_by, row.revoked_at, row.revocation)
