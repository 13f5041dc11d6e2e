"""Rollups: what the samples of each sealed file come to, by minute, five, quarter of an hour, hour and day.

They lie in a Delta table beside the samples. Each file of samples has a fine file (the minutes) and a coarse one (the
rest), made of it once it is sealed or compacted; the coarse ones of days that are over are folded into one for a month,
so that years are answered from few files. A row says which file of samples it was made of, and counts as long as that
is in the table of samples. So rollups are never out of date: late samples come in files of their own, with rollups of
their own, and `answering` goes down to the samples wherever two files know of the same time. A level is kept for those
tags that it spares work; for others the next finer one, or the samples, answer as quickly.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath

import pyarrow as pa
import structlog

from athanor.kernel.historian.delta import DataFile, DeltaFiles, NewFile
from athanor.kernel.historian.lake import SealedFile
from athanor.kernel.historian.port import DamagedFileError
from athanor.kernel.historian.rollupfiles import ROLLUPS, DayRollups, RollupReader, folded
from athanor.kernel.historian.store import Store

_log = structlog.get_logger(__name__)

_FINE, _COARSE, _MONTH = "fine", "coarse", "month"  # what a file is, in its name after that of its samples
_SETTLED = timedelta(days=2)  # a day that is over so long is folded
_FEW = 4  # days of the present month from which it is worth it


@dataclass(frozen=True, slots=True)
class _Index:
    """Which file has the rollups of which file of samples (by its name without ending)."""

    source: object  # the listing that it was made of
    fine: Mapping[str, str]
    coarse: Mapping[str, str]
    months: Mapping[str, frozenset[str]]  # of each file of a month, what it was made of


class Rollups:
    """The Delta table `rollups` in a lake's store. One process writes it; any number read it."""

    def __init__(self, store: Store) -> None:
        """Open or create the table `rollups` below the store's place. Raises OSError, DeltaError."""
        self.store = store.within("rollups")
        self._table = DeltaFiles(self.store, ROLLUPS)
        self._damaged: set[str] = set()
        self._made_of: dict[str, frozenset[str]] = {}  # of files of a month, which never change
        self._indexing = threading.Lock()
        self._latest_index = _Index(None, {}, {}, {})

    @property
    def files(self) -> list[PurePosixPath]:
        """The names of all files of the table."""
        return [PurePosixPath(name) for name in self._table.files]

    @property
    def listed(self) -> list[DataFile]:
        """All files of the table, as its log describes them."""
        return list(self._table.files.values())

    def fine_of(self, file: SealedFile) -> str | None:
        """The file with the fine rollups of a file of samples; None where none is kept."""
        return self._index().fine.get(_stem(file.name))

    def coarse_of(self, file: SealedFile) -> str | None:
        """The file, of its own or of its month, with the coarse rollups of a file of samples; None before it is."""
        return self._index().coarse.get(_stem(file.name))

    def discard(self, name: str, reason: DamagedFileError) -> None:
        """Take a damaged file out of use. What is missing then is made anew from samples."""
        if name not in self._damaged:
            self._damaged = self._damaged | {name}
            self._latest_index = _Index(None, {}, {}, {})
            _log.error("historian.rollups-damaged", reason=str(reason))

    def lacking(self, files: Iterable[SealedFile]) -> list[SealedFile]:
        """The files of samples that have no rollups yet, the latest day first."""
        found = [file for file in files if self.coarse_of(file) is None]
        return sorted(found, key=lambda file: file.day, reverse=True)

    def add(self, file: SealedFile, samples: Iterable[pa.Table]) -> None:
        """Add the rollups of a file of samples, which come sorted in tables of whole tags; durable on return.

        Raises HistorianFullError.
        """
        stem = _stem(file.name)
        rollups = DayRollups(file.day, stem, samples)
        own = {name for name in self._table.files if _made_of(name) == stem}
        self._table.change(
            add=(
                NewFile(f"{stem}-{kind}", {"month": file.day.replace(day=1)}, tables)
                for kind, tables in ((_FINE, rollups.fine()), (_COARSE, rollups.coarse()))
            ),
            remove=sorted(own),  # of which one is damaged
        )

    def to_fold(self, files: Iterable[SealedFile], *, today: date) -> list[tuple[date, set[str]]]:
        """Months (their first days) to fold, with all files of samples whose rollups then lie in one file.

        Only days whose samples lie in one file are: where they lie in several, it has yet to be seen what counts.
        """
        index = self._index()
        by_day: dict[date, list[str]] = defaultdict(list)
        for file in files:
            by_day[file.day].append(_stem(file.name))
        folding: dict[date, set[str]] = defaultdict(set)
        loose: dict[date, int] = defaultdict(int)
        for day, (stem, *others) in by_day.items():
            if others or today - day < _SETTLED or stem not in index.coarse:
                continue
            folding[day.replace(day=1)].add(stem)
            loose[day.replace(day=1)] += index.coarse[stem] not in index.months
        this_month = today.replace(day=1)
        return [
            (month, stems)
            for month, stems in sorted(folding.items())
            if loose[month] >= (_FEW if month == this_month else 1) and len(stems) > 1
        ]

    def fold(self, month: date, stems: set[str]) -> None:
        """Put the coarse rollups of these files of samples into one file, in one commit.

        A damaged file is discarded; the month is folded once it is made anew. Raises HistorianFullError.
        """
        index = self._index()
        sources = sorted({index.coarse[stem] for stem in stems})
        try:
            readers = [RollupReader(self.store, name) for name in sources]
            new = NewFile(_MONTH, {"month": month}, folded(readers, stems))
            self._table.change(add=[new], remove=sources, data_change=False)
        except DamagedFileError as error:
            self.discard(next(name for name in sources if self.store.place(name) == error.path), error)

    def remove_orphans(self, files: Iterable[SealedFile]) -> None:
        """Remove rollups of samples that are gone. Raises HistorianFullError."""
        present = {_stem(file.name) for file in files}
        months = self._index().months
        orphans = [
            name
            for name in self._table.files
            if name in self._damaged or not (present & months[name] if name in months else _made_of(name) in present)
        ]
        if orphans:
            self._table.change(remove=orphans)

    def remove_unlisted(self) -> None:
        """See `DeltaFiles.remove_unlisted`."""
        self._table.remove_unlisted()

    @property
    def retired_bytes(self) -> int:
        """See `DeltaFiles.retired_bytes`."""
        return self._table.retired_bytes

    def remove_retired(self, kept_for_s: float | None = None) -> list[str]:
        """See `DeltaFiles.remove_retired`."""
        return self._table.remove_retired(kept_for_s)

    def _index(self) -> _Index:
        files = self._table.files
        if self._latest_index.source is files:
            return self._latest_index
        with self._indexing:
            fine: dict[str, str] = {}
            coarse: dict[str, str] = {}
            months: dict[str, frozenset[str]] = {}
            for name in files:
                if name in self._damaged:
                    continue
                if _is_month(name):
                    months[name] = self._of_month(name)
                elif _kind(name) == _FINE:
                    fine[_made_of(name)] = name
                else:
                    coarse[_made_of(name)] = name
            for name, stems in months.items():
                coarse |= dict.fromkeys(stems, name)
            self._latest_index = _Index(files, fine, coarse, months)
            return self._latest_index

    def _of_month(self, name: str) -> frozenset[str]:
        if name not in self._made_of:
            try:
                self._made_of[name] = frozenset(RollupReader(self.store, name).made_of())
            except DamagedFileError as error:
                self._damaged = self._damaged | {name}
                _log.error("historian.rollups-damaged", reason=str(error))
                return frozenset()
        return self._made_of[name]


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _kind(name: str) -> str:
    return _stem(name).split("-")[-2]


def _made_of(name: str) -> str:
    """The file of samples, without its ending, of which a file of rollups was made."""
    return "-".join(_stem(name).split("-")[:-2])


def _is_month(name: str) -> bool:
    return _kind(name) == _MONTH
