"""Publishing a data product, and changing one: its tags, and the form beside them."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.exchange.domain.offer import Contract, Offer
from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.pages.forms import day_end, day_start, number_of
from athanor.apps.exchange.services import publishing
from athanor.apps.exchange.services.rights import check_decides
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import Historian
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import (
    Said,
    TagFinder,
    Words,
    button,
    dialog_form,
    form_choice,
    form_line,
    form_lines,
    page_title,
    region,
)
from athanor.web.language import _, text_of


async def publish(plant: RunningPlant, historian: Historian, db: Database, viewer: User) -> None:
    """A new data product."""
    page_title(_("Publish a data product"), _("What you share, with whom you agree on it, and what you promise"))
    _Publishing(plant, historian, db, viewer, None, None)


async def change(product_id: int, plant: RunningPlant, historian: Historian, db: Database, viewer: User) -> None:
    """A new version of a data product."""
    async with db.reading() as session:
        row = await publishing.live_product(session, product_id)
        offer = await publishing.offer_of(session, row)
    check_decides(viewer, row.owner)
    page_title(_("Change {name}").format(name=text_of(offer.name)), _("A change makes a new version"))
    _Publishing(plant, historian, db, viewer, product_id, offer)


class _Publishing:
    """The page: the finder at the left, the form at the right."""

    def __init__(
        self,
        plant: RunningPlant,
        historian: Historian,
        database: Database,
        viewer: User,
        product_id: int | None,
        offer: Offer | None,
    ) -> None:
        self._plant, self._historian, self._database, self._viewer = plant, historian, database, viewer
        self._product_id = product_id
        self._zone = ZoneInfo(plant.model.timezone)
        self._tags: list[Tag] = []
        if offer is not None:
            self._tags = [plant.model.tags[path] for path in offer.paths if path in plant.model.tags]
        with region("ath-trends"):
            with region("ath-trends-side is-open", "aside"):
                self._finder = TagFinder(plant, self._toggle, add_all=self._add_all)
            with region("ath-trends-main"):
                self._chosen = region("ath-card", "section", aria_label=_("Chosen tags"))
                with region("ath-card", "section"):
                    with region("ath-card-head"):
                        Words(_("Product and contract"), "h2")
                    with region("ath-card-body"):
                        self._form(offer)
        self._show()

    def _form(self, offer: Offer | None) -> None:
        contract = None if offer is None else offer.contract
        label = _("Publish") if offer is None else _("Publish the new version")
        with dialog_form(self._send, label):
            with region("ath-fields-row"):
                form_line(_("Name in English"), "name_en", "" if offer is None else offer.name.get("en", ""))
                form_line(_("Name in Chinese"), "name_zh", "" if offer is None else offer.name.get("zh_CN", ""))
            with region("ath-fields-row"):
                told = {} if offer is None else offer.description
                form_lines(_("Description in English"), "about_en", told.get("en", ""))
                form_lines(_("Description in Chinese"), "about_zh", told.get("zh_CN", ""))
            with region("ath-fields-row"):
                form_choice(_("Step"), "step", wording.steps(), "15m" if offer is None else offer.step or "")
                form_choice(_("Measure"), "how", wording.measures(), "mean" if offer is None else offer.how)
                form_line(
                    _("Reach [d]"), "back_days", "30" if offer is None else f"{offer.back_days:g}", inputmode="decimal"
                )
            form_lines(_("Allowed purpose"), "purpose", "" if offer is None else offer.purpose)
            with region("ath-fields-row"):
                form_line(_("Contact"), "contact", self._viewer.name if offer is None else offer.contact)
                freshness = None if contract is None else contract.freshness_min
                form_line(
                    _("Freshness [min], empty: not promised"), "freshness", _shown(freshness), inputmode="decimal"
                )
                share = None if contract is None or contract.completeness is None else 100 * contract.completeness
                form_line(
                    _("Completeness [%], empty: not promised"), "completeness", _shown(share), inputmode="decimal"
                )
            with region("ath-fields-row"):
                start = datetime.now(UTC) if contract is None else contract.valid_from
                form_line(_("Valid from"), "valid_from", start.astimezone(self._zone).date().isoformat(), kind="date")
                end = None if contract is None else contract.valid_to
                last = "" if end is None else wording.last_day(end, self._zone)
                form_line(_("Valid to, empty: until it is changed"), "valid_to", last, kind="date")

    def _toggle(self, tag: Tag) -> None:
        if tag in self._tags:
            self._tags.remove(tag)
        else:
            self._tags.append(tag)
        self._show()

    def _add_all(self, tags: Sequence[Tag]) -> None:
        self._tags += [tag for tag in tags if tag not in self._tags]
        self._show()

    def _show(self) -> None:
        self._finder.mark([tag.path for tag in self._tags])
        self._chosen.clear()
        with self._chosen:
            with region("ath-card-head"):
                Words(_("Chosen tags: {n}").format(n=len(self._tags)), "h2")
            if not self._tags:
                with region("ath-card-body"):
                    Words(_("Find tags by name or walk down the plant; press one to share it."), "p")
                return
            with (
                region("ath-table-scroll"),
                region("ath-table", "table", aria_label=_("Chosen tags")),
                region(tag="tbody"),
            ):
                for tag in self._tags:
                    self._tag_row(tag)

    def _tag_row(self, tag: Tag) -> None:
        with region(tag="tr"):
            with region("is-wide", "td"):
                Words(text_of(tag.name))
                Words(tag.path, "small")
            Words(display_unit(tag.unit), "td", "is-nowrap")
            with region("is-number", "td"):
                button(_("Take off"), lambda: self._toggle(tag), glyph="close", classes="is-icon is-plain")

    async def _send(self, said: Said) -> None:
        wish, now = self._wish(said), datetime.now(UTC)
        async with self._database.session() as session:
            if self._product_id is None:
                row = await publishing.publish(session, self._plant, self._historian, self._viewer, wish, now)
            else:
                row = await publishing.change(
                    session, self._plant, self._historian, self._viewer, self._product_id, wish, now
                )
        ui.navigate.to(f"/exchange/products/{row.id}")

    def _wish(self, said: Said) -> publishing.Wish:
        share = number_of(said, "completeness", _("Completeness"))
        today = datetime.combine(datetime.now(self._zone).date(), time(), self._zone)
        return publishing.Wish(
            name={"en": said.get("name_en", ""), "zh_CN": said.get("name_zh", "")},
            description={"en": said.get("about_en", ""), "zh_CN": said.get("about_zh", "")},
            paths=[tag.path for tag in self._tags],
            step=said.get("step") or None,
            how=said.get("how", "mean"),
            back_days=number_of(said, "back_days", _("Reach [d]")) or 0.0,
            purpose=said.get("purpose", ""),
            contact=said.get("contact", ""),
            contract=Contract(
                valid_from=(day_start(said, "valid_from", _("Valid from"), self._zone) or today).astimezone(UTC),
                valid_to=_utc(day_end(said, "valid_to", _("Valid to"), self._zone)),
                freshness_min=number_of(said, "freshness", _("Freshness [min]")),
                completeness=None if share is None else share / 100,
            ),
        )


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
