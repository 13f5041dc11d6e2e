"""Which alarms the schedules of their rules suppress, as time goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfoNotFoundError

import numpy as np

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.schedule import Schedule
from athanor.kernel.alarms.judging.telling import SCHEDULE_OFF, SCHEDULE_ON, Turns, turns_at
from athanor.kernel.alarms.rule import Hours


@dataclass(slots=True)
class _Group:
    """Alarms with the same hours; `next_us` is when these turn next, None where never. [n]"""

    schedule: Schedule
    row: np.ndarray
    is_on: bool = True
    next_us: int | None = 0  # long ago: not known yet


class Calendar:
    """The schedules of all alarms.

    Parameters
    ----------
    ordered
        The alarms, in the order of their rows.

    Attributes
    ----------
    unknown
        Rows whose time zone is none.
    """

    def __init__(self, ordered: Sequence[Instance]) -> None:
        rows: dict[tuple[tuple[Hours, ...], str], list[int]] = {}
        for row, one in enumerate(ordered):
            if one.schedule:
                rows.setdefault((one.schedule, one.timezone), []).append(row)
        self.unknown: list[int] = []
        self._groups: list[_Group] = []
        for (hours, timezone), some in rows.items():
            try:
                self._groups.append(_Group(Schedule(hours, timezone), np.array(some)))
            except (ZoneInfoNotFoundError, ValueError):
                self.unknown += some

    def rows(self) -> np.ndarray:
        """Rows of the alarms that have one."""
        return np.concatenate([np.empty(0, np.int64), *(one.row for one in self._groups)]).astype(np.int64)

    def until(self, from_us: int, until_us: int) -> list[Turns]:
        """What turns up to a time; where nothing is known yet, how it is at `from_us` too. [µs]"""
        turns: list[Turns] = []
        for group in self._groups:
            if group.next_us == 0:
                turns.append(self._turn(group, from_us))
            while group.next_us is not None and group.next_us <= until_us:
                turns.append(self._turn(group, group.next_us))
        return turns

    def _turn(self, group: _Group, at_us: int) -> Turns:
        group.is_on = group.schedule.is_on(at_us)
        group.next_us = group.schedule.next_us(at_us)
        return turns_at(group.row, SCHEDULE_OFF if group.is_on else SCHEDULE_ON, at_us)
