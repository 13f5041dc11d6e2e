"""The lines of tags over a range, and what is new since they were drawn."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pyarrow as pa

from athanor.apps.trends.domain.gaps import always_bridged, broken_at_gaps
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality

STEPS = frozenset({TagKind.SETPOINT, TagKind.STATE})
_LOOK_BACK = timedelta(days=1)  # for the value that a setpoint held when the range began
_MS, _SECOND_US = 1000, 1_000_000

Line = tuple[np.ndarray, np.ndarray]  # times [ms since 1970] and values, NaN where the line breaks


async def lines(
    historian: Historian, current: CurrentValues, plant: RunningPlant, tags: Sequence[Tag], span: Span, points: int
) -> Mapping[str, Line]:
    """Each tag's line over the range, at most about `points` points; where few were measured, exactly those.

    Lines break at bad samples and where none came for three periods.
    """
    exact = [tag for tag in tags if _expected(tag, span) <= points]
    reduced = [tag for tag in tags if tag not in exact]
    answer: dict[str, Line] = {}
    if exact:
        table = await historian.read(plant.ids_of(tag.path for tag in exact).tolist(), span)
        answer |= _by_tag(table, plant, exact, bucket_us=0.0)
    if reduced:
        table = await historian.downsample(plant.ids_of(tag.path for tag in reduced).tolist(), span, points)
        bucket_us = (span.end_us - span.start_us) / points
        answer |= _by_tag(table, plant, reduced, bucket_us=bucket_us)
    for tag in tags:
        if tag.kind in STEPS:
            answer[tag.path] = await _held_from_before(historian, current, plant, tag, span, answer[tag.path])
    return answer


def _expected(tag: Tag, span: Span) -> float:
    """About how many samples a range holds; few of a tag that comes as it comes."""
    return 0.0 if tag.period_s is None else (span.end_us - span.start_us) / _SECOND_US / tag.period_s


def _by_tag(table: pa.Table, plant: RunningPlant, tags: Sequence[Tag], *, bucket_us: float) -> dict[str, Line]:
    ids = table.column("tag").to_numpy()
    time_us = table.column("time").cast(pa.int64()).to_numpy()
    value = good_numbers(table)
    answer = {}
    for tag in tags:
        tag_id = plant.id_of(tag.path)
        start, end = np.searchsorted(ids, [tag_id, tag_id + 1])  # tables are sorted by tag, then time
        period_us = None if tag.period_s is None or tag.kind in STEPS else tag.period_s * _SECOND_US
        time, line = broken_at_gaps(time_us[start:end], value[start:end], always_bridged(period_us, bucket_us))
        answer[tag.path] = (time // _MS, line)
    return answer


def good_numbers(table: pa.Table) -> np.ndarray:
    """The table's values, NaN for bad samples and for those that are no number."""
    value: np.ndarray = table.column("value").to_numpy().astype(np.float64)
    if "quality" in table.column_names:
        value = np.where(table.column("quality").to_numpy() == Quality.BAD, np.nan, value)
    return value


async def _held_from_before(
    historian: Historian, current: CurrentValues, plant: RunningPlant, tag: Tag, span: Span, line: Line
) -> Line:
    """The line of a setpoint or state with the value it already held when the range began, where that is known."""
    time, value = line
    start_ms = span.start_us // _MS
    if len(time) and time[0] <= start_ms:
        return line
    tag_id = plant.id_of(tag.path)
    newest = current.get(tag_id)
    if newest is not None and newest.time < span.start:
        held = newest.value if isinstance(newest.value, float) else np.nan
    else:
        look_back = _LOOK_BACK if tag.period_s is None else timedelta(seconds=3 * tag.period_s)
        before = good_numbers(await historian.read([tag_id], Span(span.start - look_back, span.start)))
        if len(before) == 0:
            return line
        held = before[-1]
    return np.concatenate([[start_ms], time]), np.concatenate([[held], value])


class Newcomers:
    """Remembers what a chart has been sent, so that each sample is sent once."""

    def __init__(self, plant: RunningPlant, current: CurrentValues) -> None:
        self._plant = plant
        self._current = current
        self._sent_ms: dict[str, int] = {}

    def forget(self) -> None:
        """The chart was loaded anew and holds all that is stored by now."""
        self._sent_ms.clear()

    def since_last(self, tags: Sequence[Tag]) -> dict[str, list[tuple[int, float | None]]]:
        """Samples that came since the last call, by tag path: time [ms since 1970] and value; None breaks the line."""
        fresh: dict[str, list[tuple[int, float | None]]] = {}
        for tag in tags:
            newest = self._current.get(self._plant.id_of(tag.path))
            if newest is None:
                continue
            time_ms = microseconds(newest.time) // _MS
            before = self._sent_ms.get(tag.path)
            if before is not None and time_ms <= before:
                continue
            self._sent_ms[tag.path] = time_ms
            is_number = isinstance(newest.value, float) and newest.quality is not Quality.BAD
            point = (time_ms, float(f"{newest.value:.7g}") if is_number else None)
            gap_ms = None if tag.period_s is None or tag.kind in STEPS else 3000 * tag.period_s
            is_gap = before is not None and gap_ms is not None and time_ms - before > gap_ms
            fresh[tag.path] = [(before + 1, None), point] if is_gap and before is not None else [point]
        return fresh
