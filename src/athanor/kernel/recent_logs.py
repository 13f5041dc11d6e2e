"""The last log records of this server, in memory, for who looks after it. Secrets are taken out before they come in."""

import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST = 2000
LEVELS = ("debug", "info", "warning", "error", "critical")

_LONGEST = 2000  # characters of one text
_HIDDEN = "•••"
_SECRET_KEY = re.compile(r"passw|secret|token|authori[sz]ation|cookie|credential|api_?key|private_?key", re.IGNORECASE)
_SECRET_TEXTS = (
    (re.compile(r"(://[^/\s:@]*:)[^@/\s]+@"), rf"\1{_HIDDEN}@"),  # of an address with a password
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (
        re.compile(r"((?:passw(?:or)?d|secret|token|api_?key)[\"']?\s*[=:]\s*)[\"']?[^\s,;\"'&]+", re.IGNORECASE),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\bath_[\w-]{8,}"), _HIDDEN),  # our own tokens
)
_SAID = ("event", "level", "timestamp", "exc_info", "exception", "_record", "_from_structlog")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the log."""

    number: int  # goes up by one
    at: datetime
    level: str
    event: str
    fields: Mapping[str, str] = field(default_factory=dict)
    trace: str = ""


class RecentLogs:
    """A ring that takes records from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._records: deque[LogRecord] = deque(maxlen=most)
        self._lock = threading.Lock()
        self._number = 0

    def __call__(self, _logger: Any, _method: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a processor of structlog: remember it, and hand it on as it is."""
        fields = {
            key: _HIDDEN if _SECRET_KEY.search(key) else without_secrets(value)
            for key, value in said.items()
            if key not in _SAID
        }
        trace = said.get("exception") or _trace(said.get("exc_info"))
        with self._lock:
            self._number += 1
            self._records.append(
                LogRecord(
                    self._number,
                    datetime.now(UTC),
                    str(said.get("level", "info")),
                    without_secrets(said.get("event", "")),
                    fields,
                    without_secrets(trace),
                )
            )
        return said

    def latest(self, least: str = "debug", text: str = "", most: int = MOST) -> list[LogRecord]:
        """Those of at least this level that hold a text, newest first."""
        wanted = text.strip().casefold()
        with self._lock:
            records = list(self._records)
        rank = LEVELS.index(least)
        found = [one for one in reversed(records) if _rank(one.level) >= rank and wanted in _all_of(one)]
        return found[:most]


def without_secrets(value: object) -> str:
    """A text in which what looks like a password or a token is hidden, and which is not too long."""
    shown = str(value)
    for pattern, hidden in _SECRET_TEXTS:
        shown = pattern.sub(hidden, shown)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + " …"


def _trace(error: object) -> str:
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple) and len(error) == len(("kind", "error", "trace")):
        error = error[1]
    return "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("error")


def _all_of(record: LogRecord) -> str:
    fields = " ".join(f"{key}={value}" for key, value in record.fields.items())
    return f"{record.event} {fields} {record.trace}".casefold()


RECENT = RecentLogs()
