"""For how long somebody may shelve alarms."""

from collections.abc import Sequence
from datetime import timedelta

from athanor.kernel.alarms.operating import MAINTAIN, longest_shelving
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.identity.user import User

_MINUTES = (15, 30, 60, 120, 240, 480, 720, 1440, 4320)


def lengths_for(viewer: User, alarms: Sequence[StandingAlarm]) -> list[timedelta]:
    """What is offered: no longer than the most urgent of these alarms allows; nothing where none may be shelved."""
    mine = [alarm for alarm in alarms if not alarm.is_safety or viewer.may(MAINTAIN)]
    if not mine:
        return []
    longest = longest_shelving(viewer)
    most = min(longest[Priority(alarm.priority)] for alarm in mine)
    return [length for minutes in _MINUTES if (length := timedelta(minutes=minutes)) <= most]
