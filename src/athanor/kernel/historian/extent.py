"""How much the historian holds, tier by tier, as its own lists of files say: no sample is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from athanor.kernel.historian.hotlog import HotLog
from athanor.kernel.historian.kept import Kept
from athanor.kernel.historian.lake import Lake
from athanor.kernel.historian.port import moment
from athanor.kernel.historian.rollups import Rollups


class Tier(StrEnum):
    """Where samples lie."""

    HOT = "hot"  # since the last seal, in a log
    LAKE = "lake"  # sealed days
    ROLLUPS = "rollups"  # what samples come to, those included whose samples are gone


@dataclass(frozen=True, slots=True)
class Extent:
    """Of one tier. A sample that was written twice counts twice until its files are compacted."""

    rows: int
    bytes: int
    files: int
    oldest: datetime | None = None  # source times; None where it is empty, or nobody noted it
    newest: datetime | None = None


def extents(tail: HotLog, lake: Lake, rollups: Rollups, kept: Kept) -> Mapping[Tier, Extent]:
    """How much each tier holds."""
    sealed = lake.files
    hot = tail.generations
    made = [*rollups.listed, *kept.files]
    return {
        Tier.HOT: Extent(sum(one.rows for one in hot), sum(_size(one.path) for one in hot), len(hot)),
        Tier.LAKE: Extent(
            sum(file.rows for file in sealed),
            sum(file.size for file in sealed),
            len(sealed),
            moment(min(file.first_us for file in sealed)) if sealed else None,
            moment(max(file.last_us for file in sealed)) if sealed else None,
        ),
        Tier.ROLLUPS: Extent(sum(file.rows for file in made), sum(file.size for file in made), len(made)),
    }


def _size(path: Path) -> int:
    """Bytes of a file; 0 where it was sealed and removed just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
