"""Lending: an enterprise lets another one see an area of its plant, for a purpose and a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from athanor.apps.exchange.services.rights import check_decides, decides
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.grants import BadGrantError, Grant, Offer
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import TagKind
from athanor.kernel.plant.running import RunningPlant


class State(StrEnum):
    """Where a grant stands."""

    TO_COME = "to-come"
    IN_EFFECT = "in-effect"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be lent. Whose it is follows from the area; times are aware, the end is excluded."""

    consumer: str
    area: str  # path of a node
    kinds: frozenset[str]  # of tags; empty: all
    data_from: datetime | None
    begins_at: datetime
    ends_at: datetime
    purpose: str


def state_of(grant: Grant, now: datetime) -> State:
    """Where it stands at this moment."""
    if grant.revoked_at is not None:
        return State.REVOKED
    if grant.offer.ends_at <= now:
        return State.ENDED
    return State.TO_COME if now < grant.offer.begins_at else State.IN_EFFECT


def may_end(viewer: User, grant: Grant, now: datetime) -> bool:
    """Whether it can be revoked, and by them."""
    return decides(viewer, grant.offer.owner) and state_of(grant, now) in (State.TO_COME, State.IN_EFFECT)


async def listed(identity: Identity, viewer: User) -> Sequence[Grant]:
    """What the viewer's enterprise lends and is lent, the newest first; all for the park's people."""
    return await identity.grants.all(viewer.tenants)


async def found(identity: Identity, viewer: User, number: int) -> Grant:
    """One of those. Raises NotFoundError."""
    grant = await identity.grants.grant(number)
    if viewer.tenants is not None and viewer.tenants.isdisjoint((grant.offer.owner, grant.offer.consumer)):
        raise NotFoundError("grant", number)
    return grant


async def lend(identity: Identity, park: RunningPlant, viewer: User, wish: Wish, address: str = "") -> Grant:
    """A new grant, by the owner of the area. Raises NotFoundError, NotYoursError, BadGrantError."""
    node = park.model.node(wish.area)
    if viewer.tenants is not None and node.tenant not in viewer.tenants:
        raise NotFoundError("asset", wish.area)
    check_decides(viewer, node.tenant)
    if wish.consumer not in park.model.tenants:
        raise BadGrantError(f"there is no enterprise {wish.consumer!r}")
    unknown = sorted(wish.kinds - set(TagKind))
    if unknown:
        raise BadGrantError(f"{unknown[0]!r} is no kind of tag")
    offer = Offer(
        owner=node.tenant,
        consumer=wish.consumer,
        area=wish.area,
        kinds=wish.kinds,
        data_from=None if wish.data_from is None else wish.data_from.astimezone(UTC),
        begins_at=wish.begins_at.astimezone(UTC),
        ends_at=wish.ends_at.astimezone(UTC),
        purpose=wish.purpose,
    )
    return await identity.grants.grant(await identity.grants.make(offer, actor=viewer.login, address=address))


async def end(identity: Identity, viewer: User, number: int, reason: str, address: str = "") -> Grant:
    """Revoke a grant, for a reason. Raises NotFoundError, NotYoursError, BadGrantError."""
    grant = await found(identity, viewer, number)
    check_decides(viewer, grant.offer.owner)
    if not reason.strip():
        raise BadGrantError("say why it ends")
    await identity.grants.revoke(number, reason, actor=viewer.login, address=address)
    return await identity.grants.grant(number)
