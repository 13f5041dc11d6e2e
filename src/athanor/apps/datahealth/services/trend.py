"""How the quality was on past days, as far as the history can tell: completeness and validity."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from athanor.apps.datahealth.domain import quality as domain
from athanor.apps.datahealth.domain.quality import Numbers
from athanor.apps.datahealth.services.quality import counted, known_shares
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.historian.queries import steps_until_now
from athanor.kernel.plant.model import TagKind
from athanor.kernel.plant.running import RunningPlant

DAYS = 30
_KEPT_FOR = timedelta(minutes=10)
_MOST_KEPT = 8


@dataclass(frozen=True)
class Trend:
    """Scores of every tag on each day of the site's calendar. NaN where nothing can be told."""

    starts_us: npt.NDArray[np.int64]  # of the days. [D]
    scores: Numbers  # the worse of completeness and validity. [D, N]
    at: datetime

    def of(self, rows: npt.NDArray[np.intp]) -> Sequence[float]:
        """The mean score of these tags on each day; NaN on days of which none of them is told. [D]"""
        return [domain.mean_score(day[rows]) for day in self.scores]


_kept: dict[int, tuple[RunningPlant, Trend]] = {}  # by the identity of the plant, which the entry keeps alive
_working: dict[int, asyncio.Lock] = {}


async def trend_of(plant: RunningPlant, historian: Historian, now: datetime) -> Trend:
    """The last 30 days of all tags of a plant; found every ten minutes at most, however many look."""
    key = id(plant)
    if len(_working) > _MOST_KEPT:
        _working.clear()
        _kept.clear()
    async with _working.setdefault(key, asyncio.Lock()):
        if key not in _kept or now - _kept[key][1].at >= _KEPT_FOR:
            _kept[key] = (plant, await _found(plant, historian, now))
        return _kept[key][1]


async def _found(plant: RunningPlant, historian: Historian, now: datetime) -> Trend:
    tags = list(plant.model.tags.values())
    ids = plant.ids_of(tag.path for tag in tags)
    edges = steps_until_now(plant, Span(now - timedelta(days=DAYS - 1), now), parse_step("day"))
    share = (await known_shares(historian, tags, ids, edges)).T
    good, other = await counted(historian, ids, edges)
    is_due = np.array([tag.period_s is not None and tag.kind is not TagKind.TEXT for tag in tags], bool)
    complete = np.stack([domain.completeness(day, is_due) for day in share])
    valid = np.where(np.isnan(other), 0.0, domain.validity(good, np.nan_to_num(other), np.zeros_like(good)))
    scores = np.stack([domain.tag_scores(np.stack(pair)) for pair in zip(complete, valid, strict=True)])
    is_before = np.nan_to_num(share).sum(axis=1) == 0
    scores[np.cumsum(~is_before) == 0] = np.nan  # of the days before the first sample of all, nothing was due
    return Trend(edges[:-1], scores, now)
