"""What a rule would have done: judged over the samples of the last days, before anybody saves it."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from athanor.apps.alarms.domain.suggestions import Case, Setting, Suggestion, suggest
from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Limit, Ramp, Side
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import numpy_column

DAYS = 7
MOST_SAMPLES = 1_500_000  # the newest, of all tags that the rule names
MOST_EPISODES = 500  # shown; more is chattering, and told as a number

_ALARM = 1  # the number that the alarm of the first part has
_MOST_PARTS = 300
_SHORTEST_US = 3_600_000_000  # of a part
_LEAST_WARM_UP_US = 3_600_000_000
_GRACE_US = 10_000_000
_CHATTERS = 5  # times raised, from which on settings are looked for
_GOOD_OR_UNCERTAIN = 2  # qualities below are values


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that the alarm would have been raised.

    Parameters
    ----------
    cleared_us
        None where it would stand still.
    lead_s
        Of a pre-alarm: how long before the limit was truly reached; None where it was not.
    """

    raised_us: int
    cleared_us: int | None
    value: float
    limit: float
    lead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Parameters
    ----------
    path
        The place that was tried.
    episodes
        In order of time, at most MOST_EPISODES; `count` is how many there were.
    at
        The limit as a line, where the rule has one in the tag's unit.
    suggestions
        Where it would have chattered on a limit: deadbands and delays that would have kept it quiet.
    """

    path: str
    tag: TagId | None
    span: Span
    samples: int
    count: int
    standing_s: float
    episodes: Sequence[Episode]
    at: float | None
    suggestions: Sequence[Suggestion] = ()


async def tried(historian: Historian, instance: Instance, now: datetime, *, days: int = DAYS) -> Trial:
    """Judge one place's rule over its history, as it would have been judged live. Changes nothing."""
    span = Span(now - timedelta(days=days), now)
    tags = sorted({*([] if instance.tag is None else [instance.tag]), *instance.names.values()})
    table = await historian.read(tags, span) if tags else None
    if table is None or not table.num_rows:
        return Trial(instance.path, instance.tag, span, 0, 0, 0.0, (), _line(instance))
    text = table["text"].to_numpy(zero_copy_only=False) if table["text"].null_count < table.num_rows else None
    names = ("tag", "time", "value", "quality")
    tag, time_us, value, quality = (numpy_column(table, name) for name in names)
    order = np.argsort(time_us, kind="stable")[-MOST_SAMPLES:]
    columns = (tag[order], time_us[order], value[order], quality[order], None if text is None else text[order])
    found = await asyncio.to_thread(_episodes, instance, columns, span.end_us)
    if isinstance(instance.condition, Ramp):
        mine = (columns[0] == instance.tag) & (columns[3] < _GOOD_OR_UNCERTAIN)
        found = [_with_lead(one, instance.condition, columns[1][mine], columns[2][mine]) for one in found]
    suggestions = await asyncio.to_thread(_suggested, instance, columns) if len(found) >= _CHATTERS else []
    standing_us = sum((one.cleared_us or span.end_us) - one.raised_us for one in found)
    return Trial(
        instance.path, instance.tag, span, len(order), len(found), standing_us / 1e6, tuple(found[-MOST_EPISODES:]),
        _line(instance), suggestions,
    )  # fmt: skip


Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]


