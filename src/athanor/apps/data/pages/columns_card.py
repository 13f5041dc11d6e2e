"""Which tag each column is, or each name of a long table, and in which unit."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from athanor.apps.data.pages.file_card import Decide
from athanor.apps.data.services.deciding import fits, units_for
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.examining import Examined
from athanor.kernel.transfer.qualities import QualityCoding
from athanor.kernel.transfer.series import Shape
from athanor.kernel.units import display_unit
from athanor.web.components import (
    Dialog,
    Status,
    TagFinder,
    Words,
    bare_choice,
    button,
    choice,
    region,
    status,
)
from athanor.web.language import _, text_of

_PAGE = 25
_SAMPLES = 3
_LONGEST = 24
_NONE = "-"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A column of a wide table, or a name within a long one."""

    name: str
    note: str  # some of its cells
    tag: str | None
    unit: str | None  # that it is read in; None for the tag's own
    suggestions: Sequence[str]


class ColumnsCard:
    """The card; `decide` is told what the person changes."""

    def __init__(self, plant: RunningPlant, decide: Decide) -> None:
        self._plant = plant
        self._decide = decide
        self._page = 0
        self._is_open_only = False
        self._picker = Dialog()
        with region("ath-card", "section"):
            with region("ath-card-head"):
                self._title = Words("", "h2")
                region("ath-space")
                self._count = status("")
            self._body = region("ath-card-body ath-fields")

    def show(self, examined: Examined) -> None:
        """What was found, for correction."""
        is_long = examined.guess.shape is Shape.LONG
        self._title.text = _("Names in the file and their tags") if is_long else _("Columns and their tags")
        entries = _names(examined) if is_long else _columns(examined)
        mapped = sum(entry.tag is not None for entry in entries)
        self._count.set(
            _("{n} of {total}").format(n=mapped, total=len(entries)), Status.NORMAL if mapped else Status.WARN
        )
        self._body.clear()
        with self._body:
            if is_long:
                self._roles(examined)
            if entries:
                self._table(examined, entries)
            if is_long:
                Words(
                    _("Names further down are found by tags' paths and names; the trial counts the others."),
                    "p",
                    "ath-summary",
                )

    def _roles(self, examined: Examined) -> None:
        long: Mapping[str, str] = examined.content.get("long", {})
        names = {name: name for name in examined.names}
        titles = {
            "tag": _("Column of the tag"),
            "value": _("Column of the value"),
            "quality": _("Column of the quality"),
            "unit": _("Column of the unit"),
            "text": _("Column of texts"),
        }
        with region("ath-fields-row"):
            for role, title in titles.items():
                is_needed = role in ("tag", "value")
                options = names if is_needed else {_NONE: _("none"), **names}
                choice(title, options, long.get(role, None if is_needed else _NONE), self._role(role), name=role)
            if long.get("quality"):
                codings = {
                    QualityCoding.OPC_UA.value: _("0 good, 1 uncertain, 2 bad"),
                    QualityCoding.OPC_DA.value: _("192 good, 64 uncertain, 0 bad"),
                }
                chosen = examined.content.get("quality_coding", QualityCoding.OPC_UA.value)
                choice(_("Numbers of the quality"), codings, chosen, self._coding, name="quality_coding")

    def _role(self, role: str) -> Callable[[str], Awaitable[None]]:
        return lambda text: self._decide(("long", role), None if text == _NONE else text)

    async def _coding(self, text: str) -> None:
        await self._decide(("quality_coding",), text)

    def _table(self, examined: Examined, entries: Sequence[_Entry]) -> None:
        shown = [entry for entry in entries if entry.tag is None] if self._is_open_only else entries
        last = max(0, (len(shown) - 1) // _PAGE)
        self._page = min(self._page, last)
        place = ("long", "names") if examined.guess.shape is Shape.LONG else ("columns",)
        with region("ath-table-scroll"), region("ath-table is-stacked ath-mapping", "table"):
            with region(tag="thead"), region(tag="tr"):
                for title in (_("In the file"), _("Tag"), _("Unit in the file"), ""):
                    Words(title, "th")
            with region(tag="tbody"):
                for entry in shown[self._page * _PAGE : (self._page + 1) * _PAGE]:
                    self._row(entry, (*place, entry.name))
        if len(entries) > _PAGE:
            self._foot(examined, len(shown), last)

    def _foot(self, examined: Examined, total: int, last: int) -> None:
        def go(pages: int) -> None:
            self._page = min(max(self._page + pages, 0), last)
            self.show(examined)

        def toggle() -> None:
            self._is_open_only, self._page = not self._is_open_only, 0
            self.show(examined)

        with region("ath-table-foot"):
            only = button(_("Only without a tag"), toggle, classes="is-plain")
            only.props["aria-pressed"] = str(self._is_open_only).lower()
            first = self._page * _PAGE + 1
            text = _("{first}–{last} of {total}")
            Words(text.format(first=first, last=min(first + _PAGE - 1, total), total=total))
            button(_("Previous page"), lambda: go(-1), glyph="chevron_left", classes="is-icon")
            button(_("Next page"), lambda: go(1), glyph="chevron_right", classes="is-icon")

    def _row(self, entry: _Entry, place: tuple[str, ...]) -> None:
        tag = self._plant.model.tags.get(entry.tag or "")
        with region("" if tag else "is-left-out", "tr"):
            with region("", "td"):
                Words(entry.name, "strong")
                Words(entry.note, "small")
            with region("", "td", data_label=_("Tag")), region():
                self._tag_cell(entry, tag, place)
            measured = None if tag is None or tag.kind in (TagKind.TEXT, TagKind.STATE) else tag
            with region("is-nothing" if measured is None else "", "td", data_label=_("Unit in the file")), region():
                if measured is not None:
                    self._unit_cell(entry, measured, place)
            with region("is-number", "td"):
                button(
                    _("Choose the tag"), lambda: self._pick(entry, place), glyph="search", classes="is-icon is-plain"
                )
                if tag is not None:
                    button(
                        _("Do not import"), lambda: self._decide(place, None), glyph="close", classes="is-icon is-plain"
                    )

    def _tag_cell(self, entry: _Entry, tag: Tag | None, place: tuple[str, ...]) -> None:
        if tag is not None:
            Words(self._named(tag))
            Words(tag.path, "small")
            return
        Words(_("not imported"), "span", "ath-summary")
        with region("ath-suggestions"):
            for path in entry.suggestions[:_SAMPLES]:
                like = self._plant.model.tags.get(path)
                if like is not None:
                    one = button(self._named(like), self._take(entry, place, path), glyph="add", classes="is-plain")
                    one.props["title"] = path

    def _unit_cell(self, entry: _Entry, tag: Tag, place: tuple[str, ...]) -> None:
        units = {unit: display_unit(unit) or _("none (1)") for unit in units_for(tag.unit)}
        chosen = entry.unit or tag.unit
        units.setdefault(chosen, display_unit(chosen))
        bare_choice(
            _("Unit in the file"),
            units,
            chosen,
            lambda text: self._decide(place, {"tag": tag.path, "unit": text}),
            name=f"unit-{entry.name}",
        )
        if not fits(chosen, tag.unit):
            status(_("does not become {unit}").format(unit=display_unit(tag.unit) or "1"), Status.URGENT)
        elif chosen != tag.unit:
            Words(_("→ {unit}").format(unit=display_unit(tag.unit) or "1"), "small")

    def _take(self, entry: _Entry, place: tuple[str, ...], path: str) -> Callable[[], Awaitable[None]]:
        """A suggestion taken; what the file says of the unit goes with it where it fits."""
        tag = self._plant.model.tag(path)
        unit = entry.unit if entry.unit and fits(entry.unit, tag.unit) else None
        return lambda: self._decide(place, {"tag": path, "unit": unit})

    def _pick(self, entry: _Entry, place: tuple[str, ...]) -> None:
        async def chosen(tag: Tag) -> None:
            self._picker.close()
            await self._take(entry, place, tag.path)()

        with self._picker.filling(_("Tag for {name}").format(name=entry.name)):
            TagFinder(self._plant, chosen).mark([] if entry.tag is None else [entry.tag])

    def _named(self, tag: Tag) -> str:
        asset = self._plant.model.nodes[tag.node_path]
        return f"{text_of(tag.name)} · {text_of(asset.name)}"


def _columns(examined: Examined) -> list[_Entry]:
    """The columns of a wide table, less those of the time."""
    time = examined.content["time"].get("columns") or []
    chosen = examined.content.get("columns", {})
    entries = []
    for column in examined.columns:
        if column.name in time:
            continue
        choice_ = chosen.get(column.name, {})
        match = examined.matches.get(column.name)
        note = " · ".join(cell[:_LONGEST] for cell in column.samples[:_SAMPLES] if cell.strip())
        unit = choice_.get("unit") if choice_ else column.unit
        entries.append(_Entry(column.name, note, choice_.get("tag"), unit, _alike(match)))
    return entries


def _names(examined: Examined) -> list[_Entry]:
    """The names within a long table, as far as its first rows have them."""
    chosen = examined.content.get("long", {}).get("names", {})
    entries = []
    for name, match in examined.matches.items():
        choice_ = chosen.get(name, {})
        entries.append(_Entry(name, "", choice_.get("tag", match.path), choice_.get("unit"), _alike(match)))
    return entries


def _alike(match: object) -> Sequence[str]:
    """Tags that a name may mean: also the one that it surely means, once a person has left it out."""
    path, suggestions = getattr(match, "path", None), getattr(match, "suggestions", ())
    return suggestions if path is None else (path, *suggestions)
