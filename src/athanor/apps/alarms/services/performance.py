"""The figures of how the alarm system does, computed from a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from athanor.apps.alarms.domain import kpis, nuisance
from athanor.apps.alarms.domain.floods import Floods, find_floods
from athanor.apps.alarms.domain.grouping import Group, Proposal, groups, suppression
from athanor.apps.alarms.domain.kpis import TEN_MINUTES_US, Figure, Kpi, Level
from athanor.apps.alarms.domain.log import DAY_US, HOUR_US, Log
from athanor.apps.alarms.domain.ranking import Ranking, by_priority, most_frequent
from athanor.apps.alarms.domain.rates import per_step, steps, week
from athanor.apps.alarms.domain.response import Response, response
from athanor.apps.alarms.domain.sequences import Pair, chains, find_pairs
from athanor.apps.alarms.services.performance_record import Record
from athanor.kernel.historian.port import microseconds, moment

MOST_LISTED = 10
_MOST_BARS = 5000


class Step(StrEnum):
    """By what time the rate is counted."""

    TEN_MINUTES = "10min"
    HOUR = "hour"
    DAY = "day"


STEP_US = {Step.TEN_MINUTES: TEN_MINUTES_US, Step.HOUR: HOUR_US, Step.DAY: DAY_US}


@dataclass(frozen=True, slots=True)
class Position:
    """How one operator position does."""

    path: str
    alarms: int
    values: Mapping[Figure, float]
    level: Level


@dataclass(frozen=True, slots=True)
class Flood:
    """One flood: when, how many alarms in it, most in ten minutes, which came first, and its groups by cause."""

    begin_us: int
    end_us: int
    alarms: int
    peak: int
    first_alarm: int
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Listed:
    """An alarm in a list of nuisances: how many of its occurrences, and what share of all."""

    alarm: int
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Standing:
    """An occurrence that stood for longer than a day: since when, for how long, whether it stands still."""

    alarm: int
    occurrence: int
    raised_us: int
    stood_s: float
    is_standing: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a record. Lists are the most serious first, MOST_LISTED at most."""

    record: Record
    raised: int
    kpis: Sequence[Kpi]
    level: Level
    positions: Sequence[Position]
    floods: Sequence[Flood]
    all_floods: Floods
    top: Ranking
    priorities: np.ndarray
    chattering: Sequence[Listed]
    fleeting: Sequence[Listed]
    stale: Sequence[Standing]
    response: Response
    week: np.ndarray

    @property
    def is_enough(self) -> bool:
        """Whether the period is long enough for averages after the standard."""
        return self.record.wish.end_us - self.record.wish.start_us >= kpis.ENOUGH_US


@dataclass(frozen=True, slots=True)
class Learned:
    """What follows what in a record, and what could be suppressed for it."""

    pairs: Sequence[Pair]
    chains: Sequence[tuple[int, ...]]
    proposals: Sequence[Proposal]


def figures(record: Record) -> Figures:
    """All figures of a record but for what is learned. For 300,000 occurrences about half a second."""
    wish, zone = record.wish, record.zone
    start, end = wish.start_us, wish.end_us
    inside = record.log.within(start, end)
    floods = find_floods(inside)
    days = step_edges(record, Step.DAY)
    each = [_position(record, path, days) for path in record.positions]
    if len(each) == 1:
        values: Mapping[Figure, float] = each[0].values
    else:
        whole = kpis.measured(record.log, start, end, days_us=days)
        values = kpis.combined([one.values for one in each], whole)
    level = kpis.level(values[Figure.PER_TEN_MINUTES], values[Figure.PEAK])
    return Figures(
        record,
        len(inside),
        kpis.table(values),
        level,
        sorted(each, key=lambda one: -one.alarms),
        _worst_floods(record, inside, floods),
        floods,
        most_frequent(inside, MOST_LISTED),
        by_priority(inside),
        _listed(inside, nuisance.chattering(inside)),
        _listed(inside, nuisance.fleeting(inside)),
        _stale(record),
        response(inside, end),
        week(inside.raised_us, _offsets_us(inside.raised_us, zone)),
    )


