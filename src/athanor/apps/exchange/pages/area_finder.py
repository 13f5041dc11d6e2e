"""Finding an area: by typing words, or by walking down the plant. Where one stands is what is chosen."""

from collections.abc import Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Node
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.search import entry, search
from athanor.web.components import Words, button, icon, region
from athanor.web.language import _, text_of

_MOST = 50


class AreaFinder:
    """The panel; `chosen` is called with the node that one walks to, or None at the top.

    Parameters
    ----------
    plant
        What the viewer may choose from.
    """

    def __init__(self, plant: RunningPlant, chosen: Callable[[Node | None], None]) -> None:
        self._plant, self._chosen = plant, chosen
        self._nodes = {path: node for path, node in plant.model.nodes.items() if plant.owns(path)}
        self._wish = ""
        self._place: str | None = None
        with region("ath-card ath-finder", "section", aria_label=_("Find an area")):
            self._field = region("", "input", type="search", placeholder=_("Find an area by name or path"))
            self._field.props["aria-label"] = _("Find an area by name or path")
            self._field.props["autocomplete"] = "off"
            heard = "(event) => emit(event.target.value)"
            self._field.on("input", self._typed, js_handler=heard, throttle=0.2, leading_events=False)
            self._list = region("ath-finder-list")
        self._show()

    def _typed(self, event: GenericEventArguments) -> None:
        self._wish = str(event.args or "")[:200]
        self._show()

    def _go(self, path: str | None) -> None:
        self._place, self._wish = path, ""
        ui.run_javascript(f"getHtmlElement({self._field.id}).value = ''")
        self._show()
        self._chosen(None if path is None else self._nodes[path])

    def _show(self) -> None:
        self._list.clear()
        with self._list:
            nodes = self._found() if self._wish.strip() else self._below()
            for node in nodes:
                self._row(node)
            if not nodes:
                text = _("No area has all these words.") if self._wish.strip() else _("Nothing lies below this.")
                Words(text, "p", "ath-finder-note")

    def _found(self) -> list[Node]:
        entries = [entry(path, node.name.values(), ()) for path, node in self._nodes.items()]
        return [self._nodes[path] for path in search(entries, self._wish, _MOST)[0]]

    def _below(self) -> list[Node]:
        with region("ath-finder-way"):
            button(_("All"), lambda: self._go(None), classes="is-plain")
            for node in way_to(self._plant, self._place):
                icon("chevron_right")
                if node.path in self._nodes:
                    button(text_of(node.name), lambda path=node.path: self._go(path), classes="is-plain")
        if self._place is not None:
            return [node for node in self._plant.model.children(self._place) if node.path in self._nodes]
        return [node for node in self._nodes.values() if node.parent not in self._nodes]

    def _row(self, node: Node) -> None:
        with region("ath-finder-row", "button", type="button", title=node.path) as row:
            with region("name", "span"):
                Words(text_of(node.name))
                if self._wish.strip():
                    Words(node.path, "small")
            icon("chevron_right")
        row.on("click", lambda _event: self._go(node.path), args=[])
