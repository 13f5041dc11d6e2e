"""What apps ask of the historian, by tags of the plant: plain functions above the port.

Consumption of counters is in `consumption.py`. Long ranges are read slice by slice, in bounded memory.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.errors import AthanorError
from athanor.kernel.historian import grid
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import Step, edges
from athanor.kernel.historian.gaps import Between, GapPolicy, hold, policy_for
from athanor.kernel.historian.levels import LEVELS_US
from athanor.kernel.historian.measured_units import integral_of
from athanor.kernel.historian.port import STEPS, Historian, Span, microseconds, moment
from athanor.kernel.historian.slices import SLICE_ROWS, rows_per_s, steps_in_slices, tag_groups
from athanor.kernel.plant.model import Tag, TagId, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, numpy_column

VALUES = pa.schema(
    [
        pa.field("tag", pa.int32(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint8()),  # of the last sample at or before the moment, as far as the policy looks
        pa.field("sampled_at", TIME),  # when that was taken
    ]
)

_Key = TypeVar("_Key", bound=Hashable)

_SHORTEST_LIMIT = timedelta(minutes=5)  # a history kept at a minute a sample is no row of gaps
_PERIODS = 3  # so many samples may be missing
_HELD_WITHOUT_PERIOD = timedelta(days=1)  # setpoints, states and texts that come on change
_JOINED_WITHOUT_PERIOD = timedelta(hours=1)  # values that come as they come
_INSTANT = timedelta(microseconds=1)


class NotANumberTagError(AthanorError):
    """A tag whose values are texts was asked for as a column of numbers."""

    code = "historian.not-a-number-tag"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The values of {path} are texts, which a grid of numbers cannot hold. Leave it out, and ask for its "
            "samples instead."
        )


def policy_of(tag: Tag) -> GapPolicy:
    """The gap policy of a tag for which nobody named one: as its kind is drawn, over three periods at most.

    No less than 5 min; where no period is declared, a day for what holds and an hour for what is joined by lines.
    """
    if tag.period_s is not None:
        return policy_for(tag.kind, max(_SHORTEST_LIMIT, _PERIODS * timedelta(seconds=tag.period_s)))
    holds = tag.kind in {TagKind.SETPOINT, TagKind.STATE}
    return policy_for(tag.kind, _HELD_WITHOUT_PERIOD if holds else _JOINED_WITHOUT_PERIOD)


def by_policy(tags: Sequence[Tag]) -> list[tuple[GapPolicy, list[Tag]]]:
    """The tags in groups that share the policy of their kind."""
    return list(_alike(tags, policy_of))


def usual_measure(tag: Tag) -> Measure:
    """What a step of a tag usually comes to: its mean, or the last value of what holds and of what only grows."""
    return Measure.MEAN if tag.kind is TagKind.ANALOG else Measure.LAST


def steps_until_now(plant: RunningPlant, span: Span, step: Step) -> np.ndarray:
    """The boundaries of the site's steps over a span, as far as they have begun; the last of them ends now. [us]"""
    boundaries = edges(span, step, ZoneInfo(plant.model.timezone))
    now_us = microseconds(datetime.now(UTC))
    if len(boundaries) == 0 or boundaries[-1] <= now_us:
        return boundaries
    past = boundaries[boundaries < now_us]
    return np.append(past, now_us) if len(past) else past


async def resample(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    span: Span,
    step: Step,
    how: Measure,
    policy: GapPolicy | None = None,
) -> pa.Table:
    """One row for each tag and step of the site's calendar of which something is known: tag, time, value, covered.

    Steps are whole: the first begins at or before the span. The step in which it is now ends now. Each tag has the
    policy of its kind (`policy_of`) where none is given; what needs one and has none, such as the integral of a text,
    raises GapPolicyNeededError. Units are those of `measured_units.unit_of`: the integral of kW is kWh.
    """
    boundaries = steps_until_now(plant, span, step)
    tables = [table async for table in resample_in_slices(historian, plant, tags, boundaries, how, policy)]
    return await asyncio.to_thread(_sorted, tables)