def learned(record: Record) -> Learned:
    """What follows what in the period. Pairs and chains are the surest first."""
    inside = record.log.within(record.wish.start_us, record.wish.end_us)
    pairs = find_pairs(inside)
    priority_of = {int(alarm): int(priority) for alarm, priority in zip(inside.alarm, inside.priority, strict=True)}
    return Learned(pairs, chains(pairs), suppression(pairs, priority_of))


def rate(record: Record, step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the steps and how many alarms were raised in each. [µs]"""
    edges = step_edges(record, step)
    return edges, per_step(record.log.within(record.wish.start_us, record.wish.end_us).raised_us, edges)


def steps_for(record: Record) -> list[Step]:
    """The steps by which a period can be drawn, the finest first."""
    length = record.wish.end_us - record.wish.start_us
    return [step for step in Step if length / STEP_US[step] <= _MOST_BARS]


def step_edges(record: Record, step: Step) -> np.ndarray:
    """Edges of the period's steps: days begin at midnight on the plant's clock. [µs]"""
    wish = record.wish
    if step is not Step.DAY:
        return steps(wish.start_us, wish.end_us, STEP_US[step])
    day = wish.start.astimezone(record.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    edges = [microseconds(day)]
    while edges[-1] < wish.end_us:
        day = (day + timedelta(days=1, hours=2)).replace(hour=0)  # over a change of clocks, too
        edges.append(microseconds(day))
    return np.array(edges, np.int64)


def _position(record: Record, path: str, days: np.ndarray) -> Position:
    wish = record.wish
    log = record.log.cut(record.rows_of(path))
    values = kpis.measured(log, wish.start_us, wish.end_us, days_us=days)
    raised = len(log.within(wish.start_us, wish.end_us))
    return Position(path, raised, values, kpis.level(values[Figure.PER_TEN_MINUTES], values[Figure.PEAK]))


def _worst_floods(record: Record, inside: Log, floods: Floods) -> list[Flood]:
    worst = np.argsort(-floods.alarms, kind="stable")[:MOST_LISTED]
    return [
        Flood(
            int(floods.begin_us[one]),
            int(floods.end_us[one]),
            int(floods.alarms[one]),
            int(floods.peak[one]),
            int(inside.alarm[floods.first[one]]),
            groups(inside.cut(slice(int(floods.first[one]), int(floods.stop[one]))), record.node_of),
        )
        for one in worst
    ]


def _listed(log: Log, rows: np.ndarray) -> list[Listed]:
    alarms, counts = nuisance.sums_by_alarm(log, rows)
    found = zip(alarms[:MOST_LISTED], counts[:MOST_LISTED], strict=True)
    return [Listed(int(alarm), int(count), int(count) / max(1, len(log))) for alarm, count in found]


def _stale(record: Record) -> list[Standing]:
    log, end = record.log, record.wish.end_us
    rows = np.flatnonzero(nuisance.stale(log, end))
    stood = np.minimum(log.cleared_us[rows], end) - log.raised_us[rows]
    longest = rows[np.argsort(-stood, kind="stable")][:MOST_LISTED]
    return [
        Standing(
            int(log.alarm[row]),
            int(record.ids[row]),
            int(log.raised_us[row]),
            float((min(int(log.cleared_us[row]), end) - int(log.raised_us[row])) / 1e6),
            int(log.cleared_us[row]) >= end,
        )
        for row in longest
    ]


def _offsets_us(raised_us: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """How far the plant's clock was ahead of UTC at each moment: looked up once for each day. [µs]"""
    days, back = np.unique(raised_us // DAY_US, return_inverse=True)
    ahead = [_offset_us(moment(int(day) * DAY_US + DAY_US // 2), zone) for day in days]
    return np.asarray(np.array(ahead, np.int64)[back])


def _offset_us(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)
