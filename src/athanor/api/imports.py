"""Bringing history in: send a file, look at it, try it, import it. docs/import.md shows the steps."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Self

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, ValidationError

from athanor.api.jobs import JobAnswer
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.examining import Examined, Question
from athanor.kernel.transfer.plan import plan_of
from athanor.kernel.transfer.previewing import Preview, PreviewRow
from athanor.kernel.transfer.uploads import Upload
from athanor.web.routes import ImportsPort, JobsPort, Viewer, permits

router = APIRouter(prefix="/api/v1/imports", tags=["imports"], dependencies=[Depends(permits("data.import"))])

_SHOWN_ROWS = 20
_JSON = "application/json"

FileName = Annotated[str, Query(min_length=1, max_length=500, description="What the file is called.")]


class FileAnswer(BaseModel):
    """A file that is on the server now, for a day at most."""

    file: str
    name: str
    bytes: int

    @classmethod
    def of(cls, upload: Upload) -> Self:
        return cls(file=upload.id, name=upload.name, bytes=upload.size)


class Wish(BaseModel):
    """What is to be done with a file that was sent. What the plan leaves out is as it was found to be."""

    file: str
    plan: dict[str, Any] = Field(default_factory=dict)
    trial: bool = Field(default=False, description="Do all but store anything.")


class CellAnswer(BaseModel):
    """A cell as it will be stored."""

    tag: str
    value: float | str | None
    quality: str
    unit: str


class TroubleAnswer(BaseModel):
    """A cell, or with an empty column a row, that will be refused."""

    column: str
    tag: str
    value: str
    reason: str


class RowAnswer(BaseModel):
    """A row of the file as it is understood; `time` in UTC."""

    row: int
    time: datetime | None
    cells: list[CellAnswer]
    troubles: list[TroubleAnswer]

    @classmethod
    def of(cls, row: PreviewRow) -> Self:
        cells = [
            CellAnswer(tag=one.tag.path, value=one.value, quality=one.quality.name.lower(), unit=one.tag.unit)
            for one in row.readings
        ]
        troubles = [
            TroubleAnswer(column=one.column, tag=one.tag, value=one.value, reason=one.reason) for one in row.troubles
        ]
        return cls(row=row.row, time=row.time, cells=cells, troubles=troubles)


class MatchAnswer(BaseModel):
    """What a column, or a name within a long file, means: a tag, or those that are alike."""

    name: str
    tag: str | None
    suggestions: list[str]


class PreviewAnswer(BaseModel):
    """What a file seems to be. `questions` must be answered in the plan before it can be imported."""

    kind: str
    sheets: list[str]
    rows: int | None
    columns: list[str]
    matches: list[MatchAnswer]
    questions: list[Question]
    plan: dict[str, Any]
    first_rows: list[RowAnswer]

    @classmethod
    def of(cls, examined: Examined, preview: Preview | None) -> Self:
        matches = [
            MatchAnswer(name=name, tag=match.path, suggestions=list(match.suggestions))
            for name, match in examined.matches.items()
        ]
        return cls(
            kind=examined.head.kind,
            sheets=list(examined.head.sheets),
            rows=examined.head.rows,
            columns=examined.names,
            matches=matches,
            questions=list(examined.questions),
            plan=examined.content,
            first_rows=[RowAnswer.of(row) for row in preview.rows[:_SHOWN_ROWS]] if preview else [],
        )


@router.post("/files", status_code=HTTPStatus.CREATED)
async def send_file(request: Request, name: FileName, imports: ImportsPort, viewer: Viewer) -> FileAnswer:
    """Send a file: its bytes are the body. It is kept for a day, for you alone."""
    return FileAnswer.of(await _received(request, name, imports, viewer))


@router.delete("/files/{file}", status_code=HTTPStatus.NO_CONTENT)
async def forget_file(file: str, imports: ImportsPort, viewer: Viewer) -> None:
    """Remove a file that you sent."""
    imports.forget(file, viewer)


@router.post("/preview")
async def preview(wish: Wish, imports: ImportsPort, viewer: Viewer) -> PreviewAnswer:
    """What a file seems to be, the plan that follows, and its first rows as that plan reads them."""
    examined = await imports.examine(wish.file, viewer, wish.plan)
    blocking = [question for question in examined.questions if question is not Question.FORMULAS]
    if blocking:
        return PreviewAnswer.of(examined, None)
    return PreviewAnswer.of(examined, await imports.preview(wish.file, viewer, examined, plan_of(examined.content)))


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def begin(
    request: Request,
    imports: ImportsPort,
    jobs: JobsPort,
    viewer: Viewer,
    name: Annotated[str, Query(max_length=500, description="Where the body is the file: what it is called.")] = "",
    plan: Annotated[str, Query(max_length=100_000, description="Where the body is the file: the plan, as JSON.")] = "",
    trial: Annotated[bool, Query(description="Where the body is the file: do all but store anything.")] = False,  # noqa: FBT002
) -> JobAnswer:
    """Import a file as a job: one that was sent (a JSON body: file, plan, trial), or the body itself.

    422 says what is still open, or does not fit; then nothing has begun.
    """
    wish = await _wish(request, imports, viewer, name, plan, is_trial=trial)
    examined = await imports.examine(wish.file, viewer, wish.plan)
    address = request.client.host if request.client else ""
    started = imports.start(wish.file, viewer, examined, imports.plan(examined), is_trial=wish.trial, address=address)
    return JobAnswer.of(jobs.get(started, viewer))


async def _wish(
    request: Request, imports: ImportsPort, viewer: Viewer, name: str, plan: str, *, is_trial: bool
) -> Wish:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _JSON:
        return _wish_of(_object(await request.body()))
    content = dict(_object(plan)) if plan else {}
    upload = await _received(request, name or "file", imports, viewer)
    return Wish(file=upload.id, plan=content, trial=is_trial)


def _wish_of(content: Mapping[str, Any]) -> Wish:
    """Raises BadPlanError."""
    try:
        return Wish.model_validate(content)
    except ValidationError as error:
        raise BadPlanError(f"the wish is none: {error}.") from error


def _object(text: str | bytes) -> Mapping[str, Any]:
    """Raises BadPlanError."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadPlanError(f"this is no JSON ({error}).") from error
    if not isinstance(content, dict):
        raise BadPlanError("a JSON object is needed.")
    return content


async def _received(request: Request, name: str, imports: ImportsPort, viewer: Viewer) -> Upload:
    length = request.headers.get("content-length", "")
    expected = int(length) if length.isdigit() else None
    return await imports.receive(name, viewer, request.stream(), expected_bytes=expected)
