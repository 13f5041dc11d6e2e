"""Rows of the past, as a table shows them and as a file has them, in the reader's language.

The words are looked up when the page is made: the job that writes a file speaks no language.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.services.desk_places import Place, Places
from athanor.apps.alarms.services.history_export import Cells
from athanor.kernel.alarms.history import Happened, Occurred
from athanor.kernel.plant.model import Text
from athanor.kernel.units import display_unit
from athanor.web import severity
from athanor.web.components import Cell, Column
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration
from athanor.web.language import DEFAULT, _, current_language

_STATE_CLASSES = {1: "is-urgent", 2: "is-warn"}


class _Texts:
    """What both kinds of rows need."""

    def __init__(self, places: Places, zone: ZoneInfo, *, shows_tenants: bool) -> None:
        self._places, self._zone, self._shows_tenants = places, zone, shows_tenants
        self._language = current_language()
        self._priorities = severity.priorities()
        self._states, self._events = wording.states(), wording.events()

    def _said(self, name: Text) -> str:
        return name.get(self._language) or name.get(DEFAULT) or next(iter(name.values()), "")

    def _named(self, place: Place, name: Text) -> str:
        if place.tag is not None:
            return f"{self._said(place.tag.name)}: {self._said(name)}"
        return f"{self._said(place.way[-1].name)}: {self._said(name)}" if place.way else self._said(name)

    def _where(self, place: Place, tenant: str | None) -> str:
        way = " › ".join(self._said(node.name) for node in place.way[-3:]) or place.path
        owner = self._places.plant.model.tenants.get(tenant or "")
        return f"{self._said(owner.name)} · {way}" if self._shows_tenants and owner else way

    def _time(self, at: datetime | None) -> str:
        return "" if at is None else date_time(at, self._zone)

    def _mark(self, priority: int) -> tuple[str, str]:
        return str(priority), _STATE_CLASSES.get(priority, "")


class OccurrenceTexts(_Texts):
    """Of occurrences."""

    def columns(self) -> Sequence[Column]:
        """Of the table."""
        return [
            Column("name", _("Alarm"), is_sortable=False, is_wide=True),
            Column("raised", _("Raised"), is_sortable=False),
            Column("value", _("Value"), is_number=True, is_sortable=False),
            Column("acknowledged", _("Acknowledged"), is_sortable=False),
            Column("cleared", _("Back to normal"), is_sortable=False),
            Column("lasted", _("Lasted"), is_number=True, is_sortable=False),
        ]

    def row(self, one: object, now: datetime) -> Row:
        """Of the table."""
        if not isinstance(one, Occurred):
            raise TypeError(f"An occurrence is wanted, not {one!r}.")
        row, place = one, self._places.of(one.path)
        mark, state = self._mark(row.priority)
        until = row.cleared_at or row.ended_at
        limit = "" if row.limit is None else _("limit {value}").format(value=wording.value(place, row.limit))
        return {
            "name": Cell(
                self._named(place, one.name),
                note=self._where(place, row.tenant),
                address=f"/alarms/occurrences/{row.id}",
                mark=mark,
                state=state,
            ),
            "raised": wording.moment(row.raised_at, self._zone, now),
            "value": Cell(wording.value(place, row.value), note=limit),
            "acknowledged": Cell(
                NOTHING if row.acknowledged_at is None else wording.moment(row.acknowledged_at, self._zone, now),
                note=row.acknowledged_by or "",
            ),
            "cleared": NOTHING if until is None else wording.moment(until, self._zone, now),
            "lasted": _("still") if until is None else duration((until - row.raised_at).total_seconds()),
        }

    def headings(self) -> Sequence[str]:
        """Of the file."""
        return [
            _("Alarm"), _("Where"), _("Path"), _("Priority"), _("Category"), _("Raised"), _("Value"), _("Limit"),
            _("Unit"), _("Acknowledged"), _("Acknowledged by"), _("Back to normal"), _("Over"), _("Announced"),
        ]  # fmt: skip

    def cells(self, one: object) -> Cells:
        """Of the file."""
        if not isinstance(one, Occurred):
            raise TypeError(f"An occurrence is wanted, not {one!r}.")
        row, place = one, self._places.of(one.path)
        return [
            self._named(place, one.name), self._where(place, row.tenant), row.path, self._priorities[row.priority],
            row.category, self._time(row.raised_at), row.value, row.limit, _unit(place),
            self._time(row.acknowledged_at), row.acknowledged_by, self._time(row.cleared_at),
            self._time(row.ended_at), float(row.is_announced),
        ]  # fmt: skip


class EventTexts(_Texts):
    """Of the journal."""

    def columns(self) -> Sequence[Column]:
        """Of the table."""
        return [
            Column("at", _("Time"), is_sortable=False),
            Column("name", _("Alarm"), is_sortable=False, is_wide=True),
            Column("what", _("Event"), is_sortable=False),
            Column("by", _("Who"), is_sortable=False),
            Column("value", _("Value"), is_number=True, is_sortable=False),
            Column("reason", _("Reason"), is_sortable=False),
        ]

    def row(self, one: object, now: datetime) -> Row:
        """Of the table."""
        if not isinstance(one, Happened):
            raise TypeError(f"An event is wanted, not {one!r}.")
        row, place = one, self._places.of(one.path)
        mark, state = self._mark(one.priority)
        address = f"/alarms/occurrences/{row.occurrence}" if row.occurrence else f"/alarms/alarm/{row.alarm}"
        return {
            "at": wording.moment(row.at, self._zone, now),
            "name": Cell(
                self._named(place, one.name),
                note=self._where(place, row.tenant),
                address=address,
                mark=mark,
                state=state,
            ),
            "what": Cell(_worded(self._events, row.what), note=_worded(self._states, row.to_state)),
            "by": row.by or NOTHING,
            "value": wording.value(place, row.value),
            "reason": row.reason,
        }

    def headings(self) -> Sequence[str]:
        """Of the file."""
        return [
            _("Time"), _("Alarm"), _("Where"), _("Path"), _("Priority"), _("Event"), _("State before"),
            _("State after"), _("Who"), _("Reason"), _("Value"), _("Limit"), _("Unit"),
        ]  # fmt: skip

    def cells(self, one: object) -> Cells:
        """Of the file."""
        if not isinstance(one, Happened):
            raise TypeError(f"An event is wanted, not {one!r}.")
        row, place = one, self._places.of(one.path)
        return [
            self._time(row.at), self._named(place, one.name), self._where(place, row.tenant), one.path,
            self._priorities[one.priority], _worded(self._events, row.what), _worded(self._states, row.from_state),
            _worded(self._states, row.to_state), row.by, row.reason, row.value, row.limit, _unit(place),
        ]  # fmt: skip


def _worded(words: Mapping[str, str], word: str) -> str:
    return words.get(word, word)


def _unit(place: Place) -> str:
    return "" if place.tag is None else display_unit(place.tag.unit)
