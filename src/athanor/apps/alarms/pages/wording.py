"""What alarms' states and events are called, and how values, limits and places read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from athanor.apps.alarms.services.desk_places import Place
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.plant.model import TagKind
from athanor.kernel.units import display_unit
from athanor.web import severity
from athanor.web.formatting import NOTHING, clock_time, date_time, number, value_text
from athanor.web.language import _, text_of


def priorities() -> Mapping[int, str]:
    """By number, the most urgent first."""
    return severity.priorities()


def states() -> dict[str, str]:
    """As the list shows them."""
    return {
        State.NORM: _("Normal"),
        State.UNACK: _("Unacknowledged"),
        State.ACKED: _("Acknowledged"),
        State.RTNUN: _("Returned, unacknowledged"),
        State.LTUNK: _("Latched, unacknowledged"),
        State.LTACK: _("Latched, acknowledged"),
        State.SHLVD: _("Shelved"),
        State.DSUPR: _("Suppressed by design"),
        State.OOSRV: _("Out of service"),
    }


def events() -> dict[str, str]:
    """What happened to an alarm."""
    return {
        Trigger.RAISED: _("Raised"),
        Trigger.CLEARED: _("Back to normal"),
        Trigger.ACKNOWLEDGED: _("Acknowledged"),
        Trigger.RESET: _("Reset"),
        Trigger.REPEATED: _("Announced again"),
        Trigger.SHELVED: _("Shelved"),
        Trigger.UNSHELVED: _("Taken off the shelf"),
        Trigger.SUPPRESSED: _("Suppressed by design"),
        Trigger.RESUMED: _("No longer suppressed"),
        Trigger.REMOVED: _("Taken out of service"),
        Trigger.RETURNED: _("Returned to service"),
        Trigger.RETIRED: _("Its rule or its place is gone"),
    }


def value(place: Place, measured: float | None) -> str:
    """A value or limit with its unit; a dash for none."""
    if measured is None:
        return NOTHING
    if place.tag is None:
        return number(measured, 0 if float(measured).is_integer() else 2)
    unit = "" if place.tag.kind is TagKind.STATE else display_unit(place.tag.unit)
    return f"{value_text(place.tag, measured)} {unit}".strip()


def what(place: Place) -> str:
    """The tag's or node's own name."""
    if place.tag is not None:
        return text_of(place.tag.name)
    return text_of(place.way[-1].name) if place.way and place.way[-1].path == place.path else place.path


def where(place: Place) -> str:
    """The way to it, from the area down, in words; the path of what is in the plant no more."""
    return " › ".join(text_of(node.name) for node in place.way[-3:]) or place.path


def moment(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """Time of day; with the date where it was not today."""
    if at is None:
        return NOTHING
    is_today = at.astimezone(zone).date() == now.astimezone(zone).date()
    return clock_time(at, zone) if is_today else date_time(at, zone)


def span(length: timedelta) -> str:
    """How long, as on the chips for shelving: `30 min`, `8 h`."""
    minutes = int(length.total_seconds() // 60)
    if minutes >= 60 and minutes % 60 == 0:
        return _("{n} h").format(n=minutes // 60)
    return _("{n} min").format(n=minutes)
