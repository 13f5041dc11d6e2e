"""Finding tags: by typing words, or by walking down the plant."""

from collections.abc import Awaitable, Callable, Collection

from nicegui.events import GenericEventArguments

from athanor.apps.trends import services
from athanor.kernel.plant.model import Node, Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import Words, button, icon, region
from athanor.web.language import _, text_of


class Finder:
    """The panel; pressing a tag adds it to the chart, or takes it off."""

    def __init__(self, plant: RunningPlant, toggle: Callable[[Tag], Awaitable[None]]) -> None:
        self._plant = plant
        self._toggle = toggle
        self._chosen: Collection[str] = ()
        self._wish = ""
        self._place: str | None = None  # the node whose children are listed
        with region("ath-card ath-finder", "section", aria_label=_("Find tags")):
            field = region("", "input", type="search", placeholder=_("Find tags by name or path"))
            field.props["aria-label"] = _("Find tags by name or path")
            field.props["autocomplete"] = "off"
            field.on(
                "input",
                self._typed,
                js_handler="(event) => emit(event.target.value)",
                throttle=0.2,
                leading_events=False,
            )
            self._list = region("ath-finder-list")
        self._show()

    def mark(self, chosen: Collection[str]) -> None:
        """Which tags are on the chart, by path."""
        if list(chosen) != list(self._chosen):
            self._chosen = list(chosen)
            self._show()

    def _typed(self, event: GenericEventArguments) -> None:
        self._wish = str(event.args or "")[:200]
        self._show()

    def _go(self, path: str | None) -> None:
        self._place = path
        self._show()

    def _show(self) -> None:
        self._list.clear()
        with self._list:
            if self._wish.strip():
                self._show_found()
            else:
                self._show_place()

    def _show_found(self) -> None:
        found = services.find_tags(self._plant, self._wish)
        if not found.tags:
            Words(_("No tag has all these words. Try fewer, or part of a path."), "p", "ath-finder-note")
        for tag in found.tags:
            self._tag(tag, self._surroundings(tag))
        if found.total > len(found.tags):
            note = _("{n} of {total} found. Type more words to narrow it down.")
            Words(note.format(n=len(found.tags), total=found.total), "p", "ath-finder-note")

    def _show_place(self) -> None:
        way = services.way_to(self._plant, self._place)
        with region("ath-finder-way"):
            button(_("All"), lambda: self._go(None), classes="is-plain")
            for node in way:
                icon("chevron_right")
                button(text_of(node.name), lambda path=node.path: self._go(path), classes="is-plain")
        children, tags = services.below(self._plant, self._place)
        for node in children:
            self._node(node)
        for tag in tags:
            self._tag(tag, "")
        if not children and not tags:
            Words(_("There are no tags here."), "p", "ath-finder-note")

    def _node(self, node: Node) -> None:
        with region("ath-finder-row", "button", type="button") as row:
            Words(text_of(node.name), "span", "name")
            icon("chevron_right")
        row.on("click", lambda _event: self._go(node.path), args=[])

    def _tag(self, tag: Tag, note: str) -> None:
        is_chosen = tag.path in self._chosen
        with region("ath-finder-row is-tag", "button", type="button") as row:
            icon("check_box" if is_chosen else "add")
            with region("name", "span"):
                Words(text_of(tag.name))
                if note:
                    Words(note, "small")
            Words(display_unit(tag.unit), "span", "unit")
        row.props["title"] = tag.path
        row.props["aria-pressed"] = str(is_chosen).lower()
        row.on("click", lambda _event: self._toggle(tag), args=[])

    def _surroundings(self, tag: Tag) -> str:
        return " › ".join(text_of(node.name) for node in services.way_to(self._plant, tag.node_path)[-2:])
