"""How long what is kept: classes of tags, and what age makes go. No store, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

import numpy as np

from athanor.kernel.plant.model import STANDARD_RETENTION, TagId
from athanor.kernel.sections import RetentionSettings


class Reason(StrEnum):
    """Why samples go."""

    EXPIRED = "expired"
    DISK_LOW = "disk-low"


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """How many days a class of tags keeps what; None for ever."""

    name: str
    raw_days: int | None = None
    rollup_days: int | None = None  # of samples that are gone; no less than `raw_days`
    waveform_days: int | None = None


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """What is kept how long, and what goes where the disk is short."""

    classes: tuple[RetentionClass, ...] = (RetentionClass(STANDARD_RETENTION),)  # the first goes first
    drop_oldest_when_full: bool = True
    keep_days_when_full: int = 30

    @classmethod
    def of(cls, settings: RetentionSettings) -> Self:
        """As the settings say."""
        days = settings.raw_days, settings.rollup_days, settings.waveform_days
        classes = tuple(RetentionClass(name, *(one.get(name) for one in days)) for name in settings.classes)
        return cls(classes, settings.drop_oldest_when_full, settings.keep_days_when_full)

    def with_those_of(self, tags: "TagClasses") -> tuple[RetentionClass, ...]:
        """All classes, those behind that tags have and no setting names: they keep everything, and go last."""
        named = {one.name for one in self.classes}
        return (*self.classes, *(RetentionClass(name) for name in tags.names if name not in named))


class TagClasses:
    """Which tags are of which class. Of a tag that is in none nothing ever goes."""

    def __init__(self, classes: Mapping[TagId, str]) -> None:
        self.names = sorted(set(classes.values()))
        ids = np.fromiter(classes, np.int32, len(classes))
        of = np.array([*classes.values()], np.str_)
        self._tags = {name: np.sort(ids[of == name]) for name in self.names}

    def tags(self, name: str) -> np.ndarray:
        """The tags of a class, sorted; none where there is no such class. int32"""
        return self._tags.get(name, np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class Amount:
    """How much goes, or went."""

    days: int = 0
    files: int = 0  # that it lies in, whole ones and others
    rows: int = 0  # samples, or rows of rollups
    size: int = 0  # [B]
    oldest: date | None = None
    newest: date | None = None

    def __add__(self, other: "Amount") -> "Amount":
        """Of days and files that differ."""
        days = [one for one in (self.oldest, self.newest, other.oldest, other.newest) if one is not None]
        return Amount(
            self.days + other.days,
            self.files + other.files,
            self.rows + other.rows,
            self.size + other.size,
            min(days, default=None),
            max(days, default=None),
        )


@dataclass(frozen=True, slots=True)
class ClassReport:
    """What goes of one class by now."""

    name: str
    rules: RetentionClass
    tags: int
    raw: Amount = Amount()
    rollups: Amount = Amount()  # of samples that are gone


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What goes by now, or went."""

    today: date  # UTC
    classes: tuple[ClassReport, ...]
    stays: Amount  # of all samples
    unreadable: tuple[str, ...] = ()  # damaged files, of which nothing goes

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; dates are ISO 8601."""
        return {key: _plain(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Removal:
    """Samples of one day that went."""

    reason: Reason
    day: date
    classes: Mapping[str, Amount] = field(default_factory=dict)
    too_late: int = 0  # of them, that came after their time had been closed, and are in no rollup

    @property
    def rows(self) -> int:
        return sum(amount.rows for amount in self.classes.values())

    @property
    def size(self) -> int:
        """[B]"""
        return sum(amount.size for amount in self.classes.values())


def last_due(today: date, days: int | None) -> date | None:
    """The last day (UTC) that is older than so many days whole; None where days are kept for ever."""
    return None if days is None else today - timedelta(days=days + 1)


def is_due(day: date, today: date, days: int | None) -> bool:
    """Whether all of a day (UTC) is older than so many days."""
    last = last_due(today, days)
    return last is not None and day <= last


def end_of_month(month: date) -> date:
    """The last day of the month whose first this is."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def together(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The tags of several classes, sorted. int32"""
    return np.unique(np.concatenate([np.empty(0, np.int32), *parts]))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
