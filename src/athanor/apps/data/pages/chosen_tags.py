"""The tags that were chosen for an export: listed, taken off, pasted from elsewhere."""

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.data.services.exporting import MOST_TAGS, pasted_tags
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import Words, button, icon, region
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_MOST_SHOWN = 200
_MOST_NAMED = 5  # words that are no tag


class ChosenTags:
    """Keeps the list; whoever wants to know of changes is told."""

    def __init__(self, plant: RunningPlant, tags: Sequence[Tag], changed: Callable[[], None]) -> None:
        self._plant = plant
        self._changed = changed
        self._tags = {tag.path: tag for tag in tags}
        with region("ath-card", "section", aria_label=_("Chosen tags")):
            with region("ath-card-head"):
                Words(_("Chosen tags"), "h2")
                self._count = Words("", "span", "ath-summary")
                region("ath-space")
                self._clear = button(_("Remove all"), self._remove_all, classes="is-plain")
                self._paste_menu()
            self._list = region("ath-chosen")
        self._show()

    @property
    def tags(self) -> list[Tag]:
        """What is chosen, in the order of choosing."""
        return list(self._tags.values())

    @property
    def paths(self) -> list[str]:
        """The same by path."""
        return list(self._tags)

    def toggle(self, tag: Tag) -> None:
        """Choose a tag, or let it go."""
        if tag.path in self._tags:
            del self._tags[tag.path]
        else:
            self._tags[tag.path] = tag
        self._show()
        self._changed()

    def add(self, tags: Sequence[Tag]) -> None:
        """Choose all of these."""
        self._tags |= {tag.path: tag for tag in tags}
        if len(self._tags) > MOST_TAGS:
            self._tags = dict(list(self._tags.items())[:MOST_TAGS])
            ui.notify(_("An export has at most {n} tags; the rest was left out.").format(n=number(MOST_TAGS)))
        self._show()
        self._changed()

    def _remove_all(self) -> None:
        self._tags.clear()
        self._show()
        self._changed()

    def _paste_menu(self) -> None:
        with region("ath-menu is-right", "details") as menu:
            with region("ath-button", "summary"):
                icon("content_paste")
                Words(_("Paste a list"))
            with region("ath-custom"):
                with region(tag="label"):
                    Words(_("Paths of tags, one a line or parted by commas"))
                    field = region("", "textarea", rows="8", spellcheck="false")
                apply = button(_("Choose these"), classes="is-main")
                apply.on(
                    "click",
                    self._pasted,
                    js_handler=(
                        f"() => {{ emit(getHtmlElement({field.id}).value); "
                        f"getHtmlElement({menu.id}).removeAttribute('open'); }}"
                    ),
                )

    def _pasted(self, event: GenericEventArguments) -> None:
        known, unknown = pasted_tags(self._plant, str(event.args or ""))
        self.add(known)
        if unknown:
            named = ", ".join(unknown[:_MOST_NAMED]) + (" …" if len(unknown) > _MOST_NAMED else "")
            ui.notify(_("{n} are no tags: {names}").format(n=number(len(unknown)), names=named), type="warning")

    def _show(self) -> None:
        self._count.text = number(len(self._tags))
        self._clear.set_visibility(bool(self._tags))
        self._list.clear()
        with self._list:
            if not self._tags:
                Words(_("None yet. Find tags, choose all below a place of the plant, or paste a list."), "p")
            for tag in self.tags[:_MOST_SHOWN]:
                self._row(tag)
            if len(self._tags) > _MOST_SHOWN:
                Words(_("and {n} more").format(n=number(len(self._tags) - _MOST_SHOWN)), "p")

    def _row(self, tag: Tag) -> None:
        with region("ath-chosen-row"):
            with region("name", "span") as name:
                Words(text_of(tag.name))
                Words(" › ".join(text_of(node.name) for node in way_to(self._plant, tag.node_path)[-2:]), "small")
            name.props["title"] = tag.path
            Words(display_unit(tag.unit), "span", "unit")
            text = _("Remove {tag}").format(tag=text_of(tag.name))
            button(text, lambda: self.toggle(tag), glyph="close", classes="is-icon is-plain")
