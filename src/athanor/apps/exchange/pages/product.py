"""One data product: what it is, what it promises and keeps, who may call it, and what was called."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.pages.access import AccessCards
from athanor.apps.exchange.pages.use import use_card
from athanor.apps.exchange.services import catalogue, counting, publishing
from athanor.apps.exchange.services.rights import decides
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    Said,
    Status,
    Words,
    button,
    data_table,
    dialog_form,
    link,
    page_title,
    region,
    status,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration, percent
from athanor.web.language import _, text_of

USE_DAYS = 90


async def product(product_id: int, park: RunningPlant, db: Database, viewer: User) -> None:
    """One data product, for its owner, its consumers and who looks for data."""
    zone = ZoneInfo(park.model.timezone)
    now = datetime.now(UTC)
    async with db.reading() as session:
        told = await catalogue.told(session, viewer, product_id)
        since = now.astimezone(zone).date() - timedelta(days=USE_DAYS)
        use = await counting.use_by_day(session, viewer, told.product, since)
        calls = await counting.newest_calls(session, viewer, told.product)
    _title(told, db, viewer, now)
    if told.breaches:
        _notice(told, zone)
    access = AccessCards(told, park, db, viewer)
    with region("ath-cards"):
        _about(told, park, zone)
        access.show_own(now)
    access.show_all(now)
    use_card(told, use, calls, park, zone)
    _columns(told, park)
    with region("ath-cards"):
        _history(told, zone, now)
        _days(told)
        _versions(told, zone)


def _title(told: catalogue.Told, database: Database, viewer: User, now: datetime) -> None:
    with page_title(text_of(told.offer.name)):
        if told.breaches:
            status(_("Contract breached"), Status.WARN)
        elif told.offer.contract.is_valid(now):
            status(_("Contract kept"))
        else:
            status(_("Contract does not hold now"), Status.WARN)
        region("ath-space")
        if decides(viewer, told.product.owner):
            link(_("Change"), f"/exchange/products/{told.product.id}/change", "ath-button")
            dialog = Dialog()
            button(_("Withdraw it…"), lambda: _ask_to_withdraw(dialog, told, database, viewer))
        link(_("Catalogue"), "/exchange", "ath-button")


def _ask_to_withdraw(dialog: Dialog, told: catalogue.Told, database: Database, viewer: User) -> None:
    async def withdraw(_said: Said) -> None:
        async with database.session() as session:
            await publishing.withdraw(session, viewer, told.product.id, datetime.now(UTC))
        ui.navigate.to("/exchange")

    with (
        dialog.filling(_("Withdraw the data product")),
        dialog_form(withdraw, _("Withdraw it"), on_cancel=dialog.close),
    ):
        Words(_("Every call is refused from then on. What was granted and called stays on record."), "p")


def _notice(told: catalogue.Told, zone: ZoneInfo) -> None:
    with region("ath-card ath-notice is-warn", role="status"), region():
        for breach in told.breaches:
            text = _("{rule} is not as promised since {time}: {tags}")
            rule, time = wording.rule_text(breach.rule), date_time(breach.began_at, zone)
            Words(text.format(rule=rule, time=time, tags=", ".join(breach.tags)), "p")


def _about(told: catalogue.Told, park: RunningPlant, zone: ZoneInfo) -> None:
    offer, contract = told.offer, told.offer.contract
    end = "" if contract.valid_to is None else wording.last_day(contract.valid_to, zone)
    lines = (
        (_("Description"), text_of(offer.description)),
        (_("Enterprise"), wording.tenant_name(park, told.product.owner)),
        (_("Contact"), offer.contact),
        (_("Allowed purpose"), offer.purpose),
        (_("Step"), wording.step_text(offer)),
        (_("Reach"), _("{n} days back").format(n=f"{offer.back_days:g}")),
        (_("Freshness"), wording.freshness_text(contract.freshness_min)),
        (_("Completeness"), wording.completeness_text(contract.completeness)),
        (_("Valid"), f"{contract.valid_from.astimezone(zone).date().isoformat()} – {end}".rstrip()),
        (_("Version"), str(told.product.version)),
    )
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("Product and contract"), "h2")
        with region("ath-table", "table", aria_label=_("Product and contract")), region(tag="tbody"):
            for title, text in lines:
                with region(tag="tr"):
                    Words(title, "td", "is-nowrap")
                    Words(text or NOTHING, "td", "is-wide")


def _columns(told: catalogue.Told, park: RunningPlant) -> None:
    rows: list[Row] = []
    for column in told.offer.columns:
        tag = park.model.tags.get(column.path)
        name = column.path if tag is None else text_of(tag.name)
        asset = "" if tag is None else text_of(park.model.node(tag.node_path).name)
        rows.append({"name": Cell(name, note=asset), "path": column.path, "unit": display_unit(column.unit)})
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("name", _("Tag"), is_wide=True),
                Column("path", _("Path"), is_wide=True),
                Column("unit", _("Unit")),
            ],
            caption=_("Schema"),
            export_name=f"data-product-{told.product.id}-schema",
        )


def _history(told: catalogue.Told, zone: ZoneInfo, now: datetime) -> None:
    rows: list[Row] = []
    for breach in told.history:
        length_s = ((breach.ended_at or now) - breach.began_at).total_seconds()
        rows.append(
            {
                "began": Cell(date_time(breach.began_at, zone), sort=breach.began_at.timestamp()),
                "rule": Cell(wording.rule_text(breach.rule), state="" if breach.ended_at else "is-warn"),
                "tags": ", ".join(breach.tags),
                "length": Cell(
                    duration(length_s), sort=length_s, note="" if breach.ended_at is not None else _("goes on")
                ),
            }
        )
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("began", _("Since")),
                Column("rule", _("Promise")),
                Column("tags", _("Tags"), is_wide=True),
                Column("length", _("Lasted"), is_number=True),
            ],
            caption=_("Breaches of the contract"),
            nothing=_("The contract was kept as long as it holds."),
            page_size=10,
            is_searchable=False,
            export_name=f"data-product-{told.product.id}-breaches",
        )


def _days(told: catalogue.Told) -> None:
    if not told.days:
        return
    promised = told.offer.contract.completeness
    rows: list[Row] = []
    for day in told.days:
        share = day.completeness
        is_short = promised is not None and share is not None and share < promised
        rows.append(
            {
                "day": day.day.isoformat(),
                "share": Cell(percent(share), sort=share or 0.0, state="is-warn" if is_short else ""),
                "worst": day.worst or NOTHING,
            }
        )
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("day", _("Day")),
                Column("share", _("Completeness"), is_number=True),
                Column("worst", _("of its worst tag"), is_wide=True),
            ],
            caption=_("Completeness by day"),
            page_size=10,
            is_searchable=False,
        )


def _versions(told: catalogue.Told, zone: ZoneInfo) -> None:
    rows: list[Row] = [
        {
            "number": Cell(str(one.number), sort=float(one.number)),
            "changed": "; ".join(wording.difference_text(change, zone) for change in one.changed) or _("published"),
            "made": Cell(date_time(one.made_at, zone), note=one.made_by, sort=one.made_at.timestamp()),
        }
        for one in told.versions
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            [
                Column("number", _("Version"), is_number=True),
                Column("changed", _("What changed"), is_wide=True),
                Column("made", _("When")),
            ],
            caption=_("Versions"),
            page_size=10,
            is_searchable=False,
        )
