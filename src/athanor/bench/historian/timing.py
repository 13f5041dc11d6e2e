"""How long something takes, again and again, and without anything in memory."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")
_LEAST = 5  # repeats, whatever they take
_CACHES = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that repeats of one thing took."""

    seconds: np.ndarray

    @property
    def median_ms(self) -> float:
        return float(np.median(self.seconds)) * 1e3

    @property
    def p99_ms(self) -> float:
        return float(np.percentile(self.seconds, 99)) * 1e3


def timed(work: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    outcome = work()
    return time.perf_counter() - began, outcome


def repeated(ask: Callable[[_T], object], questions: Iterable[_T], patience_s: float) -> Times:
    """Each question once, as long as patience lasts. The first two are warming up and do not count."""
    taken: list[float] = []
    ends = time.perf_counter() + patience_s
    for question in questions:
        began = time.perf_counter()
        ask(question)
        taken.append(time.perf_counter() - began)
        if len(taken) >= _LEAST + 2 and began > ends:
            break
    return Times(np.array(taken[2:] or taken))


def without_page_cache() -> bool:
    """Let the system forget what it has read from the disk; False where this user may not."""
    os.sync()
    try:
        _CACHES.write_text("1\n", encoding="ascii")
    except OSError:
        return False
    return True
