"""The newest sample of every tag, kept beside the hot tail so that it survives sealing and restart."""

import os
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import structlog

from athanor.kernel.durable import flush
from athanor.kernel.historian.port import STORED
from athanor.kernel.telemetry import TIME, newest_rows, numpy_column

_log = structlog.get_logger(__name__)

_NEVER = np.iinfo(np.int64).min
_KEPT = STORED.append(pa.field("written", pa.int64(), nullable=False))


class LatestSamples:
    """Columns by tag id. Of two samples with one time the later written is the newer."""

    def __init__(self) -> None:
        self._time_us = np.empty(0, np.int64)
        self._written = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._quality = np.empty(0, np.uint8)
        self._text: dict[int, str] = {}

    @classmethod
    def load(cls, file: Path) -> Self:
        """As saved; empty where there is no file. One that is damaged is set aside: all but the newest is elsewhere.

        Raises OSError.
        """
        latest = cls()
        try:
            with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as reader:
                table = reader.read_all()
            latest._take(table, table["written"].to_numpy())
        except FileNotFoundError:
            return latest
        except (pa.ArrowException, KeyError) as error:
            aside = file.replace(file.with_suffix(".damaged"))
            _log.error("historian.latest-damaged", set_aside_as=str(aside), reason=str(error))
            return cls()
        return latest

    def save(self, file: Path) -> None:
        """Replace the file, durably, whole or not at all. Raises OSError."""
        fresh = file.with_suffix(".new")
        table = self.to_table()
        table = table.append_column(_KEPT.field("written"), pa.array(self._written[table["tag"].to_numpy()]))
        with fresh.open("wb") as sink:
            with pa.ipc.new_file(sink, _KEPT) as writer:
                writer.write_table(table)
            sink.flush()
            os.fsync(sink.fileno())
        fresh.replace(file)
        flush(file.parent)

    def take(self, samples: pa.RecordBatch | pa.Table, order: int) -> None:
        """Take in samples (STORED), in the order they were written, all written with this order."""
        self._take(samples, np.full(samples.num_rows, order, np.int64))

    def to_table(self) -> pa.Table:
        """The newest sample (STORED) of every tag that has any, by tag."""
        tags = np.flatnonzero(self._time_us != _NEVER)
        value = self._value[tags]
        texts = [self._text.get(tag) for tag in tags.tolist()] if self._text else [None] * len(tags)
        return pa.table(
            [
                pa.array(tags, pa.int32()),
                pa.array(self._time_us[tags]).cast(TIME),
                pa.array(value, mask=np.isnan(value)),
                pa.array(texts, pa.string()),
                pa.array(self._quality[tags]),
            ],
            schema=STORED,
        )

    def _take(self, samples: pa.RecordBatch | pa.Table, written: np.ndarray) -> None:
        if samples.num_rows == 0:
            return
        tag, time_us = numpy_column(samples, "tag"), numpy_column(samples, "time")
        self._grow(int(tag.max()) + 1)
        rows = newest_rows(tag, time_us)
        newer = (time_us[rows] > self._time_us[tag[rows]]) | (
            (time_us[rows] == self._time_us[tag[rows]]) & (written[rows] >= self._written[tag[rows]])
        )
        rows = rows[newer]
        tags = tag[rows]
        self._time_us[tags], self._written[tags] = time_us[rows], written[rows]
        self._value[tags] = numpy_column(samples, "value")[rows]
        self._quality[tags] = numpy_column(samples, "quality")[rows]
        self._take_texts(samples.column("text"), rows, tags)

    def _take_texts(self, text: pa.Array | pa.ChunkedArray, rows: np.ndarray, tags: np.ndarray) -> None:
        if text.null_count == len(text) and not self._text:
            return
        for tag, word in zip(tags.tolist(), text.take(pa.array(rows)).to_pylist(), strict=True):
            if word is None:
                self._text.pop(tag, None)
            else:
                self._text[tag] = word

    def _grow(self, size: int) -> None:
        missing = size - len(self._time_us)
        if missing > 0:
            missing = max(missing, len(self._time_us) // 2)
            self._time_us = np.append(self._time_us, np.full(missing, _NEVER))
            self._written = np.append(self._written, np.zeros(missing, np.int64))
            self._value = np.append(self._value, np.full(missing, np.nan))
            self._quality = np.append(self._quality, np.zeros(missing, np.uint8))
