"""What people hear of access to data: that it is asked for, and how that was decided."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.models import GrantRow, ProductRow
from athanor.kernel.forms.deciders import read_people
from athanor.kernel.identity.user import User
from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice

_WORDS = {
    "requested": {"en": "Access to data product {id} is asked for", "zh_CN": "收到数据产品 {id} 的访问申请"},
    "approved": {"en": "Access to data product {id} is approved", "zh_CN": "数据产品 {id} 的访问申请已批准"},
    "refused": {"en": "Access to data product {id} is refused", "zh_CN": "数据产品 {id} 的访问申请已拒绝"},
    "revoked": {"en": "Access to data product {id} is revoked", "zh_CN": "数据产品 {id} 的访问权限已撤销"},
}


async def tell_asked(session: AsyncSession, grant: GrantRow, product: ProductRow, viewer: User, now: datetime) -> None:
    """Let the owner's people hear who may decide; kept with the caller's commit."""
    people = await read_people(session)
    logins = [
        login
        for login, person in people.by_login.items()
        if person.user.tenant == product.owner and person.user.may("exchange.publish")
    ]
    detail = f"{viewer.name or viewer.login}: {grant.purpose}"
    await _tell(session, grant, "requested", detail, logins, product.owner, now)


async def tell_decided(session: AsyncSession, grant: GrantRow, what: str, reason: str, now: datetime) -> None:
    """Let hear who had asked: `what` is approved, refused or revoked."""
    await _tell(session, grant, what, reason, [grant.requested_by], grant.consumer, now)


async def _tell(
    session: AsyncSession, grant: GrantRow, what: str, detail: str, logins: list[str], tenant: str | None, now: datetime
) -> None:
    told = Notice(
        key=f"exchange.grant:{grant.id}:{what}",
        topic=f"exchange.access.{what}",
        subject=f"exchange.grant:{grant.id}:{what}",
        title={language: text.format(id=grant.product_id) for language, text in _WORDS[what].items()},
        detail={"en": detail, "zh_CN": detail},
        tenant=tenant,
        category="process",
        link=f"/exchange/products/{grant.product_id}",
        logins=tuple(logins),
        at=now,
    )
    await notice.put(session, [told], now)
