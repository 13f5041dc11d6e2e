"""Finding tags: by typing words, or by walking down the plant."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from nicegui.events import GenericEventArguments

from athanor.kernel.plant.finding import Offered, all_below, every_tag, find_tags, right_below, way_to
from athanor.kernel.plant.model import Node, Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components.words import Words, button, icon, region
from athanor.web.formatting import number
from athanor.web.language import _, text_of


class TagFinder:
    """The panel; pressing a tag chooses it, or lets it go.

    Parameters
    ----------
    plant
        What the viewer may see.
    toggle
        Called with the tag that was pressed.
    is_offered
        Which tags are for choosing here.
    add_all
        Where given, everything below a place of the plant is chosen at once by it.
    """

    def __init__(
        self,
        plant: RunningPlant,
        toggle: Callable[[Tag], Awaitable[None] | None],
        *,
        is_offered: Offered = every_tag,
        add_all: Callable[[Sequence[Tag]], None] | None = None,
    ) -> None:
        self._plant = plant
        self._toggle = toggle
        self._is_offered = is_offered
        self._add_all = add_all
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
        """Which tags are chosen, by path."""
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
        found = find_tags(self._plant, self._wish, self._is_offered)
        if not found.tags:
            Words(_("No tag has all these words. Try fewer, or part of a path."), "p", "ath-finder-note")
        for tag in found.tags:
            self._tag(tag, self._surroundings(tag))
        if found.total > len(found.tags):
            note = _("{n} of {total} found. Type more words to narrow it down.")
            Words(note.format(n=len(found.tags), total=found.total), "p", "ath-finder-note")

    def _show_place(self) -> None:
        way = way_to(self._plant, self._place)
        with region("ath-finder-way"):
            button(_("All"), lambda: self._go(None), classes="is-plain")
            for node in way:
                icon("chevron_right")
                button(text_of(node.name), lambda path=node.path: self._go(path), classes="is-plain")
        children, tags = right_below(self._plant, self._place, self._is_offered)
        self._offer_all()
        for node in children:
            self._node(node)
        for tag in tags:
            self._tag(tag, "")
        if not children and not tags:
            Words(_("There are no tags here."), "p", "ath-finder-note")

    def _offer_all(self) -> None:
        tags = [] if self._add_all is None else list(all_below(self._plant, self._place, self._is_offered))
        if tags and self._add_all is not None:
            add_all = self._add_all
            text = _("Choose all {n} tags below").format(n=number(len(tags)))
            button(text, lambda: add_all(tags), glyph="playlist_add", classes="is-plain")

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
        return " › ".join(text_of(node.name) for node in way_to(self._plant, tag.node_path)[-2:])
