"""The quality of the viewer's data over the last day: five dimensions for each tag, scores for groups of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from athanor.apps.datahealth.domain import quality as domain
from athanor.apps.datahealth.domain.quality import Numbers
from athanor.kernel.current import CurrentValues
from athanor.kernel.freshness import is_stale
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import NONE, hold
from athanor.kernel.historian.port import Historian, microseconds
from athanor.kernel.historian.queries import policy_of
from athanor.kernel.ingest.arrivals import CELL, Arrivals
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import numpy_column

WINDOW = timedelta(days=1)
_HOUR_US = 3_600_000_000
_NO_FAULT = {"corrected", "unknown-tag"}  # refused because a person said otherwise; because there is no such tag
_KEPT_FOR = timedelta(minutes=1)
_MOST_KEPT = 16


@dataclass(frozen=True)
class Quality:
    """What is known of the quality of every tag that the viewer sees. Columns are in the order of `tags`."""

    tags: Sequence[Tag]
    place: Mapping[str, int]  # of each tag in the columns, by path
    dimensions: Numbers  # by the order of Dimension; NaN where it cannot be told. [5, N]
    scores: Numbers  # 0 to 100. [N]
    samples: Numbers  # that the historian has of the last day; NaN where nobody can count them. [N]
    due: Numbers  # that were due in it by the tags' periods; NaN where none are. [N]
    at: datetime

    def rows_of(self, paths: Sequence[str]) -> npt.NDArray[np.intp]:
        """Where these tags stand in the columns; those that the viewer does not see are left out."""
        return np.array([self.place[path] for path in paths if path in self.place], np.intp)


_kept: dict[int, tuple[RunningPlant, Quality]] = {}  # by the identity of the plant, which the entry keeps alive
_working: dict[int, asyncio.Lock] = {}


async def quality_of(
    plant: RunningPlant,
    historian: Historian,
    current: CurrentValues,
    arrivals: Arrivals,
    quarantine: Quarantine,
    now: datetime,
) -> Quality:
    """The quality of all tags of a plant; found once a minute at most, however many look."""
    key = id(plant)
    if len(_working) > _MOST_KEPT:
        _working.clear()
        _kept.clear()
    async with _working.setdefault(key, asyncio.Lock()):
        if key not in _kept or now - _kept[key][1].at >= _KEPT_FOR:
            _kept[key] = (plant, await _found(plant, historian, current, arrivals, quarantine, now))
        return _kept[key][1]


async def _found(
    plant: RunningPlant,
    historian: Historian,
    current: CurrentValues,
    arrivals: Arrivals,
    quarantine: Quarantine,
    now: datetime,
) -> Quality:
    tags = list(plant.model.tags.values())
    ids = plant.ids_of(tag.path for tag in tags)
    whole = arrivals.whole_cells(now)
    edges = _edges(whole, now)
    refused = _refused(tags, await asyncio.to_thread(quarantine.refused_since, now - WINDOW))
    known_share = await known_shares(historian, tags, ids, edges[[0, -1]])
    good, other = await counted(historian, ids, edges)
    is_number = _are_numbers(tags, current, ids)
    came = arrivals.arrived(ids, now - WINDOW, now + 2 * CELL)  # those of a clock that is ahead included
    arrived, distinct = _arrived(arrivals, ids, whole, edges, good + other)
    period_s = np.array([tag.period_s for tag in tags], np.float64)
    overdue = is_stale(current.ages_s(ids, now), period_s)
    hours, impossible = await _states(historian, tags, ids, edges)
    all_good, all_other = good.sum(axis=0), other.sum(axis=0)
    only_bad = np.isnan(all_other)  # samples came and none was good, so nobody counts them here
    dimensions = np.stack(
        [
            domain.completeness(known_share[:, 0], ~np.isnan(period_s) & is_number),
            np.where(only_bad, 0.0, domain.validity(all_good, np.nan_to_num(all_other), refused)),
            domain.timeliness(came.samples.astype(float), came.late.astype(float), overdue & ~np.isnan(period_s)),
            domain.uniqueness(arrived, distinct),
            domain.consistency(hours, impossible),
        ]
    )
    dimensions[1, ~is_number] = np.nan
    dimensions[3, ~is_number] = np.nan
    samples = np.where(is_number, all_good + all_other, np.nan)
    place = {tag.path: row for row, tag in enumerate(tags)}
    due = WINDOW.total_seconds() / period_s
    return Quality(tags, place, dimensions, domain.tag_scores(dimensions), samples, due, now)


async def known_shares(
    historian: Historian, tags: Sequence[Tag], ids: npt.NDArray[np.int32], edges: np.ndarray
) -> Numbers:
    """The share of each step in which a good value of each tag is known; NaN where none is. [N, steps]"""
    result = np.full((len(tags), len(edges) - 1), np.nan)
    limits = [policy_of(tag).limit for tag in tags]
    rows = sorted((limit, row) for row, limit in enumerate(limits) if limit is not None)
    for limit, group in groupby(rows, key=lambda pair: pair[0]):
        chosen = np.array([row for _, row in group], np.intp)
        table = await historian.resample(ids[chosen].tolist(), edges, Measure.SHARE_GOOD, hold(limit))
        result[chosen] = _matrix(table, ids[chosen], edges)
    return result


async def counted(historian: Historian, ids: npt.NDArray[np.int32], edges: np.ndarray) -> tuple[Numbers, Numbers]:
    """Good samples, and all others, of each step and tag; NaN for others where none was good. [steps, N]"""
    tables = await historian.measures(ids.tolist(), edges, [Measure.COUNT, Measure.SHARE_GOOD], NONE)
    good = np.nan_to_num(_matrix(tables[Measure.COUNT], ids, edges).T)
    share = _matrix(tables[Measure.SHARE_GOOD], ids, edges).T
    with np.errstate(divide="ignore", invalid="ignore"):
        other = np.where(share > 0, np.rint(good / share) - good, np.where(share == 0, np.nan, 0.0))
    return good, other


async def _states(
    historian: Historian, tags: Sequence[Tag], ids: npt.NDArray[np.int32], edges: np.ndarray
) -> tuple[Numbers, Numbers]:
    """Hours in which each state had a value, and those of them with one that the plant does not name. [N]"""
    hours, impossible = np.zeros(len(tags)), np.zeros(len(tags))
    rows = [row for row, tag in enumerate(tags) if tag.kind is TagKind.STATE and tag.states]
    if not rows:
        return hours, impossible
    steps = np.append(np.arange(edges[0] // _HOUR_US * _HOUR_US, edges[-1], _HOUR_US), edges[-1])
    tables = await historian.measures(ids[rows].tolist(), steps, [Measure.MIN, Measure.MAX], NONE)
    lowest, highest = (_matrix(tables[how], ids[rows], steps) for how in (Measure.MIN, Measure.MAX))
    for place, row in enumerate(rows):
        known = np.array(list(tags[row].states), np.float64)
        has_value = ~np.isnan(lowest[place])
        is_named = np.isin(lowest[place], known) & np.isin(highest[place], known)
        hours[row], impossible[row] = np.count_nonzero(has_value), np.count_nonzero(has_value & ~is_named)
    return hours, impossible


def _edges(whole: tuple[datetime, datetime] | None, now: datetime) -> np.ndarray:
    """The last day, cut where the range of which all arrivals were counted begins and ends. [us]"""
    cell_us = CELL // timedelta(microseconds=1)
    start, end = microseconds(now - WINDOW) // cell_us * cell_us, microseconds(now)
    cuts = [] if whole is None else [microseconds(one) for one in whole]
    return np.unique(np.array([start, end, *(one for one in cuts if start < one < end)], np.int64))


def _arrived(
    arrivals: Arrivals,
    ids: npt.NDArray[np.int32],
    whole: tuple[datetime, datetime] | None,
    edges: np.ndarray,
    samples: Numbers,
) -> tuple[Numbers, Numbers]:
    """What arrived of each tag in whole quarters of an hour, and how many samples of these there are. [N]"""
    nothing = np.zeros(len(ids))
    if whole is None:
        return nothing, nothing
    came = arrivals.arrived(ids, *whole)
    distinct = samples[np.searchsorted(edges, microseconds(whole[0]))]
    return came.samples.astype(float), np.where(np.isnan(distinct), came.samples, distinct)


def _refused(tags: Sequence[Tag], refused: Mapping[tuple[str, str], int]) -> Numbers:
    by_tag: dict[str, int] = {}
    for (path, reason), count in refused.items():
        if reason not in _NO_FAULT:
            by_tag[path] = by_tag.get(path, 0) + count
    return np.array([by_tag.get(tag.path, 0) for tag in tags], np.float64)


def _are_numbers(tags: Sequence[Tag], current: CurrentValues, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether the historian can count good samples of each: not of texts, nor of states that come as texts."""
    number = current.numbers(ids)
    is_fine = current.qualities(ids) == 0
    text_state = np.array([tag.kind is TagKind.STATE for tag in tags], bool) & np.isnan(number) & is_fine
    result: npt.NDArray[np.bool_] = np.array([tag.kind is not TagKind.TEXT for tag in tags], bool) & ~text_state
    return result


def _matrix(table: pa.Table, ids: npt.NDArray[np.int32], edges: np.ndarray) -> Numbers:
    """Values of STEPS with a row for each tag and a column for each step; NaN where nothing is told. [N, steps]"""
    result = np.full((len(ids), len(edges) - 1), np.nan)
    if len(ids) == 0 or table.num_rows == 0:
        return result
    order = np.argsort(ids)
    row = order[np.searchsorted(ids[order], numpy_column(table, "tag"))]
    step = np.searchsorted(edges, numpy_column(table, "time"), side="right") - 1
    result[row, step] = numpy_column(table, "value")
    return result
