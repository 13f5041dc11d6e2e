"""Asking for access, and deciding on it: approve, refuse, revoke."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.models import GrantRow, ProductRow
from athanor.apps.exchange.services.errors import BadRequestForAccessError, NotYoursError
from athanor.apps.exchange.services.publishing import live_product
from athanor.apps.exchange.services.rights import check_decides
from athanor.apps.exchange.services.telling import tell_asked, tell_decided
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User


class GrantState(StrEnum):
    """Where a request stands. That an approved one has expired follows from its end."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"


async def request_access(
    session: AsyncSession, viewer: User, product_id: int, *, purpose: str, ends_at: datetime, now: datetime
) -> GrantRow:
    """Ask a product's owner. Raises NotFoundError, NotYoursError, BadRequestForAccessError."""
    product = await live_product(session, product_id)
    if viewer.tenant == product.owner:
        raise NotYoursError("this is your own product; your enterprise sees its data anyway.")
    if not viewer.may("exchange.edit"):
        raise NotYoursError(f"your role ({viewer.role}) does not ask for access. Ask a colleague whose role does.")
    if not purpose.strip():
        raise BadRequestForAccessError("it has no purpose. Say what you want the data for.")
    if ends_at <= now:
        raise BadRequestForAccessError("its end has passed. Give a later one.")
    if await _standing(session, product_id, viewer.tenant, now) is not None:
        raise BadRequestForAccessError("your enterprise has asked already, or has access. See the product's page.")
    grant = GrantRow(
        product_id=product.id,
        consumer=viewer.tenant,
        purpose=purpose.strip(),
        state=GrantState.REQUESTED,
        ends_at=ends_at,
        requested_by=viewer.login,
        requested_at=now,
        version=product.version,
    )
    session.add(grant)
    await session.flush()
    detail = {"product": product.id, "purpose": grant.purpose, "until": ends_at.isoformat()}
    record(session, viewer.login, "exchange.access-requested", str(grant.id), detail=detail, at=now)
    await tell_asked(session, grant, product, viewer, now)
    return grant


async def approve(
    session: AsyncSession,
    viewer: User,
    grant_id: int,
    *,
    reason: str,
    now: datetime,
    ends_at: datetime | None = None,
    quota: int | None = None,
) -> GrantRow:
    """Open the product to who asked, until `ends_at` (as asked, where left out) and for `quota` calls a day at most.

    Raises NotFoundError, NotYoursError, BadRequestForAccessError.
    """
    grant = await _asked(session, viewer, grant_id)
    until = grant.ends_at if ends_at is None else ends_at
    if until <= now:
        raise BadRequestForAccessError("its end has passed. Give a later one.")
    if quota is not None and quota < 1:
        raise BadRequestForAccessError(f"{quota} calls a day are none. Give at least 1, or refuse it.")
    grant.ends_at, grant.quota = until, quota
    _decide(session, grant, viewer, GrantState.APPROVED, reason, now)
    await tell_decided(session, grant, "approved", reason.strip(), now)
    return grant


async def refuse(session: AsyncSession, viewer: User, grant_id: int, *, reason: str, now: datetime) -> GrantRow:
    """Say no, and why. Raises NotFoundError, NotYoursError, BadRequestForAccessError."""
    grant = await _asked(session, viewer, grant_id)
    if not reason.strip():
        raise BadRequestForAccessError("it has no reason. Who asked wants to know why.")
    _decide(session, grant, viewer, GrantState.REFUSED, reason, now)
    await tell_decided(session, grant, "refused", reason.strip(), now)
    return grant


async def revoke(session: AsyncSession, viewer: User, grant_id: int, *, reason: str, now: datetime) -> GrantRow:
    """Close what was opened; the next call is refused.

    Raises NotFoundError, NotYoursError, BadRequestForAccessError.
    """
    grant, product = await grant_and_product(session, grant_id, for_update=True)
    check_decides(viewer, product.owner)
    if grant.state != GrantState.APPROVED:
        raise BadRequestForAccessError(f"it is {grant.state}. Only what is approved can be revoked.")
    if not reason.strip():
        raise BadRequestForAccessError("it has no reason. Who had access wants to know why.")
    grant.state = GrantState.REVOKED
    grant.revoked_by, grant.revoked_at, grant.revocation = viewer.login, now, reason.strip()
    detail = {"product": product.id, "reason": reason.strip()}
    record(session, viewer.login, "exchange.access-revoked", str(grant.id), detail=detail, at=now)
    await tell_decided(session, grant, "revoked", reason.strip(), now)
    return grant


async def grant_and_product(
    session: AsyncSession, grant_id: int, *, for_update: bool = False
) -> tuple[GrantRow, ProductRow]:
    """Raises NotFoundError."""
    grant = await session.get(GrantRow, grant_id, with_for_update=for_update or None)
    if grant is None:
        raise NotFoundError("request for access", grant_id)
    return grant, await session.get_one(ProductRow, grant.product_id)


async def _asked(session: AsyncSession, viewer: User, grant_id: int) -> GrantRow:
    grant, product = await grant_and_product(session, grant_id, for_update=True)
    check_decides(viewer, product.owner)
    if grant.state != GrantState.REQUESTED:
        raise BadRequestForAccessError(f"it is {grant.state} already. Reload the page.")
    return grant


async def _standing(session: AsyncSession, product_id: int, consumer: str | None, now: datetime) -> GrantRow | None:
    """A request that waits, or a grant that holds."""
    asked = select(GrantRow).where(
        GrantRow.product_id == product_id,
        GrantRow.consumer.is_(None) if consumer is None else GrantRow.consumer == consumer,
        GrantRow.state.in_([GrantState.REQUESTED, GrantState.APPROVED]),
    )
    grants = (await session.scalars(asked)).all()
    return next((one for one in grants if one.state == GrantState.REQUESTED or one.ends_at > now), None)


def _decide(
    session: AsyncSession, grant: GrantRow, viewer: User, state: GrantState, reason: str, now: datetime
) -> None:
    grant.state = state
    grant.decided_by, grant.decided_at, grant.decision = viewer.login, now, reason.strip()
    detail = {
        "product": grant.product_id,
        "consumer": grant.consumer,  # None: the park's own people
        "reason": reason.strip(),
        "until": grant.ends_at.isoformat(),
        "quota": grant.quota,
    }
    record(session, viewer.login, f"exchange.access-{state}", str(grant.id), detail=detail, at=now)
