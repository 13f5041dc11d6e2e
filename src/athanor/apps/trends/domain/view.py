"""The range of time that a person looks at: fixed, or a length that ends now; and how it is written in an address."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

RANGES: dict[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "60d": timedelta(days=60),
}
DEFAULT_RANGE = "1h"
_LENGTH = re.compile(r"([1-9]\d{0,8})([smhd])")
_UNIT = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
SHORTEST, LONGEST = timedelta(seconds=5), timedelta(days=3660)
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_possible(start: datetime, end: datetime) -> bool:
    """Whether these aware times, in this order, are a range that can be looked at."""
    return _EARLIEST <= start < end <= _LATEST and end - start <= LONGEST


@dataclass(frozen=True, slots=True)
class View:
    """From `start` to `end`, aware; a live one moves on with the clock."""

    start: datetime
    end: datetime
    is_live: bool

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def at(self, now: datetime) -> "View":
        """The same view later: a live one ends at `now`, a fixed one stays."""
        return View(now - self.length, now, is_live=True) if self.is_live else self

    def query(self) -> dict[str, str]:
        """As an address says it: `range=1h` when live, `from` and `to` when fixed."""
        if self.is_live:
            return {"range": length_text(self.length)}
        return {"from": _iso(self.start), "to": _iso(self.end)}


def view_of(now: datetime, length: str = "", start: str = "", end: str = "") -> View:
    """The view that an address asks for; what cannot be read is as if it were not there.

    A fixed range wins over a length. Times without a zone are UTC.
    """
    first, last = _moment(start), _moment(end)
    if first is not None and last is not None and is_possible(first, last):
        return View(first, last, is_live=False)
    wished = parsed_length(length) or RANGES[DEFAULT_RANGE]
    return View(now - wished, now, is_live=True)


def parsed_length(text: str) -> timedelta | None:
    """`90s`, `15m`, `8h` or `7d` as a length of time; None for anything else."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        return None
    length = int(match[1]) * _UNIT[match[2]]
    return length if length <= LONGEST else None


def length_text(length: timedelta) -> str:
    """The shortest text that `parsed_length` reads as this length, to the second."""
    seconds = max(1, round(length.total_seconds()))
    for name in ("d", "h", "m"):
        size = int(_UNIT[name].total_seconds())
        if seconds % size == 0 and seconds // size > (0 if name != "d" else 1):
            return f"{seconds // size}{name}"
    return f"{seconds}s"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
