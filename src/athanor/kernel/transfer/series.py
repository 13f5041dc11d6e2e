"""Series as programs and files get them: what may be asked, and the answer as tables by tag path, slice by slice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
import orjson
import pyarrow as pa

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian import queries
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import Step
from athanor.kernel.historian.consumption import NotACounterError, delta_in_slices
from athanor.kernel.historian.counters import Split
from athanor.kernel.historian.gaps import NONE, GapPolicy
from athanor.kernel.historian.measured_units import unit_of
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.historian.queries import NotANumberTagError
from athanor.kernel.historian.slices import SLICE_ROWS, expected_rows, samples_in_slices, tag_groups
from athanor.kernel.plant.model import Tag, TagId, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import SAMPLES, TIME, Quality, numpy_column

_SHORTEST_CALENDAR_S = 3600.0  # no shift is shorter, for counting the steps of a range before they are made


class How(StrEnum):
    """What a step comes to: a measure, or one of the last three."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    SUM = "sum"
    COUNT = "count"
    INTEGRAL = "integral"
    STD = "std"
    SHARE_GOOD = "share_good"
    DELTA = "delta"  # what a counter counted
    AT = "at"  # the value at the step's start
    USUAL = "usual"  # the mean; of what holds or only grows the last value


class Shape(StrEnum):
    """How a table of many tags lies."""

    LONG = "long"  # a row for each tag and time
    WIDE = "wide"  # a row for each time, a column for each tag


class BadSeriesError(AthanorError):
    """What is asked of series does not go together."""

    code = "transfer.bad-series"

    def __init__(self, reason: str) -> None:
        super().__init__(f"These series cannot be answered: {reason}")


@dataclass(frozen=True, slots=True)
class Series:
    """What is asked. Raises BadSeriesError, NotACounterError, NotANumberTagError.

    Parameters
    ----------
    tags
        Each once.
    span
        The range; with a step, all steps that overlap it.
    step
        How the range is cut; None for all samples or, with DELTA, for the range as one step.
    how
        What a step comes to.
    gaps
        What is known between samples; None for what each tag's kind says.
    split
        Where DELTA books what lies over several steps.
    shape
        LONG or WIDE.
    points
        Instead of all samples, so many a tag that look alike.
    """

    tags: tuple[Tag, ...]
    span: Span
    step: Step | None = None
    how: How = How.MEAN
    gaps: GapPolicy | None = None
    split: Split = Split.NONE
    shape: Shape = Shape.LONG
    points: int | None = None

    def __post_init__(self) -> None:
        if self.points is not None and (self.step is not None or self.how is How.DELTA):
            raise BadSeriesError("points are of samples, not of steps. Leave out one of them.")
        if self.points is not None and self.shape is Shape.WIDE:
            raise BadSeriesError("each tag's points have times of their own. Ask for them in long shape.")
        if self.how is How.AT and self.step is None:
            raise BadSeriesError("values at the start of steps need a step, such as 15m.")
        for tag in self.tags:
            if self.how is How.DELTA and tag.kind is not TagKind.COUNTER:
                raise NotACounterError(tag.path, tag.kind)
            if self.how is How.AT and tag.kind is TagKind.TEXT:
                raise NotANumberTagError(tag.path)

    @property
    def has_steps(self) -> bool:
        """Whether rows are steps; else they are samples."""
        return self.step is not None or self.how is How.DELTA

    def unit(self, tag: Tag) -> str:
        """The unit that a tag's values come in."""
        return tag.unit if self.measure is None else unit_of(tag.unit, self.measure)

    @property
    def measure(self) -> Measure | None:
        """The measure that steps come to; None where they come to none, or to each tag's usual one."""
        has_none = self.step is None or self.how in {How.DELTA, How.AT, How.USUAL}
        return None if has_none else Measure(self.how.value)

    def most_rows(self) -> float:
        """No more rows than this come, or about so many: samples after the tags' periods, or steps."""
        if self.points is not None:
            return float(self.points * len(self.tags))
        if not self.has_steps:
            return expected_rows(self.tags, self.span)
        seconds = (self.span.end_us - self.span.start_us) * 1e-6
        length = None if self.step is None else self.step.length
        step_s = seconds if self.step is None else _SHORTEST_CALENDAR_S if length is None else length.total_seconds()
        return (seconds / max(step_s, 1e-6) + 2) * len(self.tags)


