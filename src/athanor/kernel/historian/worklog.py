"""What the historian does in the background: when each kind of work was last done, how long it took, how it went."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from athanor.kernel.metrics import HISTORIAN_WORK


class Work(StrEnum):
    """Kinds of work."""

    SEAL = "seal"
    COMPACT = "compact"
    ROLL_UP = "roll-up"
    EXPIRE = "expire"
    MAKE_ROOM = "make-room"


class ClosingError(Exception):
    """The historian closes: what takes long is given up, and done again after the next start."""


@dataclass(frozen=True, slots=True)
class WorkNote:
    """The last time, and how often since the start."""

    work: Work
    began_at: datetime
    seconds: float
    reason: str | None  # why it failed; None where it did not
    done: int
    failed: int


class WorkLog:
    """Notes of all work since the start. Safe from any thread."""

    def __init__(self) -> None:
        self._notes: dict[Work, WorkNote] = {}
        self._lock = threading.Lock()

    @property
    def notes(self) -> dict[Work, WorkNote]:
        """The note of each kind of work that was done at all."""
        with self._lock:
            return dict(self._notes)

    @contextmanager
    def noting(self, work: Work) -> Iterator[None]:
        """Note how the block goes. One that is given up since the historian closes is not noted."""
        began_at, started = datetime.now(UTC), time.monotonic()
        try:
            yield
        except ClosingError:
            raise
        except Exception as error:
            self._note(work, began_at, time.monotonic() - started, str(error))
            raise
        self._note(work, began_at, time.monotonic() - started, None)

    def _note(self, work: Work, began_at: datetime, seconds: float, reason: str | None) -> None:
        HISTORIAN_WORK.labels(work.value, "done" if reason is None else "failed").inc()
        with self._lock:
            before = self._notes.get(work)
            done, failed = (0, 0) if before is None else (before.done, before.failed)
            is_done = reason is None
            self._notes[work] = WorkNote(work, began_at, seconds, reason, done + is_done, failed + (not is_done))
