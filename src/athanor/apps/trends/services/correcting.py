"""Correcting stored samples: what the chosen range holds, what a correction would make of it, and which there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from athanor.apps.trends.domain.outline import outline
from athanor.apps.trends.services.drawing import Line, good_numbers
from athanor.kernel.corrections.actions import Action
from athanor.kernel.corrections.change import Figures, Samples
from athanor.kernel.corrections.planning import Plan
from athanor.kernel.corrections.records import Correction
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.historian.port import Historian, Span, moment
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality, numpy_column

KINDS: Mapping[TagKind, tuple[str, ...]] = {  # what can be done to tags of each kind, the usual first
    TagKind.ANALOG: ("set", "bad", "constant", "adjust", "interpolate"),
    TagKind.COUNTER: ("set", "bad", "constant", "adjust", "interpolate"),
    TagKind.SETPOINT: ("set", "bad", "constant", "adjust"),
    TagKind.STATE: ("set", "bad", "constant"),
    TagKind.TEXT: ("set", "bad", "constant"),
}
BEFORE, AFTER = "before", "after"  # the lines of a preview
MOST_SHOWN = 50  # corrections listed

_POINTS, _POINTS_BESIDE = 600, 150
_MS = 1000
_MOST_NEAR = 7
_LOOKS = (timedelta(seconds=10), timedelta(minutes=10), timedelta(days=1))  # around a time, for samples near it
_BESIDE = 0.15  # of the range's length, shown on each side of it
_PERIODS_BESIDE, _LEAST_BESIDE = 20, timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a correction would change. `lines` are BEFORE and AFTER, over the range and a little around it."""

    action: Action
    samples: int
    added: int
    before: Figures
    after: Figures
    view: Span
    lines: Mapping[str, Line]


async def preview(
    corrections: Corrections, historian: Historian, plant: RunningPlant, tag: Tag, action: Action
) -> Preview:
    """Work out a correction without making it. Raises CorrectionImpossibleError, TooManySamplesError."""
    plan = await corrections.preview(plant, tag.path, action)
    view = _with_surroundings(action.span, tag)
    before, after = plan.figures
    lines = await _lines(historian, plant, tag, plan, action.span, view)
    return Preview(action, len(plan.change), plan.change.added, before, after, view, lines)


async def samples_near(historian: Historian, plant: RunningPlant, tag: Tag, at_us: int) -> Samples:
    """The few samples nearest to a time, at most a day away, in order of time. [us]"""
    found = Samples.of(await historian.read([plant.id_of(tag.path)], Span(moment(at_us), moment(at_us))))
    for reach in _LOOKS:
        span = Span(moment(at_us) - reach, moment(at_us) + reach)
        found = Samples.of(await historian.read([plant.id_of(tag.path)], span))
        if len(found):
            break
    nearest = np.argsort(np.abs(found.time_us - at_us), kind="stable")[:_MOST_NEAR]
    return found.take(np.sort(nearest))


async def listed(corrections: Corrections, plant: RunningPlant, tags: Sequence[Tag], span: Span) -> list[Correction]:
    """Corrections that share time with the range, newest first, at most MOST_SHOWN."""
    if not tags:
        return []
    return (await corrections.over(plant, [tag.path for tag in tags], span))[:MOST_SHOWN]


def _with_surroundings(span: Span, tag: Tag) -> Span:
    period = timedelta(seconds=tag.period_s or 0)
    beside = max((span.end - span.start) * _BESIDE, _PERIODS_BESIDE * period, _LEAST_BESIDE)
    return Span(span.start - beside, span.end + beside)


async def _lines(
    historian: Historian, plant: RunningPlant, tag: Tag, plan: Plan, span: Span, view: Span
) -> dict[str, Line]:
    ids = [plant.id_of(tag.path)]
    sides = [
        await historian.downsample(ids, side, _POINTS_BESIDE)
        for side in (Span(view.start, span.start), Span(span.end, view.end))
    ]
    first, last = ((numpy_column(side, "time"), good_numbers(side)) for side in sides)
    return {
        name: _joined(first, outline(samples.time_us, _drawn(samples), _POINTS), last)
        for name, samples in ((BEFORE, plan.before), (AFTER, plan.after))
    }


def _drawn(samples: Samples) -> np.ndarray:
    return np.where(samples.quality == Quality.BAD, np.nan, samples.value)


def _joined(*parts: tuple[np.ndarray, np.ndarray]) -> Line:
    time_us, value = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
    return time_us // _MS, value
