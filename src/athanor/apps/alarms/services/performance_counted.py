"""Which occurrences each figure counts: the list behind a number."""

from collections.abc import Callable, Mapping

import numpy as np

from athanor.apps.alarms.domain import nuisance
from athanor.apps.alarms.domain.floods import BEGINS_ABOVE, find_floods, window_counts
from athanor.apps.alarms.domain.kpis import BUSY_HOUR, TEN_MINUTES_US, Figure
from athanor.apps.alarms.domain.log import HOUR_US, NEVER, Log
from athanor.apps.alarms.domain.ranking import most_frequent
from athanor.apps.alarms.services.performance_record import Record

ACKNOWLEDGED, RETURNED = "acknowledged", "returned"  # beside every `Figure`


def counted(record: Record, figure: str, alarm: int | None = None) -> np.ndarray:
    """Which rows of the record's log a figure counts, of one alarm or of all. bool [N]

    What is no figure, and none of the two above, counts all that was raised in the period.
    """
    log, wish = record.log, record.wish
    if figure == Figure.STALE:
        rows = nuisance.stale(log, wish.end_us)
    else:
        is_inside = (log.raised_us >= wish.start_us) & (log.raised_us < wish.end_us)
        rows = np.zeros(len(log), bool)
        rows[is_inside] = _INSIDE.get(figure, _everything)(record, log.cut(is_inside))
    return rows if alarm is None else rows & (log.alarm == alarm)


def _everything(_record: Record, log: Log) -> np.ndarray:
    return np.ones(len(log), bool)


def _by_position(which: Callable[[Log], np.ndarray]) -> Callable[[Record, Log], np.ndarray]:
    """Rows that are so within the log of their own position."""

    def rows_of(record: Record, log: Log) -> np.ndarray:
        rows = np.zeros(len(log), bool)
        for mine in _rows_by_position(record, log):
            rows[mine] = which(log.cut(mine))
        return rows

    return rows_of


def _busy(step_us: int, most: int) -> Callable[[Log], np.ndarray]:
    def rows_of(log: Log) -> np.ndarray:
        _steps, back, counts = np.unique(log.raised_us // step_us, return_inverse=True, return_counts=True)
        return np.asarray(counts[back] > most)

    return rows_of


def _in_floods(log: Log) -> np.ndarray:
    rows = np.zeros(len(log), bool)
    floods = find_floods(log)
    for first, stop in zip(floods.first, floods.stop, strict=True):
        rows[first:stop] = True
    return rows


def _in_peak(record: Record, log: Log) -> np.ndarray:
    """The rows of the fullest window, of the position that has it."""
    best, result = 0, np.zeros(len(log), bool)
    for mine in _rows_by_position(record, log):
        times = log.raised_us[mine]
        at, counts = window_counts(times)
        if len(counts) and counts.max() > best:
            best, end = int(counts.max()), at[int(counts.argmax())]
            result = np.zeros(len(log), bool)
            result[mine[(times > end - TEN_MINUTES_US) & (times <= end)]] = True
    return result


def _rows_by_position(record: Record, log: Log) -> list[np.ndarray]:
    of = record.position_of
    return [
        np.flatnonzero(np.isin(log.alarm, np.array([alarm for alarm, path in of.items() if path == one], np.int64)))
        for one in record.positions
    ]


_INSIDE: Mapping[str, Callable[[Record, Log], np.ndarray]] = {
    Figure.BUSY_HOURS: _by_position(_busy(HOUR_US, BUSY_HOUR)),
    Figure.BUSY_WINDOWS: _by_position(_busy(TEN_MINUTES_US, BEGINS_ABOVE)),
    Figure.PEAK: _in_peak,
    Figure.IN_FLOOD: _by_position(_in_floods),
    Figure.TOP_TEN: lambda _record, log: np.isin(log.alarm, most_frequent(log).alarm),
    Figure.CHATTERING: lambda _record, log: nuisance.chattering(log),
    Figure.FLEETING: lambda _record, log: nuisance.fleeting(log),
    ACKNOWLEDGED: lambda _record, log: np.asarray(log.acknowledged_us != NEVER),
    RETURNED: lambda _record, log: np.asarray(log.cleared_us != NEVER),
}
