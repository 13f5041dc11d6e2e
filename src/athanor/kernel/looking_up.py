"""One question for master data, present value and history: what a tag is, what it is now, and what it was.

Master data come from the plant model, the present value from the current values, the last day from the historian.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from athanor.kernel.current import CurrentValue, CurrentValues
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.port import Historian, Span, microseconds
from athanor.kernel.historian.queries import by_policy
from athanor.kernel.plant.finding import find_tags, way_to
from athanor.kernel.plant.model import Node, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import numpy_column

HISTORY = timedelta(days=1)
_POINTS = 96  # of a line of a day
_MEASURES = (Measure.MIN, Measure.MEAN, Measure.MAX, Measure.COUNT, Measure.SHARE_GOOD)


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of a tag, in its unit. None, and no points, where nothing good came."""

    minimum: float | None
    mean: float | None  # weighted by time, under the gap policy of the tag's kind
    maximum: float | None
    samples: int  # good ones
    known: float | None  # share of the day that is known, 0 to 1
    times_ms: Sequence[int]  # of points that look as all samples would, since 1970 UTC
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A tag with all that is known of it."""

    tag: Tag
    way: Sequence[Node]  # from the site down to the node that it is on
    tenant: Tenant
    current: CurrentValue | None
    day: Day


@dataclass(frozen=True, slots=True)
class Answer:
    """The tags asked for, the best matches first, and how many match in all."""

    hits: Sequence[Hit]
    total: int


async def look_up(
    plant: RunningPlant, current: CurrentValues, historian: Historian, wish: str, now: datetime, most: int
) -> Answer:
    """Tags whose path, names or assets hold all words of the wish, in any language; at most 50.

    The plant is the viewer's: what they may not see is not found.
    """
    found = find_tags(plant, wish)
    tags = found.tags[:most]
    days = await _days(plant, historian, tags, Span(now - HISTORY, now))
    hits = [
        Hit(
            tag,
            way_to(plant, tag.node_path),
            plant.model.tenant_of(tag.path),
            current.get(plant.id_of(tag.path)),
            day,
        )
        for tag, day in zip(tags, days, strict=True)
    ]
    return Answer(hits, found.total)


async def _days(plant: RunningPlant, historian: Historian, tags: Sequence[Tag], span: Span) -> list[Day]:
    edges = np.array([span.start_us, span.end_us], np.int64)
    ids = [plant.id_of(tag.path) for tag in tags]
    groups = [(policy, [plant.id_of(tag.path) for tag in some]) for policy, some in by_policy(tags)]
    *answers, points = await asyncio.gather(
        *(historian.measures(some, edges, _MEASURES, policy) for policy, some in groups),
        historian.downsample(ids, span, _POINTS),
    )
    known: dict[tuple[int, Measure], float] = {}
    for answer in answers:
        for measure, table in answer.items():
            rows = zip(table["tag"].to_pylist(), table["value"].to_pylist(), strict=True)
            known |= {(tag, measure): value for tag, value in rows}
    tag, time_us, value = (numpy_column(points, name) for name in ("tag", "time", "value"))
    return [_day(one, known, time_us[tag == one], value[tag == one]) for one in ids]


def _day(one: TagId, known: dict[tuple[int, Measure], float], time_us: np.ndarray, value: np.ndarray) -> Day:
    minimum, mean, maximum, count, share = (known.get((int(one), measure)) for measure in _MEASURES)
    return Day(minimum, mean, maximum, int(count or 0), share, (time_us // 1000).tolist(), value.tolist())


def age_s(current: CurrentValue | None, now: datetime) -> float | None:
    """How old a present value is; None where there is none. [s]"""
    return None if current is None else (microseconds(now) - microseconds(current.time)) / 1e6