def schema_of(series: Series, plant: RunningPlant) -> pa.Schema:
    """Of the tables that `tables_of` yields. Metadata `athanor` is JSON: what was asked, each tag's name and unit."""
    about = {
        "tags": {tag.path: {"name": dict(tag.name), "unit": series.unit(tag), "kind": tag.kind} for tag in series.tags},
        "timezone": plant.model.timezone,
        "step": None if series.step is None else str(series.step),
        "how": series.how if series.has_steps else None,
    }
    tag, time, value, _text, _quality, unit = SAMPLES
    if series.shape is Shape.WIDE:
        fields = [time, *(_column(series, one) for one in series.tags)]
    elif not series.has_steps and series.points is None:
        fields = list(SAMPLES)
    elif series.how is How.AT or series.points is not None:
        fields = [tag, time, value, unit]
    else:
        fields = [tag, time, value, pa.field("covered", pa.float64()), unit]
    return pa.schema(fields, {"athanor": orjson.dumps(about)})


def _column(series: Series, tag: Tag) -> pa.Field:
    kind = pa.string() if tag.kind is TagKind.TEXT and not series.has_steps else pa.float64()
    return pa.field(tag.path, kind, metadata={"unit": series.unit(tag), "name": orjson.dumps(dict(tag.name))})


async def tables_of(
    series: Series, historian: Historian, plant: RunningPlant, most_rows: int = SLICE_ROWS
) -> AsyncIterator[pa.Table]:
    """The answer (`schema_of`) in slices of time that fit into memory; within each by tag, then time, or by time.

    Wide samples: a row for each time at which any tag has one; bad ones are null. Raises the historian's
    errors, and GapPolicyNeededError.
    """
    schema = schema_of(series, plant)
    columns = _Columns(series, plant, schema)
    if series.how is How.AT and series.step is not None:
        async for table in _at_starts(series, series.step, historian, plant):
            yield await asyncio.to_thread(columns.from_wide, table)
    elif series.points is not None:
        for group in tag_groups(series.tags, (series.span.end_us - series.span.start_us) * 1e-6, most_rows):
            table = await historian.downsample(_ids(plant, group), series.span, series.points)
            yield await asyncio.to_thread(columns.from_long, table)
    else:
        async for table in _long(series, historian, plant, most_rows):
            yield await asyncio.to_thread(columns.from_long, table)


async def count_rows(series: Series, historian: Historian, plant: RunningPlant) -> float:
    """About how many rows come: good samples counted where rollups know them, steps counted from the calendar."""
    if series.has_steps or series.points is not None:
        rows = series.most_rows()
        if series.step is not None:
            steps = max(len(queries.steps_until_now(plant, series.span, series.step)) - 1, 0)
            rows = float(steps * len(series.tags))
    else:
        edges = np.array([series.span.start_us, max(series.span.end_us, series.span.start_us + 1)])
        counts = await historian.resample(_ids(plant, series.tags), edges, Measure.COUNT, NONE)
        rows = float(np.nansum(counts["value"].to_numpy()))
    return rows / max(len(series.tags), 1) if series.shape is Shape.WIDE else rows


