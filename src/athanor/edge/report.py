"""The edge's state in the form that the server takes: `POST /api/v1/ingest/status`."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from athanor import __version__
from athanor.edge.buffer import Backlog
from athanor.edge.source import SourceStatus

_PATHS_EVERY_REPORTS = 60  # five minutes: a server that starts anew is soon told which tags a source has
_PATHS_AT_FIRST = 12  # and each of the first, of which some may not arrive
_RATE_OVER_REPORTS = 12  # a minute: long enough that a source polled every ten seconds shows a steady rate


class Reporter:
    """Makes reports, and knows the rates that lie between them."""

    def __init__(self, edge: str, sources: Sequence[SourceStatus], clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._sources = sources
        self._clock = clock
        self._reports = 0
        self._counts = deque([self._count()], maxlen=_RATE_OVER_REPORTS)

    def report(self, backlog: Backlog, refused_rows: int) -> dict[str, object]:
        """What is to be told now. `refused_rows` did not even find room in memory."""
        rates = self._rates_per_s()
        has_paths = self._reports < _PATHS_AT_FIRST or self._reports % _PATHS_EVERY_REPORTS == 0
        self._reports += 1
        return {
            "edge": self._edge,
            "version": __version__,
            "at": datetime.now(UTC).isoformat(),
            "backlog": {
                "batches": backlog.batches,
                "rows": backlog.rows,
                "oldest_at": _iso(backlog.oldest_at),
                "bytes": backlog.bytes,
                "poisoned": backlog.poisoned,
                "dropped_rows": backlog.dropped_rows,
                "refused_rows": refused_rows,
            },
            "sources": [
                _of_source(source, rate, has_paths=has_paths) for source, rate in zip(self._sources, rates, strict=True)
            ],
        }

    def _count(self) -> tuple[float, list[int]]:
        return self._clock(), [source.counters.samples for source in self._sources]

    def _rates_per_s(self) -> list[float]:
        """Samples a second of each source, since the oldest report that is remembered."""
        then_s, before = self._counts[0]
        now_s, samples = self._count()
        self._counts.append((now_s, samples))
        if now_s <= then_s:
            return [0.0] * len(samples)
        return [(count - earlier) / (now_s - then_s) for count, earlier in zip(samples, before, strict=True)]


def _of_source(source: SourceStatus, samples_per_s: float, *, has_paths: bool) -> dict[str, object]:
    return {
        "id": source.id,
        "protocol": source.protocol,
        "address": source.address,
        "state": source.state.value,
        "since": source.since.isoformat(),
        "error": source.error,
        "tags": source.tags,
        "tag_paths": source.tag_paths if has_paths else (),
        "samples_per_s": round(samples_per_s, 2),
        "last_sample_at": _iso(source.last_sample_at),
        "counters": asdict(source.counters),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
