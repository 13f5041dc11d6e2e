"""The contract of a store of waveforms and the value types it speaks. Rules are numbered in docs/waveforms.md."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Span
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import IncompatibleUnitsError, conversion

MOST_POINTS = 2**24  # of one waveform: six minutes at 48 kHz
_HIGHEST_RATE_HZ = 1e9
_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LONGEST_PATH = 500
_CHANNEL = re.compile(r"[a-z0-9_]{1,64}")

# What may be measured, and a unit that its unit converts into. A level (dB) is no waveform: it is a sample.
QUANTITIES: Mapping[str, str] = {
    "acceleration": "m/s2",
    "velocity": "m/s",
    "displacement": "m",
    "sound_pressure": "Pa",
    "pressure": "Pa",
    "current": "A",
    "voltage": "V",
    "force": "N",
    "torque": "N*m",
    "strain": "1",
    "rotation_speed": "rpm",
}


class Trigger(StrEnum):
    """Why a waveform was taken."""

    SCHEDULED = "scheduled"
    EVENT = "event"  # something crossed a limit
    MANUAL = "manual"


class BadWaveformError(AthanorError):
    """A waveform that cannot be what its sender says."""

    code = "waveforms.bad"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This is no waveform: {reason}. docs/waveforms.md says what one is; correct it and send it again."
        )


class DamagedWaveformError(AthanorError):
    """A stored waveform is missing, cut short or overwritten."""

    code = "waveforms.damaged"

    def __init__(self, what: str, place: str, reason: object) -> None:
        super().__init__(
            f"{what} cannot be read: {place} in the files is damaged ({reason}). Put that file back from a backup. All "
            "other waveforms can be read."
        )


class UnequalWaveformsError(AthanorError):
    """Waveforms that do not make one table."""

    code = "waveforms.unequal"

    def __init__(self, first: "Entry", other: "Entry") -> None:
        super().__init__(
            f"Waveforms {first.id} and {other.id} make no table: {_shape(first)}, and {_shape(other)}. Read them one "
            "by one."
        )


class WaveformIndexError(AthanorError):
    """The database, which holds the index of waveforms, does not take a change or answer a question."""

    code = "waveforms.index-unavailable"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The index of waveforms in the database cannot be used ({reason}). Nothing was acknowledged, and whoever "
            "sends sends again. Check database_url and the room on its disk."
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What a waveform is of. A point is its number × scale + offset, in `unit`."""

    asset: str  # path of a node of the plant
    channel: str  # of the asset: de_x, microphone, phase_a
    start: datetime  # of the first point, aware, to the microsecond
    rate_hz: float  # points a second
    quantity: str  # a key of QUANTITIES
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    quality: Quality = Quality.GOOD
    trigger: Trigger = Trigger.SCHEDULED


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """A head and its numbers, [N] int16 as a converter delivers them, or float32."""

    head: Head
    numbers: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The points in `head.unit`, exact: float32 where the numbers are that and are not scaled, else float64. [N]"""
        head = self.head
        if self.numbers.dtype == np.float32 and (head.scale, head.offset) == (1.0, 0.0):
            return self.numbers
        return self.numbers.astype(np.float64) * head.scale + head.offset


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index says of a stored waveform."""

    id: int  # never given twice; stays when a later write replaces the waveform
    head: Head
    points: int
    dtype: str  # int16 or float32
    size: int  # bytes stored


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of an asset that has waveforms, or had."""

    asset: str
    name: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which waveforms age makes go: all that start before `before`, narrowed by what is given."""

    before: datetime
    assets: Sequence[str] | None = None  # paths; None: of all
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """How much goes, or went."""

    waveforms: int
    points: int
    size: int  # bytes
    oldest: datetime | None = None
    newest: datetime | None = None


