"""What there is to share, and how it stands: products, access, breaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.domain.offer import Difference, Offer, differences
from athanor.apps.exchange.models import BreachRow, DayRow, GrantRow, ProductRow, TokenRow, VersionRow
from athanor.apps.exchange.services.access import GrantState
from athanor.apps.exchange.services.publishing import live_product, offer_of
from athanor.apps.exchange.services.rights import decides, sees_inside
from athanor.kernel.identity.user import User

_MOST_BREACHES, _MOST_DAYS = 100, 31


@dataclass(frozen=True, slots=True)
class Listed:
    """A product as it stands in the catalogue."""

    product: ProductRow
    offer: Offer
    breaches: Sequence[BreachRow]  # that run now
    grant: GrantRow | None  # the viewer's enterprise's newest


@dataclass(frozen=True, slots=True)
class Version:
    """One version, and what it changed of the one before."""

    number: int
    made_by: str
    made_at: datetime
    changed: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Told(Listed):
    """All that a viewer may know of a product."""

    versions: Sequence[Version]  # newest first
    history: Sequence[BreachRow]  # newest first
    days: Sequence[DayRow]  # newest first
    grants: Sequence[GrantRow]  # newest first; the owner sees all, a consumer its own
    tokens: Sequence[TokenRow]  # of these grants, that hold


async def catalogue(session: AsyncSession, viewer: User) -> list[Listed]:
    """Every product that was not withdrawn, by name: who looks for data must see what there is."""
    products = (await session.scalars(select(ProductRow).where(ProductRow.withdrawn_at.is_(None)))).all()
    running = (await session.scalars(select(BreachRow).where(BreachRow.ended_at.is_(None)))).all()
    own = (await session.scalars(select(GrantRow).where(_of_viewer(viewer)).order_by(GrantRow.id))).all()
    grants = {grant.product_id: grant for grant in own}  # the newest of each
    listed = [
        Listed(
            product,
            await offer_of(session, product),
            [breach for breach in running if breach.product_id == product.id],
            grants.get(product.id),
        )
        for product in products
    ]
    return sorted(listed, key=lambda one: (one.offer.name.get("en", ""), one.product.id))


async def to_decide(session: AsyncSession, viewer: User) -> list[tuple[GrantRow, ProductRow, Offer]]:
    """Requests that wait for this viewer's decision, oldest first."""
    asked = (
        select(GrantRow, ProductRow)
        .join(ProductRow, ProductRow.id == GrantRow.product_id)
        .where(GrantRow.state == GrantState.REQUESTED, ProductRow.withdrawn_at.is_(None))
        .order_by(GrantRow.id)
    )
    rows = [(grant, product) for grant, product in await session.execute(asked) if decides(viewer, product.owner)]
    return [(grant, product, await offer_of(session, product)) for grant, product in rows]


async def told(session: AsyncSession, viewer: User, product_id: int) -> Told:
    """Raises NotFoundError."""
    product = await live_product(session, product_id)
    grants = select(GrantRow).where(GrantRow.product_id == product_id).order_by(GrantRow.id.desc())
    if not sees_inside(viewer, product):
        grants = grants.where(_of_viewer(viewer))
    seen = (await session.scalars(grants)).all()
    own = [grant for grant in seen if grant.consumer == viewer.tenant]
    history = (
        await session.scalars(
            select(BreachRow)
            .where(BreachRow.product_id == product_id)
            .order_by(BreachRow.id.desc())
            .limit(_MOST_BREACHES)
        )
    ).all()
    days = select(DayRow).where(DayRow.product_id == product_id).order_by(DayRow.day.desc()).limit(_MOST_DAYS)
    tokens = select(TokenRow).where(TokenRow.grant_id.in_([grant.id for grant in seen]), TokenRow.revoked_at.is_(None))
    return Told(
        product=product,
        offer=await offer_of(session, product),
        breaches=[breach for breach in history if breach.ended_at is None],
        grant=own[0] if own else None,
        versions=await _versions(session, product_id),
        history=history,
        days=(await session.scalars(days)).all(),
        grants=seen,
        tokens=(await session.scalars(tokens.order_by(TokenRow.id))).all(),
    )


async def _versions(session: AsyncSession, product_id: int) -> list[Version]:
    asked = select(VersionRow).where(VersionRow.product_id == product_id).order_by(VersionRow.number)
    rows = (await session.scalars(asked)).all()
    offers = [Offer.from_json(row.offer) for row in rows]
    found = [
        Version(row.number, row.made_by, row.made_at, differences(offers[index - 1], offers[index]) if index else ())
        for index, row in enumerate(rows)
    ]
    return found[::-1]


def _of_viewer(viewer: User) -> ColumnElement[bool]:
    return GrantRow.consumer.is_(None) if viewer.tenant is None else GrantRow.consumer == viewer.tenant
