"""What data health answers: sources, what was refused, and the tags whose values are not to be believed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from athanor.apps.datahealth.domain.trouble import Trouble, troubles
from athanor.kernel.current import CurrentValue, CurrentValues
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.quarantine import Quarantine, QuarantineEntry
from athanor.kernel.ingest.sources import EdgeState, SourceState, SourceStates
from athanor.kernel.plant.model import Node, Tag
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class TroubledTag:
    """A tag whose value is old, bad or was never there."""

    tag: Tag
    asset: Node
    trouble: Trouble
    age_s: float  # infinite when no sample ever came


@dataclass(frozen=True, slots=True)
class Health:
    """All tags of the viewer, counted."""

    tags: int
    healthy: int
    troubled: Sequence[TroubledTag]  # never there, stale, bad; within each the oldest first


def health_of(plant: RunningPlant, current: CurrentValues, now: datetime) -> Health:
    """Which of the viewer's tags have values that are not to be believed."""
    tags = [(node, tag) for node in plant.model.nodes.values() for tag in node.tags]
    ids = plant.ids_of(tag.path for _node, tag in tags)
    age_s = current.ages_s(ids, now)
    period_s = np.array([tag.period_s for _node, tag in tags], np.float64)
    trouble = troubles(age_s, period_s, current.qualities(ids))
    wrong = np.flatnonzero(trouble)
    finite_age_s = np.where(np.isinf(age_s), 0.0, age_s)
    order = wrong[np.lexsort((-finite_age_s[wrong], -trouble[wrong].astype(np.int16)))]
    troubled = [
        TroubledTag(tags[index][1], tags[index][0], Trouble(int(trouble[index])), float(age_s[index]))
        for index in order.tolist()
    ]
    return Health(len(tags), len(tags) - len(troubled), troubled)


async def quarantined(quarantine: Quarantine, plant: RunningPlant, viewer: User) -> list[QuarantineEntry]:
    """What was refused, the newest first. Who sees one enterprise only sees what concerns that one's tags."""
    entries = [
        entry
        for entry in await asyncio.to_thread(quarantine.summary)
        if viewer.tenants is None or plant.owns(entry.tag)
    ]
    return sorted(entries, key=lambda entry: entry.last_at, reverse=True)


def reported(sources: SourceStates, viewer: User) -> list[tuple[EdgeState, SourceState]]:
    """Every source with its edge; none for who sees one enterprise only, as sources carry many enterprises' tags."""
    if viewer.tenants is not None:
        return []
    return [(edge, source) for edge in sources.edges() for source in edge.sources]


def newest_of(source: SourceState, plant: RunningPlant, current: CurrentValues) -> tuple[Tag, CurrentValue] | None:
    """The newest value of all that a source brings; None while it has not said what that is, or nothing came."""
    paths = [path for path in source.tag_paths if path in plant.ids]
    times = [(one.time, path) for path in paths if (one := current.get(plant.ids[path])) is not None]
    if not times:
        return None
    path = max(times)[1]
    newest = current.get(plant.ids[path])
    return None if newest is None else (plant.model.tags[path], newest)


def with_losses(sources: SourceStates, viewer: User) -> list[EdgeState]:
    """Edges that had no room for all samples; none for who sees one enterprise only."""
    if viewer.tenants is not None:
        return []
    return [edge for edge in sources.edges() if edge.backlog.dropped_rows or edge.backlog.refused_rows]