async def resample_in_slices(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    boundaries: np.ndarray,
    how: Measure | None,
    policy: GapPolicy | None = None,
    most_rows: int = SLICE_ROWS,
) -> AsyncIterator[pa.Table]:
    """The same run of steps by run of steps, for answers that should not be in memory whole.

    `boundaries` are those of the steps, such as `steps_until_now` gives them. [us] Without `how`, each tag has the
    measure of its kind (`usual_measure`).
    """
    for run, groups in steps_in_slices(tags, boundaries, most_rows, _cell_s(boundaries)):
        tables = [
            _in_units(await historian.resample(_ids(plant, some), run, measure, one), plant, some, measure)
            for group in groups
            for (one, measure), some in _alike(group, lambda tag: (policy or policy_of(tag), how or usual_measure(tag)))
        ]
        yield await asyncio.to_thread(_sorted, tables)


def _cell_s(boundaries: np.ndarray) -> float:
    """The cells of rollups that steps are made of, by days of any time zone: hours at most; 0 below the finest. [s]"""
    shortest_us = np.diff(boundaries[:-1]).min() if len(boundaries) > 2 else np.inf  # the last may end now
    return max((length for length in LEVELS_US[:-1] if length <= shortest_us), default=0) * 1e-6


async def values_at(
    historian: Historian, plant: RunningPlant, tags: Sequence[Tag], at: datetime, policy: GapPolicy | None = None
) -> pa.Table:
    """What each tag was at a past moment (schema VALUES), in the order asked: one row a tag, whatever is known of it.

    The value is as the policy, or that of the tag's kind, lets it be known; null where it does not. Texts hold. Without
    a policy they do so as long as setpoints do.
    """
    if not tags:
        return VALUES.empty_table()
    parts: dict[int, pa.Table] = {}
    for one, some in _alike(tags, lambda tag: policy or _policy_at(tag)):
        reach = timedelta(microseconds=one.limit_us)
        ahead = reach if one.between is Between.LINEAR else timedelta(0)
        window = Span(at - reach, at + ahead + _INSTANT)
        for group in tag_groups(some, (window.end - window.start).total_seconds()):
            samples = await historian.read(_ids(plant, group), window)
            ids = np.unique(np.array(_ids(plant, group), np.int32))
            known = await asyncio.to_thread(_known_at, samples, ids, microseconds(at), one)
            parts |= {int(tag): known.slice(row, 1) for row, tag in enumerate(ids.tolist())}
    return pa.concat_tables([parts[tag_id] for tag_id in _ids(plant, tags)]).combine_chunks()


async def on_grid(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    times_us: np.ndarray,
    policy: GapPolicy | None = None,
) -> pa.Table:
    """Many tags on one grid of times, as Arrow: a column `time` and one column for each tag, named by its path.

    A value is there where the policy, or that of the tag's kind, lets it be known, and else null. `times_us` is as for
    `matrix_on_grid`, which says more.
    """
    matrix = await matrix_on_grid(historian, plant, tags, times_us, policy)
    columns = [pa.array(times_us, pa.int64()).cast(TIME)]
    columns += [pa.array(column, mask=np.isnan(column)) for column in matrix.T]
    fields = [pa.field("time", TIME, nullable=False), *(pa.field(tag.path, pa.float64()) for tag in tags)]
    return pa.table(columns, pa.schema(fields))


async def matrix_on_grid(
    historian: Historian,
    plant: RunningPlant,
    tags: Sequence[Tag],
    times_us: np.ndarray,
    policy: GapPolicy | None = None,
) -> np.ndarray:
    """Many tags on one grid of times, as NumPy: what models read.

    Parameters
    ----------
    tags
        The columns, in this order; each once. [T]
    times_us
        The grid, ascending. [us] [G]
    policy
        What is known between samples; that of each tag's kind where none is given.

    Returns
    -------
    array of float64
        Values in the tags' units; NaN where nothing is known. [G, T]

    Raises
    ------
    NotANumberTagError
        For a tag whose values are texts.
    """
    for tag in tags:
        if tag.kind is TagKind.TEXT:
            raise NotANumberTagError(tag.path)
    matrix = np.full((len(times_us), len(tags)), np.nan)
    if len(times_us) == 0:
        return matrix
    place = {tag.path: column for column, tag in enumerate(tags)}
    for one, some in _alike(tags, lambda tag: policy or policy_of(tag)):
        ids = _ids(plant, some)
        columns = [place[tag.path] for tag in some]
        for first, last in _runs(times_us, some, one):
            times = times_us[first:last]
            ahead_us = one.limit_us if one.between is Between.LINEAR else 0
            span = Span(moment(int(times[0]) - one.limit_us), moment(int(times[-1]) + ahead_us + 1))
            samples = await historian.read(ids, span)
            matrix[first:last, columns] = await asyncio.to_thread(_gridded, samples, times, one, ids)
    return matrix


