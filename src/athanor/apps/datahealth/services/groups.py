"""Quality by groups of tags: what lies below a place of the plant, and what a source brings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athanor.apps.datahealth.domain import quality as domain
from athanor.apps.datahealth.domain.quality import Dimension, Numbers
from athanor.apps.datahealth.services.quality import Quality
from athanor.kernel.ingest.sources import EdgeState, SourceState, SourceStates
from athanor.kernel.plant.finding import all_below, right_below
from athanor.kernel.plant.model import Node, Tag
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Score:
    """What a group of tags scores, and in each dimension; NaN where nothing can be told. 0 to 100."""

    tags: int
    score: float
    dimensions: Numbers  # by the order of Dimension. [5]
    told: npt.NDArray[np.intp]  # of how many tags each dimension can be told. [5]


@dataclass(frozen=True, slots=True)
class Costly:
    """A tag that takes points from its group."""

    tag: Tag
    cost: float  # points of the group's 100
    score: float
    worst: Dimension
    dimensions: Numbers  # [5]
    samples: float  # of the last day; NaN where nobody can count them
    due: float  # by the tag's period; NaN where none are


def score_of(quality: Quality, rows: npt.NDArray[np.intp]) -> Score:
    """What these tags score together."""
    dimensions = quality.dimensions[:, rows]
    means = np.array([domain.mean_score(one) for one in dimensions])
    told = np.count_nonzero(~np.isnan(dimensions), axis=1)
    return Score(len(rows), domain.mean_score(quality.scores[rows]), means, told)


def rows_below(quality: Quality, plant: RunningPlant, path: str | None) -> npt.NDArray[np.intp]:
    """The tags of a place of the plant and all below it; of the whole plant for None."""
    return quality.rows_of([tag.path for tag in all_below(plant, path)])


def groups_below(quality: Quality, plant: RunningPlant, path: str | None) -> list[tuple[Node, Score]]:
    """The nodes right below a place that have tags, the lowest score first."""
    nodes, _tags = right_below(plant, path)
    scored = [(node, score_of(quality, rows)) for node in nodes if len(rows := rows_below(quality, plant, node.path))]
    return sorted(scored, key=lambda one: np.nan_to_num(one[1].score, nan=101.0))


def by_source(quality: Quality, sources: SourceStates) -> list[tuple[EdgeState, SourceState, Score]]:
    """The sources that said which tags they bring, the lowest score first."""
    scored = [
        (edge, source, score_of(quality, rows))
        for edge in sources.edges()
        for source in edge.sources
        if len(rows := quality.rows_of(source.tag_paths))
    ]
    return sorted(scored, key=lambda one: np.nan_to_num(one[2].score, nan=101.0))


def costliest(quality: Quality, rows: npt.NDArray[np.intp]) -> Sequence[Costly]:
    """The tags of a group that take points from it, those that take most first."""
    cost = domain.costs(quality.scores[rows])
    worst = domain.worst_dimensions(quality.dimensions[:, rows])
    order = [int(one) for one in np.argsort(-cost, kind="stable") if cost[one] > 0]
    names = list(Dimension)
    return [
        Costly(
            quality.tags[rows[one]],
            float(cost[one]),
            float(quality.scores[rows[one]]),
            names[worst[one]],
            quality.dimensions[:, rows[one]],
            float(quality.samples[rows[one]]),
            float(quality.due[rows[one]]),
        )
        for one in order
    ]
