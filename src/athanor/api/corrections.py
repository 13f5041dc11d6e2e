"""Correcting stored samples: previewing, doing, listing, looking at what was there before, undoing.

A caller sees and touches their own tenants' tags.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Self

import pyarrow as pa
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from athanor.api.series import Moment, TagPaths
from athanor.kernel.corrections.actions import Action
from athanor.kernel.corrections.change import CHANGES, Figures
from athanor.kernel.corrections.planning import Plan
from athanor.kernel.corrections.records import PERMISSION, Correction, CorrectionState
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.running import RunningPlant
from athanor.web.forms import ARROW, CSV, JSON, streamed
from athanor.web.routes import CorrectionsPort, PlantPort, RowNumber, Viewer, permits

router = APIRouter(prefix="/api/v1/corrections", tags=["corrections"], dependencies=[Depends(permits("data.view"))])

_MAY_CORRECT = [Depends(permits(PERMISSION))]
Reason = Annotated[str, Field(max_length=2000, description="What was wrong, and how one knows; kept for ever.")]


class CorrectionWish(BaseModel):
    """What to do to which tag, and why. A preview needs no reason."""

    model_config = ConfigDict(extra="forbid")

    tag: str = Field(max_length=500, description="Path of the tag.")
    action: Action
    reason: Reason = ""


class UndoWish(BaseModel):
    """Why a correction is undone."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class FiguresAnswer(BaseModel):
    """Of the good numbers in the range, not weighted by time; null where there are none."""

    count: int
    minimum: float | None
    mean: float | None
    maximum: float | None

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """JSON has no NaN."""
        if not figures.count:
            return cls(count=0, minimum=None, mean=None, maximum=None)
        return cls(**asdict(figures))


class PreviewAnswer(BaseModel):
    """What a correction would change."""

    samples: int
    added: int  # of these, how many are not there now
    before: FiguresAnswer
    after: FiguresAnswer

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """As it is sent."""
        before, after = (FiguresAnswer.of(figures) for figures in plan.figures)
        return cls(samples=len(plan.change), added=plan.change.added, before=before, after=after)


class CorrectionAnswer(BaseModel):
    """A correction. `from` and `to` are those of the samples that it changed."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: int
    tag: str
    action: Action
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    samples: int
    added: int
    reason: str
    author: str
    made_at: datetime
    state: CorrectionState
    undo_reason: str | None
    undone_by: str | None
    undone_at: datetime | None
    restored: int | None

    @classmethod
    def of(cls, correction: Correction, plant: RunningPlant) -> Self:
        """As it is sent."""
        return cls(**_told(correction, plant))


class OneCorrectionAnswer(CorrectionAnswer):
    """A correction, and how many of its samples were overwritten since: imported, or corrected again."""

    overwritten: int


@router.post("", status_code=HTTPStatus.CREATED, dependencies=_MAY_CORRECT)
async def correct(
    request: Request,
    response: Response,
    wish: CorrectionWish,
    plant: PlantPort,
    corrections: CorrectionsPort,
    viewer: Viewer,
    *,
    preview: Annotated[bool, Query(description="Only say what would change.")] = False,
) -> CorrectionAnswer | PreviewAnswer:
    """Correct stored samples of a tag. On return it is durable and visible."""
    if preview:
        response.status_code = HTTPStatus.OK
        return PreviewAnswer.of(await corrections.preview(plant, wish.tag, wish.action))
    made = await corrections.correct(
        plant, wish.tag, wish.action, reason=wish.reason, author=viewer, address=_address(request)
    )
    return CorrectionAnswer.of(made, plant)


@router.get("")
async def corrections_over(
    plant: PlantPort,
    corrections: CorrectionsPort,
    paths: TagPaths,
    start: Annotated[Moment, Query(alias="from", description="Start, ISO 8601 with zone; included.")],
    end: Annotated[Moment | None, Query(alias="to", description="End; excluded. Now, when left out.")] = None,
) -> list[CorrectionAnswer]:
    """Corrections that share time with the range, undone ones too, newest first; at most 500."""
    until = max(end or datetime.now(UTC), start)
    found = await corrections.over(plant, paths, Span(start, until))
    return [CorrectionAnswer.of(one, plant) for one in found]


@router.get("/{correction}")
async def one_correction(correction: RowNumber, plant: PlantPort, corrections: CorrectionsPort) -> OneCorrectionAnswer:
    """One correction. 404 for one of a tag that the caller does not see."""
    found = await corrections.get(plant, correction)
    overwritten = await corrections.overwritten(plant, correction)
    return OneCorrectionAnswer(**_told(found, plant), overwritten=overwritten)


@router.get(
    "/{correction}/samples",
    response_class=Response,
    responses={200: {"description": "By `Accept`.", "content": {ARROW: {}, CSV: {}, JSON: {}}}},
)
async def samples(correction: RowNumber, request: Request, plant: PlantPort, corrections: CorrectionsPort) -> Response:
    """The samples before and after, as they were when it was made. `old_quality` is null where there was none."""
    change = await corrections.change(plant, correction)
    table = await asyncio.to_thread(change.to_table)
    return await streamed(_once(table), CHANGES, request.headers.get("accept", ""))


@router.post("/{correction}/undo", dependencies=_MAY_CORRECT)
async def undo(
    correction: RowNumber,
    request: Request,
    wish: UndoWish,
    plant: PlantPort,
    corrections: CorrectionsPort,
    viewer: Viewer,
) -> CorrectionAnswer:
    """Write back what was there before, where nothing else was written since."""
    undone = await corrections.undo(plant, correction, reason=wish.reason, author=viewer, address=_address(request))
    return CorrectionAnswer.of(undone, plant)


def _told(correction: Correction, plant: RunningPlant) -> dict[str, Any]:
    names = CorrectionAnswer.model_fields.keys() - {"tag", "start", "end"}
    own = {name: getattr(correction, name) for name in names}
    return own | {"tag": plant.path_of(correction.tag), "from": correction.span.start, "to": correction.span.end}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _once(table: pa.Table) -> AsyncIterator[pa.Table]:
    yield table
