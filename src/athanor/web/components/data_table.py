"""A table that asks the server for one page of rows at a time: sorted, searched and counted there, never "all"."""

import csv
import inspect
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.transfer.plain_cells import plain_cell
from athanor.web.language import _

PAGE_SIZES = (25, 50, 100)
_EXPORT_STEP = 1000  # rows fetched at a time
_EXPORT_MOST = 200_000  # rows; a longer list belongs into a report


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `id` is the key of its cells in each row."""

    id: str
    title: str
    is_number: bool = False
    is_sortable: bool = True
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """More than a text: what it sorts by, a second line, where it leads, how bad it is (`is-warn` …), a mark."""

    text: str
    sort: float | str | None = None
    note: str = ""
    address: str = ""
    state: str = ""
    mark: str = ""


Row = Mapping[str, Cell | str]


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Which rows a person wants to see."""

    text: str = ""
    sort: str | None = None
    is_descending: bool = False
    offset: int = 0
    limit: int = PAGE_SIZES[0]


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of one page, and how many there are in all; `is_more`: more than that, and nobody has counted them."""

    rows: Sequence[Row]
    total: int
    is_more: bool = False


Source = Callable[[TableQuery], TablePage | Awaitable[TablePage]]
Exported = Callable[[int], Awaitable[None]]


class DataTable(ui.element, component="data_table.js"):
    """The table. `refresh` asks its source again and sends the rows that changed."""

    def __init__(
        self,
        source: Source,
        columns: Sequence[Column],
        *,
        caption: str,
        nothing: str,
        export_name: str,
        page_size: int,
        is_searchable: bool,
        on_export: Exported | None,
    ) -> None:
        super().__init__()
        self._on_export = on_export
        self._source = source
        self._columns = columns
        self._export_name = export_name
        self._query = TableQuery(limit=page_size)
        self._shown: list[dict[str, Any]] = []
        self._total, self._is_more = -1, False
        self.props["columns"] = [asdict(column) for column in columns]
        self.props["caption"] = caption
        self.props["page-size"] = page_size
        self.props["texts"] = {
            "search": _("Search"),
            "export": _("Export as CSV"),
            "nothing": nothing,
            "of": _("{first}–{last} of {total}"),
            "ofMore": _("{first}–{last} of more"),
            "previous": _("Previous page"),
            "next": _("Next page"),
        }
        self.props["searchable"] = is_searchable
        self.props["exportable"] = bool(export_name)
        self.on("query", self._asked)
        self.on("export", self._export, args=[])

    async def refresh(self) -> None:
        """Ask the source for the rows in view; send those that differ from what is shown."""
        page = await self._page(self._query)
        rows = [_sent(row, self._columns) for row in page.rows]
        if (page.total, page.is_more) == (self._total, self._is_more) and len(rows) == len(self._shown):
            changed = [[index, row] for index, row in enumerate(rows) if row != self._shown[index]]
            if changed:
                self.run_method("change", changed)
        else:
            self.run_method("show", rows, page.total + page.is_more, self._query.offset, page.is_more)
        self._shown, self._total, self._is_more = rows, page.total, page.is_more

    def look_again(self) -> None:
        """Begin at the first row: the source now gives others."""
        self.run_method("askFrom", 0)

    async def _asked(self, event: GenericEventArguments) -> None:
        wish = event.args
        sortable = {column.id for column in self._columns if column.is_sortable}
        self._query = TableQuery(
            text=str(wish.get("text", ""))[:200],
            sort=wish.get("sort") if wish.get("sort") in sortable else None,
            is_descending=bool(wish.get("isDescending")),
            offset=max(0, int(wish.get("offset", 0))),
            limit=self._query.limit,
        )
        self._total = -1
        await self.refresh()

    async def _page(self, query: TableQuery) -> TablePage:
        answer = self._source(query)
        return await answer if inspect.isawaitable(answer) else answer

    async def _export(self) -> None:
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow([plain_cell(column.title) for column in self._columns])
        query = TableQuery(self._query.text, self._query.sort, self._query.is_descending, 0, _EXPORT_STEP)
        rows = 0
        while query.offset < _EXPORT_MOST:
            page = await self._page(query)
            rows += len(page.rows)
            writer.writerows([plain_cell(cell) for cell in _plain(row, self._columns)] for row in page.rows)
            query = TableQuery(query.text, query.sort, query.is_descending, query.offset + query.limit, query.limit)
            if query.offset >= page.total and not page.is_more:
                break
        if self._on_export is not None:
            await self._on_export(rows)
        ui.download.content("\ufeff" + file.getvalue(), f"{self._export_name}.csv", "text/csv; charset=utf-8")


def data_table(
    rows: Sequence[Row] | Source,
    columns: Sequence[Column],
    *,
    caption: str,
    nothing: str = "",
    export_name: str = "",
    page_size: int = PAGE_SIZES[0],
    is_searchable: bool = True,
    on_export: Exported | None = None,
) -> DataTable:
    """A table of rows that are at hand, or of a source that is asked for each page.

    `export_name` is the file name of its CSV export, empty for none; `nothing` is said when there are no rows;
    `on_export` is told how many rows are about to leave.
    """
    source: Source = rows if callable(rows) else (lambda query: page_of(rows, query))
    return DataTable(
        source,
        columns,
        caption=caption,
        nothing=nothing or _("Nothing to show"),
        export_name=export_name,
        page_size=page_size,
        is_searchable=is_searchable,
        on_export=on_export,
    )


def page_of(rows: Sequence[Row], query: TableQuery) -> TablePage:
    """The page of these rows that the query asks for: those whose texts contain it, sorted."""
    wanted = query.text.strip().casefold()
    found = [row for row in rows if not wanted or any(wanted in _searched(cell) for cell in row.values())]
    if query.sort is not None:
        found.sort(key=lambda row: _sort_key(row.get(query.sort or "", "")), reverse=query.is_descending)
    return TablePage(found[query.offset : query.offset + query.limit], len(found))


def _searched(cell: Cell | str) -> str:
    return cell.casefold() if isinstance(cell, str) else f"{cell.text}\n{cell.note}\n{cell.mark}".casefold()


def _sort_key(cell: Cell | str) -> tuple[int, float, str]:
    value = cell if isinstance(cell, str) else (cell.text if cell.sort is None else cell.sort)
    return (1, 0.0, value.casefold()) if isinstance(value, str) else (0, value, "")


def _sent(row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    """What of a row travels to the browser: short keys, nothing that is empty."""
    sent: dict[str, Any] = {}
    for column in columns:
        cell = row.get(column.id, "")
        if isinstance(cell, str):
            sent[column.id] = {"t": cell}
            continue
        parts = {"t": cell.text, "n": cell.note, "a": cell.address, "s": cell.state, "m": cell.mark}
        sent[column.id] = {key: part for key, part in parts.items() if part or key == "t"}
    return sent


def _plain(row: Row, columns: Sequence[Column]) -> list[str]:
    cells = (row.get(column.id, "") for column in columns)
    return [
        cell if isinstance(cell, str) else " ".join(filter(None, (cell.mark, cell.text, cell.note))) for cell in cells
    ]
