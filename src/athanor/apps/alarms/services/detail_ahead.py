"""When a pre-alarm's value reaches its limit, if it goes on as over the rule's window."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from athanor.apps.alarms.services.detail import Detail
from athanor.kernel.alarms.judging import slope_per_s, time_to_limit_s
from athanor.kernel.alarms.rule import Ramp
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import Quality

_POINTS = 400  # of a long window: more say no more
_NEWEST = timedelta(seconds=1)  # a range does not hold its end


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a value is heading.

    Parameters
    ----------
    per_minute
        By how much it changes, in the tag's unit.
    left_s
        Until the limit is reached: 0 where it is, infinite where it is not at this slope. [s]
    """

    per_minute: float
    left_s: float


def foretells(detail: Detail) -> bool:
    """Whether it is a pre-alarm, and stands."""
    one = detail.occurrence
    is_standing = one is not None and one.cleared_at is None and one.ended_at is None
    return is_standing and detail.limit is not None and isinstance(detail.rule.condition, Ramp)


async def ahead_of(historian: Historian, tag: TagId, detail: Detail, now: datetime) -> Ahead | None:
    """As the newest samples say; None where they say nothing, or it is no pre-alarm that stands."""
    ramp = detail.rule.condition
    if not foretells(detail) or not isinstance(ramp, Ramp) or detail.limit is None:
        return None
    table = await historian.read([tag], Span(now - timedelta(seconds=ramp.window_s), now + _NEWEST))
    is_good = table.column("quality").to_numpy() != Quality.BAD
    value = np.where(is_good, table.column("value").to_numpy().astype(np.float64), np.nan)
    time_us = table.column("time").cast("int64").to_numpy()[~np.isnan(value)]
    value = value[~np.isnan(value)]
    return None if not len(value) else ahead(time_us, value, detail.limit)


def ahead(time_us: np.ndarray, value: np.ndarray, limit: float) -> Ahead | None:
    """Of samples in order of time; None where they have no slope."""
    chosen = np.unique(np.linspace(0, len(value) - 1, min(len(value), _POINTS)).round().astype(int))
    age_s = (time_us[-1] - time_us[chosen]) / 1e6
    slope = slope_per_s(age_s[None, :], value[chosen][None, :])
    left_s = time_to_limit_s(value[-1:], slope, np.array([limit]))
    return None if np.isnan(left_s[0]) else Ahead(float(slope[0]) * 60, float(left_s[0]))
