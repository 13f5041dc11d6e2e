"""How good the data is: scores in five dimensions, by place and source, down to the tags that cost the most."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import numpy as np
from fastapi import Request
from nicegui import ui

from athanor.apps.datahealth.domain.quality import Dimension
from athanor.apps.datahealth.pages import quality_words as words
from athanor.apps.datahealth.pages.tabs import tabs
from athanor.apps.datahealth.services import groups
from athanor.apps.datahealth.services.groups import Costly, Score
from athanor.apps.datahealth.services.quality import Quality, quality_of
from athanor.apps.datahealth.services.trend import DAYS, trend_of
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.arrivals import Arrivals
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    Spark,
    Words,
    data_table,
    empty_state,
    icon,
    kpi,
    kpi_strip,
    link,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, number
from athanor.web.language import _, text_of

HOME = "/datahealth/quality"
_DAY_MS = 86_400_000


async def quality(
    request: Request,
    plant: RunningPlant,
    historian: Historian,
    current: CurrentValues,
    arrivals: Arrivals,
    quarantine: Quarantine,
    sources: SourceStates,
    viewer: User,
) -> None:
    """The score of a place of the plant over the last day, what it is made of, and what costs the most."""
    tabs(HOME)
    if not plant.model.tags:
        empty_state(_("The plant has no tags yet"), _("Load a plant model first."), glyph="fact_check")
        return
    under = request.query_params.get("under") or None
    now = datetime.now(UTC)
    found = await quality_of(plant, historian, current, arrivals, quarantine, now)
    rows = groups.rows_below(found, plant, under)
    _way(plant, under)
    spark, told = _strip(groups.score_of(found, rows))

    async def draw_trend() -> None:
        days = (await trend_of(plant, historian, now)).of(rows)
        points = [None if np.isnan(day) else day for day in days]
        spark.load([index * _DAY_MS for index in range(len(points))], points, DAYS * _DAY_MS)
        told.show(words.trend(days), "ath-summary")

    ui.timer(0, draw_trend, once=True)  # a month takes longer than a day, and nobody waits for it
    _groups(found, plant, under)
    _costly(groups.costliest(found, rows))
    if viewer.tenants is None and under is None:
        _sources(found, sources)
    _left_out()


def _way(plant: RunningPlant, under: str | None) -> None:
    with region("ath-finder-way", "nav", aria_label=_("Place")):
        link(_("All"), HOME)
        for node in way_to(plant, under):
            icon("chevron_right")
            link(text_of(node.name), f"{HOME}?under={quote(node.path)}")


def _strip(score: Score) -> tuple[Spark, Words]:
    """The score and its dimensions; where the last 30 days go, and their words."""
    with kpi_strip():
        whole = kpi(_("Score"))
        whole.set(
            _points(score.score),
            "/ 100",
            note=_("{n} tags, last 24 h").format(n=number(score.tags)),
            state=words.state(score.score),
        )
        whole.props["title"] = words.score_formula()
        with whole:
            spark = Spark()
        for place, dimension in enumerate(Dimension):
            shown = kpi(words.title(dimension))
            value, told = score.dimensions[place], int(score.told[place])
            shown.set(_points(value), note=_told(told, score.tags), state=words.state(value))
            shown.props["title"] = words.formula(dimension)
    return spark, Words(_("Last 30 days …"), "p", "ath-summary")


def _told(told: int, tags: int) -> str:
    if told == tags:
        return _("of all tags")
    if told == 0:
        return _("not known yet")
    return _("of {n} of {total} tags").format(n=number(told), total=number(tags))


def _groups(found: Quality, plant: RunningPlant, under: str | None) -> None:
    scored = groups.groups_below(found, plant, under)
    if not scored:
        return
    rows = []
    for node, score in scored:
        cell = Cell(
            text_of(node.name),
            note=text_of(plant.model.tenants[node.tenant].name),
            address=f"{HOME}?under={quote(node.path)}",
        )
        rows.append({"group": cell, **_score_cells(score)})
    with region("ath-card", "section"):
        data_table(rows, _score_columns(_("Place")), caption=_("By place"), export_name="quality-by-place")


def _sources(found: Quality, sources: SourceStates) -> None:
    rows = [
        {"group": Cell(f"{edge.edge} / {source.id}", note=source.protocol), **_score_cells(score)}
        for edge, source, score in groups.by_source(found, sources)
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            _score_columns(_("Source")),
            caption=_("By source"),
            nothing=_("No edge has said yet which tags its sources bring."),
            export_name="quality-by-source",
        )


def _costly(costly: Sequence[Costly]) -> None:
    rows: list[Row] = [
        {
            "tag": Cell(
                text_of(one.tag.name), note=one.tag.path, address=f"/trends?tags={quote(one.tag.path)}&range=24h"
            ),
            "cost": Cell(number(one.cost, 3), sort=one.cost),
            "score": Cell(_points(one.score), sort=one.score, state=words.state(one.score)),
            "worst": words.title(one.worst),
            "samples": Cell(
                NOTHING if np.isnan(one.samples) else number(one.samples),
                note="" if np.isnan(one.due) else _("of {n} due").format(n=number(one.due)),
                sort=-1.0 if np.isnan(one.samples) else one.samples,
            ),
            **_dimension_cells(one.dimensions),
        }
        for one in costly
    ]
    columns = [
        Column("tag", _("Tag"), is_wide=True),
        Column("cost", _("Points lost"), is_number=True),
        Column("score", _("Score"), is_number=True),
        Column("worst", _("For want of")),
        *_dimension_columns(),
        Column("samples", _("Samples in 24 h"), is_number=True),
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            columns,
            caption=_("Tags that cost the most points"),
            nothing=_("No tag costs a point."),
            export_name="quality-by-tag",
        )


def _left_out() -> None:
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("What the score is made of"), "h2")
        with region("ath-card-body"):
            Words(words.score_formula(), "p")
            for dimension in Dimension:
                with region(tag="p"):
                    Words(f"{words.title(dimension)}: ", "strong")
                    Words(words.formula(dimension))
            for text in words.left_out():
                Words(text, "p", "ath-summary")


def _score_columns(first: str) -> list[Column]:
    return [
        Column("group", first, is_wide=True),
        Column("tags", _("Tags"), is_number=True),
        Column("score", _("Score"), is_number=True),
        *_dimension_columns(),
    ]


def _dimension_columns() -> list[Column]:
    return [Column(dimension.value, words.title(dimension), is_number=True) for dimension in Dimension]


def _score_cells(score: Score) -> dict[str, Cell | str]:
    return {
        "tags": Cell(number(score.tags), sort=float(score.tags)),
        "score": Cell(_points(score.score), sort=_sort(score.score), state=words.state(score.score)),
        **_dimension_cells(score.dimensions),
    }


def _dimension_cells(values: np.ndarray) -> dict[str, Cell | str]:
    return {
        dimension.value: Cell(_points(value), sort=_sort(value), state=words.state(value))
        for dimension, value in zip(Dimension, values.tolist(), strict=True)
    }


def _sort(value: float) -> float:
    return 101.0 if np.isnan(value) else value


def _points(value: float) -> str:
    """With one decimal; 100 only where nothing is missing."""
    return number(value if value >= 100 or np.isnan(value) else min(np.floor(value * 10) / 10, 99.9), 1)
