"""A line of the list in the reader's language: what goes to the browser, and no more."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.services.desk_list import Group, Head, Line, View, is_unacknowledged, view_of
from athanor.apps.alarms.services.desk_places import Places
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.records import StandingAlarm
from athanor.web import severity
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_ADDRESS = "/alarms/alarm/{id}"


def address_of(alarm: int) -> str:
    """The page of one alarm."""
    return _ADDRESS.format(id=alarm)


class Rows:
    """Makes lines for one reader.

    Parameters
    ----------
    shows_tenants
        Whether whose an alarm is is said with where it is: for the park's own people.
    """

    def __init__(self, places: Places, zone: ZoneInfo, *, shows_tenants: bool) -> None:
        self._places, self._zone, self._shows_tenants = places, zone, shows_tenants
        self._states, self._priorities = wording.states(), severity.priorities()

    def of(self, line: Line, group: Group, now: datetime) -> dict[str, Any]:
        """A head or an alarm."""
        return self._head(line, group) if isinstance(line, Head) else self._alarm(line, now)

    def _alarm(self, alarm: StandingAlarm, now: datetime) -> dict[str, Any]:
        place = self._places.of(alarm.path)
        at = alarm.raised_at or alarm.since
        limit = "" if alarm.limit is None else _("limit {value}").format(value=wording.value(place, alarm.limit))
        return {
            "id": alarm.id,
            "oc": alarm.occurrence,
            "a": address_of(alarm.id),
            "p": alarm.priority,
            "pn": self._priorities[alarm.priority],
            "n": f"{wording.what(place)}: {text_of(alarm.name)}",
            "w": self._where(alarm),
            "v": wording.value(place, alarm.value),
            "l": limit,
            "s": alarm.state,
            "sn": self._states[alarm.state],
            "d": self._detail(alarm, now),
            "t": wording.moment(at, self._zone, now),
            "m": None if at is None else int(at.timestamp() * 1000),
            "u": is_unacknowledged(alarm),
        }

    def _where(self, alarm: StandingAlarm) -> str:
        where = wording.where(self._places.of(alarm.path))
        tenant = self._places.plant.model.tenants.get(alarm.tenant or "")
        return f"{text_of(tenant.name)} · {where}" if self._shows_tenants and tenant else where

    def _detail(self, alarm: StandingAlarm, now: datetime) -> str:
        """Whether it is for safety; who has seen it; of what is hidden, who did so, until when and why."""
        words = [_("Safety") if alarm.is_safety else ""]
        if view_of(alarm) is not View.STANDING:
            until = alarm.shelved_until if alarm.state is State.SHLVD else None
            words.append(alarm.hidden_by or "")
            words += [_("until {time}").format(time=wording.moment(until, self._zone, now))] if until else []
            words += [alarm.hidden_reason, "" if alarm.is_active else _("normal now")]
        elif alarm.acknowledged_by and not is_unacknowledged(alarm):
            at = wording.moment(alarm.acknowledged_at, self._zone, now)
            words.append(_("{who}, {time}").format(who=alarm.acknowledged_by, time=at))
        return " · ".join(word for word in words if word)

    def _head(self, head: Head, group: Group) -> dict[str, Any]:
        total = sum(head.tally.total.values())
        waiting = sum(head.tally.unacknowledged.values())
        return {
            "g": head.key,
            "n": self._title(head, group),
            "w": _("{n} alarms, {waiting} unacknowledged").format(n=number(total), waiting=number(waiting)),
            "c": [
                [priority, number(count), self._priorities[priority]]
                for priority, count in head.tally.total.items()
                if count
            ],
            "o": head.is_open,
        }

    def _title(self, head: Head, group: Group) -> str:
        if group is Group.RULE:
            return text_of(head.first.name)
        names = [
            text_of(node.name)
            for node in self._places.of(head.first.path).way
            if head.key == node.path or head.key.startswith(f"{node.path}.")
        ]
        return " › ".join(names) or head.key
