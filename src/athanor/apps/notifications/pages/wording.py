"""What channels, states, days and times are called here."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names

from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.recipients import Lack
from athanor.kernel.notify.tables import State
from athanor.kernel.plant.running import RunningPlant
from athanor.web.language import _, current_language, text_of

_HOUR_MIN, _DAY_MIN = 60, 1440
_WEEK = tuple(range(7))


def kind_name(kind: str) -> str:
    """What a kind of channel is called."""
    return text_of(KINDS[kind].title) if kind in KINDS else kind


def channel_name(kind: str, name: str) -> str:
    """A channel's name; the inbox has one in each language."""
    return kind_name(kind) if kind == INBOX else name


def states() -> dict[str, str]:
    """What became of a message."""
    return {
        State.WAITING: _("Waiting"),
        State.SENDING: _("Being sent"),
        State.SENT: _("Went out"),
        State.FAILED: _("Refused, will be tried again"),
        State.GIVEN_UP: _("Given up"),
        State.WITHHELD: _("Kept for a digest"),
        State.FOLDED: _("In a digest"),
        State.CANCELLED: _("Called back"),
    }


def state_dress(state: State) -> str:
    """How bad that is."""
    return {State.FAILED: "is-warn", State.GIVEN_UP: "is-urgent"}.get(state, "")


def lack(found: Lack, who: str, channel: str) -> str:
    """What is at fault with a policy's step, in a sentence."""
    return {
        Lack.NOBODY: _("Nobody is meant by: {who}."),
        Lack.GONE: _("Not there any more: {who}."),
        Lack.NO_DUTY: _("Nobody is on duty now by: {who}."),
        Lack.NO_ADDRESS: _("{who} has no address for {channel}; the next channel is used."),
        Lack.UNREACHED: _("{who} has no address for any of the channels; only the inbox tells them."),
        Lack.FOREIGN: _("{who} is of another enterprise and is not told."),
    }[found].format(who=who, channel=channel)


def enterprise(plant: RunningPlant, tenant: str | None) -> str:
    """Whose something is."""
    if tenant is None:
        return _("The park")
    known = plant.model.tenants.get(tenant)
    return tenant if known is None else text_of(known.name)


def minute_text(minute: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minute // _HOUR_MIN:02}:{minute % _HOUR_MIN:02}"


def minute_of(text: str, *, is_end: bool = False) -> int | None:
    """The minute of a time as `minute_text` writes it; midnight is the end of a day where it is an end."""
    hours, _colon, minutes = text.strip().partition(":")
    if not (hours.isdigit() and minutes[:2].isdigit()):
        return None
    minute = int(hours) * _HOUR_MIN + int(minutes[:2])
    if is_end and minute == 0:
        return _DAY_MIN
    return minute if minute <= (_DAY_MIN if is_end else _DAY_MIN - 1) else None


def weekdays() -> Mapping[int, str]:
    """Monday first, from 0 on."""
    return dict(sorted(get_day_names("abbreviated", locale=current_language()).items()))


def day_text(day: date) -> str:
    """Weekday and date, short."""
    return format_date(day, "EEE M/d", locale=current_language())


def days_text(days: tuple[int, ...]) -> str:
    """Days of the week, in words."""
    if tuple(sorted(days)) == _WEEK:
        return _("every day")
    names = weekdays()
    return _(", ").join(names[day] for day in sorted(days))


def zone_of(plant: RunningPlant) -> ZoneInfo:
    """The site's."""
    return ZoneInfo(plant.model.timezone)