class Waveforms(Protocol):
    """Keeps waveforms, at most one for each asset, channel and start. Safe for concurrent use.

    Everything raises WaveformIndexError where the database, and FilesUnreachableError where the store of files, does
    not answer. Whoever opened it closes it, and database and files after it.
    """

    async def write(self, waveforms: Sequence[Waveform]) -> list[int]:
        """Store all or none; durable on return. Ids, in the order given.

        A later write of the same asset, channel and start replaces the earlier, also within the call. What is written
        in one call and belongs to one asset shares a file: send together what was taken together. Raises
        BadWaveformError, FilesFullError.
        """

    async def read(self, waveform_id: int) -> Waveform:
        """One waveform, by one read of its file. Raises NotFoundError, DamagedWaveformError."""

    async def read_many(self, ids: Sequence[int]) -> list[Waveform]:
        """Waveforms in the order asked. Raises NotFoundError, DamagedWaveformError."""

    async def table(self, ids: Sequence[int]) -> np.ndarray:
        """The values of waveforms of one length, rate and unit, a row each. [len(ids), N] float64

        Raises NotFoundError, UnequalWaveformsError, DamagedWaveformError.
        """

    async def entry(self, waveform_id: int) -> Entry:
        """What the index says of one. Raises NotFoundError."""

    async def find(
        self,
        asset: str,
        channel: str | None = None,
        span: Span | None = None,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 1000,
    ) -> list[Entry]:
        """Waveforms of an asset that start within a span, by start, then channel.

        `after` is start and channel of the last one of the page before.
        """

    async def latest(self, asset: str, channel: str | None = None) -> list[Entry]:
        """The newest waveform of each channel, or of one; by channel."""

    async def channels(self, asset: str | None = None) -> list[Channel]:
        """Channels of an asset, or of all, by asset and name."""

    async def expire(self, selection: Selection, *, dry_run: bool) -> Gone:
        """Delete what has come of age, or only say what would go."""

    async def sweep(self) -> int:
        """Delete files that no waveform is in, which crashes leave; how many."""


def checked(waveform: Waveform) -> Waveform:
    """The waveform, if it is one. Raises BadWaveformError."""
    head, numbers = waveform.head, waveform.numbers
    if len(head.asset) > _LONGEST_PATH or not _PATH.fullmatch(head.asset):
        raise BadWaveformError(f"{head.asset[:80]!r} is no path of an asset, such as smelter.fans.fan_1")
    if not _CHANNEL.fullmatch(head.channel):
        raise BadWaveformError(f"{head.channel[:80]!r} is no channel: small letters, digits and _, 64 at most")
    if head.start.tzinfo is None:
        raise BadWaveformError(f"its start {head.start} has no time zone")
    if not 0 < head.rate_hz <= _HIGHEST_RATE_HZ:  # false for NaN as well
        raise BadWaveformError(f"a sampling rate of {head.rate_hz} Hz cannot be")
    if not (math.isfinite(head.scale) and math.isfinite(head.offset)) or head.scale == 0:
        raise BadWaveformError(f"scale {head.scale} and offset {head.offset} must be finite, and scale not 0")
    if head.quantity not in QUANTITIES:
        raise BadWaveformError(f"the quantity {head.quantity[:80]!r} is none of {', '.join(QUANTITIES)}")
    try:
        conversion(head.unit, QUANTITIES[head.quantity])
    except IncompatibleUnitsError as error:
        raise BadWaveformError(f"{head.quantity} is not measured in {head.unit}") from error
    if numbers.ndim != 1 or numbers.dtype not in (np.dtype("<i2"), np.dtype("<f4")):
        raise BadWaveformError(
            f"its numbers are {numbers.dtype} of shape {numbers.shape}, not a row of int16 or float32"
        )
    if not 1 <= len(numbers) <= MOST_POINTS:
        raise BadWaveformError(f"it has {len(numbers):,} points, of 1 to {MOST_POINTS:,}")
    return waveform


def _shape(entry: Entry) -> str:
    return f"{entry.points} points at {entry.head.rate_hz:g} Hz in {entry.head.unit}"
