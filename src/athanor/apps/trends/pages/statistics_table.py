"""Below the chart: each tag with its statistics over the range shown."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from athanor.apps.trends.services import Statistics
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import Words, button, region
from athanor.web.formatting import NOTHING, number, percent, value_text
from athanor.web.language import _, text_of

_COLUMNS = ("last", "minimum", "maximum", "mean", "count", "good")


class StatisticsTable:
    """A row for each tag; pressing the cross takes the tag off the chart. `correct` is None for who may not."""

    def __init__(
        self,
        plant: RunningPlant,
        remove: Callable[[Tag], Awaitable[None]],
        correct: Callable[[Tag], Awaitable[None]] | None = None,
    ) -> None:
        self._plant = plant
        self._remove = remove
        self._correct = correct
        self._cells: dict[str, dict[str, Words]] = {}
        with region("ath-card", "section") as card, region("ath-table-scroll"):
            self._table = region(
                "ath-table is-stacked ath-statistics", "table", aria_label=_("Statistics of the range shown")
            )
        self._card = card

    def show(self, tags: Sequence[Tag]) -> None:
        """A row for each of these; their numbers come with `fill`."""
        titles = {
            "last": _("Last"),
            "minimum": _("Minimum"),
            "maximum": _("Maximum"),
            "mean": _("Mean over time"),
            "count": _("Samples"),
            "good": _("Time covered"),
        }
        self._cells.clear()
        self._table.clear()
        self._card.set_visibility(bool(tags))
        with self._table:
            with region(tag="thead"), region(tag="tr"):
                Words(_("Tag"), "th")
                for column in _COLUMNS:
                    Words(titles[column], "th", "is-number")
                Words("", "th")
            with region(tag="tbody"):
                for place, tag in enumerate(tags):
                    self._row(place, tag, titles)

    def fill(self, tag: Tag, statistics: Statistics) -> None:
        """The numbers of one tag."""
        cells = self._cells.get(tag.path)
        if cells is None:
            return
        unit = display_unit(tag.unit)
        for column in ("last", "minimum", "maximum", "mean"):
            value = getattr(statistics, column)
            text = value_text(tag, value)
            if column == "mean":  # states have none: half-way between stopped and running is nothing
                text = NOTHING if tag.kind is TagKind.STATE else number(value, tag.decimals)
            cells[column].text = f"{text} {unit}".strip() if text != NOTHING else NOTHING
        cells["count"].text = number(statistics.count)
        cells["good"].text = percent(statistics.good_share)

    def wait(self) -> None:
        """The numbers shown are those of another range."""
        for cells in self._cells.values():
            for cell in cells.values():
                cell.text = "…"

    def _row(self, place: int, tag: Tag, titles: dict[str, str]) -> None:
        cells: dict[str, Words] = {}
        with region(tag="tr"):
            with region("is-wide", "td"), region("ath-swatched"):
                region("ath-swatch").style(f"background: var(--series-{place % 8 + 1})")
                with region():
                    Words(text_of(tag.name))
                    Words(self._surroundings(tag), "small").describe(tag.path)
            for column in _COLUMNS:
                cells[column] = Words("…", "td", "is-number")
                cells[column].props["data-label"] = titles[column]
            with region("is-number", "td"):
                if self._correct is not None:
                    name = _("Correct {tag}…").format(tag=text_of(tag.name))
                    button(name, partial(self._correct, tag), glyph="edit_note", classes="is-icon is-plain")
                name = _("Take {tag} off the chart").format(tag=text_of(tag.name))
                button(name, lambda: self._remove(tag), glyph="close", classes="is-icon is-plain")
        self._cells[tag.path] = cells

    def _surroundings(self, tag: Tag) -> str:
        parts = tag.node_path.split(".")
        paths = (".".join(parts[: depth + 1]) for depth in range(len(parts)))
        nodes = [self._plant.model.nodes[path] for path in paths if path in self._plant.model.nodes]
        return " › ".join(text_of(node.name) for node in nodes)
