"""What a monitor asks: is it alive, can it work, how much does it do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from athanor import __version__
from athanor.kernel.identity.instance import Instance

Probe = Callable[[], Awaitable[object]]
Warn = Callable[[], Awaitable[str | None]]  # what a person should look at, or None
_PROBE_WITHIN_S = 5.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def health_router(
    probes: Mapping[str, Probe], instance: Instance, warnings: Mapping[str, Warn] | None = None
) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`. A probe that raises, or answers late, makes the server not ready.

    What warnings say is told beside that, and leaves the server ready.
    """
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz(
        challenge: Annotated[
            str | None, Query(max_length=200, description="Answered by `proof`, which tells whose data these are.")
        ] = None,
    ) -> dict[str, str]:
        """The process answers."""
        health = {"status": "ok", "version": __version__}
        return health if challenge is None else health | {"proof": instance.proof(challenge)}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Every part that the server needs works; `warnings` says what a person should look at before it does not."""
        names = list(probes)
        answers = await asyncio.gather(*(_answer(probes[name]) for name in names))
        faults = {name: answer for name, answer in zip(names, answers, strict=True) if answer is not None}
        status = HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK
        said = {name: await warning() for name, warning in (warnings or {}).items()}
        answer = {
            "status": "not ready" if faults else "ready",
            "faults": faults,
            "warnings": {name: text for name, text in said.items() if text is not None},
        }
        return JSONResponse(answer, status)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Prometheus text; for monitors on this machine, or behind a proxy that lets only them in."""
        if request.client is None or request.client.host not in _LOOPBACK:
            return PlainTextResponse("Metrics are read from this machine only.", HTTPStatus.FORBIDDEN)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _answer(probe: Probe) -> str | None:
    """What is wrong, or None. The reason is a kind, not a text that might hold a path or an address."""
    try:
        await asyncio.wait_for(probe(), _PROBE_WITHIN_S)
    except Exception as error:  # noqa: BLE001 whatever a part fails with, the server is not ready
        return type(error).__name__
    return None
