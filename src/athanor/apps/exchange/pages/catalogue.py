"""What enterprises share: the catalogue, and the requests that wait for one's decision."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from athanor.apps.exchange.domain.offer import Offer
from athanor.apps.exchange.models import GrantRow, ProductRow
from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.pages.tabs import tabs
from athanor.apps.exchange.services import catalogue as products
from athanor.apps.exchange.services.rights import decides
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, data_table, empty_state, link, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import number
from athanor.web.language import _, text_of


async def catalogue(park: RunningPlant, db: Database, viewer: User) -> None:
    """Every data product, with search; above it the requests to decide."""
    now = datetime.now(UTC)
    async with db.reading() as session:
        listed = await products.catalogue(session, viewer)
        waiting = await products.to_decide(session, viewer)
    with tabs("/exchange"):
        region("ath-space")
        if viewer.may("exchange.publish"):
            link(_("Publish a data product"), "/exchange/publish", "ath-button is-main")
    if waiting:
        _waiting(waiting, park)
    if not listed:
        may_publish = viewer.may("exchange.publish")
        empty_state(
            _("No data product was published yet"),
            _("Tags are shared as products: with a contract, for a purpose, and counted."),
            glyph="hub",
            action=(_("Publish the first one"), "/exchange/publish") if may_publish else None,
        )
        return
    with region("ath-card", "section"):
        data_table(
            [_row(one, park, viewer, now) for one in listed],
            [
                Column("name", _("Data product"), is_wide=True),
                Column("owner", _("Enterprise")),
                Column("step", _("Step")),
                Column("tags", _("Tags"), is_number=True),
                Column("contract", _("Contract")),
                Column("access", _("Your access")),
            ],
            caption=_("Catalogue"),
            nothing=_("No data product has all these words."),
            export_name="data-products",
        )


def _row(one: products.Listed, park: RunningPlant, viewer: User, now: datetime) -> Row:
    address = f"/exchange/products/{one.product.id}"
    rules = ", ".join(wording.rule_text(breach.rule) for breach in one.breaches)
    is_valid = one.offer.contract.is_valid(now)
    kept = _("kept") if is_valid else _("does not hold now")
    return {
        "name": Cell(text_of(one.offer.name), note=text_of(one.offer.description), address=address),
        "owner": wording.tenant_name(park, one.product.owner),
        "step": wording.step_text(one.offer),
        "tags": Cell(number(len(one.offer.columns)), sort=float(len(one.offer.columns))),
        "contract": Cell(_("breached: {rules}").format(rules=rules), state="is-warn") if rules else Cell(kept),
        "access": _access(one, park, viewer, now),
    }


def _access(one: products.Listed, park: RunningPlant, viewer: User, now: datetime) -> str:
    if one.grant is not None:
        text, _state = wording.grant_state(one.grant, now)
        if text == _("Approved"):
            day = wording.last_day(one.grant.ends_at, ZoneInfo(park.model.timezone))
            return _("until {day}").format(day=day)
        return text
    return _("your own") if decides(viewer, one.product.owner) and viewer.tenant else _("none")


def _waiting(waiting: list[tuple[GrantRow, ProductRow, Offer]], park: RunningPlant) -> None:
    zone = ZoneInfo(park.model.timezone)
    rows: list[Row] = [
        {
            "who": Cell(wording.tenant_name(park, grant.consumer), note=grant.requested_by),
            "product": Cell(text_of(offer.name), address=f"/exchange/products/{product.id}"),
            "purpose": grant.purpose,
            "until": wording.last_day(grant.ends_at, zone),
        }
        for grant, product, offer in waiting
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("who", _("Who asks")),
                Column("product", _("Data product")),
                Column("purpose", _("Purpose"), is_wide=True),
                Column("until", _("Until")),
            ],
            caption=_("Requests that wait for your decision"),
            is_searchable=False,
        )
