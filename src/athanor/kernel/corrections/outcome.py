"""What an action makes of samples: samples in, samples out. No clock, no store."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from athanor.kernel.corrections.actions import Action, Adjust, Interpolate, MarkBad, SetConstant, SetValues, Value
from athanor.kernel.corrections.change import Samples
from athanor.kernel.corrections.records import CorrectionImpossibleError, TooManySamplesError
from athanor.kernel.historian.port import microseconds
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.telemetry import Quality

_INSTANT_US = 1
_MICROSECOND = timedelta(microseconds=1)
_NUMBERS = frozenset({TagKind.ANALOG, TagKind.COUNTER, TagKind.SETPOINT, TagKind.STATE})
_TEXTS = frozenset({TagKind.TEXT, TagKind.STATE})
_ADJUSTED = frozenset({TagKind.ANALOG, TagKind.COUNTER, TagKind.SETPOINT})
_JOINED = frozenset({TagKind.ANALOG, TagKind.COUNTER})  # by lines; setpoints, states and texts hold


@dataclass(frozen=True, slots=True)
class End:
    """A good sample that a line leads from or to."""

    time_us: int
    value: float


def check_kind(tag: Tag, action: Action) -> None:
    """Raises CorrectionImpossibleError where the action makes no sense for tags of this kind."""
    if isinstance(action, SetValues):
        for entered in action.values:
            _check_value(tag, entered.value)
    elif isinstance(action, SetConstant):
        _check_value(tag, action.value)
    elif isinstance(action, Adjust) and tag.kind not in _ADJUSTED:
        raise CorrectionImpossibleError(tag.path, "texts and states have no offset and no factor; set a constant")
    elif isinstance(action, Interpolate) and tag.kind not in _JOINED:
        reason = (
            "no line leads from one text, state or setpoint to the next, which holds until it changes; set a constant"
        )
        raise CorrectionImpossibleError(tag.path, reason)


def outcome(
    tag: Tag, action: Action, inside: Samples, ends: tuple[End, End] | None, *, now_us: int, most: int
) -> Samples:
    """The samples that the action leaves at every time that it touches, changed or not.

    Parameters
    ----------
    tag
        Whose samples these are; `check_kind` has passed.
    inside
        All samples within the action's span; of values at single times, those at these times.
    ends
        Where the line of an interpolation leads from and to.
    now_us
        No sample is added after it. [us]
    most
        How many samples may be touched.

    Raises
    ------
    CorrectionImpossibleError, TooManySamplesError
        TooManySamplesError before samples are made that would be too many.
    """
    if isinstance(action, SetValues):
        return _entered(tag, action, now_us)
    if isinstance(action, MarkBad):
        return _all_bad(inside)
    if isinstance(action, Adjust):
        return _adjusted(tag, action, inside)
    times = inside.time_us
    if action.step is not None:
        step_us = action.step // _MICROSECOND
        start_us, end_us = microseconds(action.start), min(microseconds(action.end), now_us + _INSTANT_US)
        times = np.union1d(times, missing_times(tag, times, start_us, end_us, step_us, most))
    quality = np.full(len(times), Quality[action.quality.upper()], np.uint8)
    if isinstance(action, SetConstant):
        return _constant(times, action.value, quality)
    if ends is None:
        raise ValueError("An interpolation needs the samples that it leads from and to.")
    return _on_line(tag, times, ends, quality)


def missing_times(
    tag: Tag, time_us: npt.NDArray[np.int64], start_us: int, end_us: int, step_us: int, most: int
) -> npt.NDArray[np.int64]:
    """Times to add so that samples lie about a step apart from start to end, the end excluded.

    None is closer than half a step to the next sample. Raises TooManySamplesError.
    """
    if end_us <= start_us:
        return np.empty(0, np.int64)
    left, right = np.append(start_us - step_us, time_us), np.append(time_us, end_us)
    counts = np.maximum((2 * (right - left) + step_us) // (2 * step_us) - 1, 0)
    if int(counts.sum()) + len(time_us) > most:
        raise TooManySamplesError(tag.path, most)
    number = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    times: npt.NDArray[np.int64] = np.repeat(left, counts) + number * step_us
    return times


def _check_value(tag: Tag, value: Value) -> None:
    if isinstance(value, str) and tag.kind not in _TEXTS:
        raise CorrectionImpossibleError(tag.path, f"its values are numbers, and {value[:100]!r} is a text")
    if not isinstance(value, str) and tag.kind not in _NUMBERS:
        raise CorrectionImpossibleError(tag.path, f"its values are texts, and {value} is a number; send it as a text")


def _entered(tag: Tag, action: SetValues, now_us: int) -> Samples:
    entered = sorted(action.values, key=lambda one: one.time)
    times = np.array([microseconds(one.time) for one in entered], np.int64)
    if times[-1] > now_us:
        raise CorrectionImpossibleError(tag.path, f"{entered[-1].time.isoformat()} has not come yet; give a past time")
    parts = [_column(one.value, 1) for one in entered]
    value, text = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
    return Samples(times, value, text, np.full(len(times), Quality[action.quality.upper()], np.uint8))


def _constant(times: npt.NDArray[np.int64], value: Value, quality: npt.NDArray[np.uint8]) -> Samples:
    return Samples(times, *_column(value, len(times)), quality)


def _column(value: Value, rows: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_]]:
    """One value so many times, as numbers and as texts."""
    is_text = isinstance(value, str)
    return np.full(rows, np.nan if is_text else value), np.full(rows, value if is_text else None, np.object_)


def _all_bad(inside: Samples) -> Samples:
    return Samples(inside.time_us, inside.value, inside.text, np.full(len(inside), Quality.BAD, np.uint8))


def _adjusted(tag: Tag, action: Adjust, inside: Samples) -> Samples:
    changed = inside.take((inside.quality != Quality.BAD) & ~np.isnan(inside.value))
    with np.errstate(over="ignore", invalid="ignore"):  # looked at below
        value = changed.value * action.factor + action.offset
    if not np.isfinite(value).all():
        raise CorrectionImpossibleError(tag.path, "values would become infinite; give a smaller factor or offset")
    return Samples(changed.time_us, value, changed.text, changed.quality)


def _on_line(tag: Tag, times: npt.NDArray[np.int64], ends: tuple[End, End], quality: npt.NDArray[np.uint8]) -> Samples:
    first, last = ends
    if tag.kind is TagKind.COUNTER and last.value < first.value:
        reason = (
            f"its register falls from {first.value:g} to {last.value:g} over the range, and a line cannot tell where "
            "it rolled over or was reset; correct the parts before and after that"
        )
        raise CorrectionImpossibleError(tag.path, reason)
    share = (times - first.time_us) / (last.time_us - first.time_us)
    value = np.clip(
        first.value * (1 - share) + last.value * share, min(first.value, last.value), max(first.value, last.value)
    )
    return Samples(times, value, np.full(len(times), None, np.object_), quality)
