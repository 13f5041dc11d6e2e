"""A table of entries of the trail, the newest first, read a page at a time by the last one's id."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from athanor.apps.security.pages import words
from athanor.apps.security.services import reading
from athanor.apps.security.services.acts import NOTABLE, PATTERN_SEEN, URGENT
from athanor.kernel.database.database import Database
from athanor.kernel.identity.trail import Entry, Wanted
from athanor.kernel.identity.user import User
from athanor.web.components import Cell, Column, TablePage, TableQuery, data_table
from athanor.web.components.data_table import DataTable, Row
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _

_SHOWN_DETAIL = 120  # characters in a row; the entry's own page shows all
_CHANGES = ("-changed", "-renamed", "-moved", "-kept")
_MARKS = {"is-urgent": "!", "is-warn": "▲"}


class EntriesTable:
    """The table; `refresh` shows what `wanted` asks for now."""

    def __init__(
        self,
        database: Database,
        viewer: User,
        zone: ZoneInfo,
        wanted: Callable[[], Wanted],
        *,
        caption: str,
        nothing: str,
    ) -> None:
        self._database, self._viewer, self._zone, self._wanted = database, viewer, zone, wanted
        self._ends: dict[int, int] = {}  # by the offset of a page: the id that it goes on from
        columns = [
            Column("at", _("Time"), is_sortable=False),
            Column("actor", _("Who"), is_sortable=False),
            Column("action", _("What"), is_sortable=False),
            Column("subject", _("To what"), is_sortable=False, is_wide=True),
            Column("address", _("From where"), is_sortable=False),
        ]
        self._table: DataTable = data_table(self._rows, columns, caption=caption, nothing=nothing, is_searchable=False)

    async def refresh(self) -> None:
        """Ask again, for the page that is in view."""
        await self._table.refresh()

    async def _rows(self, query: TableQuery) -> TablePage:
        before = self._ends.get(query.offset) if query.offset else None
        page = await reading.read_page(self._database, self._viewer, self._wanted(), limit=query.limit, before=before)
        if page.entries:
            self._ends[query.offset + query.limit] = page.entries[-1].id
        rows = [self._row(entry, is_new=entry.id in page.new_addresses) for entry in page.entries]
        return TablePage(rows, page.total)

    def _row(self, entry: Entry, *, is_new: bool) -> Row:
        state = state_of(entry, is_new=is_new)
        return {
            "at": date_time(entry.at, self._zone),
            "actor": entry.actor,
            "action": Cell(
                words.action_text(entry.action),
                address=f"/security/audit/{entry.id}",
                note=_("from a new address") if is_new else "",
                state=state,
                mark=_MARKS.get(state, ""),
            ),
            "subject": Cell(words.of_nothing(entry.subject), note=_told(entry)),
            "address": words.of_nothing(entry.address),
        }


def state_of(entry: Entry, *, is_new: bool) -> str:
    """The CSS class of an entry: how far it deserves a look."""
    if entry.action in URGENT:
        return "is-urgent"
    return "is-warn" if entry.action in NOTABLE or is_new else ""


def _told(entry: Entry) -> str:
    """The detail in a line."""
    if entry.action == PATTERN_SEEN:
        return f"{words.pattern(str(entry.detail.get('kind')))} · {entry.detail.get('count')}"
    parts = [
        f"{words.detail_name(name)}: {value_text(entry, value)}"
        for name, value in entry.detail.items()
        if value not in (None, "", [], {})
    ]
    line = " · ".join(parts)
    return line if len(line) <= _SHOWN_DETAIL else line[: _SHOWN_DETAIL - 1] + "…"


def change_of(entry: Entry, value: object) -> tuple[object, object] | None:
    """Old and new value, where an entry tells of a change: then its detail holds both in a list."""
    if entry.action.endswith(_CHANGES) and isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    return None


def value_text(entry: Entry, value: object) -> str:
    """A value of an entry's detail, in a line."""
    change = change_of(entry, value)
    return plain(value) if change is None else f"{plain(change[0])} → {plain(change[1])}"


def plain(value: object) -> str:
    """A value alone."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(one)}" for name, one in value.items()) or NOTHING
    return str(value)
