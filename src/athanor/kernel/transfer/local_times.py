"""UTC as clocks on a site's walls show it, by columns."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_QUARTER_US = 900_000_000  # clocks are changed at full quarters of an hour of UTC


def offsets_us(time_us: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """How far the zone's clocks are ahead of UTC at each instant (microseconds since 1970 UTC). [us] [N]"""
    quarters, place = np.unique(time_us // _QUARTER_US, return_inverse=True)
    offsets = np.fromiter((_offset_us(quarter, zone) for quarter in quarters.tolist()), np.int64, len(quarters))
    return np.asarray(offsets[place])


def local_texts(time_us: np.ndarray, zone: ZoneInfo) -> pa.Array:
    """Times as `2026-05-04 20:00:00.000+08:00`, to the millisecond."""
    offset = offsets_us(time_us, zone)
    local = pa.array((time_us + offset) // 1000, pa.int64()).cast(pa.timestamp("ms")).cast(pa.string())
    distinct, place = np.unique(offset, return_inverse=True)
    endings = pa.array([_ending(int(one)) for one in distinct], pa.string())
    return pc.binary_join_element_wise(local, endings.take(pa.array(place)), "")


def _offset_us(quarter: int, zone: ZoneInfo) -> int:
    offset = zone.utcoffset(datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone))
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _ending(offset_us: int) -> str:
    minutes = abs(offset_us) // 60_000_000
    return f"{'-' if offset_us < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
