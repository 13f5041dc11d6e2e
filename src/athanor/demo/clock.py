"""Where in the demo's life an instant lies: days since its history began, hour of the plant's day, time live."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

PLANT_ZONE = ZoneInfo("Asia/Shanghai")  # one offset all year, so every plant day has 24 hours
DAY_US = 86_400_000_000
HISTORY_DAYS = 60


@dataclass(frozen=True, slots=True)
class Timeline:
    """The two instants that all situations are placed by. [us since 1970 UTC]"""

    start_us: int  # a midnight of the plant: day 0, hour 0
    live_us: int  # the end of the written history, where the live run takes over

    @classmethod
    def ending_at(cls, now: datetime, days: int = HISTORY_DAYS) -> "Timeline":
        """History of `days` whole days and the part of today that is over. `now` must be aware."""
        local = now.astimezone(PLANT_ZONE)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        return cls(in_microseconds(midnight), in_microseconds(local.replace(microsecond=0)))


def in_microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC of an aware time."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Moments:
    """Equally spaced instants and what the plant's schedule asks about them. All arrays are [T]."""

    timeline: Timeline
    time_us: np.ndarray  # int64
    step_s: float

    @cached_property
    def elapsed_s(self) -> np.ndarray:
        """Since the history began."""
        return (self.time_us - self.timeline.start_us) / 1e6

    @cached_property
    def live_s(self) -> np.ndarray:
        """Since the live run began; negative in the history."""
        return (self.time_us - self.timeline.live_us) / 1e6

    @cached_property
    def day(self) -> np.ndarray:
        """Days since the history began, with their fraction."""
        return self.elapsed_s / 86_400

    @cached_property
    def hour(self) -> np.ndarray:
        """Hour of the plant's day, 0 to 24."""
        return (self.elapsed_s % 86_400) / 3600

    @cached_property
    def weekday(self) -> np.ndarray:
        """0 for Monday to 6 for Sunday."""
        first = datetime.fromtimestamp(self.timeline.start_us / 1e6, PLANT_ZONE).weekday()
        weekday: np.ndarray = (np.floor(self.day).astype(np.int64) + first) % 7
        return weekday
