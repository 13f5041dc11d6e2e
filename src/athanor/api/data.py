"""What programs read: tags, current values and series. A caller sees only its own tenants' tags."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel

from athanor.kernel.historian import queries
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import edges, parse_step
from athanor.kernel.historian.gaps import GapPolicy, parse_gap_policy
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import Tag, TagId, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.web.routes import CurrentPort, HistorianPort, PlantPort, permits

ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"

router = APIRouter(prefix="/api/v1", tags=["data"], dependencies=[Depends(permits("data.view"))])

_MOST_TAGS = 1000
_MOST_ROWS = 5_000_000  # of one answer; longer histories are asked for in parts
_MOST_SAMPLES = 20_000_000  # read for one answer, as far as the tags' periods tell
_UNKNOWN_PERIOD_S = 10.0
_PAGE = 200


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no calendar has this time in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]

TagPaths = Annotated[list[str], Query(alias="tag", min_length=1, max_length=_MOST_TAGS, description="Path of a tag.")]


class TagAnswer(BaseModel):
    """One tag."""

    path: str
    name: dict[str, str]
    unit: str
    kind: TagKind
    tenant: str
    low: float | None
    high: float | None


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
    schema: dict[str, Any] = request.app.openapi()
    return schema


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


@router.get("/series", response_class=Response)
async def series(
    request: Request,
    plant: PlantPort,
    historian: HistorianPort,
    paths: TagPaths,
    start: Annotated[Moment, Query(alias="from", description="Start, ISO 8601 with zone; included.")],
    end: Annotated[Moment | None, Query(alias="to", description="End; excluded. Now, when left out.")] = None,
    step: Annotated[
        str | None,
        Query(max_length=100, description="A step of the site's calendar, such as 15m, 1h, shift, day@06:00 or month."),
    ] = None,
    how: Annotated[Measure, Query(description="What a step comes to.")] = Measure.MEAN,
    gaps: Annotated[
        str | None,
        Query(max_length=20, description="none, hold 5m, linear 1h …; as each tag's kind is drawn when left out."),
    ] = None,
    points: Annotated[int | None, Query(ge=3, le=100_000, description="Or: at most so many points a tag.")] = None,
) -> Response:
    """Samples, steps or a chart's points, as JSON, CSV or an Arrow stream, by the `Accept` header."""
    until = end or datetime.now(UTC)
    if until < start:
        raise _bad("data.bad-range", f"`to` ({until.isoformat()}) lies before `from` ({start.isoformat()}). Swap them.")
    ids = [TagId(int(one)) for one in plant.ids_of(paths)]
    span = Span(start, until)
    seconds = (until - start).total_seconds()
    expected = sum(seconds / (plant.model.tag(path).period_s or _UNKNOWN_PERIOD_S) for path in paths)
    if expected > _MOST_SAMPLES:
        raise _bad(
            "data.too-many-rows",
            f"About {expected:,.0f} samples would have to be read; {_MOST_SAMPLES:,} are the most at once. Ask for "
            "fewer tags or a shorter range.",
        )
    if points is not None:
        table = await historian.downsample(ids, span, points)
    elif step is not None:
        table = await _steps(plant, historian, paths, span, step, how, None if gaps is None else parse_gap_policy(gaps))
    else:
        table = await historian.read(ids, span)
    return await asyncio.to_thread(_answer, request, with_paths(table, plant, ids))  # millions of rows take a while


async def _steps(
    plant: RunningPlant,
    historian: HistorianPort,
    paths: Sequence[str],
    span: Span,
    step: str,
    how: Measure,
    policy: GapPolicy | None,
) -> pa.Table:
    wanted = parse_step(step)
    if len(edges(span, wanted, ZoneInfo(plant.model.timezone))) * len(paths) > _MOST_ROWS:
        raise _bad("data.too-many-rows", f"That would be more than {_MOST_ROWS} rows. Ask for longer steps.")
    tags = [plant.model.tag(path) for path in paths]
    return await queries.resample(historian, plant, tags, span, wanted, how, policy)


def with_paths(table: pa.Table, plant: RunningPlant, ids: Sequence[TagId]) -> pa.Table:
    """The table with tags' paths in place of ids."""
    known = np.unique(np.asarray(ids, np.int32))
    paths = pa.array([plant.path_of(TagId(int(one))) for one in known], pa.string())
    index = pa.array(np.searchsorted(known, table["tag"].to_numpy()).astype(np.int32))
    column = pa.DictionaryArray.from_arrays(index, paths)
    return table.set_column(table.schema.get_field_index("tag"), "tag", column)


def _answer(request: Request, table: pa.Table) -> Response:
    accept = request.headers.get("accept", "")
    if ARROW in accept:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return Response(sink.getvalue().to_pybytes(), media_type=ARROW)
    if CSV in accept:
        sink = pa.BufferOutputStream()
        plain = table.set_column(table.schema.get_field_index("tag"), "tag", table["tag"].cast(pa.string()))
        pa_csv.write_csv(plain, sink)
        return Response(sink.getvalue().to_pybytes(), media_type=f"{CSV}; charset=utf-8")
    return _as_json(table)


def _as_json(table: pa.Table) -> Response:
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        row["time"] = row["time"].isoformat()
    return Response(orjson.dumps(rows), media_type="application/json")


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
    )


def _bad(code: str, message: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, {"code": code, "message": message})
