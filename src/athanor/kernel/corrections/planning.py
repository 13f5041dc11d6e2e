"""What an action would change: the samples that are stored now, and those that would be."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from athanor.kernel.corrections.actions import Action, Interpolate, SetValues
from athanor.kernel.corrections.change import Change, Figures, Samples, change_of, figures_of, is_among
from athanor.kernel.corrections.outcome import End, check_kind, outcome
from athanor.kernel.corrections.records import CorrectionImpossibleError, TooManySamplesError
from athanor.kernel.historian.gaps import is_good
from athanor.kernel.historian.port import STORED, Historian, Span, microseconds, moment
from athanor.kernel.historian.slices import samples_in_slices
from athanor.kernel.plant.model import Tag, TagId
from athanor.kernel.telemetry import numpy_column

LONGEST_LINE = timedelta(days=40)  # from an end of an interpolated range to the good sample that the line goes to

_SLICE_ROWS = 250_000
_INSTANT = timedelta(microseconds=1)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LOOKS = (timedelta(0), _HOUR, *(_DAY * n for n in range(1, LONGEST_LINE.days + 1)))


@dataclass(frozen=True, slots=True)
class Plan:
    """Samples of the action's span before and after it, and the difference."""

    before: Samples
    after: Samples
    change: Change

    @property
    def figures(self) -> tuple[Figures, Figures]:
        """Of the span, before and after."""
        return figures_of(self.before), figures_of(self.after)


async def plan(historian: Historian, tag: Tag, tag_id: TagId, action: Action, *, now: datetime, most: int) -> Plan:
    """Work out an action on what is stored now; nothing is written.

    Raises CorrectionImpossibleError, TooManySamplesError.
    """
    check_kind(tag, action)
    if isinstance(action, SetValues):
        before = await samples_at(historian, tag_id, [entered.time for entered in action.values])
    else:
        before = await _samples_in(historian, tag, tag_id, action.span, most)
    ends = await _ends(historian, tag, tag_id, action.span) if isinstance(action, Interpolate) else None

    def work_out() -> Plan:
        new = outcome(tag, action, before, ends, now_us=microseconds(now), most=most)
        return Plan(before, before.with_these(new), change_of(before, new))

    return await asyncio.to_thread(work_out)


async def samples_at(historian: Historian, tag_id: TagId, times: Sequence[datetime]) -> Samples:
    """The samples of a few single times, as far as there are any."""
    spans = [Span(time, time + _INSTANT) for time in sorted(times)]
    return Samples.of(pa.concat_tables([await historian.read([tag_id], span) for span in spans]))


async def samples_among(
    historian: Historian, tag_id: TagId, times_us: npt.NDArray[np.int64], *, is_scattered: bool
) -> Samples:
    """The samples of these times (ascending), as far as there are any. Few that are scattered are asked one by one."""
    if is_scattered:
        return await samples_at(historian, tag_id, [moment(one) for one in times_us.tolist()])
    found = []
    for first in range(0, len(times_us), _SLICE_ROWS):
        some = times_us[first : first + _SLICE_ROWS]
        span = Span(moment(int(some[0])), moment(int(some[-1])) + _INSTANT)
        table = await historian.read([tag_id], span)
        found.append(table.filter(pa.array(is_among(numpy_column(table, "time"), some))))
    return Samples.of(pa.concat_tables(found))


async def _samples_in(historian: Historian, tag: Tag, tag_id: TagId, span: Span, most: int) -> Samples:
    tables, rows = [STORED.empty_table()], 0
    async for table in samples_in_slices(historian, [tag_id], [tag], span, _SLICE_ROWS):
        rows += table.num_rows
        if rows > most:
            raise TooManySamplesError(tag.path, most)
        tables.append(table)
    return Samples.of(pa.concat_tables(tables))


async def _ends(historian: Historian, tag: Tag, tag_id: TagId, span: Span) -> tuple[End, End]:
    """The good samples around a range that a line can lead from and to."""
    steps = list(pairwise(_LOOKS))
    before = [Span(span.start - far, span.start - near) for near, far in steps]
    after = [Span(span.end + near, span.end + far) for near, far in steps]
    first = await _nearest(historian, tag_id, before, place=-1)
    last = await _nearest(historian, tag_id, after, place=0)
    if first is None or last is None:
        where = "before" if first is None else "after"
        reason = (
            f"there is no good sample in the {LONGEST_LINE.days} days {where} the range, so no line leads over it; "
            "choose another range, or set a constant"
        )
        raise CorrectionImpossibleError(tag.path, reason)
    return first, last


async def _nearest(historian: Historian, tag_id: TagId, spans: Iterable[Span], *, place: int) -> End | None:
    """The first (0) or last (-1) good sample of the first span that has one."""
    for span in spans:
        samples = Samples.of(await historian.read([tag_id], span))
        good = np.flatnonzero(is_good(samples.value, samples.quality))
        if len(good):
            row = good[place]
            return End(int(samples.time_us[row]), float(samples.value[row]))
    return None
