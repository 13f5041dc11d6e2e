"""Samples before and after a correction, side by side, and how they are kept."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from athanor.kernel.historian.gaps import is_good
from athanor.kernel.historian.port import STORED
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality, numpy_column

CHANGES = pa.schema(
    [
        pa.field("time", TIME, nullable=False),
        pa.field("old_value", pa.float64()),
        pa.field("old_text", pa.string()),
        pa.field("old_quality", pa.uint8()),  # null: there was no sample
        pa.field("new_value", pa.float64()),
        pa.field("new_text", pa.string()),
        pa.field("new_quality", pa.uint8(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one tag, ascending in time, one for each. Columns of one length."""

    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]  # NaN where there is none
    text: npt.NDArray[np.object_]  # None where there is none
    quality: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, table: pa.Table) -> "Samples":
        """The rows of one tag (STORED, in order of time)."""
        text = table["text"].to_numpy(zero_copy_only=False)
        value = numpy_column(table, "value").astype(np.float64)
        return cls(numpy_column(table, "time"), value, text, numpy_column(table, "quality"))

    def __len__(self) -> int:
        return len(self.time_us)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Samples":
        """These rows, by index or mask."""
        return Samples(self.time_us[rows], self.value[rows], self.text[rows], self.quality[rows])

    def with_these(self, newer: "Samples") -> "Samples":
        """Both as one; where both have a time, the newer's."""
        kept = self.take(~is_among(self.time_us, newer.time_us))
        order = np.argsort(np.concatenate([kept.time_us, newer.time_us]), kind="stable")
        columns = ("time_us", "value", "text", "quality")
        joined = (np.concatenate([getattr(kept, name), getattr(newer, name)])[order] for name in columns)
        return Samples(*joined)

    def stored(self, tag: TagId) -> pa.RecordBatch:
        """As the historian takes them (STORED)."""
        columns = [
            pa.array(np.full(len(self), tag, np.int32)),
            pa.array(self.time_us).cast(TIME),
            pa.array(self.value, from_pandas=True),
            pa.array(self.text, pa.string()),
            pa.array(self.quality),
        ]
        return pa.record_batch(columns, STORED)


@dataclass(frozen=True, slots=True)
class Figures:
    """A few figures of the good numbers among samples; NaN where there are none."""

    count: int
    minimum: float
    mean: float
    maximum: float


def figures_of(samples: Samples) -> Figures:
    """Of samples as they stand, not weighted by time."""
    good = samples.value[is_good(samples.value, samples.quality)]
    if not len(good):
        return Figures(0, np.nan, np.nan, np.nan)
    return Figures(len(good), float(good.min()), float(good.mean()), float(good.max()))


@dataclass(frozen=True, slots=True)
class Change:
    """Old and new samples at the same times. `was_there` is False where there was no old one (its row then is bad)."""

    old: Samples
    new: Samples
    was_there: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.new)

    @property
    def added(self) -> int:
        """How many samples were not there before."""
        return int(np.count_nonzero(~self.was_there))

    def to_table(self) -> pa.Table:
        """Side by side (CHANGES)."""
        columns = [
            pa.array(self.new.time_us).cast(TIME),
            pa.array(self.old.value, from_pandas=True),
            pa.array(self.old.text, pa.string()),
            pa.array(self.old.quality, mask=~self.was_there),
            pa.array(self.new.value, from_pandas=True),
            pa.array(self.new.text, pa.string()),
            pa.array(self.new.quality),
        ]
        return pa.table(columns, CHANGES)


def is_among(times: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """True for times that `known` (ascending) has. [N]"""
    if not len(known):
        return np.zeros(len(times), bool)
    found: npt.NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, times), len(known) - 1)] == times
    return found


def change_of(old: Samples, new: Samples) -> Change:
    """What becomes different when `new` is written over `old`. Times of `old` alone stay as they are."""
    was_there = is_among(new.time_us, old.time_us)
    before = nothing_at(new.time_us)
    found = old.take(np.searchsorted(old.time_us, new.time_us[was_there]))
    before.value[was_there], before.text[was_there] = found.value, found.text
    before.quality[was_there] = found.quality
    differs = ~(was_there & is_same(before, new))
    return Change(before.take(differs), new.take(differs), was_there[differs])


def nothing_at(time_us: npt.NDArray[np.int64]) -> Samples:
    """Bad samples without a value: what stands for "there is none", since the historian deletes nothing."""
    rows = len(time_us)
    return Samples(
        time_us, np.full(rows, np.nan), np.full(rows, None, np.object_), np.full(rows, Quality.BAD, np.uint8)
    )


def is_same(one: Samples, other: Samples) -> npt.NDArray[np.bool_]:
    """True where both, which have the same times, say the same. [N]"""
    values = (one.value == other.value) | (np.isnan(one.value) & np.isnan(other.value))
    same: npt.NDArray[np.bool_] = values & (one.text == other.text) & (one.quality == other.quality)
    return same


def encode(change: Change) -> bytes:
    """The change as a Parquet file: some bytes a sample."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        change.to_table(),
        sink,
        compression="zstd",
        use_dictionary=["old_value", "old_text", "old_quality", "new_value", "new_text", "new_quality"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
        write_statistics=False,
    )
    body: bytes = sink.getvalue().to_pybytes()
    return body


def decode(body: bytes) -> Change:
    """What `encode` wrote."""
    table = pq.read_table(pa.BufferReader(body))
    time_us = numpy_column(table, "time")
    was_there: npt.NDArray[np.bool_] = table["old_quality"].is_valid().to_numpy()
    old, new = (_samples(table, time_us, prefix) for prefix in ("old", "new"))
    return Change(old, new, was_there)


def _samples(table: pa.Table, time_us: npt.NDArray[np.int64], prefix: str) -> Samples:
    quality = table[f"{prefix}_quality"].fill_null(int(Quality.BAD)).to_numpy()
    text = table[f"{prefix}_text"].to_numpy(zero_copy_only=False)
    return Samples(time_us, table[f"{prefix}_value"].to_numpy().astype(np.float64), text, quality)
