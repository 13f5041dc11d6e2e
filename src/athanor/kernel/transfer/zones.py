"""Local times of a zone become UTC, by columns; what a changed clock makes doubtful is said row by row. No clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from athanor.kernel.errors import AthanorError

_US = 1_000_000
_DAY_US = 86_400 * _US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1900, 2300  # outside, the nearest known offset holds: no sample is stored there anyway


class ClockChange(StrEnum):
    """What becomes of a local time that the clock showed twice, or never, on the night it was changed."""

    REFUSE = "refuse"
    BEFORE = "before"  # as if the clock had not been changed yet: the first of two
    AFTER = "after"  # as if it had been changed already: the second of two


class Doubt(IntEnum):
    """What is doubtful about a local time."""

    NONE = 0
    TWICE = 1  # the clock was set back: shown twice
    NEVER = 2  # the clock was set forward: leapt over


class UnknownZoneError(AthanorError):
    """A time zone that nobody has defined."""

    code = "transfer.unknown-zone"

    def __init__(self, zone: str) -> None:
        super().__init__(f"There is no time zone {zone!r}. Name it as the IANA does, such as Asia/Shanghai or UTC.")


@dataclass(frozen=True, slots=True)
class _Offsets:
    """A zone's history: between two changes one offset holds. [K] changes, [K + 1] offsets"""

    offset_us: np.ndarray
    low_us: np.ndarray  # of each change, the lower of the local times just before and just after it
    high_us: np.ndarray  # and the higher: in between, local times are doubtful


def zone_of(name: str) -> ZoneInfo:
    """Raises UnknownZoneError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZoneError(name) from error


def to_utc(local_us: np.ndarray, zone: str, policy: ClockChange) -> tuple[np.ndarray, np.ndarray]:
    """Local times as UTC.

    Parameters
    ----------
    local_us
        What the clock on the wall showed, as microseconds since it showed 1970. [N, us]
    zone
        The clock's zone, by IANA name.
    policy
        How doubtful times are understood. Under `REFUSE` they come out as under `BEFORE`.

    Returns
    -------
    tuple
        Microseconds since 1970 UTC, and the `Doubt` of each. [N]

    Raises UnknownZoneError.
    """
    offsets = _offsets(zone)
    passed = np.searchsorted(offsets.high_us, local_us, side="right")  # changes that are over for sure
    doubt = np.zeros(len(local_us), np.uint8)
    if len(offsets.low_us):
        following = np.minimum(passed, len(offsets.low_us) - 1)
        is_doubtful = (passed < len(offsets.low_us)) & (local_us >= offsets.low_us[following])
        is_back = offsets.offset_us[following + 1] < offsets.offset_us[following]
        doubt[is_doubtful & is_back] = Doubt.TWICE
        doubt[is_doubtful & ~is_back] = Doubt.NEVER
        if policy is ClockChange.AFTER:
            passed = passed + is_doubtful
    return local_us - offsets.offset_us[passed], doubt


@lru_cache(maxsize=32)
def _offsets(name: str) -> _Offsets:
    zone = zone_of(name)
    changes = _changes(zone)
    before = [_offset_us(zone, one - 1) for one in changes]
    after = [_offset_us(zone, one) for one in changes]
    first = before[0] if before else _offset_us(zone, 0)
    local = np.array([changes, changes], np.int64) * _US + np.array([before, after], np.int64)
    return _Offsets(np.array([first, *after], np.int64), local.min(axis=0), local.max(axis=0))


def _changes(zone: ZoneInfo) -> list[int]:
    """The instants at which the zone's offset changes, in seconds since 1970."""
    first = int(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    last = int(datetime(_LAST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    days = range(first, last, 86_400)
    changes = []
    before = _offset_us(zone, first)
    for day in days:
        after = _offset_us(zone, day)
        if after != before:
            changes.append(_bisected(zone, day - 86_400, day))
            before = after
    return changes


def _bisected(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second after `low` at which the offset of `high` holds."""
    goal = _offset_us(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(zone, middle) == goal:
            high = middle
        else:
            low = middle
    return high


def _offset_us(zone: ZoneInfo, second: int) -> int:
    offset = zone.utcoffset((_EPOCH + timedelta(seconds=second)).astimezone(zone))
    return 0 if offset is None else offset // timedelta(microseconds=1)