def _episodes(instance: Instance, columns: Columns, end_us: int) -> list[Episode]:
    """Judge all parts of the time at once, each as an alarm of its own that warms up on what came before it.

    A Judge is quick for many alarms and slow for many samples of one. A part knows nothing older than its warm-up,
    which is longer than every window and delay of the rule.
    """
    tag, time_us, value, quality, text = columns
    warm_up_us = _warm_up_us(instance)
    first_us = int(time_us[0])
    length_us = max(warm_up_us, _SHORTEST_US, -(-(end_us - first_us) // _MOST_PARTS))
    starts = range(first_us, end_us + 1, length_us)
    ids = np.unique(tag)
    place = np.searchsorted(ids, tag)
    of_tag = [np.flatnonzero(place == one) for one in range(len(ids))]
    known = [time_us[one] for one in of_tag]
    rows = [_rows(time_us, of_tag, known, start - warm_up_us, min(start + length_us, end_us + 1)) for start in starts]
    parts = len(rows)
    number = np.concatenate([place[some] * parts + part for part, some in enumerate(rows)])
    judge = Judge([_part_of(instance, ids, part, parts) for part in range(parts)])
    times, values, qualities = (np.concatenate([one[some] for some in rows]) for one in (time_us, value, quality))
    texts = None if text is None else np.concatenate([text[some] for some in rows])
    found = [judge.take(number, times, values, qualities, texts), judge.tick(end_us + _GRACE_US)]
    told = _Told()
    for part, start in enumerate(starts):
        told.begin_part(start)
        for one in found:
            told.hear(one, part + _ALARM, min(start + length_us, end_us + 1))
        told.end_part()
    return told.episodes()


def _rows(
    time_us: np.ndarray, of_tag: Sequence[np.ndarray], times: Sequence[np.ndarray], from_us: int, until_us: int
) -> np.ndarray:
    """The samples of a part, and the last one before it of each tag: its value still holds."""
    lasts = [int(np.searchsorted(one, from_us)) for one in times]
    before = [rows[last - 1] for rows, last in zip(of_tag, lasts, strict=True) if last]
    first, end = np.searchsorted(time_us, (from_us, until_us))
    return np.concatenate([np.sort(np.array(before, np.int64)), np.arange(first, end)])


def _part_of(instance: Instance, ids: np.ndarray, part: int, parts: int) -> Instance:
    """The instance as an alarm of its own on tags of its own."""

    def own(tag: TagId | None) -> TagId | None:
        if tag is None:
            return None
        known = int(np.searchsorted(ids, tag))
        is_there = known < len(ids) and ids[known] == tag
        return TagId((known if is_there else len(ids)) * parts + part)

    names = {name: own(tag) for name, tag in instance.names.items()}
    return replace(
        instance, alarm=part + _ALARM, tag=own(instance.tag), names={n: t for n, t in names.items() if t is not None}
    )


def _warm_up_us(instance: Instance) -> int:
    condition = instance.condition
    seconds = [getattr(condition, name, None) or 0.0 for name in ("window_s", "for_s", "calm_s")]
    own_us = instance.on_delay_us + instance.off_delay_us + (instance.stale_after_us or 0)
    return _LEAST_WARM_UP_US + own_us + round(sum(seconds) * 1e6)


class _Told:
    """Follows one alarm through its findings: when it would have been seen."""

    def __init__(self) -> None:
        self._is_active = self._is_suppressed = False
        self._at_us = 0
        self._begun: tuple[int, float, float] | None = None
        self._done: list[Episode] = []

    def begin_part(self, at_us: int) -> None:
        """What follows is of another part, which begins then."""
        self._at_us = at_us
        self._is_active = self._is_suppressed = False

    def hear(self, found: Findings, alarm: int, until_us: int) -> None:
        """What was found of one part, in order of time, up to its end; before its start it warms up."""
        mine = np.flatnonzero((found.alarm == alarm) & (found.at_us < until_us))
        columns = (found.what, found.at_us, found.value, found.limit, found.is_active)
        for what, at_us, value, limit, is_active in zip(*(one[mine].tolist() for one in columns), strict=True):
            if at_us >= self._at_us:
                self._turn(self._at_us, math.nan, math.nan)  # as it stands at the beginning
            self._is_active = is_active
            if what in (What.SUPPRESSED, What.RESUMED):
                self._is_suppressed = what == What.SUPPRESSED
            if at_us >= self._at_us:
                self._at_us = at_us
                self._turn(at_us, value, limit)

    def end_part(self) -> None:
        """Nothing more comes of this one."""
        self._turn(self._at_us, math.nan, math.nan)

    def episodes(self) -> list[Episode]:
        standing = [] if self._begun is None else [Episode(self._begun[0], None, *self._begun[1:])]
        return self._done + standing

    def _turn(self, at_us: int, value: float, limit: float) -> None:
        is_seen = self._is_active and not self._is_suppressed
        if is_seen and self._begun is None:
            self._begun = at_us, value, limit
        elif not is_seen and self._begun is not None:
            begun_us, first, against = self._begun
            self._done.append(Episode(begun_us, at_us, first, against))
            self._begun = None


def _with_lead(one: Episode, condition: Ramp, time_us: np.ndarray, value: np.ndarray) -> Episode:
    """When the limit that a pre-alarm spoke of was reached, if it was."""
    at = condition.at
    if at is None:
        return one
    beyond = value >= at if condition.side is Side.HIGH else value <= at
    end_us = one.raised_us + round(condition.horizon_s * 1e6)
    reached = time_us[beyond & (time_us >= one.raised_us) & (time_us <= end_us)]
    return replace(one, lead_s=(int(reached[0]) - one.raised_us) / 1e6) if len(reached) else one


def _suggested(instance: Instance, columns: Columns) -> list[Suggestion]:
    condition = instance.condition
    if not isinstance(condition, Limit) or condition.at is None or instance.suppressed_while or instance.schedule:
        return []
    tag, time_us, value, quality, _text = columns
    mine = (tag == instance.tag) & (quality < _GOOD_OR_UNCERTAIN) & ~np.isnan(value)
    damped = Setting(condition.deadband or 0.0, instance.on_delay_us / 1e6, instance.off_delay_us / 1e6)
    case = Case(condition.at, condition.side is Side.HIGH, damped)
    return suggest(time_us[mine], value[mine], case)


def _line(instance: Instance) -> float | None:
    return instance.condition.at if isinstance(instance.condition, Limit | Ramp) else None


def span_of(trial: Trial) -> tuple[int, int]:
    """Where the trial begins and ends. [ms since 1970 UTC]"""
    return microseconds(trial.span.start) // 1000, microseconds(trial.span.end) // 1000
