"""Settings that would have kept an alarm quiet, from the samples of its tag: the domain computes, with real data."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from athanor.apps.alarms.domain.suggestions import (
    TRUE_AFTER_S,
    Case,
    Setting,
    Suggestion,
    activations,
    suggest,
    true_ones,
)
from athanor.kernel.alarms.deadbands import deadband_of, delay_s
from athanor.kernel.alarms.rule import Limit, Rule, Side
from athanor.kernel.alarms.tables import AlarmRow, CommentRow, OccurrenceRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.plant.model import AlarmLimits, Plant, Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality

LOOK_BACK = timedelta(days=30)
_LARGEST_ID = 2**31 - 1


class NotSuggestibleError(AthanorError):
    """A deadband and delays are computed for alarms on a limit of a number, and this is none."""

    code = "alarms.not-suggestible"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"For the alarm on {path} no deadband and no delays can be computed: only alarms on a limit of a measured "
            "number have them. Look at its occurrences, and at its rule."
        )


@dataclass(frozen=True, slots=True)
class Advice:
    """What the past says of an alarm's setting.

    Parameters
    ----------
    samples
        How many samples were looked at.
    before, true
        Activations as damped now, and how many of them were true.
    """

    alarm: int
    rule: int
    tag: Tag
    case: Case
    start: datetime
    end: datetime
    samples: int
    before: int
    true: int
    suggestions: Sequence[Suggestion]


async def advise(
    database: Database,
    historian: Historian,
    plant: RunningPlant,
    alarm_id: int,
    *,
    end: datetime,
    look_back: timedelta = LOOK_BACK,
    true_after_s: float = TRUE_AFTER_S,
) -> Advice:
    """Settings for an alarm on a limit, the mildest that does enough first.

    Its raw samples before `end` are judged anew. An activation was true if it stood for longer than `true_after_s`, or
    went on to the next limit, or somebody acted while it stood: wrote a comment, or changed a setpoint of the asset.
    Raises NotFoundError, NotSuggestibleError.
    """
    span = Span(end - look_back, end)
    async with database.reading() as session:
        alarm = await session.get(AlarmRow, alarm_id) if 0 < alarm_id <= _LARGEST_ID else None
        row = None if alarm is None else await session.get(RuleRow, alarm.rule_id)
        if alarm is None or row is None:
            raise NotFoundError("alarm", alarm_id)
        comments = (
            select(CommentRow.at)
            .join(OccurrenceRow, OccurrenceRow.id == CommentRow.occurrence_id)
            .where(OccurrenceRow.alarm_id == alarm_id, CommentRow.at >= span.start)
        )
        acted_us = [microseconds(at) for at in await session.scalars(comments)]
    tag = plant.model.tags.get(alarm.path)
    if tag is None:
        raise NotSuggestibleError(alarm.path)
    acted_us += await _changed_us(historian, plant, tag, span)
    case = case_of(Rule.model_validate(row.content), plant.model, tag, acted_us, true_after_s)
    time_us, value = _numbers(await historian.read([plant.ids[tag.path]], span))
    return await asyncio.to_thread(_advice, alarm_id, row.id, tag, case, span, time_us, value)


def case_of(
    rule: Rule, plant: Plant, tag: Tag, acted_us: Sequence[int] = (), true_after_s: float = TRUE_AFTER_S
) -> Case:
    """A rule on a limit at one tag, with every default as judging fills it in. Raises NotSuggestibleError."""
    condition = rule.condition
    if not isinstance(condition, Limit) or tag.kind in (TagKind.STATE, TagKind.TEXT) or tag.path not in plant.tags:
        raise NotSuggestibleError(tag.path)
    is_high = condition.side is Side.HIGH
    limits = tag.alarm_limits
    own = getattr(limits, rule.subject.limit or ("high" if is_high else "low"))
    at = own if condition.at is None else condition.at
    if at is None:
        raise NotSuggestibleError(tag.path)
    delay = delay_s(condition, tag)
    setting = Setting(
        deadband_of(tag) if condition.deadband is None else condition.deadband,
        delay if rule.on_delay_s is None else rule.on_delay_s,
        delay if rule.off_delay_s is None else rule.off_delay_s,
    )
    following = _next_limit(limits, at, is_high=is_high)
    return Case(at, is_high, setting, following, true_after_s, tuple(acted_us), rule.respond_within_s)


def _next_limit(limits: AlarmLimits, at: float, *, is_high: bool) -> float | None:
    if is_high:
        return min((one for one in (limits.high, limits.high_high) if one is not None and one > at), default=None)
    return max((one for one in (limits.low, limits.low_low) if one is not None and one < at), default=None)


async def _changed_us(historian: Historian, plant: RunningPlant, tag: Tag, span: Span) -> list[int]:
    """When somebody changed a setpoint of the same node."""
    node = plant.model.nodes[tag.node_path]
    setpoints = [plant.ids[one.path] for one in node.tags if one.kind is TagKind.SETPOINT and one.path != tag.path]
    changed: list[int] = []
    for one in setpoints:
        time_us, value = _numbers(await historian.read([one], span))
        known = ~np.isnan(value)
        changed += time_us[known][1:][np.diff(value[known]) != 0].tolist()
    return changed


def _numbers(samples: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Times [µs] and values of a tag's samples, NaN where the quality is bad."""
    time_us = pc.cast(samples["time"], pa.int64()).to_numpy()
    value = pc.fill_null(samples["value"], float("nan")).to_numpy()
    return time_us, np.where(samples["quality"].to_numpy() == Quality.BAD, np.nan, value)


def _advice(alarm: int, rule: int, tag: Tag, case: Case, span: Span, time_us: np.ndarray, value: np.ndarray) -> Advice:
    now = activations(time_us, value, case, case.setting)
    true = int(true_ones(time_us, value, case, now).sum())
    found = suggest(time_us, value, case)
    return Advice(alarm, rule, tag, case, span.start, span.end, len(time_us), len(now), true, found)
