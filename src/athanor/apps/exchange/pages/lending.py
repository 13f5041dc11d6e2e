"""Lending an area: where it is at the left, to whom and how far at the right."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.exchange.pages import lending_words
from athanor.apps.exchange.pages.area_finder import AreaFinder
from athanor.apps.exchange.pages.forms import day_end, day_start
from athanor.apps.exchange.services import lending
from athanor.apps.exchange.services.rights import decides
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Node, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Said,
    UnreadableFormError,
    Words,
    button,
    dialog_form,
    form_choice,
    form_line,
    form_lines,
    link,
    page_title,
    region,
)
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_USUALLY = timedelta(days=365)


async def lend(plant: RunningPlant, park: RunningPlant, identity: Identity, viewer: User, request: Request) -> None:
    """A new grant."""
    with page_title(_("Lend an area"), _("Another enterprise sees it live, and changes nothing")):
        region("ath-space")
        link(_("Lent areas"), "/exchange/grants", "ath-button")
    _Lending(plant, park, identity, viewer, request.client.host if request.client else "")


class _Lending:
    def __init__(self, plant: RunningPlant, park: RunningPlant, identity: Identity, viewer: User, address: str) -> None:
        self._plant, self._park, self._identity, self._viewer = plant, park, identity, viewer
        self._address = address
        self._zone = ZoneInfo(plant.model.timezone)
        self._area: Node | None = None
        self._kinds: set[TagKind] = set()
        with region("ath-trends"):
            with region("ath-trends-side is-open", "aside"):
                AreaFinder(plant, self._choose)
            with region("ath-trends-main"):
                self._chosen = region("ath-card", "section", aria_label=_("Chosen area"))
                with region("ath-card", "section"):
                    with region("ath-card-head"):
                        Words(_("To whom and how far"), "h2")
                    with region("ath-card-body"):
                        self._form()
        self._show()

    def _form(self) -> None:
        today = datetime.now(self._zone).date()
        with dialog_form(self._send, _("Lend")):
            with region("ath-fields-row"):
                form_choice(_("Is lent to"), "consumer", self._consumers(), "")
                form_line(_("Data from, empty: all there is"), "since", kind="date")
            Words(_("Kinds of tags; none chosen: all"), "span")
            with region("ath-segments"):
                self._buttons = {
                    kind: button(text, lambda kind=kind: self._toggle(kind))
                    for kind, text in lending_words.kinds().items()
                }
            self._show_kinds()
            with region("ath-fields-row"):
                form_line(_("First day"), "begins", today.isoformat(), kind="date")
                form_line(_("Last day"), "ends", (today + _USUALLY).isoformat(), kind="date")
            form_lines(_("Purpose"), "purpose")

    def _consumers(self) -> dict[str, str]:
        others = [one for one in self._park.model.tenants.values() if one.id != self._viewer.tenant]
        return {"": _("Choose an enterprise"), **{one.id: text_of(one.name) for one in others}}

    def _toggle(self, kind: TagKind) -> None:
        self._kinds ^= {kind}
        self._show_kinds()

    def _show_kinds(self) -> None:
        for kind, element in self._buttons.items():
            element.props["aria-pressed"] = str(kind in self._kinds).lower()
            element.update()

    def _choose(self, node: Node | None) -> None:
        self._area = node
        self._show()

    def _show(self) -> None:
        self._chosen.clear()
        area = self._area
        with self._chosen:
            with region("ath-card-head"):
                Words(_("Chosen area"), "h2")
            with region("ath-card-body"):
                if area is None:
                    Words(_("Find an area by name, or walk down the plant: where you stand is what is lent."), "p")
                    return
                Words(lending_words.area_text(self._plant, area.path), "p")
                lent = [node for node in self._park.model.under(area.path) if node.tenant == area.tenant]
                tags = sum(len(node.tags) for node in lent)
                Words(_("{n} tags on {m} assets").format(n=number(tags), m=number(len(lent))), "p", "ath-summary")
                if not decides(self._viewer, area.tenant):
                    Words(_("Only its owner lends it."), "p")

    async def _send(self, said: Said) -> None:
        if self._area is None:
            raise UnreadableFormError(_("Choose an area first."))
        if not said.get("consumer"):
            raise UnreadableFormError(_("Say to which enterprise."))
        ends_at = day_end(said, "ends", _("Last day"), self._zone)
        if ends_at is None:
            raise UnreadableFormError(_("{field}: give a date.").format(field=_("Last day")))
        today = datetime.combine(datetime.now(self._zone).date(), time(), self._zone)
        wish = lending.Wish(
            consumer=said["consumer"],
            area=self._area.path,
            kinds=frozenset(kind.value for kind in self._kinds),
            data_from=day_start(said, "since", _("Data from"), self._zone),
            begins_at=(day_start(said, "begins", _("First day"), self._zone) or today).astimezone(UTC),
            ends_at=ends_at,
            purpose=said.get("purpose", ""),
        )
        made = await lending.lend(self._identity, self._park, self._viewer, wish, self._address)
        ui.navigate.to(f"/exchange/grants/{made.id}")
