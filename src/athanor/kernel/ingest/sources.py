"""What edges say of themselves: sources with state and rate, and what still waits for delivery. In memory only."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from athanor.kernel.metrics import EDGE_BACKLOG_ROWS

_MOST_EDGES = 10_000
SILENT_AFTER = timedelta(seconds=20)  # an edge reports every five seconds


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer edge may say more


class Backlog(_Report):
    """What an edge keeps on disk until the server acknowledges it."""

    batches: int = 0
    rows: int = 0
    bytes: int = 0
    oldest_at: AwareDatetime | None = None
    poisoned: int = 0  # batches that no server can read, set aside
    dropped_rows: int = 0  # the oldest, given up when the buffer was full; since the buffer began
    refused_rows: int = 0  # found no room on disk, nor in memory; since the edge's start


class SourceState(_Report):
    """One connector of an edge."""

    id: str
    protocol: str
    address: str = ""
    state: Literal["connecting", "connected", "failed", "stopped"]
    since: AwareDatetime
    error: str | None = None
    tags: int = 0
    tag_paths: tuple[str, ...] = ()  # said from time to time only; `SourceStates` keeps the last
    samples_per_s: float = 0.0
    last_sample_at: AwareDatetime | None = None
    counters: dict[str, int] = Field(default_factory=dict)


class EdgeReport(_Report):
    """What an edge says every few seconds."""

    edge: str = Field(min_length=1, max_length=200)
    version: str = ""
    at: AwareDatetime  # by the edge's clock
    backlog: Backlog = Backlog()
    sources: tuple[SourceState, ...] = ()


class EdgeState(EdgeReport):
    """An edge's last report, and when the server got it."""

    received_at: AwareDatetime  # by the server's clock

    def is_silent(self, now: datetime) -> bool:
        """Whether it has not reported for so long that what it said last is no longer worth much."""
        return now - self.received_at > SILENT_AFTER


class SourceStates:
    """The last report of every edge that has said anything since the server started."""

    def __init__(self) -> None:
        self._edges: dict[str, EdgeState] = {}

    def take(self, report: EdgeReport, *, edge: str, at: datetime) -> None:
        """Take in the report of the edge that `edge` proved to be, received `at`."""
        if edge not in self._edges and len(self._edges) >= _MOST_EDGES:
            oldest = min(self._edges.values(), key=lambda one: one.received_at)
            del self._edges[oldest.edge]
        known = {source.id: source.tag_paths for source in self._edges[edge].sources} if edge in self._edges else {}
        sources = tuple(
            source if source.tag_paths else source.model_copy(update={"tag_paths": known.get(source.id, ())})
            for source in report.sources
        )
        self._edges[edge] = EdgeState(**{**dict(report), "edge": edge, "sources": sources}, received_at=at)
        EDGE_BACKLOG_ROWS.labels(edge).set(report.backlog.rows)

    def edges(self) -> list[EdgeState]:
        """By name."""
        return [self._edges[name] for name in sorted(self._edges)]
