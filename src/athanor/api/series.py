"""Series over any range, and what tags were at a past moment. A caller sees only their own tenants' tags."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime

from athanor.kernel.historian import queries
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.counters import Split
from athanor.kernel.historian.gaps import parse_gap_policy
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.series import How, Series, Shape, schema_of, tables_of
from athanor.web.forms import ARROW, CSV, JSON, streamed
from athanor.web.routes import HistorianPort, PlantPort, permits

router = APIRouter(prefix="/api/v1", tags=["data"], dependencies=[Depends(permits("data.view"))])

MOST_TAGS = 1000
_MOST_SAMPLES = 3_000_000_000  # 1,000 tags at 1 Hz for a month, as far as the tags' periods tell
_MOST_ROWS = 100_000_000  # of steps and points
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_utc(moment: datetime) -> datetime:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no calendar has this time in UTC") from error
    if not _EARLIEST <= in_utc <= _LATEST:
        raise ValueError(f"times lie between {_EARLIEST.year} and {_LATEST.year}")
    return in_utc


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
TagPaths = Annotated[list[str], Query(alias="tag", min_length=1, max_length=MOST_TAGS, description="Path of a tag.")]
Gaps = Annotated[
    str | None,
    Query(
        max_length=20,
        description="What is known between samples: none, hold 5m, linear 1h …; what each tag's kind says when left "
        "out (docs/historian.md).",
    ),
]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "By `Accept`: an Arrow IPC stream, CSV, or JSON. Slices of time follow each other; in a slice "
        "rows are by tag, then time.",
        "content": {ARROW: {}, CSV: {}, JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
    },
    404: {"description": "A tag is not there, or not the caller's."},
    422: {"description": "What is asked does not go together, or is too much; `detail` has code and message."},
}


@router.get("/series", response_class=Response, responses=_ANSWERS)
async def series(
    request: Request,
    plant: PlantPort,
    historian: HistorianPort,
    paths: TagPaths,
    start: Annotated[Moment, Query(alias="from", description="Start, ISO 8601 with zone; included.")],
    end: Annotated[Moment | None, Query(alias="to", description="End; excluded. Now, when left out.")] = None,
    step: Annotated[
        str | None,
        Query(
            max_length=100,
            description="A step of the site's calendar: a length that divides a day (10s, 15m, 1h), shift, day, week, "
            "month, year, with a start where it is another than midnight (day@06:00). All steps that overlap the range "
            "come whole. All samples come when left out.",
        ),
    ] = None,
    how: Annotated[
        How,
        Query(
            description="What a step comes to. The integral of kW is in kWh, that of t/h in t. `delta` is the "
            "consumption of counters, `at` the value at the step's start."
        ),
    ] = How.MEAN,
    gaps: Gaps = None,
    split: Annotated[
        Split,
        Query(description="`delta`: what a reading closes over several steps, whole at its end or by time (estimate)."),
    ] = Split.NONE,
    shape: Annotated[Shape, Query(description="A row for each tag and time, or one for each time.")] = Shape.LONG,
    points: Annotated[
        int | None, Query(ge=3, le=100_000, description="Or: about so many samples a tag that look like all of them.")
    ] = None,
) -> Response:
    """Samples, steps, consumption or a chart's points of tags over a range.

    Long rows have `tag`, `time` (a step's start) and `value` in `unit`. Samples have `text` and `quality` too (0 good,
    1 uncertain, 2 bad): the schema of the uplink, so what is read here can be sent there. Steps have `covered`, the
    share of the step that is known. Wide rows have `time` and a column for each tag. Arrow's schema metadata `athanor`
    is JSON with each tag's name and unit, and so is a wide column's.
    """
    until = end or datetime.now(UTC)
    if until < start:
        raise _bad("data.bad-range", f"`to` ({until.isoformat()}) lies before `from` ({start.isoformat()}). Swap them.")
    asked = Series(
        tags=_tags(plant, paths),
        span=Span(start, until),
        step=None if step is None else parse_step(step),
        how=how,
        gaps=None if gaps is None else parse_gap_policy(gaps),
        split=split,
        shape=shape,
        points=points,
    )
    _check_size(asked)
    tables = tables_of(asked, historian, plant)
    return await streamed(tables, schema_of(asked, plant), request.headers.get("accept", ""))


@router.get("/at", response_class=Response, responses=_ANSWERS)
async def at(
    request: Request,
    plant: PlantPort,
    historian: HistorianPort,
    paths: TagPaths,
    moment: Annotated[Moment, Query(alias="time", description="The moment, ISO 8601 with zone.")],
    gaps: Gaps = None,
) -> Response:
    """What each tag was at a past moment, in the order asked.

    `value` or `text` is null where nothing is known; `sampled_at` and `quality` are of the last sample at or before,
    as far back as the gap policy looks.
    """
    tags = [plant.model.tag(path) for path in paths]
    policy = None if gaps is None else parse_gap_policy(gaps)
    known = await queries.values_at(historian, plant, tags, moment, policy)
    table = pa.table(
        {
            "tag": pa.array(paths, pa.string()),
            "value": known["value"],
            "text": known["text"],
            "quality": known["quality"],
            "sampled_at": known["sampled_at"],
            "unit": pa.array([tag.unit for tag in tags], pa.string()),
        }
    )
    return await streamed(_one(table), table.schema, request.headers.get("accept", ""))


async def _one(table: pa.Table) -> AsyncIterator[pa.Table]:
    yield table


def _tags(plant: RunningPlant, paths: list[str]) -> tuple[Tag, ...]:
    return tuple(plant.model.tag(path) for path in dict.fromkeys(paths))


def _check_size(asked: Series) -> None:
    most = _MOST_ROWS if asked.has_steps or asked.points is not None else _MOST_SAMPLES
    rows = asked.most_rows()
    if rows > most:
        raise _bad(
            "data.too-many-rows",
            f"About {rows:,.0f} rows would come; {most:,} are the most at once. Ask for fewer tags, a shorter range or "
            "longer steps.",
        )


def _bad(code: str, message: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, {"code": code, "message": message})
