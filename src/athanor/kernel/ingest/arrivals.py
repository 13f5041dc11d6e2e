"""How samples arrived: how many of each tag, and how many of them late. In memory only, of the last day.

Nobody writes down with a sample when it came, so this is counted while it comes, by the quarter hour of its source
time. What came before the server's start is not known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from athanor.kernel.historian.port import microseconds, moment

CELL = timedelta(minutes=15)
KEPT = timedelta(days=1)
_CELL_US = CELL // timedelta(microseconds=1)
_KEPT_CELLS = KEPT // CELL


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of each tag asked for. [N]"""

    samples: npt.NDArray[np.int64]
    late: npt.NDArray[np.int64]


@dataclass(slots=True)
class _Cell:
    samples: npt.NDArray[np.int64]
    late: npt.NDArray[np.int64]


class Arrivals:
    """Counts of what ingest stored, by tag id. Used from the event loop's thread only."""

    def __init__(self, started_at: datetime) -> None:
        self._started_us = microseconds(started_at)
        self._cells: dict[int, _Cell] = {}

    def note(
        self,
        tag: npt.NDArray[np.int32],
        time_us: npt.NDArray[np.int64],
        late_after_us: npt.NDArray[np.float64],
        now: datetime,
    ) -> None:
        """Count stored samples.

        Parameters
        ----------
        tag
            Tag ids. [N]
        time_us
            Source times. [us] [N]
        late_after_us
            The age from which each is late, infinite where none is. [us] [N]
        now
            When they came.
        """
        now_us = microseconds(now)
        cell = time_us // _CELL_US
        oldest = now_us // _CELL_US - _KEPT_CELLS
        for gone in [one for one in self._cells if one < oldest]:
            del self._cells[gone]
        is_late = now_us - time_us > late_after_us
        for one in np.unique(cell[cell >= oldest]).tolist():
            rows = cell == one
            size = int(tag[rows].max()) + 1
            kept = self._cells.setdefault(one, _Cell(np.zeros(0, np.int64), np.zeros(0, np.int64)))
            kept.samples = _sum(kept.samples, np.bincount(tag[rows], minlength=size))
            kept.late = _sum(kept.late, np.bincount(tag[rows & is_late], minlength=size))

    def whole_cells(self, now: datetime) -> tuple[datetime, datetime] | None:
        """The range of source times, at most a day and until now, of which every arrival was counted; None for none."""
        end = microseconds(now) // _CELL_US
        start = max(-(-self._started_us // _CELL_US), end - _KEPT_CELLS)
        return (moment(start * _CELL_US), moment(end * _CELL_US)) if start < end else None

    def arrived(self, ids: npt.NDArray[np.int32], start: datetime, end: datetime) -> Arrived:
        """What came with source times of the cells from that of `start` to that before the one of `end`."""
        samples, late = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
        first, last = microseconds(start) // _CELL_US, microseconds(end) // _CELL_US
        for number, cell in self._cells.items():
            if first <= number < last:
                known = ids < len(cell.samples)
                samples[known] += cell.samples[ids[known]]
                late[known] += cell.late[ids[known]]
        return Arrived(samples, late)


def _sum(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts by tag id of two columns, of which one may end sooner."""
    short, long = sorted((one, other), key=len)
    total = long.copy()
    total[: len(short)] += short
    return total
