"""Statistics of tags over a range: one step of the historian, from its rollups where they say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.historian.queries import by_policy
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a range holds. Values are in the tag's unit, NaN where nothing is known."""

    count: int  # good samples
    minimum: float
    maximum: float
    mean: float  # over the time that is known
    last: float
    good_share: float  # of the range's time that is known, 0 to 1


NOTHING_KNOWN = Statistics(0, np.nan, np.nan, np.nan, np.nan, 0.0)

_ASKED = {
    "count": Measure.COUNT,
    "minimum": Measure.MIN,
    "maximum": Measure.MAX,
    "mean": Measure.MEAN,
    "last": Measure.LAST,
    "good_share": Measure.SHARE_GOOD,
}


async def statistics(
    historian: Historian, plant: RunningPlant, tags: Sequence[Tag], span: Span
) -> Mapping[str, Statistics]:
    """What the range holds of each tag, by path. The future counts for nothing.

    All but the count is of the signal that the gap policy of the tag's kind draws: what a setpoint held when the range
    began belongs to it.
    """
    end_us = min(span.end_us, microseconds(datetime.now(UTC)))
    found: dict[str, dict[str, float]] = {tag.path: {} for tag in tags}
    if end_us > span.start_us:
        edges = np.array([span.start_us, end_us], np.int64)
        for policy, some in by_policy(tags):
            ids = plant.ids_of(tag.path for tag in some).tolist()
            answers = await historian.measures(ids, edges, list(_ASKED.values()), policy)
            for name, how in _ASKED.items():
                for tag_id, value in zip(
                    *(answers[how][column].to_pylist() for column in ("tag", "value")), strict=True
                ):
                    found[plant.path_of(tag_id)][name] = value
    return {path: _statistics(values) for path, values in found.items()}


def _statistics(values: Mapping[str, float]) -> Statistics:
    known = {name: values.get(name, getattr(NOTHING_KNOWN, name)) for name in Statistics.__slots__}
    return Statistics(**known | {"count": int(known["count"])})
