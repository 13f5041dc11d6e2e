"""Choosing an asset: by words, or by walking down the plant."""

from collections.abc import Awaitable, Callable

from nicegui.events import GenericEventArguments

from athanor.apps.documents.services import find_assets
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Node
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, button, icon, region
from athanor.web.language import _, text_of


class AssetFinder:
    """The panel; pressing `choose` of a row calls with its path."""

    def __init__(self, plant: RunningPlant, chosen: Callable[[str], Awaitable[None]]) -> None:
        self._plant, self._chosen = plant, chosen
        self._place: str | None = None
        field = region("", "input", type="search", placeholder=_("Find assets by name or path"))
        field.props["aria-label"] = _("Find assets by name or path")
        field.props["autocomplete"] = "off"
        field.style("width: 100%; margin-bottom: 8px")
        field.on("input", self._typed, js_handler="(event) => emit(event.target.value)", throttle=0.2)
        self._list = region("ath-finder-list").style("max-height: 50vh")
        self._show("")

    def _typed(self, event: GenericEventArguments) -> None:
        self._show(str(event.args or "")[:200])

    def _go(self, path: str | None) -> None:
        self._place = path
        self._show("")

    def _show(self, wish: str) -> None:
        self._list.clear()
        with self._list:
            if wish.strip():
                found = find_assets(self._plant, wish)
                if not found:
                    Words(_("No asset has all these words."), "p", "ath-finder-note")
                for node in found:
                    self._row(node, has_way=True)
                return
            with region("ath-finder-way"):
                button(_("All"), lambda: self._go(None), classes="is-plain")
                for node in way_to(self._plant, self._place):
                    icon("chevron_right")
                    button(text_of(node.name), lambda path=node.path: self._go(path), classes="is-plain")
            for node in self._below():
                self._row(node, has_way=False)

    def _below(self) -> list[Node]:
        nodes = self._plant.model.nodes
        if self._place is None:
            return [node for node in nodes.values() if node.parent not in nodes]
        return list(self._plant.model.children(self._place))

    def _row(self, node: Node, *, has_way: bool) -> None:
        with region("ath-chosen-row"):
            with region("name", "span", title=node.path):
                Words(text_of(node.name))
                if has_way:
                    Words(" › ".join(text_of(one.name) for one in way_to(self._plant, node.path)[:-1]), "small")
            if not has_way and self._plant.model.children(node.path):
                label = _("What is below {asset}").format(asset=text_of(node.name))
                button(label, lambda: self._go(node.path), glyph="chevron_right", classes="is-icon is-plain")
            button(_("Choose"), lambda: self._chosen(node.path))
