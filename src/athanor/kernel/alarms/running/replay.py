"""Judging what was missed: samples that the historian has and the judge has not seen, in the order of time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import structlog

from athanor.kernel.alarms.running.windows import Window, Windows
from athanor.kernel.historian.port import STORED, DamagedFileError, Historian, Span, moment
from athanor.kernel.telemetry import numpy_column

_log = structlog.get_logger(__name__)
_LONG_US = 60_000_000  # from here on it is worth a line in the log
_FIRST_SAMPLES_US = 86_400_000_000  # of a tag that was looked at before it had any: they came within so long

Take = Callable[[pa.Table], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Missed:
    """What the historian has of the judge's tags and the judge has not seen.

    Parameters
    ----------
    tag, from_us, newest_us
        Of which everything from a time on is wanted, and the last time at which there is something. [n]
    current
        The newest samples (STORED) of tags of which no more is wanted.
    """

    tag: np.ndarray
    from_us: np.ndarray
    newest_us: np.ndarray
    current: pa.Table


def missed(latest: pa.Table, tags: np.ndarray, seen_us: np.ndarray, is_new: np.ndarray) -> Missed:
    """Compare the historian's newest samples with the last judged times.

    Parameters
    ----------
    latest
        `Historian.latest()`.
    tags
        Ids of the tags that some alarm looks at, ascending. [T]
    seen_us
        The last judged time of each, 0 for never. [µs] [T]
    is_new
        Whether nothing looked at a tag until now: what it was before is of no interest. [T]
    """
    tag, newest_us = numpy_column(latest, "tag"), numpy_column(latest, "time")
    if not len(tags):
        return Missed(tag[:0], newest_us[:0], newest_us[:0], latest.slice(0, 0))
    place = np.minimum(np.searchsorted(tags, tag), len(tags) - 1)
    is_later = (tags[place] == tag) & (newest_us > seen_us[place])
    is_first = is_later & (seen_us[place] == 0)
    is_current = is_first & is_new[place]
    is_later &= ~is_current
    from_us = np.where(is_first, newest_us - _FIRST_SAMPLES_US, seen_us[place] + 1)
    return Missed(tag[is_later], from_us[is_later], newest_us[is_later], latest.filter(pa.array(is_current)))


async def replay(historian: Historian, what: Missed, take: Take) -> int:
    """Hand everything missed to `take`, in pieces that follow one another in time; returns how many samples that were.

    Samples of a damaged file are left out, and that is said. Raises LakeUnreachableError, and whatever `take` does;
    what was taken in until then need not be read again.
    """
    rows = 0
    is_long = len(what.tag) > 0 and int((what.newest_us - what.from_us).max()) > _LONG_US
    if is_long:
        since, until = moment(int(what.from_us.min())), moment(int(what.newest_us.max()))
        _log.info("alarms.replaying", tags=len(what.tag), since=since.isoformat(), until=until.isoformat())
    windows = Windows(what.tag, what.from_us, what.newest_us)
    for window in windows:
        samples = await _read(historian, window)
        windows.brought(samples.num_rows)
        if samples.num_rows:
            await take(samples)
        rows += samples.num_rows
    if what.current.num_rows:
        await take(what.current)
        rows += what.current.num_rows
    if is_long:
        _log.info("alarms.replayed", samples=rows)
    return rows


async def _read(historian: Historian, window: Window) -> pa.Table:
    span = Span(moment(window.start_us), moment(window.end_us))
    try:
        return await historian.read(window.tags.tolist(), span)
    except DamagedFileError as error:
        _log.error("alarms.not-judged", since=span.start.isoformat(), until=span.end.isoformat(), reason=str(error))
        return STORED.empty_table()
