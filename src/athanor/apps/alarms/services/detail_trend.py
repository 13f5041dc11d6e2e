"""The line of an alarm's tag around the event."""

from datetime import datetime, timedelta

import numpy as np

from athanor.apps.alarms.services.detail import Detail
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality

STEPS = frozenset({TagKind.SETPOINT, TagKind.STATE})
_BEFORE, _AFTER = timedelta(minutes=30), timedelta(minutes=10)
_LONGEST = timedelta(hours=6)  # shown at first; of one that stands for days, its beginning
_GAP_PERIODS = 3


def span_of(detail: Detail, now: datetime) -> Span:
    """From half an hour before it was raised until a while after it was over, or until now."""
    one = detail.occurrence
    if one is None:
        return Span(now - _BEFORE - _AFTER, now)
    start = one.raised_at - _BEFORE
    end = now if one.cleared_at is None else one.cleared_at + _AFTER
    return Span(start, max(min(end, now, start + _LONGEST), start + _AFTER))


async def line(
    historian: Historian, plant: RunningPlant, tag: Tag, span: Span, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Times [ms since 1970] and values; NaN for bad samples and where none came for three periods."""
    tag_id = plant.id_of(tag.path)
    length_s = (span.end_us - span.start_us) / 1e6
    is_exact = tag.period_s is None or length_s / tag.period_s <= points
    table = await (historian.read([tag_id], span) if is_exact else historian.downsample([tag_id], span, points))
    time_us = table.column("time").cast("int64").to_numpy()
    value = table.column("value").to_numpy().astype(np.float64)
    if "quality" in table.column_names:
        value = np.where(table.column("quality").to_numpy() == Quality.BAD, np.nan, value)
    if is_exact and tag.period_s is not None and tag.kind not in STEPS:
        after = np.flatnonzero(np.diff(time_us) > _GAP_PERIODS * 1e6 * tag.period_s) + 1
        time_us, value = np.insert(time_us, after, time_us[after] - 1), np.insert(value, after, np.nan)
    return time_us // 1000, value
