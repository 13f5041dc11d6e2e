"""What is kept where, how fast it grows, and how well the work on it goes: value types and plain arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from athanor.kernel.historian.disk import Disk, DiskLimits
from athanor.kernel.historian.lake import SealedFile
from athanor.kernel.historian.worklog import Work, WorkNote

_DAYS = 7  # whole days that growth is taken from


class Tier(StrEnum):
    """Where data lies."""

    HOT = "hot"
    LAKE = "lake"
    ROLLUPS = "rollups"
    WAVEFORMS = "waveforms"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Holding:
    """What one tier holds. `rows` are samples, rollups, waveforms; None where nobody counts."""

    tier: Tier
    rows: int
    size: int  # [B]
    files: int | None = None
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Growth:
    """How much the lake grew by in a day of the last week, and what that is of."""

    days: int  # whole days that it is the mean of; 0 where there are none yet
    bytes_per_day: float
    rows_per_day: float


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one kind of question to the historian takes, since the server started."""

    kind: str
    count: int
    p50_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class StorageState:
    """All of it, as it was at one moment."""

    at: datetime
    holdings: Sequence[Holding]
    growth: Growth
    disks: Sequence[Disk]
    limits: DiskLimits
    days_left: float | None  # until the lake's disk has no more than its reserve; None where it does not fill
    work: Mapping[Work, WorkNote]
    latencies: Sequence[Latency]


def growth_of(files: Sequence[SealedFile], today: date, *, beside: float) -> Growth:
    """How the lake grows.

    Parameters
    ----------
    files
        Of samples.
    today
        UTC; the day itself does not count, since it is not whole.
    beside
        What lies beside the samples for each byte of them: rollups.
    """
    first = today - timedelta(days=_DAYS)
    recent = [file for file in files if first <= file.day < today]
    if not recent:
        return Growth(0, 0.0, 0.0)
    days = (today - min(file.day for file in recent)).days
    size = sum(file.size for file in recent) * (1 + beside)
    return Growth(days, size / days, sum(file.rows for file in recent) / days)


def days_left(disk: Disk | None, limits: DiskLimits, growth: Growth) -> float | None:
    """How many days of such growth fit onto a disk above its reserve."""
    if disk is None or growth.bytes_per_day <= 0:
        return None
    return max(disk.free - limits.reserve_mb * 1024**2, 0) / growth.bytes_per_day


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float:
    """Below what a share of all values lies, as far as a histogram tells: on a line within its bucket.

    Parameters
    ----------
    bounds
        Upper bounds of the buckets, ascending; the last is infinite. [K]
    counts
        How many values lie below each bound, ascending. [K]
    share
        0 to 1.
    """
    wanted = share * counts[-1]
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        if count >= wanted and count > below:
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low
