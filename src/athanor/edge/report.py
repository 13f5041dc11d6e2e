"""The edge's state in the form that the server takes: `POST /api/v1/ingest/status`."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from athanor import __version__
from athanor.edge.buffer import Backlog
from athanor.edge.source import SourceStatus


class Reporter:
    """Makes reports, and the rates that lie between one and the next."""

    def __init__(self, edge: str, sources: Sequence[SourceStatus]) -> None:
        self._edge = edge
        self._sources = sources
        self._counted_at_s = time.monotonic()
        self._samples = [0] * len(sources)

    def report(self, backlog: Backlog, refused_rows: int) -> dict[str, object]:
        """What is to be told now. `refused_rows` did not even find room in memory."""
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
                _of_source(source, rate) for source, rate in zip(self._sources, self._rates_per_s(), strict=True)
            ],
        }

    def _rates_per_s(self) -> list[float]:
        now_s = time.monotonic()
        elapsed_s = max(now_s - self._counted_at_s, 1e-3)
        samples = [source.counters.samples for source in self._sources]
        rates = [(new - old) / elapsed_s for new, old in zip(samples, self._samples, strict=True)]
        self._counted_at_s, self._samples = now_s, samples
        return rates


def _of_source(source: SourceStatus, samples_per_s: float) -> dict[str, object]:
    return {
        "id": source.id,
        "protocol": source.protocol,
        "address": source.address,
        "state": source.state.value,
        "since": source.since.isoformat(),
        "error": source.error,
        "tags": source.tags,
        "samples_per_s": round(samples_per_s, 2),
        "last_sample_at": _iso(source.last_sample_at),
        "counters": asdict(source.counters),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
