"""Publishing a data product, changing it, withdrawing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.domain.offer import Column, Contract, Offer, differences
from athanor.apps.exchange.models import ProductRow, VersionRow
from athanor.apps.exchange.services.errors import BadOfferError
from athanor.apps.exchange.services.rights import check_decides
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.series import How, Series, tables_of

MOST_TAGS = 1000
MOST_BACK_DAYS = 36_525.0
_TRIED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to publish; columns follow from the tags."""

    name: Mapping[str, str]
    description: Mapping[str, str]
    paths: Sequence[str]
    step: str | None
    how: str
    back_days: float
    purpose: str
    contact: str
    contract: Contract


async def publish(
    session: AsyncSession, plant: RunningPlant, historian: Historian, viewer: User, wish: Wish, now: datetime
) -> ProductRow:
    """A new product of the enterprise whose tags they are. Raises BadOfferError, NotFoundError, NotYoursError."""
    offer, owner = await _offer(plant, historian, wish, now)
    check_decides(viewer, owner)
    product = ProductRow(owner=owner, version=1, made_by=viewer.login, made_at=now, withdrawn_at=None)
    session.add(product)
    await session.flush()
    _add_version(session, product, offer, viewer, now)
    detail = {"owner": owner, "tags": list(offer.paths), "step": offer.step}
    record(session, viewer.login, "exchange.product-published", str(product.id), detail=detail, at=now)
    return product


async def change(
    session: AsyncSession,
    plant: RunningPlant,
    historian: Historian,
    viewer: User,
    product_id: int,
    wish: Wish,
    now: datetime,
) -> ProductRow:
    """A new version; what is no different makes none. Raises as `publish` does."""
    product = await live_product(session, product_id, for_update=True)
    check_decides(viewer, product.owner)
    offer, owner = await _offer(plant, historian, wish, now)
    if owner != product.owner:
        raise BadOfferError(f"its tags would belong to {owner}, and the product belongs to {product.owner}.")
    changed = differences(await offer_of(session, product), offer)
    if changed:
        product.version += 1
        _add_version(session, product, offer, viewer, now)
        detail = {"version": product.version, "changed": sorted({one.what for one in changed})}
        record(session, viewer.login, "exchange.product-changed", str(product.id), detail=detail, at=now)
    return product


async def withdraw(session: AsyncSession, viewer: User, product_id: int, now: datetime) -> None:
    """End a product; its record stays. Raises NotFoundError, NotYoursError."""
    product = await live_product(session, product_id, for_update=True)
    check_decides(viewer, product.owner)
    product.withdrawn_at = now
    record(session, viewer.login, "exchange.product-withdrawn", str(product.id), at=now)


async def live_product(session: AsyncSession, product_id: int, *, for_update: bool = False) -> ProductRow:
    """A product that was not withdrawn. Raises NotFoundError."""
    product = await session.get(ProductRow, product_id, with_for_update=for_update or None)
    if product is None or product.withdrawn_at is not None:
        raise NotFoundError("data product", product_id)
    return product


async def offer_of(session: AsyncSession, product: ProductRow, number: int | None = None) -> Offer:
    """A version's offer; the newest where no number is given. Raises NotFoundError."""
    number = product.version if number is None else number
    asked = select(VersionRow.offer).where(VersionRow.product_id == product.id, VersionRow.number == number)
    found = await session.scalar(asked)
    if found is None:
        raise NotFoundError("version", number)
    return Offer.from_json(found)


def columns_of(tags: Sequence[Tag]) -> tuple[Column, ...]:
    """What a contract says of these tags."""
    return tuple(Column(tag.path, tag.unit, tag.kind.value) for tag in tags)


def series_of(offer: Offer, tags: Sequence[Tag], span: Span) -> Series:
    """What a call comes to. Raises BadSeriesError, UnknownStepError."""
    if offer.step is None:
        return Series(tuple(tags), span)
    return Series(tuple(tags), span, parse_step(offer.step), How(offer.how))


def _add_version(session: AsyncSession, product: ProductRow, offer: Offer, viewer: User, now: datetime) -> None:
    session.add(
        VersionRow(
            product_id=product.id, number=product.version, offer=offer.to_json(), made_by=viewer.login, made_at=now
        )
    )


async def _offer(plant: RunningPlant, historian: Historian, wish: Wish, now: datetime) -> tuple[Offer, str]:
    """The offer and whose tags they are, after everything that could make it untrue was checked."""
    tags = [plant.model.tag(path) for path in dict.fromkeys(wish.paths)]
    _check(wish, tags)
    owners = {plant.model.tenant_of(tag.path).id for tag in tags}
    if len(owners) > 1:
        raise BadOfferError(f"its tags belong to {', '.join(sorted(owners))}. Publish one product for each of them.")
    offer = Offer(
        name=_texts(wish.name),
        description=_texts(wish.description),
        columns=columns_of(tags),
        step=wish.step,
        how=wish.how if wish.step is not None else How.MEAN.value,
        back_days=wish.back_days,
        purpose=wish.purpose.strip(),
        contact=wish.contact.strip(),
        contract=wish.contract,
    )
    try:
        async for _table in tables_of(series_of(offer, tags, Span(now - _TRIED, now)), historian, plant):
            pass
    except (AthanorError, ValueError) as error:
        raise BadOfferError(str(error)) from error
    return offer, owners.pop()


def _texts(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: text.strip() for language, text in texts.items() if text.strip()}


def _check(wish: Wish, tags: Sequence[Tag]) -> None:
    contract = wish.contract
    texts = [tag.path for tag in tags if tag.kind is TagKind.TEXT]
    if texts and wish.step is not None:
        raise BadOfferError(f"steps are numbers, and the values of {', '.join(texts)} are texts. Leave them out.")
    if not 1 <= len(tags) <= MOST_TAGS:
        raise BadOfferError(f"it has {len(tags)} tags. Choose 1 to {MOST_TAGS:,}.")
    if not _texts(wish.name):
        raise BadOfferError("it has no name. Give it one.")
    if not wish.purpose.strip():
        raise BadOfferError("it does not say what the data may be used for. Say it.")
    if not 0 < wish.back_days <= MOST_BACK_DAYS:
        raise BadOfferError(f"it reaches {wish.back_days:g} days back. Say how many, above 0.")
    if contract.valid_to is not None and contract.valid_to <= contract.valid_from:
        raise BadOfferError("its contract ends before it begins. Correct the dates.")
    if contract.freshness_min is not None and not contract.freshness_min > 0:
        raise BadOfferError(
            f"a freshness of {contract.freshness_min:g} min cannot be kept. Give more, or leave it out."
        )
    if contract.completeness is not None and not 0 < contract.completeness <= 1:
        raise BadOfferError("its completeness is not within 0 to 100 %. Correct it, or leave it out.")
    is_checked = contract.freshness_min is not None or contract.completeness is not None
    if is_checked and all(tag.period_s is None for tag in tags):
        raise BadOfferError(
            "none of its tags says how often a sample is due, so freshness and completeness cannot be checked. "
            "Leave them out, or give the tags a period in the plant file."
        )
