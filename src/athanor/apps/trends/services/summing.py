"""Statistics of a tag over a range, from every sample of it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from athanor.apps.trends.domain.statistics import Gathering, Statistics
from athanor.apps.trends.services.drawing import STEPS, good_numbers
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant

_SLICE_ROWS = 500_000  # read at a time
_SECOND_US = 1_000_000


async def statistics(historian: Historian, plant: RunningPlant, tag: Tag, span: Span) -> Statistics:
    """What the range holds of this tag, from every sample of it. The future counts for nothing."""
    end = min(span.end, datetime.now(UTC))
    if end <= span.start:
        return Gathering(span.start_us, span.start_us, 0).result()
    hold_us = float("inf") if tag.period_s is None or tag.kind in STEPS else 3 * tag.period_s * _SECOND_US
    gathering = Gathering(span.start_us, microseconds(end), hold_us)
    for part in slices(Span(span.start, end), rows_per_s=1 / (tag.period_s or 1.0), most_rows=_SLICE_ROWS):
        table = await historian.read([plant.id_of(tag.path)], part)
        time_us = table.column("time").cast(pa.int64()).to_numpy()
        gathering.take_in(time_us, good_numbers(table))
    return gathering.result()


def slices(span: Span, *, rows_per_s: float, most_rows: int, whole: timedelta = timedelta(seconds=1)) -> list[Span]:
    """The range in pieces that hold about `most_rows` rows each, and are each so many times `whole` long."""
    piece = max(timedelta(seconds=most_rows / rows_per_s) // whole, 1) * whole
    starts = []
    start = span.start
    while start < span.end:
        starts.append(start)
        start = start + piece if span.end - start > piece else span.end
    return [Span(one, min(one + piece, span.end)) for one in starts]
