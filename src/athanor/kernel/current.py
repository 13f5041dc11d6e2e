"""Current values: the newest sample of every tag, in memory, as columns.

Arrays are indexed by tag id, so that a batch of 100,000 samples is a handful of NumPy calls and a page that asks
"what changed since I last looked" gets just that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import Quality, newest_rows, numpy_column

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """The newest sample of one tag; `value` is None where a bad sample carried nothing."""

    time: datetime
    value: float | str | None
    quality: Quality


class CurrentValues:
    """The newest sample of every tag. Not durable: the historian's `latest` fills it at start.

    Used from the event loop's thread only.
    """

    def __init__(self) -> None:
        self._time = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._quality = np.empty(0, np.uint8)
        self._changed = np.empty(0, np.int64)
        self._text: dict[int, str] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every batch."""
        return self._version

    def update(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        """Take in a batch (schema STORED); the newer sample of each tag wins, whatever the order.

        Returns the ids of the tags whose current value changed.
        """
        if batch.num_rows == 0:
            return np.empty(0, np.int32)
        tag, time = numpy_column(batch, "tag"), numpy_column(batch, "time")
        self._grow(int(tag.max()) + 1)
        rows = newest_rows(tag, time)
        rows = rows[time[rows] >= self._time[tag[rows]]]
        ids: np.ndarray = tag[rows]
        self._version += 1
        self._time[ids] = time[rows]
        self._value[ids] = numpy_column(batch, "value")[rows]
        self._quality[ids] = numpy_column(batch, "quality")[rows]
        self._changed[ids] = self._version
        self._keep_texts(batch, rows, ids)
        return ids

    def get(self, tag: TagId) -> CurrentValue | None:
        """None when no sample ever came."""
        if tag >= len(self._time) or self._time[tag] == _NEVER:
            return None
        number = float(self._value[tag])
        value = self._text.get(tag, None if np.isnan(number) else number)
        return CurrentValue(_moment(int(self._time[tag])), value, Quality(int(self._quality[tag])))

    def numbers(self, tags: Sequence[TagId] | np.ndarray) -> np.ndarray:
        """Good and uncertain numbers of these tags, NaN for all else. [N]"""
        ids = np.asarray(tags, np.int64)
        self._grow(int(ids.max(initial=-1)) + 1)
        return np.where(self._quality[ids] == Quality.BAD, np.nan, self._value[ids])

    def ages_s(self, tags: Sequence[TagId] | np.ndarray, now: datetime) -> np.ndarray:
        """Seconds since each tag's newest source time; infinite where there is none. [N]"""
        ids = np.asarray(tags, np.int64)
        self._grow(int(ids.max(initial=-1)) + 1)
        now_us = (now - _EPOCH) // timedelta(microseconds=1)
        never = self._time[ids] == _NEVER
        return np.where(never, np.inf, (now_us - np.where(never, 0, self._time[ids])) / 1e6)

    def qualities(self, tags: Sequence[TagId] | np.ndarray) -> np.ndarray:
        """`Quality` of each tag's newest sample; bad where there is none. [N]"""
        ids = np.asarray(tags, np.int64)
        self._grow(int(ids.max(initial=-1)) + 1)
        return self._quality[ids]

    def changed_since(self, version: int) -> np.ndarray:
        """Ids of the tags that changed after `version` of this object."""
        return np.flatnonzero(self._changed > version)

    def _keep_texts(self, batch: pa.RecordBatch | pa.Table, rows: np.ndarray, ids: np.ndarray) -> None:
        text = batch.column("text")
        if text.null_count == len(text) and not self._text:
            return
        for tag, word in zip(ids.tolist(), pc.take(text, pa.array(rows)).to_pylist(), strict=True):
            if word is None:
                self._text.pop(tag, None)
            else:
                self._text[tag] = word

    def _grow(self, size: int) -> None:
        missing = size - len(self._time)
        if missing <= 0:
            return
        missing = max(missing, len(self._time) // 2)
        self._time = np.append(self._time, np.full(missing, _NEVER))
        self._value = np.append(self._value, np.full(missing, np.nan))
        self._quality = np.append(self._quality, np.full(missing, Quality.BAD, np.uint8))
        self._changed = np.append(self._changed, np.zeros(missing, np.int64))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
