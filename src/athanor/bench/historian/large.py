"""Years on the disk: a lake filled in its sealed form, and asked by a process that has seen none of it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from athanor.bench.historian.extent import Extent
from athanor.bench.historian.generator import START_S, US, History, Rows, history, signal
from athanor.bench.historian.measuring import BATCH_S, tell
from athanor.bench.historian.ours import Athanor, stored, table_bytes
from athanor.bench.historian.timing import timed
from athanor.kernel.historian.lake import Lake
from athanor.kernel.historian.layout import SEALED
from athanor.kernel.historian.store import FolderStore

HOUR, DRAWN = "one tag, one hour raw", "one tag, whole range as a chart"
WHOLE, ODD = "one tag, whole range in 1,000 buckets", "one tag, whole range in 1,003 odd buckets"
_DAY_S = 86_400
_TAGS_AT_ONCE = 10  # so that a day is never in memory as a whole


@dataclass(frozen=True, slots=True)
class Place:
    """A historian on the disk, and what was put into it: every tag at each second."""

    folder: Path
    tags: int
    seconds: int
    is_by_day: bool  # how its signal was generated


def fill_small(folder: Path, extent: Extent) -> Place:
    """What growth is measured against: a history that came in by writes."""
    past = history(extent.seconds, tags=extent.tags)
    athanor = Athanor(folder)
    try:
        for rows in past.batches(BATCH_S):
            athanor.write(athanor.payload(rows))
        athanor.settle()
    finally:
        athanor.close()
    return Place(folder, past.tags, past.seconds, is_by_day=False)


def fill(folder: Path, extent: Extent) -> tuple[Place, dict[str, float]]:
    """A lake of days, each one file as compaction leaves it, and its rollups."""
    place = Place(folder, extent.large_tags, extent.large_days * _DAY_S, is_by_day=True)
    samples = place.tags * place.seconds
    tell(f"large lake: {samples:,} samples")
    lake = Lake(FolderStore(folder / "lake"))
    filling_s, _ = timed(lambda: _add_days(lake, place))
    tell("large lake: rollups")
    athanor = Athanor(folder)
    try:
        rolling_up_s, _ = timed(lambda: athanor.do(athanor.historian.roll_up_now()))
    finally:
        athanor.close()
    return place, {
        "samples": samples,
        "size on disk": table_bytes(folder / "lake" / "samples") / samples,
        "rollups on disk": table_bytes(folder / "lake" / "rollups") / samples,
        "generated and sealed": samples / filling_s,
        "rolled up": samples / rolling_up_s,
    }


def ask_elsewhere(place: Place, extent: Extent) -> Mapping[str, float]:
    """The questions of one tag, asked by a process of their own (`child`); values by name."""
    wanted = {
        "folder": str(place.folder),
        "tags": place.tags,
        "seconds": place.seconds,
        "is_by_day": place.is_by_day,
        "repeats": extent.repeats,
        "patience_s": extent.patience_s,
        "is_asked_cold": extent.cold > 0,
    }
    command = [sys.executable, "-P", "-m", "athanor.bench.historian.child", json.dumps(wanted)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 our own module
    values: Mapping[str, float] = json.loads(done.stdout)
    return values


def history_of(place: Place, tag: int) -> History:
    """What was generated for one tag; it is the only one of the history."""
    if not place.is_by_day:
        return History(START_S, signal(START_S, place.seconds, tags=place.tags)[:, tag : tag + 1])
    first = tag // _TAGS_AT_ONCE * _TAGS_AT_ONCE
    days = [signal(day_s, _DAY_S, first, _TAGS_AT_ONCE)[:, tag - first] for day_s in _days(place)]
    return History(START_S, np.concatenate(days)[:, None])


def _add_days(lake: Lake, place: Place) -> None:
    for order, day_s in enumerate(_days(place), start=1):
        lake.add([(_date(day_s), _tables(day_s, place.tags))], order=order, is_generation=False)


def _days(place: Place) -> Sequence[int]:
    """The first second of each day."""
    return range(START_S, START_S + place.seconds, _DAY_S)


def _tables(day_s: int, tags: int) -> Iterator[pa.Table]:
    """A day's samples (SEALED), by tag, then time."""
    times = np.tile((day_s + np.arange(_DAY_S, dtype=np.int64)) * US, _TAGS_AT_ONCE)
    for first in range(0, tags, _TAGS_AT_ONCE):
        tag = np.repeat(np.arange(first, first + _TAGS_AT_ONCE, dtype=np.int32), _DAY_S)
        rows = Rows(tag, times, signal(day_s, _DAY_S, first, _TAGS_AT_ONCE).T.ravel())
        yield pa.Table.from_batches([stored(rows)]).cast(SEALED)


def _date(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date()
