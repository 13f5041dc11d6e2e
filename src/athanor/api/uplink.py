"""Where edges deliver: samples, acknowledged once durable, and their own state."""

import sqlite3
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from pydantic import ValidationError

from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.identity.service import Identity
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.ingest.sources import EdgeReport, SourceStates
from athanor.kernel.metrics import BATCHES_REFUSED
from athanor.kernel.telemetry import MalformedBatchError, decode
from athanor.web.bodies import bounded_body

_MOST_BYTES = 64 * 1024 * 1024  # of one request; an edge sends at most some 100,000 samples at once
_RETRY_AFTER_S = "5"


def uplink_router(ingest: Ingest, sources: SourceStates, identity: Identity) -> APIRouter:
    """Routes under `/api/v1/ingest`, each behind an edge's token."""

    async def edge_of(authorization: Annotated[str, Header()] = "") -> str:
        """The edge whose token this is: who it says it is does not matter."""
        scheme, _, token = authorization.partition(" ")
        edge = await identity.edges.edge_of(token) if scheme.lower() == "bearer" else None
        if edge is None:
            raise _refusal(
                HTTPStatus.UNAUTHORIZED,
                "ingest.unknown-edge",
                "This edge's token is not known here. Make one with `athanor edge-token NAME` and give it to the edge.",
            )
        return edge

    EdgeName = Annotated[str, Depends(edge_of)]  # noqa: N806 a type, though made here
    router = APIRouter(prefix="/api/v1/ingest", tags=["ingest"])

    @router.post("/samples")
    async def samples(request: Request, edge: EdgeName) -> dict[str, int]:
        """Take in one batch: an Arrow IPC stream (docs/telemetry.md). The answer means: durable."""
        body = await _body_of(request)
        try:
            receipt = await ingest.take(decode(body), edge=edge)
        except MalformedBatchError as error:
            BATCHES_REFUSED.labels(edge).inc()
            raise _refusal(HTTPStatus.BAD_REQUEST, error.code, str(error)) from error
        except (HistorianFullError, sqlite3.Error) as error:
            code = error.code if isinstance(error, HistorianFullError) else "ingest.quarantine-full"
            raise _refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, code, str(error), headers={"Retry-After": _RETRY_AFTER_S}
            ) from error
        return {"stored": receipt.stored, "quarantined": receipt.quarantined}

    @router.post("/status", status_code=HTTPStatus.NO_CONTENT)
    async def status(request: Request, edge: EdgeName) -> None:
        """Take in what an edge says of itself."""
        try:
            report = EdgeReport.model_validate(orjson.loads(await _body_of(request)))
        except (orjson.JSONDecodeError, ValidationError) as error:
            raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "ingest.bad-status", str(error)) from error
        sources.take(report, edge=edge, at=datetime.now(UTC))

    return router


async def _body_of(request: Request) -> bytes:
    return await bounded_body(request, _MOST_BYTES, code="ingest.too-large", advice="Send smaller batches.")


def _refusal(status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None) -> HTTPException:
    return HTTPException(status, {"code": code, "message": message}, headers)
