"""The first rows as they will be stored: time of the site, values in the tags' own units, and what will be refused."""

from zoneinfo import ZoneInfo

from athanor.apps.data.pages import wording
from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.examining import Examined
from athanor.kernel.transfer.previewing import Preview, PreviewRow, Reading
from athanor.kernel.transfer.series import Shape
from athanor.kernel.units import display_unit
from athanor.web.components import Cell, Column, Words, data_table, icon, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, value_text
from athanor.web.language import _, text_of

_PAGE = 10
_SHOWN_TAGS = 6


class PreviewCard:
    """The card."""

    def __init__(self, plant: RunningPlant) -> None:
        self._zone = ZoneInfo(plant.model.timezone)
        self._card = region("ath-card", "section")
        self._notice = region("ath-card ath-notice is-urgent", role="alert")
        self.hide()

    def hide(self) -> None:
        """Show nothing: something is still open."""
        self._card.set_visibility(False)
        self._notice.set_visibility(False)

    def refuse(self, error: AthanorError) -> None:
        """The plan does not fit; say why."""
        self._card.set_visibility(False)
        self._notice.clear()
        with self._notice:
            icon("error_outline")
            with region():
                Words(str(error), "p")
                Words(error.code, "code")
        self._notice.set_visibility(True)

    def show(self, examined: Examined, preview: Preview) -> None:
        """The first rows by the plan."""
        self._notice.set_visibility(False)
        self._card.clear()
        with self._card:
            if examined.guess.shape is Shape.LONG:
                self._long(preview)
            else:
                self._wide(examined, preview)
        self._card.set_visibility(True)

    def _wide(self, examined: Examined, preview: Preview) -> None:
        names = list(examined.content["columns"])
        paths = [examined.content["columns"][name]["tag"] for name in names]
        tags = {one.tag.path: one.tag for row in preview.rows for one in row.readings}
        columns = [
            *self._first_columns(),
            *(
                Column(path, _title(tags[path]) if path in tags else name, is_number=True, is_sortable=False)
                for name, path in zip(names[:_SHOWN_TAGS], paths, strict=False)
            ),
        ]
        if len(names) > _SHOWN_TAGS:
            columns.append(Column("more", _("and {n} more").format(n=len(names) - _SHOWN_TAGS), is_sortable=False))
        self._table([self._wide_row(row, names, paths) for row in preview.rows], columns)

    def _wide_row(self, row: PreviewRow, names: list[str], paths: list[str]) -> Row:
        cells = self._first_cells(row)
        for one in row.readings:
            cells[one.tag.path] = _reading(one)
        for trouble in row.troubles:
            if trouble.column in names:
                cells[paths[names.index(trouble.column)]] = _refused(trouble.value, trouble.reason)
        return cells

    def _long(self, preview: Preview) -> None:
        columns = [
            *self._first_columns(),
            Column("tag", _("Tag"), is_wide=True, is_sortable=False),
            Column("value", _("Value"), is_number=True, is_sortable=False),
        ]
        self._table([self._long_row(row) for row in preview.rows], columns)

    def _long_row(self, row: PreviewRow) -> Row:
        cells = self._first_cells(row)
        for one in row.readings:
            cells["tag"] = Cell(text_of(one.tag.name), note=one.tag.path)
            cells["value"] = _reading(one)
        for trouble in row.troubles:
            cells["tag"] = trouble.tag or NOTHING
            cells["value"] = _refused(trouble.value, trouble.reason)
        return cells

    def _table(self, rows: list[Row], columns: list[Column]) -> None:
        data_table(
            rows,
            columns,
            caption=_("As it will be stored"),
            nothing=_("The first rows are empty."),
            page_size=_PAGE,
            is_searchable=False,
        )

    def _first_columns(self) -> list[Column]:
        return [
            Column("row", _("Row"), is_number=True, is_sortable=False),
            Column("time", _("Time ({zone})").format(zone=self._zone.key), is_sortable=False),
        ]

    def _first_cells(self, row: PreviewRow) -> dict[str, Cell | str]:
        """Row number and time; in place of a time, why the whole row is refused."""
        whole = next((one for one in row.troubles if row.time is None), None)
        if row.time is not None:
            local = row.time.astimezone(self._zone)
            time: Cell | str = local.strftime("%Y-%m-%d %H:%M:%S") + (f".{local:%f}"[:4] if local.microsecond else "")
        else:
            time = NOTHING if whole is None else _refused(whole.value, whole.reason)
        return {"row": str(row.row), "time": time}


def _title(tag: Tag) -> str:
    unit = display_unit(tag.unit)
    return f"{text_of(tag.name)} [{unit}]" if unit else text_of(tag.name)


def _reading(one: Reading) -> Cell:
    note = _doubt(one)
    unit = display_unit(one.tag.unit)
    text = value_text(one.tag, one.value)
    return Cell(f"{text} {unit}".strip(), note=note, state="is-unsure" if note else "")


def _doubt(one: Reading) -> str:
    """Why a value is not good; empty where it is."""
    if one.quality is Quality.UNCERTAIN and isinstance(one.value, float):
        low, high = (one.tag.low, one.tag.high)
        if (low is not None and one.value < low) or (high is not None and one.value > high):
            return _("Uncertain: outside its range")
    return "" if one.quality is Quality.GOOD else wording.quality(one.quality)


def _refused(value: str, reason: str) -> Cell:
    return Cell(value or NOTHING, note=wording.reasons().get(reason, reason), state="is-warn", mark="!")
