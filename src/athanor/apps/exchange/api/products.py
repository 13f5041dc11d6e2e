"""REST routes of Data sharing, under /api/v1/exchange: by session, or by a token that opens one grant."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, cast

import pyarrow as pa
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from pydantic import AwareDatetime

from athanor.apps.exchange.services import counting
from athanor.apps.exchange.services.errors import (
    BeyondProductError,
    NoAccessError,
    QuotaUsedError,
    SchemaBreachError,
)
from athanor.apps.exchange.services.opening import Caller, Opened, open_product
from athanor.apps.exchange.services.tokens import grant_of_token
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.identity.user import User
from athanor.kernel.transfer.series import Shape, schema_of, tables_of
from athanor.web.forms import ARROW, CSV, JSON, streamed
from athanor.web.injection import Ports
from athanor.web.routes import DatabasePort, ParkPort, RowNumber, viewer_of

_MOST_ROWS = 100_000_000
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_STATUS: dict[type[AthanorError], HTTPStatus] = {
    NoAccessError: HTTPStatus.FORBIDDEN,
    BeyondProductError: HTTPStatus.FORBIDDEN,
    QuotaUsedError: HTTPStatus.TOO_MANY_REQUESTS,
    SchemaBreachError: HTTPStatus.CONFLICT,
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "By `Accept`.", "content": {ARROW: {}, CSV: {}, JSON: {}}},
    403: {"description": "No grant that holds now, or a time that the product does not reach."},
    409: {"description": "The plant no longer has what the contract promises."},
    429: {"description": "The day's calls were made."},
}


async def caller_of(request: Request, authorization: Annotated[str, Header()] = "") -> Caller:
    """Who calls: by a token of one grant, else by the session. Answers 401 to a stranger, 403 to who may not look."""
    scheme, _space, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return await _program(request, token)
    viewer = await viewer_of(request)
    if not viewer.may("exchange.view"):
        raise _refusal(HTTPStatus.FORBIDDEN, "web.forbidden", f"Your role ({viewer.role}) does not include this.")
    return Caller(viewer.tenant, viewer.login)


async def _program(request: Request, token: str) -> Caller:
    ports: Ports = request.app.state.ports
    database = cast("Database", ports.whole(["db"])["db"])
    async with database.reading() as session:
        found = await grant_of_token(session, token)
    if found is None:
        text = "This token is not known here, or was revoked. Make a new one on the data product's page."
        raise _refusal(HTTPStatus.UNAUTHORIZED, "exchange.unknown-token", text)
    row, grant = found
    name = f"token {row.name}"
    request.state.viewer = User(0, name, row.name, ("program",), grant.consumer)  # a role that grants nothing
    return Caller(grant.consumer, name, grant.id)


CallerOf = Annotated[Caller, Depends(caller_of)]
router = APIRouter(tags=["exchange"], dependencies=[Depends(caller_of)])


@router.get("/products/{product_id}/data", response_class=Response, responses=_ANSWERS)
async def data(
    product_id: RowNumber,
    request: Request,
    caller: CallerOf,
    park: ParkPort,
    db: DatabasePort,
    start: Annotated[AwareDatetime, Query(alias="from", description="Start, ISO 8601 with zone; included.")],
    end: Annotated[AwareDatetime | None, Query(alias="to", description="End; excluded. Now, when left out.")] = None,
    shape: Annotated[Shape, Query(description="A row for each tag and time, or one for each time.")] = Shape.LONG,
) -> Response:
    """What a data product holds of a range: its tags in its step, as `/api/v1/series` would answer them.

    A call is counted when it begins; rows and bytes are those that were sent.
    """
    now = datetime.now(UTC)
    span = _span(start, now if end is None else end)
    try:
        async with db.session() as session:
            opened = await open_product(session, park, caller, product_id, span, now, shape=shape)
            _check_size(opened)
            call = await counting.begin_call(session, opened, caller.name, now)
    except (NoAccessError, BeyondProductError, QuotaUsedError, SchemaBreachError) as error:
        raise _refusal(_STATUS[type(error)], error.code, str(error)) from error
    counted = _Counted(db, call)
    historian = cast("Historian", request.app.state.ports.whole(["historian"])["historian"])  # the contract says it all
    tables = counted.rows_of(tables_of(opened.series, historian, opened.plant))
    try:
        answer = await streamed(tables, schema_of(opened.series, opened.plant), request.headers.get("accept", ""))
    except BaseException:
        await counted.close(is_whole=False)
        raise
    answer.body_iterator = counted.bytes_of(answer.body_iterator)
    return answer


_entering: set[asyncio.Task[None]] = set()  # so that none is collected before it is done


class _Counted:
    """Counts what of an answer was sent, and enters it at its end, however that came."""

    def __init__(self, database: Database, call_id: int) -> None:
        self._database, self._call_id = database, call_id
        self._began = monotonic()
        self._rows = self._bytes = 0

    async def rows_of(self, tables: AsyncIterator[pa.Table]) -> AsyncIterator[pa.Table]:
        async for table in tables:
            self._rows += table.num_rows
            yield table

    async def bytes_of(self, pieces: Any) -> AsyncIterator[bytes]:
        is_whole = False
        try:
            async for piece in pieces:
                self._bytes += len(piece)
                yield piece
            is_whole = True
        finally:
            await self.close(is_whole=is_whole)

    async def close(self, *, is_whole: bool) -> None:
        """Enter it, also where the caller hangs up meanwhile."""
        entering = asyncio.create_task(self._enter(is_whole=is_whole))
        _entering.add(entering)
        entering.add_done_callback(_entering.discard)
        await asyncio.shield(entering)

    async def _enter(self, *, is_whole: bool) -> None:
        took_ms = round((monotonic() - self._began) * 1000)
        async with self._database.session() as session:
            await counting.end_call(
                session,
                self._call_id,
                rows=self._rows,
                sent_bytes=self._bytes,
                duration_ms=took_ms,
                is_whole=is_whole,
            )


def _span(start: datetime, end: datetime) -> Span:
    if not _EARLIEST <= start <= _LATEST or not _EARLIEST <= end <= _LATEST:
        raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data.bad-range", "Times lie between 1970 and 2200.")
    if end < start:
        text = f"`to` ({end.isoformat()}) lies before `from` ({start.isoformat()}). Swap them."
        raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data.bad-range", text)
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _check_size(opened: Opened) -> None:
    rows = opened.series.most_rows()
    if rows > _MOST_ROWS:
        text = f"About {rows:,.0f} rows would come; {_MOST_ROWS:,} are the most at once. Ask for a shorter range."
        raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "data.too-many-rows", text)


def _refusal(status: HTTPStatus, code: str, message: str) -> HTTPException:
    return HTTPException(status, {"code": code, "message": message})
