"""Letting samples go, day by day, so that what stays is right at any moment; and the rollups that outlived them.

A day goes in two commits: rollups of what goes are written first, and count from the commit on that takes the samples
away. Interrupted anywhere, doing it again gives the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import structlog

from athanor.kernel.historian.closing import ClosedDay, FormerDay
from athanor.kernel.historian.compaction import ROLLED_UP_ROWS, merged_slices
from athanor.kernel.historian.kept import Kept, stem_of
from athanor.kernel.historian.lake import Lake, SealedFile
from athanor.kernel.historian.port import DamagedFileError
from athanor.kernel.historian.retention import (
    Amount,
    ClassReport,
    Reason,
    Removal,
    RetentionClass,
    RetentionReport,
    RetentionRules,
    TagClasses,
    end_of_month,
    is_due,
    together,
)
from athanor.kernel.historian.rollupfiles import DAY, RollupReader, is_in, split_pairs
from athanor.kernel.historian.sealed import SealedReader

_log = structlog.get_logger(__name__)

Slices = Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class _Found:
    """How much a file of samples has of some tags."""

    file: SealedFile
    tags: np.ndarray
    rows: np.ndarray
    size: np.ndarray  # [B]

    def amount(self, tags: np.ndarray) -> Amount:
        """Of those that are among these tags (sorted)."""
        own = is_in(self.tags, tags)
        if not own.any():
            return Amount()
        day = self.file.day
        return Amount(1, 1, int(self.rows[own].sum()), int(self.size[own].sum()), day, day)

    @property
    def takes(self) -> int:
        """About what is written when these samples go: the others, and rollups no larger than these. [B]"""
        return self.file.size

    @property
    def is_whole(self) -> bool:
        """Whether the file has nothing else."""
        return int(self.rows.sum()) == self.file.rows


class Expiry:
    """What has come of age in a lake, and its way out. One thread at a time uses it."""

    def __init__(self, lake: Lake, kept: Kept, rules: RetentionRules, classes: Callable[[], TagClasses]) -> None:
        """`classes` tells the classes of tags as they are now."""
        self._lake = lake
        self._kept = kept
        self._rules = rules
        self._classes = classes
        self._clean: dict[str, bytes] = {}  # of files of samples, the tags of which they are known to have none
        self._unreadable: set[str] = set()  # each said once

    # --- what is due

    def report(self, today: date) -> RetentionReport:
        """What goes by now, and what stays; nothing is changed. Raises LakeUnreachableError."""
        tags, reports = self._classes(), []
        unreadable: set[str] = set()
        due = {day: self._tags_due(day, today) for day in self._days()}
        found = [one for day, some in due.items() if len(some) for one in self._found(day, some, unreadable)]
        for rules in self._rules.with_those_of(tags):
            own = tags.tags(rules.name)
            raw = _over_days(one.amount(own) for one in found if is_due(one.file.day, today, rules.raw_days))
            reports.append(ClassReport(rules.name, rules, len(own), raw, self._rollups_due(rules, own, today)))
        return RetentionReport(today, tuple(reports), self._stays(found), tuple(sorted(unreadable)))

    def days_due(self, today: date) -> list[date]:
        """The days, oldest first, that may have samples to go."""
        return [day for day in self._days() if len(self._tags_due(day, today))]

    def has_rollups_due(self, today: date) -> bool:
        """Whether rollups of samples that are gone have come of age."""
        return any(self._rollups_to_go(month, today) is not None for month in self._kept.months())

    def oldest(self, today: date) -> tuple[date, str] | None:
        """The day and class whose samples go first where the disk is short; None where none may."""
        last = today - timedelta(days=self._rules.keep_days_when_full + 1)
        tags = self._classes()
        for rules in self._rules.with_those_of(tags):
            for day in self._days():
                if day <= last and self._found(day, tags.tags(rules.name), set()):
                    return day, rules.name
        return None

    def _days(self) -> list[date]:
        return sorted({file.day for file in self._lake.files})

    def _stays(self, found: Sequence[_Found]) -> Amount:
        """What there is beside what was found."""
        whole = {one.file.name for one in found if one.is_whole}
        files = [file for file in self._lake.files if file.name not in whole]
        parts = [one for one in found if not one.is_whole]
        days = {file.day for file in files}
        return Amount(
            len(days),
            len(files),
            sum(file.rows for file in files) - sum(int(one.rows.sum()) for one in parts),
            sum(file.size for file in files) - sum(int(one.size.sum()) for one in parts),
            min(days, default=None),
            max(days, default=None),
        )

    def _tags_due(self, day: date, today: date) -> np.ndarray:
        """The tags whose samples of a day are due to go, sorted."""
        tags = self._classes()
        return together([tags.tags(one.name) for one in self._rules.classes if is_due(day, today, one.raw_days)])

    def _found(self, day: date, tags: np.ndarray, unreadable: set[str]) -> list[_Found]:
        """The files of a day that have samples of these tags (sorted)."""
        key, found = tags.tobytes(), []
        for file in self._lake.files:
            if file.day != day or self._clean.get(file.name) == key or not len(tags):
                continue
            try:
                one = _Found(file, *SealedReader(self._lake.store, file.name).counted(tags))
            except DamagedFileError as error:
                unreadable.add(file.name)
                self._say_unreadable(file.name, error)
                continue
            if len(one.tags):
                found.append(one)
            else:
                self._clean[file.name] = key
        return found

    def _say_unreadable(self, name: str, error: DamagedFileError) -> None:
        if name not in self._unreadable:
            self._unreadable.add(name)
            _log.error("historian.file-not-expired", reason=str(error))

    # --- samples

    def expire(self, day: date, today: date, going: Callable[[Slices], Slices]) -> Removal | None:
        """Let go what is due of a day; None where nothing is.

        `going` passes on the tables of what is read, and may end it all by raising. Raises HistorianFullError,
        LakeUnreachableError; nothing has then changed.
        """
        return self._removed(Reason.EXPIRED, day, self._tags_due(day, today), today, going)

    def drop(self, day: date, name: str, today: date, going: Callable[[Slices], Slices], room: int) -> Removal | None:
        """Let go what a day has of a class, whatever its age, where what stays can be written in so many bytes."""
        return self._removed(Reason.DISK_LOW, day, self._classes().tags(name), today, going, room)

    def _removed(
        self,
        reason: Reason,
        day: date,
        tags: np.ndarray,
        today: date,
        going: Callable[[Slices], Slices],
        room: int | None = None,
    ) -> Removal | None:
        unreadable: set[str] = set()
        found = self._found(day, tags, unreadable)
        if unreadable or not found:  # rollups of a part of the samples would close the day for all
            return None
        if room is not None and sum(one.takes for one in found) > room:
            return None
        try:
            removal = self._close(Removal(reason, day, self._by_class(found)), found, today, going)
        except DamagedFileError as error:
            self._say_unreadable(f"{day}", error)
            return None
        self._kept.remove_unused()
        return removal

    def _close(
        self, removal: Removal, found: Sequence[_Found], today: date, going: Callable[[Slices], Slices]
    ) -> Removal:
        """The two commits."""
        day = removal.day
        closing = self._to_keep(day, together([one.tags for one in found]), today)
        number = None
        if len(closing):
            number = self._lake.kept_number + 1
            readers = [SealedReader(self._lake.store, one.file.name) for one in found]
            former = self._kept.of(day)
            rollups = ClosedDay(
                day,
                stem_of(day, number),
                going(merged_slices(readers, ROLLED_UP_ROWS, tags=closing)),
                None if former is None else FormerDay(self._kept, former),
            )
            self._kept.keep(day, rollups.stem, rollups)
            removal = replace(removal, too_late=rollups.too_late)
        self._lake.thin_out(((one.file, going(self._rest(one))) for one in found), kept_number=number)
        return removal

    def _to_keep(self, day: date, tags: np.ndarray, today: date) -> np.ndarray:
        """Those of the tags whose rollups have not come of age with their samples."""
        classes = self._classes()
        gone = [classes.tags(one.name) for one in self._rules.classes if _is_month_due(day, today, one)]
        stays: np.ndarray = tags[~is_in(tags, together(gone))]
        return stays

    def _rest(self, found: _Found) -> Iterator[pa.Table]:
        """What stays of a file."""
        if not found.is_whole:
            for table in merged_slices([SealedReader(self._lake.store, found.file.name)]):
                yield table.filter(pa.array(~is_in(table["tag"].to_numpy(), found.tags)))

    def _by_class(self, found: Sequence[_Found]) -> Mapping[str, Amount]:
        tags = self._classes()
        amounts = {name: _over_days(one.amount(tags.tags(name)) for one in found) for name in tags.names}
        return {name: amount for name, amount in amounts.items() if amount.rows}

    # --- rollups of samples that are gone

    def expire_rollups(self, today: date) -> int:
        """Let go the rollups that have come of age with their month; in how many months there were any.

        Raises HistorianFullError, LakeUnreachableError.
        """
        months = 0
        for month in sorted(self._kept.months()):
            tags = self._rollups_to_go(month, today)
            if tags is None:
                continue
            try:
                self._kept.forget_tags(month, tags)
                months += 1
            except DamagedFileError as error:
                self._say_unreadable(f"{month}", error)
        return months

    def _rollups_to_go(self, month: date, today: date) -> np.ndarray | None:
        """The tags of which a month's rollups are due; None where nothing is kept of them."""
        classes = self._classes()
        due = together([classes.tags(one.name) for one in self._rules.classes if _is_month_due(month, today, one)])
        try:
            return due if len(due) and self._has_kept(month, due) else None
        except DamagedFileError as error:
            self._say_unreadable(f"{month}", error)
            return None

    def fold(self) -> None:
        """Fold what is kept by month. Raises HistorianFullError, LakeUnreachableError."""
        for month in self._kept.to_fold():
            try:
                self._kept.fold(month)
            except DamagedFileError as error:
                self._say_unreadable(f"{month}", error)

    def _has_kept(self, month: date, tags: np.ndarray) -> bool:
        for one in self._kept.days:
            if one.day.replace(day=1) == month:
                _, kept = split_pairs(self._kept.readers.reader(one.coarse).kept_at(DAY))
                if is_in(kept, tags).any():
                    return True
        return False

    def _rollups_due(self, rules: RetentionClass, tags: np.ndarray, today: date) -> Amount:
        amount = Amount()
        for month, names in self._kept.months().items():
            if len(tags) and _is_month_due(month, today, rules):
                amount += self._kept_amount(month, names, tags)
        return amount

    def _kept_amount(self, month: date, names: Sequence[str], tags: np.ndarray) -> Amount:
        """How much is kept of these tags in the files of a month."""
        files = {file.name: file for file in self._kept.files}
        rows = {name: RollupReader(self._kept.store, name).counted(tags) for name in names}
        size = sum(files[name].size * count // max(files[name].rows, 1) for name, count in rows.items())
        days = [one.day for one in self._kept.days if one.day.replace(day=1) == month]
        if not any(rows.values()):
            return Amount()
        some = sum(count > 0 for count in rows.values())
        return Amount(len(days), some, sum(rows.values()), size, min(days, default=month), max(days, default=month))


def _is_month_due(day: date, today: date, rules: RetentionClass) -> bool:
    """Whether rollups of a day go: they do by months."""
    return is_due(end_of_month(day.replace(day=1)), today, rules.rollup_days)


def _over_days(amounts: Iterable[Amount]) -> Amount:
    """The sum over files, of which several may be of one day."""
    some = [amount for amount in amounts if amount.rows]
    total = sum(some, Amount())
    return replace(total, days=len({amount.oldest for amount in some}))
