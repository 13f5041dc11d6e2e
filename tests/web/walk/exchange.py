"""Pages and routes of Data sharing."""

from datetime import UTC, datetime, timedelta

import httpx

from athanor.apps.exchange.domain.offer import Contract
from athanor.apps.exchange.services import publishing
from athanor.kernel.identity.grants import Offer
from athanor.kernel.identity.user import User

from ..site import Site
from . import FURNACE, POWER, Example

_OWNER = User(0, "olga", "Olga", ("engineer",), "copper")
_NOW = datetime.now(UTC)
_LATER = (_NOW + timedelta(days=30)).isoformat()


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A product that the copper works publish, and an area that they lend to somebody else."""

    async def make() -> dict[str, str]:
        wish = publishing.Wish(
            name={"en": "Walked"},
            description={},
            paths=(POWER,),
            step="15m",
            how="mean",
            back_days=1.0,
            purpose="Planning",
            contact="Olga",
            contract=Contract(_NOW - timedelta(days=2)),
        )
        platform = site.platform
        async with platform.database.session() as session:
            plant = platform.plant.visible_to(_OWNER.tenants)
            product = await publishing.publish(session, plant, platform.historian, _OWNER, wish, _NOW)
        offer = Offer(
            "copper", "a-third", FURNACE, frozenset(), None, _NOW, _NOW + timedelta(days=1), "of-the-copper-works"
        )
        grant = await platform.identity.grants.make(offer, actor="olga")
        return {"product": str(product.id), "grant": str(grant)}

    return site.wait_for(make())


EXAMPLES = [
    # what is published is for everybody to read; its data are not
    Example("/exchange", "exchange.view"),
    Example("/exchange/publish", "exchange.publish"),
    Example("/exchange/products/{product_id}", "exchange.view", path={"product_id": "{product}"}, is_published=True),
    Example("/exchange/products/{product_id}/change", "exchange.publish", path={"product_id": "{product}"}, names=True),
    Example("/api/v1/exchange/products/{product_id}/data", "exchange.view", path={"product_id": "{product}"},
            query={"from": (_NOW - timedelta(hours=1)).isoformat()}, names=True, owner_gets=403),  # it is for others
    Example("/exchange/grants", "exchange.view"),
    Example("/exchange/grants/new", "exchange.publish"),
    Example("/exchange/grants/{number}", "exchange.view", path={"number": "{grant}"}, names=True),
    Example("/api/v1/exchange/grants", "exchange.view"),
    Example("/api/v1/exchange/grants", "exchange.view", "POST",
            json={"consumer": "carbon", "area": FURNACE, "ends_at": _LATER, "purpose": "Walk"}, names=True),
    Example("/api/v1/exchange/grants/{number}", "exchange.view", path={"number": "{grant}"}, names=True),
    Example("/api/v1/exchange/grants/{number}/revoke", "exchange.view", "POST", path={"number": "{grant}"},
            json={"reason": "Walk"}, names=True),
]  # fmt: skip
