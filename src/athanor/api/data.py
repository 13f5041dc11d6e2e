"""What programs read first: which tags there are, and their current values. Callers see their own tenants'."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from athanor.api.openapi import with_problems
from athanor.api.series import TagPaths
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.web.routes import CurrentPort, PlantPort, permits

router = APIRouter(prefix="/api/v1", tags=["data"], dependencies=[Depends(permits("data.view"))])

_PAGE = 200


class TagAnswer(BaseModel):
    """One tag."""

    path: str
    name: dict[str, str]
    unit: str
    kind: TagKind
    tenant: str
    low: float | None
    high: float | None
    decimals: int
    period_s: float | None
    states: dict[int, dict[str, str]]


class TagsAnswer(BaseModel):
    """A page of tags, by path; ask for the next with `after` set to `next`."""

    tags: list[TagAnswer]
    next: str | None


class CurrentAnswer(BaseModel):
    """The newest sample of a tag; all but the path null where none ever came."""

    tag: str
    time: datetime | None = None
    value: float | str | None = None
    quality: str | None = None
    unit: str


@router.get("/tags")
async def tags(
    plant: PlantPort,
    search: Annotated[str, Query(max_length=200, description="Words of path or name; all must occur.")] = "",
    after: Annotated[str, Query(max_length=500, description="The last path of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = _PAGE,
) -> TagsAnswer:
    """Tags of the plant model, a page at a time."""
    words = search.casefold().split()
    known = plant.sorted_paths
    following = islice(known, bisect_right(known, after), None)
    found = list(islice((path for path in following if _matches(plant.model.tags[path], words)), limit + 1))
    page = found[:limit]
    return TagsAnswer(
        tags=[_described(plant, plant.model.tags[path]) for path in page],
        next=page[-1] if len(found) > limit else None,
    )


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, Any]:
    """What all routes take and answer (OpenAPI), for those who have signed in."""
    return with_problems(request.app.openapi())


@router.get("/current")
async def current_values(plant: PlantPort, current: CurrentPort, paths: TagPaths) -> list[CurrentAnswer]:
    """The newest sample of each tag, in the order asked. 404 for a tag that is not there."""
    answers = []
    for path in paths:
        sample = current.get(plant.id_of(path))
        unit = plant.model.tag(path).unit
        answers.append(
            CurrentAnswer(tag=path, unit=unit)
            if sample is None
            else CurrentAnswer(
                tag=path, time=sample.time, value=sample.value, quality=sample.quality.name.lower(), unit=unit
            )
        )
    return answers


def _matches(tag: Tag, words: Sequence[str]) -> bool:
    if not words:
        return True
    text = " ".join((tag.path, *tag.name.values())).casefold()
    return all(word in text for word in words)


def _described(plant: RunningPlant, tag: Tag) -> TagAnswer:
    return TagAnswer(
        path=tag.path,
        name=dict(tag.name),
        unit=tag.unit,
        kind=tag.kind,
        tenant=plant.model.tenant_of(tag.path).id,
        low=tag.low,
        high=tag.high,
        decimals=tag.decimals,
        period_s=tag.period_s,
        states={state: dict(name) for state, name in tag.states.items()},
    )
