"""What the demo's enterprises share: one data product, with a grant, so that the page has something to show."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from athanor.apps.exchange.domain.offer import Contract
from athanor.apps.exchange.models import ProductRow
from athanor.apps.exchange.services import access, publishing
from athanor.kernel.identity.user import User
from athanor.platform import Platform

_ROLE = "tenant.power"
_YEAR = timedelta(days=365)


async def share_power(platform: Platform) -> None:
    """Let the first enterprise share its power with the second; nothing where anything was ever published."""
    plant, now = platform.plant, datetime.now(UTC)
    paths = {plant.model.tenant_of(tag.path).id: tag.path for tag in plant.model.tags.values() if tag.role == _ROLE}
    async with platform.database.reading() as session:
        published = await session.scalar(select(func.count()).select_from(ProductRow))
    if published or len(paths) < 2:
        return
    owner, consumer = list(paths)[:2]
    wish = publishing.Wish(
        name={"en": "Power in quarter hours", "zh_CN": "15 分钟平均功率"},
        description={"en": "What the whole enterprise draws from the grid.", "zh_CN": "全厂从电网取用的功率。"},
        paths=[paths[owner]],
        step="15m",
        how="mean",
        back_days=60,
        purpose="Joint planning of demand in the park",
        contact="Energy manager",
        contract=Contract(now, freshness_min=5),
    )
    engineer = User(0, "demo", "Demo", ("engineer",), owner)
    asker = User(0, "demo", "Demo", ("operator",), consumer)
    async with platform.database.session() as session:
        product = await publishing.publish(session, plant, platform.historian, engineer, wish, now)
        grant = await access.request_access(
            session, asker, product.id, purpose="Shifting load out of the park's peak", ends_at=now + _YEAR, now=now
        )
        await access.approve(session, engineer, grant.id, reason="As agreed in the park's energy circle", now=now)