def _gridded(samples: pa.Table, times_us: np.ndarray, policy: GapPolicy, ids: Sequence[TagId]) -> np.ndarray:
    return grid.on_grid(*_columns(samples), times_us, policy, ids)


def _known_at(samples: pa.Table, ids: np.ndarray, at_us: int, policy: GapPolicy) -> pa.Table:
    """A row (VALUES) for each of these tags, from samples around the moment."""
    tag, time_us, value, quality = _columns(samples)
    first = np.searchsorted(tag, ids, side="left")
    last = np.array([np.searchsorted(time_us[low:high], at_us, side="right") for low, high in _bounds(tag, ids)]) - 1
    row = first + last
    is_sampled = last >= 0
    text = pc.if_else(pa.array(is_sampled & _is_good(quality, row)), _taken(samples["text"], row, is_sampled), None)
    known = grid.at(tag, time_us, value, quality, at_us, policy, ids.tolist())
    return pa.table(
        [
            pa.array(ids, pa.int32()),
            pa.array(known, mask=np.isnan(known)),
            text,
            _taken(samples["quality"], row, is_sampled),
            _taken(samples["time"], row, is_sampled),
        ],
        VALUES,
    )


def _bounds(tag: np.ndarray, ids: np.ndarray) -> Iterator[tuple[int, int]]:
    low, high = np.searchsorted(tag, ids, side="left"), np.searchsorted(tag, ids, side="right")
    yield from zip(low.tolist(), high.tolist(), strict=True)


def _is_good(quality: np.ndarray, row: np.ndarray) -> np.ndarray:
    if len(quality) == 0:
        return np.zeros(len(row), bool)
    good: np.ndarray = quality[np.clip(row, 0, len(quality) - 1)] == 0
    return good


def _taken(column: pa.ChunkedArray, row: np.ndarray, is_there: np.ndarray) -> pa.Array:
    return column.combine_chunks().take(pa.array(row, pa.int64(), mask=~is_there))


def _policy_at(tag: Tag) -> GapPolicy:
    return hold(_HELD_WITHOUT_PERIOD) if tag.kind is TagKind.TEXT else policy_of(tag)


def _runs(times_us: np.ndarray, tags: Sequence[Tag], policy: GapPolicy) -> Iterator[tuple[int, int]]:
    """The grid in runs [first, last) over which the tags have about as many samples as fit into a slice."""
    reach_us = max(int(SLICE_ROWS / max(rows_per_s(tags), 1e-6) * 1e6) - 2 * policy.limit_us, 1)
    first = 0
    while first < len(times_us):
        last = int(np.searchsorted(times_us, times_us[first] + reach_us, side="right"))
        yield first, last
        first = last


def _in_units(table: pa.Table, plant: RunningPlant, tags: Sequence[Tag], how: Measure) -> pa.Table:
    """Integrals in the unit that they have a name for."""
    if how is not Measure.INTEGRAL:
        return table
    ids = np.array(_ids(plant, tags), np.int32)
    factors = np.array([integral_of(tag.unit)[1] for tag in tags])
    order = np.argsort(ids)
    factor = factors[order][np.searchsorted(ids[order], table["tag"].to_numpy())]
    return table.set_column(2, STEPS.field("value"), pc.multiply(table["value"], pa.array(factor)))


def _ids(plant: RunningPlant, tags: Sequence[Tag]) -> list[TagId]:
    return [TagId(one) for one in plant.ids_of(tag.path for tag in tags).tolist()]


def _alike(tags: Sequence[Tag], key: Callable[[Tag], _Key]) -> Iterator[tuple[_Key, list[Tag]]]:
    """The tags that share what the key says of them."""
    groups: dict[_Key, list[Tag]] = defaultdict(list)
    for tag in tags:
        groups[key(tag)].append(tag)
    yield from groups.items()


def _sorted(tables: Sequence[pa.Table]) -> pa.Table:
    """Steps of several answers as one table by tag, then time."""
    if not tables:
        return STEPS.empty_table()
    if len(tables) == 1:
        return tables[0]
    return pa.concat_tables(tables).sort_by([("tag", "ascending"), ("time", "ascending")])


def _columns(samples: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tag, time [us], value (NaN where there is none) and quality of samples (STORED)."""
    tag, time_us, value, quality = (numpy_column(samples, name) for name in ("tag", "time", "value", "quality"))
    return tag, time_us, value, quality
