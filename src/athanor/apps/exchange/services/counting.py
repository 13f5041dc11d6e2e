"""Every call is counted: entered when it begins, completed when its answer has been sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.models import CallRow, GrantRow, ProductRow
from athanor.apps.exchange.services.errors import QuotaUsedError
from athanor.apps.exchange.services.opening import Opened
from athanor.apps.exchange.services.rights import sees_inside
from athanor.kernel.identity.user import User

MOST_CALLS_LISTED = 200


@dataclass(frozen=True, slots=True)
class DayOfUse:
    """What one consumer called of a product on one day of the site."""

    consumer: str | None
    day: date
    calls: int
    rows: int
    sent_bytes: int
    duration_ms: int


async def begin_call(session: AsyncSession, opened: Opened, caller: str, now: datetime) -> int:
    """Enter a call: its id. Raises QuotaUsedError; calls at once are no way round the quota."""
    day = now.astimezone(ZoneInfo(opened.plant.model.timezone)).date()
    grant = await session.get_one(GrantRow, opened.grant.id, with_for_update=True)
    if grant.quota is not None:
        counted = select(func.count()).where(CallRow.grant_id == grant.id, CallRow.day == day)
        if (await session.scalar(counted) or 0) >= grant.quota:
            raise QuotaUsedError(grant.quota)
    row = CallRow(
        grant_id=grant.id,
        product_id=grant.product_id,
        caller=caller,
        began_at=now,
        day=day,
        rows=0,
        sent_bytes=0,
        is_whole=False,
    )
    session.add(row)
    await session.flush()
    return row.id


async def end_call(
    session: AsyncSession, call_id: int, *, rows: int, sent_bytes: int, duration_ms: int, is_whole: bool
) -> None:
    """Complete it with what was sent, also of an answer that broke off."""
    done = {"rows": rows, "sent_bytes": sent_bytes, "duration_ms": duration_ms, "is_whole": is_whole}
    await session.execute(update(CallRow).where(CallRow.id == call_id).values(done))


async def use_by_day(session: AsyncSession, viewer: User, product: ProductRow, since: date) -> Sequence[DayOfUse]:
    """Use by consumer and day, newest day first; who is no owner sees what their own enterprise called."""
    sums = (func.count(), func.sum(CallRow.rows), func.sum(CallRow.sent_bytes), func.sum(CallRow.duration_ms))
    asked = (
        select(GrantRow.consumer, CallRow.day, *sums)
        .join(GrantRow, GrantRow.id == CallRow.grant_id)
        .where(CallRow.product_id == product.id, CallRow.day >= since)
        .group_by(GrantRow.consumer, CallRow.day)
        .order_by(CallRow.day.desc(), GrantRow.consumer)
    )
    if not sees_inside(viewer, product):
        asked = asked.where(GrantRow.consumer == viewer.tenant)
    found = (await session.execute(asked)).all()
    return [DayOfUse(consumer, day, *(int(number or 0) for number in numbers)) for consumer, day, *numbers in found]


async def newest_calls(session: AsyncSession, viewer: User, product: ProductRow) -> Sequence[tuple[CallRow, GrantRow]]:
    """The last calls of a product that this viewer may see, newest first."""
    asked = (
        select(CallRow, GrantRow)
        .join(GrantRow, GrantRow.id == CallRow.grant_id)
        .where(CallRow.product_id == product.id)
        .order_by(CallRow.id.desc())
        .limit(MOST_CALLS_LISTED)
    )
    if not sees_inside(viewer, product):
        asked = asked.where(GrantRow.consumer == viewer.tenant)
    return [(call, grant) for call, grant in await session.execute(asked)]
