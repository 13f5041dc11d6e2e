"""What apps ask of the historian, by tags of the plant: plain functions above the port."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import Step, edges
from athanor.kernel.historian.gaps import GapPolicy, policy_for
from athanor.kernel.historian.port import STEPS, Historian, Span, microseconds
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant

_SHORTEST_LIMIT = timedelta(minutes=5)  # a history kept at a minute a sample is no row of gaps
_PERIODS = 3  # so many samples may be missing
_HELD_WITHOUT_PERIOD = timedelta(days=1)  # setpoints and states that come on change
_JOINED_WITHOUT_PERIOD = timedelta(hours=1)  # values that come as they come


def policy_of(tag: Tag) -> GapPolicy:
    """The gap policy of a tag for which nobody named one: as its kind is drawn, over three periods at most.

    No less than 5 min; where no period is declared, a day for what holds and an hour for what is joined by lines.
    """
    if tag.period_s is not None:
        return policy_for(tag.kind, max(_SHORTEST_LIMIT, _PERIODS * timedelta(seconds=tag.period_s)))
    holds = tag.kind in {TagKind.SETPOINT, TagKind.STATE}
    return policy_for(tag.kind, _HELD_WITHOUT_PERIOD if holds else _JOINED_WITHOUT_PERIOD)


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
    raises GapPolicyNeededError.
    """
    boundaries = _until(edges(span, step, ZoneInfo(plant.model.timezone)), microseconds(datetime.now(UTC)))
    if len(boundaries) < 2:
        return STEPS.empty_table()
    tables = []
    for one, group in _by_policy(tags, policy):
        ids = plant.ids_of(tag.path for tag in group).tolist()
        tables.append(await historian.resample(ids, boundaries, how, one))
    return (
        tables[0]
        if len(tables) == 1
        else pa.concat_tables(tables).sort_by([("tag", "ascending"), ("time", "ascending")])
    )


def _by_policy(tags: Sequence[Tag], policy: GapPolicy | None) -> Iterator[tuple[GapPolicy, list[Tag]]]:
    """The tags that share a policy."""
    groups: dict[GapPolicy, list[Tag]] = defaultdict(list)
    for tag in tags:
        groups[policy or policy_of(tag)].append(tag)
    yield from groups.items()


def _until(boundaries: np.ndarray, now_us: int) -> np.ndarray:
    """The boundaries of steps that have begun; the last of them ends now."""
    if len(boundaries) == 0 or boundaries[-1] <= now_us:
        return boundaries
    past = boundaries[boundaries < now_us]
    return np.append(past, now_us) if len(past) else past
