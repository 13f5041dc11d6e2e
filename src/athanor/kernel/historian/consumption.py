"""What counters counted: consumption in the steps of the site's calendar, and what their registers did besides.

A reading alone says nothing: each is judged by those around it (`counters.increments`). So a range is read with some
of the readings before and after it, and any cut of it adds up to the whole.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import Step
from athanor.kernel.historian.counters import Bookings, MeterEvent, MeterEvents, Split, bookings, increments
from athanor.kernel.historian.gaps import NONE, is_good
from athanor.kernel.historian.layout import columns_of, merged
from athanor.kernel.historian.port import Historian, Span, microseconds, moment
from athanor.kernel.historian.queries import steps_until_now
from athanor.kernel.historian.slices import SLICE_ROWS, rows_per_s, steps_in_slices, tag_groups
from athanor.kernel.historian.thinning import telling
from athanor.kernel.plant.meter import MOST_DECIMALS, Meter
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, numpy_column

CONSUMED = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),
        pa.field("time", TIME, nullable=False),  # start of the step
        pa.field("value", pa.float64(), nullable=False),  # in the tag's unit
        pa.field("covered", pa.float64(), nullable=False),  # time over which that was counted, as a share of the step
    ]
)
EVENTS = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),
        pa.field("time", TIME, nullable=False),  # of the reading that showed it
        pa.field("event", pa.string(), nullable=False),  # a MeterEvent's name in small letters
        pa.field("before", pa.float64()),  # the reading that it was judged by
        pa.field("after", pa.float64()),
        pa.field("counted", pa.float64()),  # what was booked for it
    ]
)

_ENOUGH = 8  # good readings before and after a range: as many as judge one another
_WINDOWS = tuple(timedelta(hours=hours) for hours in (1, 24, 40 * 24, 400 * 24))  # where they are looked for
_DAY_US = 86_400_000_000
_INSTANT = timedelta(microseconds=1)


class NotACounterError(AthanorError):
    """Consumption was asked of a tag that is no counter."""

    code = "historian.not-a-counter"

    def __init__(self, path: str, kind: TagKind) -> None:
        super().__init__(
            f"{path} is no counter but of kind {kind}, so its values do not add up to a consumption. Ask for its "
            "integral, or correct the tag's kind in the plant file."
        )


@dataclass(frozen=True, slots=True)
class Consumption:
    """What counters counted, by tag, then time.

    Parameters
    ----------
    steps
        Schema CONSUMED: a row for each tag and step in which a reading closes an interval (`Split.NONE`) or an
        interval lies (`Split.PRO_RATA`). `covered` is the time that the value was counted in: 1 for a step that is
        known whole, 3 where a reading closes three steps at once.
    events
        Schema EVENTS: what registers did other than count on.
    """

    steps: pa.Table
    events: pa.Table


async def delta(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    span: Span,
    step: Step | None = None,
    split: Split = Split.NONE,
) -> Consumption:
    """The consumption of counters over a span, in whole steps of the site's calendar or, without one, as it is.

    A step holds what readings after its start and until its end close: the reading at the full hour closes the hour
    before it. Steps of any length add up to one another exactly. Raises NotACounterError.
    """
    if step is None:
        end_us = min(span.end_us, microseconds(datetime.now(UTC)))
        boundaries = np.array([span.start_us, end_us] if end_us > span.start_us else [], np.int64)
    else:
        boundaries = steps_until_now(plant, span, step)
    parts = [part async for part in delta_in_slices(historian, plant, tags, boundaries, split)]
    steps = pa.concat_tables([CONSUMED.empty_table(), *(part.steps for part in parts)])
    events = pa.concat_tables([EVENTS.empty_table(), *(part.events for part in parts)])
    order = [("tag", "ascending"), ("time", "ascending")]
    return Consumption(steps.sort_by(order), events.sort_by(order))


async def delta_in_slices(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    boundaries: np.ndarray,
    split: Split = Split.NONE,
    most_rows: int = SLICE_ROWS,
) -> AsyncIterator[Consumption]:
    """The same run of steps by run of steps, in bounded memory. `boundaries` are those of the steps. [us]"""
    for tag in tags:
        if tag.kind is not TagKind.COUNTER:
            raise NotACounterError(tag.path, tag.kind)
    for run, groups in steps_in_slices(tags, boundaries, most_rows):
        parts = [await _consumed(historian, plant, group, run, split, most_rows) for group in groups]
        yield Consumption(
            pa.concat_tables([part.steps for part in parts]), pa.concat_tables([part.events for part in parts])
        )


def meter_of(tag: Tag) -> Meter:
    """What is known of a counter's register; of one that says nothing, its tag's decimals."""
    return tag.meter or Meter(min(tag.decimals, MOST_DECIMALS))


async def _consumed(
    historian: Historian, plant: RunningPlant, tags: Sequence[Tag], edges: np.ndarray, split: Split, most_rows: int
) -> Consumption:
    """A run of steps of some counters; one long step is added up from cuts of it."""
    meters = {int(plant.id_of(tag.path)): meter_of(tag) for tag in tags}
    parts = []
    for cut in _cuts(tags, edges, most_rows):
        span = Span(moment(int(cut[0])), moment(int(cut[-1])))
        readings = await _readings(historian, plant, tags, span, partial(_telling, edges=cut, meters=meters))
        parts.append(await asyncio.to_thread(_booked, readings, cut, edges, meters, split))
    return Consumption(_steps([sums for sums, _ in parts], edges), _event_table([events for _, events in parts]))


def _telling(readings: pa.Table, edges: np.ndarray, meters: Mapping[int, Meter]) -> pa.Table:
    """The readings without those that tell nothing."""
    return readings.filter(pa.array(telling(*columns_of(readings), edges, meters)))


def _booked(
    readings: pa.Table, cut: np.ndarray, edges: np.ndarray, meters: Mapping[int, Meter], split: Split
) -> tuple[Bookings, MeterEvents]:
    """What the readings of a cut come to, by the steps of the run, and what they show."""
    counted, events = increments(*columns_of(readings), meters)
    sums = bookings(counted, cut, split)
    step = np.searchsorted(edges, cut[sums.step], side="right") - 1
    return replace(sums, step=step), _within(events, int(cut[0]), int(cut[-1]))


def _cuts(tags: Sequence[Tag], edges: np.ndarray, most_rows: int) -> list[np.ndarray]:
    """The run whole, or where it is one step that is too long, in equal pieces of it."""
    pieces = int((edges[-1] - edges[0]) * 1e-6 * rows_per_s(tags) / most_rows)
    if len(edges) > 2 or pieces < 2:
        return [edges]
    cuts = np.linspace(edges[0], edges[-1], pieces + 1).astype(np.int64)
    return [np.array(pair) for pair in pairwise(cuts.tolist())]


def _steps(sums: Sequence[Bookings], edges: np.ndarray) -> pa.Table:
    """The bookings of all cuts by tag and step, those of one step added up."""
    tag, step, counts, scale, known_us = (
        np.concatenate([getattr(one, name) for one in sums]) for name in Bookings.__slots__
    )
    order = np.lexsort((step, tag))
    tag, step = tag[order], step[order]
    start = np.flatnonzero(np.append(True, (tag[1:] != tag[:-1]) | (step[1:] != step[:-1])))[: len(tag)]
    if len(tag) == 0:
        return CONSUMED.empty_table()
    value = np.add.reduceat(counts[order], start) / scale[order][start]
    begin, end = edges[step[start]], edges[step[start] + 1]
    covered = np.add.reduceat(known_us[order], start) / (end - begin)
    time = pa.array(begin, pa.int64()).cast(TIME)
    return pa.table([pa.array(tag[start], pa.int32()), time, pa.array(value), pa.array(covered)], CONSUMED)


def _within(events: MeterEvents, start_us: int, end_us: int) -> MeterEvents:
    """What readings after the start and until the end showed."""
    rows = (events.time_us > start_us) & (events.time_us <= end_us)
    return MeterEvents(*(getattr(events, field.name)[rows] for field in fields(events)))


def _event_table(parts: Sequence[MeterEvents]) -> pa.Table:
    tag, time_us, kind, *numbers = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(MeterEvents)
    )
    columns = [
        pa.array(tag, pa.int32()),
        pa.array(time_us, pa.int64()).cast(TIME),
        pa.array([MeterEvent(one).name.lower() for one in kind.tolist()], pa.string()),
        *(pa.array(column, pa.float64(), from_pandas=True) for column in numbers),  # before, after, counted
    ]
    return pa.table(columns, EVENTS)


async def _readings(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    span: Span,
    thinned: Callable[[pa.Table], pa.Table],
) -> pa.Table:
    """Readings of (start, end], thinned, with enough before and after it to judge them by; by tag, then time."""
    within = await historian.read(_ids(plant, tags).tolist(), Span(span.start + _INSTANT, span.end + _INSTANT))
    parts = [await asyncio.to_thread(thinned, within)]
    parts += await _neighbours(historian, plant, tags, span.start + _INSTANT, is_before=True)
    if span.end < datetime.now(UTC):
        parts += await _neighbours(historian, plant, tags, span.end + _INSTANT, is_before=False)
    return merged(parts)


async def _neighbours(
    historian: Historian, plant: RunningPlant, tags: Sequence[Tag], at: datetime, *, is_before: bool
) -> list[pa.Table]:
    """Readings right before `at`, or right from it on: of each tag enough, and one that is not 0, if there are any."""
    parts: list[pa.Table] = []
    good, above_zero = ({int(one): 0 for one in _ids(plant, tags)} for _ in range(2))
    reached = timedelta(0)
    for window in _WINDOWS:
        lacking = [tag for tag in tags if good[int(plant.id_of(tag.path))] < _ENOUGH]
        for group in tag_groups(lacking, (window - reached).total_seconds()):
            span = Span(at - window, at - reached) if is_before else Span(at + reached, at + window)
            table = await historian.read(_ids(plant, group).tolist(), span)
            parts.append(table)
            _count(good, table, above=-np.inf)
            _count(above_zero, table, above=0.0)
        reached = window
    at_zero = [tag for tag in tags if good[one := int(plant.id_of(tag.path))] >= _ENOUGH and not above_zero[one]]
    for tag in at_zero:
        parts += await _beyond_zeros(historian, plant, tag, at, is_before=is_before)
    return parts


async def _beyond_zeros(
    historian: Historian, plant: RunningPlant, tag: Tag, at: datetime, *, is_before: bool
) -> list[pa.Table]:
    """The readings of the nearest day on which a register that stands at 0 showed more; what lies between is 0."""
    at_us, days = microseconds(at), np.arange(-400, 401) * _DAY_US
    midnights = microseconds(at) // _DAY_US * _DAY_US + days
    edges = (
        np.append(midnights[midnights < at_us], at_us) if is_before else np.append(at_us, midnights[midnights > at_us])
    )
    ids = _ids(plant, [tag]).tolist()
    greatest = await historian.resample(ids, edges, Measure.MAX, NONE)
    starts = numpy_column(greatest, "time")[numpy_column(greatest, "value") > 0]
    if len(starts) == 0:
        return []
    step = int(np.searchsorted(edges, starts[-1 if is_before else 0]))
    return [await historian.read(ids, Span(moment(int(edges[step])), moment(int(edges[step + 1]))))]


def _count(good: dict[int, int], table: pa.Table, *, above: float) -> None:
    """Add to each tag how many good readings above a value the table has of it."""
    value = numpy_column(table, "value")
    is_counted = is_good(value, numpy_column(table, "quality")) & (value > above)
    tags, counts = np.unique(numpy_column(table, "tag")[is_counted], return_counts=True)
    for tag, count in zip(tags.tolist(), counts.tolist(), strict=True):
        good[tag] += count


def _ids(plant: RunningPlant, tags: Sequence[Tag]) -> np.ndarray:
    return plant.ids_of(tag.path for tag in tags)
