"""The contract of a historian and the value types it speaks. Rules are numbered in docs/historian.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import GapPolicy
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME

STORED = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),  # TagId
        pa.field("time", TIME, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
STEPS = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),
        pa.field("time", TIME, nullable=False),  # start of the step
        pa.field("value", pa.float64()),
        pa.field("covered", pa.float64()),  # share of the step's time that is known; null where nothing can say
    ]
)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time that holds its start and not its end. Times are aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"A span needs aware times; got {self.start} to {self.end}.")
        if self.end < self.start:
            raise ValueError(f"A span cannot end before it starts: {self.start} to {self.end}.")

    @property
    def start_us(self) -> int:
        return microseconds(self.start)

    @property
    def end_us(self) -> int:
        return microseconds(self.end)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC, exact (no float in between)."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """The aware time that is `us` microseconds after 1970 UTC."""
    return _EPOCH + timedelta(microseconds=us)


class HistorianFullError(AthanorError):
    """The disk or the object store under the historian takes no more."""

    code = "historian.full"

    def __init__(self, place: object, reason: object) -> None:
        super().__init__(
            f"The historian at {place} cannot store samples ({reason}). Free disk space, or see that the "
            "object store answers; edges keep what is not acknowledged and send it again."
        )


class DamagedFileError(AthanorError):
    """A file of sealed samples is missing, cut short or overwritten."""

    code = "historian.damaged-file"

    def __init__(self, path: object, reason: object) -> None:
        self.path, self.reason = str(path), str(reason)
        super().__init__(
            f"The file {path} of sealed samples cannot be read ({reason}). Put it back from a backup or, where there "
            "is none, do without it: athanor historian set-aside FILE. Queries that do not touch its tags and times "
            "go on."
        )


class NotDamagedError(AthanorError):
    """A file of samples that should be set aside can be read."""

    code = "historian.not-damaged"

    def __init__(self, path: object) -> None:
        super().__init__(
            f"The file {path} can be read from its beginning to its end, so it stays where it is. See which are "
            "damaged with: athanor historian check."
        )


class LakeUnreachableError(AthanorError):
    """The object store under the lake does not answer."""

    code = "historian.lake-unreachable"

    def __init__(self, path: object, reason: object) -> None:
        super().__init__(
            f"The file {path} of sealed samples cannot be reached ({reason}). Check the object store and the way to "
            "it, then ask again. Samples that come in meanwhile are kept and readable."
        )


class LakeTakenError(AthanorError):
    """Another server writes the lake that was ours."""

    code = "historian.lake-taken"

    def __init__(self, place: object, who: object) -> None:
        super().__init__(
            f"The lake at {place} is written by another server by now ({who}), so this one writes it no more. Samples "
            "that come in here wait in the hot tail. Stop the other server, then start this one again."
        )


class HistorianUnopenableError(AthanorError):
    """The historian's files are in use by another process, damaged, or not ours to read."""

    code = "historian.cannot-open"

    def __init__(self, place: object, reason: object) -> None:
        super().__init__(
            f"The historian at {place} cannot be opened ({reason}). Stop the other server that uses it, or name "
            "another place (data_dir, lake_url); if none does, correct its permissions or put it back from a backup."
        )


class Historian(Protocol):
    """Keeps samples, at most one for each tag and source time.

    Times are aware; tables are sorted by tag, then time. Safe for concurrent use. Whoever opened it closes it.
    """

    async def write(self, batch: pa.RecordBatch) -> None:
        """Store all or none of a batch (schema STORED, any order); durable on return.

        A later sample for the same tag and time replaces the earlier, also within the batch.
        Raises HistorianFullError when there is no room.
        """

    async def read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        """Samples (STORED) by tag, then time, bad ones too; no rows for an unknown tag.

        Raises DamagedFileError, as do `resample` and `downsample`: an answer with a hole would look like a true one.
        """

    async def resample(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> pa.Table:
        """Schema STEPS: a row for each tag and step of which something is known, by tag, then time.

        `edges` are the steps' boundaries [us since 1970 UTC, ascending], as `calendar.edges` gives them; let the last
        be no later than now. `covered` is the share of the step's time that is known, 0 to 1; null where samples stand
        for themselves. What reaches into the first and out of the last step counts as the policy says.
        `aggregation.aggregate` says what each measure is. Raises GapPolicyNeededError.
        """

    async def measures(
        self, tags: Sequence[TagId], edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy
    ) -> Mapping[Measure, pa.Table]:
        """What `resample` answers for each of several measures, found in one pass."""

    async def downsample(self, tags: Sequence[TagId], span: Span, points: int) -> pa.Table:
        """At most about `points` good numbers a tag (columns tag, time, value) that look as all of them would.

        The extremes are kept. Where a tag has no more than `points`, all its good numbers come.
        """

    async def latest(self) -> pa.Table:
        """The newest sample (STORED) of every tag that has any."""

    async def import_history(self, samples: pa.Table) -> None:
        """Store samples (STORED, any order) in bulk as if written now, straight into sealed days; durable on return.

        For backfills of millions; live samples go through `write`. Raises HistorianFullError.
        """

    async def close(self) -> None:
        """Flush and let go of files; the historian answers nothing after."""
