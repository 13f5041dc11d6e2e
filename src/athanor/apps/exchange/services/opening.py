"""The one place where a tenant's data is opened to another: by a grant that holds, and no further than its product."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.domain.offer import Column, Offer
from athanor.apps.exchange.domain.promises import schema_faults
from athanor.apps.exchange.models import GrantRow, ProductRow
from athanor.apps.exchange.services.access import GrantState
from athanor.apps.exchange.services.errors import BeyondProductError, NoAccessError, SchemaBreachError
from athanor.apps.exchange.services.publishing import columns_of, live_product, offer_of, series_of
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.series import Series, Shape

_CLOCKS_DIFFER = timedelta(minutes=1)  # a start computed as "now less so many days" is not refused for the way here


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a session of the consumer's people, or a program with a token of one grant."""

    tenant: str | None
    name: str  # login, or `token NAME`
    grant_id: int | None = None  # of the token


@dataclass(frozen=True, slots=True)
class Opened:
    """What a call may read: `plant` holds the product's tags and no others."""

    grant: GrantRow
    product: ProductRow
    plant: RunningPlant
    series: Series


async def open_product(
    session: AsyncSession,
    park: RunningPlant,
    caller: Caller,
    product_id: int,
    span: Span,
    now: datetime,
    *,
    shape: Shape = Shape.LONG,
) -> Opened:
    """What this caller may read of a product over a span; its last moment is now.

    Raises NotFoundError, NoAccessError, BeyondProductError, SchemaBreachError.
    """
    product = await live_product(session, product_id)
    grant = await _grant(session, caller, product_id, now)
    offer = await offer_of(session, product)
    if not offer.contract.is_valid(now):
        raise NoAccessError(product_id, "its contract does not hold now")
    earliest = now - timedelta(days=offer.back_days)
    if span.start < earliest - _CLOCKS_DIFFER:
        raise BeyondProductError(earliest, offer.back_days)
    faults = faults_of(offer, product.owner, park)
    if faults:
        raise SchemaBreachError(product_id, faults)
    plant = only(park, offer)
    tags = [plant.model.tags[path] for path in offer.paths]
    series = series_of(offer, tags, Span(span.start, max(min(span.end, now), span.start)))
    return Opened(grant, product, plant, replace(series, shape=shape))


def faults_of(offer: Offer, owner: str, park: RunningPlant) -> list[str]:
    """Paths of columns that are no longer as promised, or no longer the owner's."""
    tags = [park.model.tags[path] for path in offer.paths if path in park.model.tags]
    actual: dict[str, Column] = {
        column.path: column for column in columns_of(tags) if park.model.tenant_of(column.path).id == owner
    }
    return schema_faults(offer.columns, actual)


def only(park: RunningPlant, offer: Offer) -> RunningPlant:
    """The plant with the product's tags alone."""
    wanted = frozenset(offer.paths)
    nodes = {
        path: replace(node, tags=tuple(tag for tag in node.tags if tag.path in wanted))
        for path, node in park.model.nodes.items()
        if any(tag.path in wanted for tag in node.tags)
    }
    model = replace(park.model, nodes=nodes)
    return RunningPlant(model, park.version, {path: park.ids[path] for path in model.tags})


async def _grant(session: AsyncSession, caller: Caller, product_id: int, now: datetime) -> GrantRow:
    """The grant that lets them in. Raises NoAccessError."""
    asked = select(GrantRow).where(
        GrantRow.product_id == product_id,
        GrantRow.consumer.is_(None) if caller.tenant is None else GrantRow.consumer == caller.tenant,
    )
    if caller.grant_id is not None:
        asked = asked.where(GrantRow.id == caller.grant_id)
    grants = (await session.scalars(asked.order_by(GrantRow.id.desc()))).all()
    holding = next((one for one in grants if one.state == GrantState.APPROVED and one.ends_at > now), None)
    if holding is None:
        raise NoAccessError(product_id, _why_not(grants[0] if grants else None))
    return holding


def _why_not(newest: GrantRow | None) -> str:
    if newest is None:
        return "nobody has given you access"
    if newest.state == GrantState.APPROVED:
        return f"your access ended at {newest.ends_at.isoformat()}"
    return f"your access was {newest.state}" + (f" ({newest.revocation})" if newest.revocation else "")
