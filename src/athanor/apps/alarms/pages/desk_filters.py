"""What narrows the list: priorities with their counts, views, and the fields beside the search."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.services.desk_list import Board, Group, View, Wish
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Level
from athanor.kernel.plant.running import RunningPlant
from athanor.web import severity
from athanor.web.components import Words, button, region
from athanor.web.components.fields import bare_choice
from athanor.web.formatting import number
from athanor.web.language import _, text_of

Narrow = Callable[[Mapping[str, Any]], Awaitable[None]]
_MOST_AREAS = 400
_STATES = (State.UNACK, State.ACKED, State.RTNUN, State.LTUNK, State.LTACK)


class Filters:
    """The strip above the list. `narrow` is called with what of the wish changes."""

    def __init__(self, plant: RunningPlant, wish: Wish, narrow: Narrow, *, shows_tenants: bool) -> None:
        self._plant, self._wish, self._narrow, self._shows_tenants = plant, wish, narrow, shows_tenants
        self._chips: dict[int, tuple[ui.element, Words, Words]] = {}
        self._tabs: dict[View, tuple[ui.element, Words]] = {}
        with region("ath-desk-top"):
            self._priorities()
            region("ath-space")
            self._views()
        with region("ath-desk-filters", "search"):
            self._fields()

    def show(self, board: Board, wish: Wish) -> None:
        """Counts as they are now, and what is chosen."""
        self._wish = wish
        for priority, (chip, waiting, total) in self._chips.items():
            waiting.text = number(board.tally.unacknowledged[priority])
            total.text = f"/ {number(board.tally.total[priority])}"
            _press(chip, is_pressed=priority in wish.priorities)
            chip.classes(**_either("is-calling", is_on=board.tally.unacknowledged[priority] > 0))
        for view, (tab, count) in self._tabs.items():
            count.text = number(board.sizes[view])
            _press(tab, is_pressed=view is wish.view)
        self._clear.set_visibility(wish.is_narrow)

    def _priorities(self) -> None:
        with region("ath-desk-priorities", "div", role="group", aria_label=_("Unacknowledged, and all that stand")):
            for priority, name in severity.priorities().items():
                chip = region("ath-desk-priority", "button", type="button")
                chip.props["title"] = _("{name}: unacknowledged / standing. Press to see these only.").format(name=name)
                with chip:
                    Words(str(priority), "span", f"ath-prio is-p{priority}")
                    Words(name, "span", "name")
                    waiting, total = Words("", "b"), Words("", "small")
                chip.on("click", lambda _event, one=priority: self._toggle(one), args=[])
                self._chips[priority] = (chip, waiting, total)

    async def _toggle(self, priority: int) -> None:
        await self._narrow({"priorities": self._wish.priorities ^ {priority}})

    def _views(self) -> None:
        names = {
            View.STANDING: _("Standing"),
            View.SHELVED: _("Shelved"),
            View.SUPPRESSED: _("Suppressed by design"),
            View.OUT_OF_SERVICE: _("Out of service"),
        }
        with region("ath-desk-views", "div", role="group", aria_label=_("Lists")):
            for view, name in names.items():
                tab = region("", "button", type="button")
                with tab:
                    Words(name)
                    count = Words("", "small")
                tab.on("click", lambda _event, one=view: self._narrow({"view": one, "state": ""}), args=[])
                self._tabs[view] = (tab, count)

    def _fields(self) -> None:
        self._search = region("", "input", type="search", placeholder=_("Search alarms"), value=self._wish.text)
        self._search.props["aria-label"], self._search.props["autocomplete"] = _("Search alarms"), "off"
        self._search.props["defaultValue"] = self._search.props.pop("value")
        self._search.on("input", self._typed, js_handler="(event) => emit(event.target.value)", throttle=0.1)
        button(
            _("Filter"),
            glyph="filter_alt",
            classes="ath-desk-more",
            js_handler="(event) => event.currentTarget.parentElement.classList.toggle('is-open')",
        )
        every = {"": _("All categories"), **severity.categories()}
        self._choice(_("Category"), every, self._wish.category, "category")
        states = wording.states()
        self._choice(
            _("State"), {"": _("All states")} | {one: states[one] for one in _STATES}, self._wish.state, "state"
        )
        self._choice(_("Area"), {"": _("All areas")} | self._areas(), self._wish.area, "area")
        if self._shows_tenants:
            tenants = {one.id: text_of(one.name) for one in self._plant.model.tenants.values()}
            self._choice(_("Enterprise"), {"": _("All enterprises")} | tenants, self._wish.tenant, "tenant")
        groups = {
            Group.NONE: _("Not grouped"),
            Group.AREA: _("Grouped by area"),
            Group.ASSET: _("Grouped by asset"),
            Group.RULE: _("Grouped by rule"),
        }
        self._choice(_("Groups"), {str(one): text for one, text in groups.items()}, self._wish.group, "group")
        self._clear = button(_("Show all"), self._show_all, glyph="filter_alt_off", classes="is-plain")

    def _choice(self, label: str, options: Mapping[str, str], chosen: str, part: str) -> None:
        async def changed(value: str) -> None:
            await self._narrow({part: Group(value) if part == "group" else value})

        bare_choice(label, {str(value): text for value, text in options.items()}, str(chosen), changed, name=part)

    def _areas(self) -> dict[str, str]:
        """Sites, areas and units, each with the way to it."""
        nodes = [one for one in self._plant.model.nodes.values() if one.level is not Level.ASSET][:_MOST_AREAS]
        return {node.path: " › ".join(text_of(one.name) for one in way_to(self._plant, node.path)) for node in nodes}

    async def _typed(self, event: GenericEventArguments) -> None:
        await self._narrow({"text": str(event.args or "")[:200]})

    def _show_all(self) -> None:
        ui.navigate.to(Wish(view=self._wish.view, group=self._wish.group).address)


def _press(element: ui.element, *, is_pressed: bool) -> None:
    text = str(is_pressed).lower()
    if element.props.get("aria-pressed") != text:
        element.props["aria-pressed"] = text
        element.update()


def _either(name: str, *, is_on: bool) -> dict[str, str]:
    return {"add" if is_on else "remove": name}
