"""A source's way into the collector: counts what passes, and knows which tags were lost."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from athanor.edge.clock import now_microseconds
from athanor.edge.collector import Collector
from athanor.edge.source import SourceStatus
from athanor.kernel.telemetry import Quality

_SKEW_US = 600_000_000  # a clock further ahead than this is wrong
_EARLIEST_US, _LATEST_US = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999, all that a date can say


class SourceSink:
    """The `Sink` of one source."""

    def __init__(self, collector: Collector, status: SourceStatus) -> None:
        self._collector = collector
        self._status = status
        self._lost_at_us: dict[str, int] = {}

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
        """See `Sink`."""
        now_us = now_microseconds()
        if not (_has_date(time_us) and _is_finite(value)):
            self._status.counters.undecodable += 1
            time_us, value, quality = now_us, None, Quality.BAD
        self._count(1, int(quality is Quality.BAD), int(time_us > now_us + _SKEW_US))
        self._collector.add(tag, time_us, value, quality, unit)
        if self._lost_at_us and not is_historical:
            lost_at_us = self._lost_at_us.pop(tag, None)
            if lost_at_us is not None and time_us <= lost_at_us:
                self._collector.add(tag, max(now_us, lost_at_us + 1), value, quality, unit)

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """See `Sink`."""
        if not batch.num_rows:
            return
        is_bad = batch.column("quality").to_numpy() == Quality.BAD
        is_ahead = batch.column("time").cast(pa.int64()).to_numpy() > now_microseconds() + _SKEW_US
        self._count(batch.num_rows, int(np.count_nonzero(is_bad)), int(np.count_nonzero(is_ahead)))
        self._collector.add_batch(batch)

    def add_lost(self, tags: Iterable[str], at_us: int | None = None) -> None:
        """See `Sink`."""
        lost_at_us = at_us if at_us is not None and _has_date(at_us) else now_microseconds()
        for tag in tags:
            self._collector.add(tag, lost_at_us, None, Quality.BAD, None)
            self._lost_at_us[tag] = lost_at_us

    def _count(self, samples: int, bad: int, ahead: int) -> None:
        counters = self._status.counters
        counters.samples += samples
        counters.bad += bad
        counters.clock_skew += ahead
        self._status.last_sample_at = datetime.now(UTC)


def _has_date(time_us: int) -> bool:
    """Whether a calendar can say this instant; what cannot be said would spoil the batch it travels in."""
    return _EARLIEST_US <= time_us <= _LATEST_US


def _is_finite(value: float | str | None) -> bool:
    """False only for numbers that are none: NaN and the infinities."""
    return not isinstance(value, float) or math.isfinite(value)
