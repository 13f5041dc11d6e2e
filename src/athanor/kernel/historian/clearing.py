"""Making samples go when their time has come, or the disk is short: when, in which order, and who is told."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import structlog

from athanor.kernel.historian.disk import DiskLimits, DiskState, DiskWatch, Tell
from athanor.kernel.historian.expiry import Expiry
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.retention import Amount, Removal, RetentionReport, RetentionRules, TagClasses
from athanor.kernel.historian.worklog import Work, WorkLog
from athanor.kernel.metrics import SAMPLES_REMOVED

_log = structlog.get_logger(__name__)

EXPIRED_TOPIC = "historian.samples.expired"
DROPPED_TOPIC = "historian.samples.dropped"

IN_NEED_KEPT_S = 60.0  # a file that was replaced, for those who are reading it, where the disk is short

Progress = Callable[[int, int], None]  # days done, and of how many; ends it all by raising


def _today() -> date:
    return datetime.now(UTC).date()


def _no_classes() -> TagClasses:
    return TagClasses({})


def _tell_nobody(topic: str, body: Mapping[str, Any]) -> None:
    """Whoever wants to know gives another one."""


def _say_nothing(done: int, of: int) -> None:
    """The same for progress."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a historian is told of how long to keep what, and whom it tells."""

    rules: RetentionRules = field(default_factory=RetentionRules)
    classes: Callable[[], TagClasses] = _no_classes
    limits: DiskLimits = field(default_factory=DiskLimits)
    tell: Tell = _tell_nobody
    today: Callable[[], date] = _today  # UTC


@dataclass(frozen=True, slots=True)
class Turns:
    """How the work on a lake is shared out."""

    working: threading.Lock  # held by whoever changes the lake
    on_its_way: Callable[[], int]  # what files take that were replaced, and go [B]
    check_open: Callable[[], None]  # raises ClosingError where the historian closes
    going: Callable[[Iterable[pa.Table]], Iterable[pa.Table]]  # passes tables on; the same


class Clearing:
    """Lets samples go. Interrupted anywhere, doing it again gives the same."""

    def __init__(self, expiry: Expiry, watch: DiskWatch, keeping: Keeping, work: WorkLog, turns: Turns) -> None:
        self._expiry = expiry
        self._watch = watch
        self._keeping = keeping
        self._work = work
        self._turns = turns
        self._expiring = threading.Lock()
        self._expired_on: date | None = None
        self.is_in_need = False  # of room, more than of files that were replaced
        self._is_stuck = False

    def report(self) -> RetentionReport:
        """What goes by now. Raises LakeUnreachableError."""
        with self._expiring:
            return self._expiry.report(self._keeping.today())

    def expire_daily(self) -> None:
        """Once for each day (UTC): let go what has come of age. Raises HistorianFullError, LakeUnreachableError."""
        if self._expired_on != self._keeping.today():
            self.expire()

    def expire(self, progress: Progress = _say_nothing) -> list[Removal]:
        """Let go what has come of age, oldest day first; others may change the lake between days.

        Raises HistorianFullError, LakeUnreachableError, and whatever `progress` does; days that are done stay so.
        """
        removals: list[Removal] = []
        with self._expiring:
            today = self._keeping.today()
            days = self._expiry.days_due(today)
            if not days and not self._expiry.has_rollups_due(today):
                self._expired_on = today
                return []
            with self._work.noting(Work.EXPIRE):
                try:
                    self._expire_days(days, today, progress, removals)
                finally:
                    if removals:
                        self._keeping.tell(EXPIRED_TOPIC, _said_of(removals))
                with self._turns.working:
                    self._expiry.expire_rollups(today)
                    self._expiry.fold()
            self._expired_on = today
        return removals

    def _expire_days(self, days: Sequence[date], today: date, progress: Progress, removals: list[Removal]) -> None:
        for done, day in enumerate(days):
            self._turns.check_open()
            progress(done, len(days))
            with self._turns.working:
                removal = self._expiry.expire(day, today, self._turns.going)
            if removal is not None:
                _note(removal)
                removals.append(removal)
        progress(len(days), len(days))

    def make_room(self) -> None:
        """Look at the disks, and let the oldest samples go where the lake's is short, as far as they may.

        What files take that were replaced counts as free already.
        """
        self._watch.look()
        self.is_in_need = self._is_short(0)
        if not self._keeping.rules.drop_oldest_when_full or not self._is_short(self._turns.on_its_way()):
            self._is_stuck = False
            return
        try:
            while self._is_short(self._turns.on_its_way()):
                self._turns.check_open()
                if not self._drop_oldest():
                    self._say_stuck("no more may go, or what stays of its day needs more room than there is")
                    return
        except HistorianFullError as error:
            self._say_stuck(str(error))

    def _is_short(self, on_its_way: int) -> bool:
        disk = self._watch.under_lake()
        return disk is not None and self._watch.limits.state_of(disk.free + on_its_way) >= DiskState.LOW

    def _drop_oldest(self) -> bool:
        with self._expiring, self._turns.working, self._work.noting(Work.MAKE_ROOM):
            today = self._keeping.today()
            oldest = self._expiry.oldest(today)
            if oldest is None:
                return False
            removal = self._expiry.drop(*oldest, today, self._turns.going, self._room())
        if removal is None:
            return False
        _note(removal)
        self._keeping.tell(DROPPED_TOPIC, _said_of([removal]))
        return True

    def _room(self) -> int:
        """What may be written on the lake's disk without touching the reserve. [B]"""
        disk = self._watch.under_lake()
        return 0 if disk is None else disk.free - self._watch.limits.reserve_mb * 1024**2

    def _say_stuck(self, reason: str) -> None:
        if not self._is_stuck:
            self._is_stuck = True
            _log.error("historian.no-room-made", reason=reason)


def _note(removal: Removal) -> None:
    for name, amount in removal.classes.items():
        SAMPLES_REMOVED.labels(name, removal.reason.value).inc(amount.rows)
    _log.info(
        "historian.samples-removed",
        reason=removal.reason.value,
        day=f"{removal.day}",
        samples={name: amount.rows for name, amount in removal.classes.items()},
        bytes=removal.size,
        too_late=removal.too_late,
    )


def _said_of(removals: Sequence[Removal]) -> Mapping[str, Any]:
    """What went, by class."""
    amounts: dict[str, Amount] = {}
    for removal in removals:
        for name, amount in removal.classes.items():
            amounts[name] = amounts.get(name, Amount()) + amount
    return {
        "reason": removals[0].reason.value,
        "classes": {
            name: {
                "days": amount.days,
                "from": f"{amount.oldest}",
                "to": f"{amount.newest}",
                "samples": amount.rows,
                "bytes": amount.size,
            }
            for name, amount in amounts.items()
        },
    }
