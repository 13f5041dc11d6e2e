"""What a connector is, where it puts its samples, and how it says that it is well or in trouble."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import pyarrow as pa
import structlog

from athanor.kernel.errors import AthanorError
from athanor.kernel.telemetry import Quality

log = structlog.get_logger(__name__)


class SourceUnreachableError(AthanorError):
    """A device or server gave no answer, or stopped answering."""

    code = "edge.source-unreachable"

    def __init__(self, address: str, reason: object) -> None:
        said = str(reason) or type(reason).__name__
        super().__init__(
            f"No answer from {address} ({said}). Athanor keeps trying. Check that it runs and that the network and its "
            "firewall let this machine reach it."
        )


class SourceRefusedError(AthanorError):
    """A device or server answers, but does not let us in."""

    code = "edge.source-refused"

    def __init__(self, address: str, reason: object) -> None:
        super().__init__(
            f"{address} refuses this edge ({reason}). Athanor keeps trying. Check user and password_env of this "
            "source, and the rights that the server gives that user."
        )


class Sink(Protocol):
    """Takes a connector's samples, in any order. Never blocks, never fails; called from the event loop only."""

    def add(
        self,
        tag: str,
        time_us: int,
        value: float | str | None,
        quality: Quality = Quality.GOOD,
        unit: str | None = None,
        *,
        is_historical: bool = False,
    ) -> None:
        """One sample. Time is microseconds since 1970 UTC; a historical one says nothing about the present."""

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Many samples at once (schema SAMPLES)."""

    def add_lost(self, tags: Iterable[str], at_us: int | None = None) -> None:
        """From `at_us` (now) on nobody knows these tags' values: each gets a bad sample without value.

        When such a tag speaks again with a source time before the loss (it did not change meanwhile), its value is
        said a second time with the time of receipt: else the loss would stay the newest word.
        """


class SourceState(StrEnum):
    """What a person is told about a source."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass
class Counters:
    """What happened since the edge's start."""

    samples: int = 0
    bad: int = 0  # samples of quality bad
    undecodable: int = 0  # values or messages that made no sense
    gaps: int = 0  # missed messages or periods
    reconnects: int = 0
    clock_skew: int = 0  # samples more than ten minutes ahead of the edge's clock, passed on unchanged


_CONNECTION = "connection"


@dataclass
class SourceStatus:
    """The health of one source. Says each trouble once and its end once."""

    id: str
    protocol: str
    address: str
    tags: int
    tag_paths: tuple[str, ...] = ()
    state: SourceState = SourceState.CONNECTING
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    counters: Counters = field(default_factory=Counters)
    last_sample_at: datetime | None = None
    _troubles: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """The gravest trouble in words, and how many more there are."""
        if not self._troubles:
            return None
        gravest = self._troubles.get(_CONNECTION) or next(iter(self._troubles.values()))
        others = len(self._troubles) - 1
        return f"{gravest} (and {others} more)" if others else gravest

    def connected(self) -> None:
        """The connector reached its source."""
        self.well(_CONNECTION)
        self._become(SourceState.CONNECTED)

    def failed(self, reason: object) -> None:
        """The connector lost its source, or did not reach it. Troubles with parts end: nothing is known of them."""
        self._troubles = {_CONNECTION: self._troubles[_CONNECTION]} if _CONNECTION in self._troubles else {}
        self.trouble(_CONNECTION, reason)
        self._become(SourceState.FAILED)

    def stopped(self) -> None:
        """The edge stops reading this source."""
        self._become(SourceState.STOPPED)

    def trouble(self, part: str, reason: object) -> None:
        """A part of the source (a tag, a topic, a block of registers) is not well."""
        if part not in self._troubles:
            log.warning("source.trouble", source=self.id, address=self.address, part=part, reason=str(reason))
        self._troubles[part] = str(reason)

    def well(self, part: str) -> None:
        """The part is well; said only where it was not."""
        if self._troubles.pop(part, None) is not None:
            log.info("source.recovered", source=self.id, address=self.address, part=part)

    def _become(self, state: SourceState) -> None:
        if state is not self.state:
            self.state = state
            self.since = datetime.now(UTC)


class Connector(Protocol):
    """Speaks one protocol to one source.

    A connector reads its source until it is cancelled; it holds no connection before `run` and none after.
    """

    async def run(self, sink: Sink, status: SourceStatus) -> None:
        """Connect, call `status.connected()`, and pass on what the source says, bad values as bad.

        Raises SourceUnreachableError or SourceRefusedError when the connection cannot be made or breaks; the
        supervisor then tells the sink that all tags are lost, waits, and calls `run` again.
        """