def _long(series: Series, historian: Historian, plant: RunningPlant, most_rows: int) -> AsyncIterator[pa.Table]:
    """Slices by tag id and time: of samples, of steps, of consumption."""
    if series.how is How.DELTA:
        return _consumption(series, historian, plant, most_rows)
    if series.step is not None:
        edges = queries.steps_until_now(plant, series.span, series.step)
        return queries.resample_in_slices(historian, plant, series.tags, edges, series.measure, series.gaps, most_rows)
    if series.shape is Shape.WIDE:  # as many cells come as there are times, and as many times as there are samples
        most_rows = max(most_rows // max(len(series.tags), 1), 10_000)
    return samples_in_slices(historian, _ids(plant, series.tags), series.tags, series.span, most_rows)


async def _consumption(
    series: Series, historian: Historian, plant: RunningPlant, most_rows: int
) -> AsyncIterator[pa.Table]:
    if series.step is None:
        edges = np.array([series.span.start_us, min(series.span.end_us, microseconds(datetime.now(UTC)))])
        edges = edges if edges[0] < edges[1] else edges[:1]
    else:
        edges = queries.steps_until_now(plant, series.span, series.step)
    async for part in delta_in_slices(historian, plant, series.tags, edges, series.split, most_rows):
        yield part.steps.sort_by([("tag", "ascending"), ("time", "ascending")])


async def _at_starts(series: Series, step: Step, historian: Historian, plant: RunningPlant) -> AsyncIterator[pa.Table]:
    """Values at the steps' starts within the span, some at a time."""
    starts = queries.steps_until_now(plant, series.span, step)[:-1]
    starts = starts[(starts >= series.span.start_us) & (starts < series.span.end_us)]
    rows = max(SLICE_ROWS // max(len(series.tags), 1), 1)
    for first in range(0, len(starts), rows):
        yield await queries.on_grid(historian, plant, series.tags, starts[first : first + rows], series.gaps)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Makes tables by tag id into tables of the schema."""

    series: Series
    plant: RunningPlant
    schema: pa.Schema

    def from_long(self, table: pa.Table) -> pa.Table:
        """By tag id, then time."""
        return self._wide(table) if self.series.shape is Shape.WIDE else self._long(table)

    def from_wide(self, table: pa.Table) -> pa.Table:
        """A column for each tag, in the order asked."""
        if self.series.shape is Shape.WIDE:
            return table.cast(self.schema)
        ids = _ids(self.plant, self.series.tags)
        parts = [
            pa.table({"tag": np.full(len(table), one, np.int32), "time": table["time"], "value": table[tag.path]})
            for one, tag in zip(ids, self.series.tags, strict=True)
        ]
        rows = pa.concat_tables(parts).drop_null()
        return self._long(rows.sort_by([("tag", "ascending"), ("time", "ascending")]))

    def _long(self, table: pa.Table) -> pa.Table:
        known = sorted(self.series.tags, key=lambda tag: self.plant.id_of(tag.path))
        ids = np.array(_ids(self.plant, known), np.int32)
        index = np.searchsorted(ids, table["tag"].to_numpy()).astype(np.int32)
        made = {
            "tag": _of_each([tag.path for tag in known], index, pa.int32()),
            "unit": _of_each([self.series.unit(tag) for tag in known], index, pa.int16()),
        }
        columns = [made[name] if name in made else table[name] for name in self.schema.names]
        return pa.table(columns, self.schema)

    def _wide(self, table: pa.Table) -> pa.Table:
        tag, time_us = table["tag"].to_numpy(), numpy_column(table, "time")
        value = numpy_column(table, "value")
        is_bad = np.zeros(len(tag), bool)
        if "quality" in table.schema.names:
            is_bad = table["quality"].to_numpy() == Quality.BAD
        times, row = np.unique(time_us, return_inverse=True)
        columns = [pa.array(times, pa.int64()).cast(TIME)]
        for one in self.series.tags:
            low, high = np.searchsorted(tag, [self.plant.id_of(one.path), self.plant.id_of(one.path) + 1])
            if pa.types.is_string(self.schema.field(one.path).type):
                place = np.full(len(times), -1)
                place[row[low:high]] = np.where(is_bad[low:high], -1, np.arange(low, high))
                texts = table["text"].combine_chunks()
                columns.append(texts.take(pa.array(place, pa.int64(), mask=place < 0)))
            else:
                numbers = np.full(len(times), np.nan)
                numbers[row[low:high]] = np.where(is_bad[low:high], np.nan, value[low:high])
                columns.append(pa.array(numbers, mask=np.isnan(numbers)))
        return pa.table(columns, self.schema)


def _of_each(texts: Sequence[str], index: np.ndarray, index_type: pa.DataType) -> pa.DictionaryArray:
    """The tag's text in each row; equal texts are one."""
    distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    place = np.array([distinct[text] for text in texts], index.dtype)
    return pa.DictionaryArray.from_arrays(
        pa.array(place[index]).cast(index_type), pa.array(list(distinct), pa.string())
    )


def _ids(plant: RunningPlant, tags: Sequence[Tag]) -> list[TagId]:
    return [TagId(one) for one in plant.ids_of(tag.path for tag in tags).tolist()]
