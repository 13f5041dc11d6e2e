"""What stays of samples that are gone: rollups of days that are closed, in a Delta table of their own.

A day is *closed* for a tag once its samples have been removed and rollups of them stay. From then on these answer for
it, and nothing else does; what comes late for it is taken in the next time samples go (`ClosedDay`). Of each day there
is one stem of files in effect: that with the greatest number no greater than the one that the table of samples notes.
So samples and what takes their place change hands in one commit, that of the samples: what was written here and never
noted there counts nothing, and is removed.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.delta import DataFile, DeltaFiles, NewFile
from athanor.kernel.historian.lake import Lake
from athanor.kernel.historian.levels import LEVELS_US
from athanor.kernel.historian.port import DamagedFileError, LakeUnreachableError
from athanor.kernel.historian.rollupfiles import (
    DAY,
    ROLLUPS,
    DayRollups,
    RollupReader,
    folded,
    is_in,
    pairs_of,
    tag_slices,
)
from athanor.kernel.historian.sealed import OpenFiles
from athanor.kernel.historian.store import Store

KEPT = replace(ROLLUPS, name="kept")

_FINE, _COARSE, _MONTH = "fine", "coarse", "month"
_NAME = re.compile(r"(?:.*/)?(\d{8}\.\d{12})-(fine|coarse)-[0-9a-f]+\.parquet")
_EPOCH = date(1970, 1, 1)
_DAY_US = LEVELS_US[DAY]
_MANY = 8  # files of single days of a month from which they become one


@dataclass(frozen=True, slots=True)
class KeptDay:
    """The files in effect of one day."""

    day: date
    stem: str
    coarse: str  # of its own or of its month
    fine: str | None  # None where no minutes are kept

    @property
    def number(self) -> int:
        """Days since 1970."""
        return (self.day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Closed:
    """Which days are closed for which of some tags."""

    days: tuple[KeptDay, ...]
    pairs: np.ndarray  # of days and tags (`pairs_of`), sorted

    def __len__(self) -> int:
        return len(self.pairs)

    def hold(self, tag: np.ndarray, time_us: np.ndarray) -> np.ndarray:
        """True for samples of a tag whose day is closed. [N]"""
        return is_in(pairs_of(time_us // _DAY_US, tag), self.pairs)

    def open_among(self, tags: np.ndarray, day: int) -> np.ndarray:
        """Those of the tags for which a day (since 1970) is not closed."""
        still_open: np.ndarray = tags[~is_in(pairs_of(np.full(len(tags), day), tags), self.pairs)]
        return still_open


@dataclass(frozen=True, slots=True)
class _Index:
    source: Mapping[str, DataFile]  # the listing that it was made of
    number: int  # in effect
    days: tuple[KeptDay, ...]  # in effect, ascending
    numbers: np.ndarray  # of these days, since 1970
    months: Mapping[str, frozenset[str]]  # stems in each file of a month
    unused: Sequence[str]  # files of which nothing is in effect


class Kept:
    """The Delta table `kept` in a lake's store. One process writes it; any number read it."""

    def __init__(self, store: Store, lake: Lake) -> None:
        """Open or create the table `kept` below the store's place. Raises OSError, DeltaError."""
        self.store = store.within("kept")
        self.readers = OpenFiles(self.store, RollupReader)
        self._table = DeltaFiles(self.store, KEPT)
        self._lake = lake
        self._indexing = threading.Lock()
        self._stems: dict[str, frozenset[str]] = {}  # of files of a month, which never change
        self._latest_index = _Index({}, -1, (), np.empty(0, np.int64), {}, ())

    @property
    def days(self) -> tuple[KeptDay, ...]:
        """What is in effect, by day."""
        return self._index().days

    def of(self, day: date) -> KeptDay | None:
        """What is in effect of a day."""
        return next((one for one in self.days if one.day == day), None)

    @property
    def files(self) -> Sequence[DataFile]:
        """Every file of the table."""
        return list(self._table.files.values())

    def closed(self, tags: np.ndarray, begin_us: int, end_us: int) -> Closed:
        """The days of [begin, end) that are closed for some of these tags (sorted).

        Raises DamagedFileError, LakeUnreachableError where what is kept of them cannot be read.
        """
        asked = self._between(begin_us, end_us)
        by_file: dict[str, list[int]] = defaultdict(list)
        for one in asked:
            by_file[one.coarse].append(one.number)
        pairs = [np.empty(0, np.int64)]
        for name, numbers in by_file.items():
            wanted = pairs_of(np.repeat(np.array(numbers), len(tags)), np.tile(tags, len(numbers)))
            pairs.append(wanted[is_in(wanted, self.readers.reader(name).kept_at(DAY))])
        return Closed(asked, np.sort(np.concatenate(pairs)))

    def is_still(self, closed: Closed, begin_us: int, end_us: int) -> bool:
        """Whether the days of [begin, end) that are closed, and their files, are those that they were."""
        return self._between(begin_us, end_us) == closed.days

    def keep(self, day: date, stem: str, rollups: DayRollups) -> None:
        """Add what stays of a day; durable on return, and in effect once the lake notes its number.

        Raises HistorianFullError, DamagedFileError.
        """
        partition = {"month": day.replace(day=1)}
        new = ((_FINE, rollups.fine()), (_COARSE, rollups.coarse()))
        self._table.change(
            add=(NewFile(f"{stem}-{kind}", partition, rows) for kind, rows in new),
            remove=[name for name in self._index().unused if name in self._table.files],
        )

    def months(self) -> Mapping[date, Sequence[str]]:
        """The first days of the months of which something is kept, and their files."""
        months: dict[date, list[str]] = defaultdict(list)
        for file in self.files:
            months[file.partition["month"]].append(file.name)  # type: ignore[index]
        return months

    def forget_tags(self, month: date, tags: np.ndarray) -> None:
        """Remove what is kept of these tags (sorted) in a month, in one commit.

        Raises HistorianFullError, DamagedFileError.
        """
        names = self.months()[month]
        self._table.change(
            add=(NewFile(_stem(name), {"month": month}, _without(self._opened(name), tags)) for name in names),
            remove=names,
        )

    def to_fold(self) -> list[date]:
        """The months, by their first days, whose files are many, or one more since the month is whole."""
        months = self._index().months
        by_month: dict[date, list[KeptDay]] = defaultdict(list)
        for one in self.days:
            by_month[one.day.replace(day=1)].append(one)
        return [month for month, days in by_month.items() if _is_worth_folding(days, months)]

    def fold(self, month: date) -> None:
        """Put the coarse rollups of a month's days into one file, in one commit.

        Raises HistorianFullError, DamagedFileError.
        """
        days = [one for one in self.days if one.day.replace(day=1) == month]
        sources = sorted({one.coarse for one in days})
        rows = folded([self._opened(name) for name in sources], {one.stem for one in days})
        self._table.change(add=[NewFile(_MONTH, {"month": month}, rows)], remove=sources, data_change=False)

    def remove_unused(self) -> None:
        """Remove what never came into effect, or is superseded. Raises HistorianFullError."""
        unused = self._index().unused
        if unused:
            self._table.change(remove=unused)

    def remove_unlisted(self) -> None:
        """See `DeltaFiles.remove_unlisted`."""
        self._table.remove_unlisted()

    @property
    def retired_bytes(self) -> int:
        """See `DeltaFiles.retired_bytes`."""
        return self._table.retired_bytes

    def remove_retired(self, kept_for_s: float | None = None) -> None:
        """See `DeltaFiles.remove_retired`."""
        self.readers.forget(self._table.remove_retired(kept_for_s))

    def _between(self, begin_us: int, end_us: int) -> tuple[KeptDay, ...]:
        index = self._index()
        first, last = np.searchsorted(index.numbers, [begin_us // _DAY_US, -(-end_us // _DAY_US)])
        return index.days[first:last]

    def _opened(self, name: str) -> RollupReader:
        return RollupReader(self.store, name)

    def _index(self) -> _Index:
        number = self._lake.kept_number  # first: what it notes is in the table already
        files, latest = self._table.files, self._latest_index
        if latest.source is not files or latest.number != number:
            with self._indexing:
                self._latest_index = latest = self._indexed(files, number)
        return latest

    def _indexed(self, files: Mapping[str, DataFile], number: int) -> _Index:
        fine: dict[str, str] = {}
        coarse: dict[str, str] = {}
        months: dict[str, frozenset[str]] = {}
        days: dict[int, KeptDay] = {}
        source = files
        for name, file in files.items():
            match = _NAME.fullmatch(name)
            if match is not None:
                (fine if match[2] == _FINE else coarse)[match[1]] = name
                continue
            try:
                months[name] = self._stems_of(name)
            except (DamagedFileError, LakeUnreachableError):  # whoever asks for one of its days is told
                days |= {one.number: one for one in _unreadable(file)}
                source = {}  # look again next time
            else:
                coarse = dict.fromkeys(months[name], name) | coarse
        for stem in sorted(coarse):
            if _number_of(stem) <= number:
                one = KeptDay(_day_of(stem), stem, coarse[stem], fine.get(stem))
                days[one.number] = one  # the greatest number of a day comes last
        used = {name for one in days.values() for name in (one.coarse, one.fine)}
        numbers = np.array(sorted(days), np.int64)
        in_order = tuple(days[day] for day in numbers.tolist())
        return _Index(source, number, in_order, numbers, months, [name for name in files if name not in used])

    def _stems_of(self, name: str) -> frozenset[str]:
        if name not in self._stems:
            self._stems[name] = frozenset(self.readers.reader(name).made_of())
        return self._stems[name]


def _is_worth_folding(days: Sequence[KeptDay], months: Mapping[str, frozenset[str]]) -> bool:
    if not all(one.stem for one in days):
        return False
    loose = sum(one.coarse not in months for one in days)
    is_whole = any((one.day + timedelta(days=1)).day == 1 for one in days)
    return loose >= _MANY or (is_whole and loose > 0 and len(days) > 1)


def _unreadable(month: DataFile) -> Iterator[KeptDay]:
    """Days that may be in a file of a month which cannot be read now."""
    day: date = month.partition["month"]  # type: ignore[assignment]
    first = day
    while day.month == first.month:
        yield KeptDay(day, "", month.name, None)
        day += timedelta(days=1)


def stem_of(day: date, number: int) -> str:
    """What the names of a day's files begin with."""
    return f"{day:%Y%m%d}.{number:012d}"


def _day_of(stem: str) -> date:
    return date(int(stem[:4]), int(stem[4:6]), int(stem[6:8]))


def _number_of(stem: str) -> int:
    return int(stem.partition(".")[2])


def _stem(name: str) -> str:
    """What stands in a file's name before its last part, which is random."""
    return name.rpartition("/")[2].rpartition("-")[0]


def _without(reader: RollupReader, tags: np.ndarray) -> Iterator[pa.Table]:
    """All rows of a file but those of these tags (sorted)."""
    for level in range(len(LEVELS_US)):
        for first_tag, last_tag in tag_slices([reader], level):
            table = reader.between(level, first_tag, last_tag).cast(KEPT.schema)
            yield table.filter(pa.array(~is_in(table["tag"].to_numpy(), tags)))
