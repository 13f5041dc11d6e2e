"""Apps' REST routes: who may call them, what they are handed, and how an error answers.

A route takes a port by its type: `async def export(historian: HistorianPort, viewer: Viewer) -> Response`.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from athanor.kernel.alarms.rule_errors import RuleChangedMeanwhileError
from athanor.kernel.apps.app import App
from athanor.kernel.cases.errors import CaseChangedError, CaseRefusedError
from athanor.kernel.corrections.records import AlreadyUndoneError, CorrectionPendingError, OverlaidError
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.documents.errors import DocumentTooLargeError, InfectedError, QuarantinedError
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import AthanorError, NotAllowedError, NotFoundError
from athanor.kernel.files.port import FileMissingError, FilesFullError, FilesUnreachableError
from athanor.kernel.forms.errors import AlreadyDecidedError, ChangedMeanwhileError, NotYourTurnError
from athanor.kernel.historian.port import (
    DamagedFileError,
    Historian,
    HistorianFullError,
    LakeTakenError,
    LakeUnreachableError,
)
from athanor.kernel.identity.hashing import hashed
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.tokens import PREFIX
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Jobs, NoJobFileError
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.imports import Imports
from athanor.kernel.transfer.uploads import FileTooLargeError, NoRoomForFileError
from athanor.kernel.waveforms.formats import UnknownFormError
from athanor.kernel.waveforms.port import DamagedWaveformError, WaveformIndexError, Waveforms
from athanor.web.injection import PortNotGrantedError, Ports
from athanor.web.rate_limits import RateLimits
from athanor.web.sessions import address_of, user_of

# What is not the caller's fault is not answered as one.
_STATUS = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (NoJobFileError, HTTPStatus.NOT_FOUND),
    (FileTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (NoRoomForFileError, HTTPStatus.INSUFFICIENT_STORAGE),
    (DocumentTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (QuarantinedError, HTTPStatus.LOCKED),
    (InfectedError, HTTPStatus.FORBIDDEN),
    (FileMissingError, HTTPStatus.NOT_FOUND),
    (UnknownFormError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (DamagedFileError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (DamagedWaveformError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (FilesFullError, HTTPStatus.SERVICE_UNAVAILABLE),
    (FilesUnreachableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (WaveformIndexError, HTTPStatus.SERVICE_UNAVAILABLE),
    (HistorianFullError, HTTPStatus.SERVICE_UNAVAILABLE),
    (LakeUnreachableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (LakeTakenError, HTTPStatus.SERVICE_UNAVAILABLE),
    (CorrectionPendingError, HTTPStatus.SERVICE_UNAVAILABLE),
    (AlreadyUndoneError, HTTPStatus.CONFLICT),
    (OverlaidError, HTTPStatus.CONFLICT),
    (NotYourTurnError, HTTPStatus.FORBIDDEN),
    (AlreadyDecidedError, HTTPStatus.CONFLICT),
    (ChangedMeanwhileError, HTTPStatus.CONFLICT),
    (RuleChangedMeanwhileError, HTTPStatus.CONFLICT),
    (CaseRefusedError, HTTPStatus.CONFLICT),
    (CaseChangedError, HTTPStatus.CONFLICT),
)


class Handed:
    """A FastAPI dependency that hands a route one port, as the caller may have it."""

    def __init__(self, port: str) -> None:
        self.port = port

    async def __call__(self, request: Request) -> Any:
        ports: Ports = request.app.state.ports
        return ports.hand_over([self.port], await viewer_of(request))[self.port]


async def viewer_of(request: Request) -> User:
    """Who calls this route. Answers 401 to a stranger, and 429 to who calls too often."""
    if not hasattr(request.state, "viewer"):
        identity: Identity = request.app.state.identity
        limits: RateLimits = request.app.state.limits
        token = _token_in(request)
        # A token given decides alone: one that opens nothing must not fall back on somebody's cookie.
        user = await (
            user_of(request, identity) if token is None else identity.tokens.user_of(token, address_of(request))
        )
        if user is None:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED, {"code": "web.sign-in-first", "message": "Sign in at /sign-in first."}
            )
        await limits.count_request(user, hashed(token) if token else "")
        request.state.viewer = user
    return request.state.viewer  # type: ignore[no-any-return]


def _token_in(request: Request) -> str | None:
    """The token of a program, if this comes from one."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip().startswith(PREFIX) else None


Viewer = Annotated[User, Depends(viewer_of)]
PlantPort = Annotated[RunningPlant, Depends(Handed("plant"))]
ParkPort = Annotated[RunningPlant, Depends(Handed("park"))]
HistorianPort = Annotated[Historian, Depends(Handed("historian"))]
CurrentPort = Annotated[CurrentValues, Depends(Handed("current"))]
DatabasePort = Annotated[Database, Depends(Handed("db"))]
WaveformsPort = Annotated[Waveforms, Depends(Handed("waveforms"))]
JobsPort = Annotated[Jobs, Depends(Handed("jobs"))]
RunsPort = Annotated[JobRuns, Depends(Handed("runs"))]
ImportsPort = Annotated[Imports, Depends(Handed("imports"))]
IdentityPort = Annotated[Identity, Depends(Handed("identity"))]
DocumentsPort = Annotated[Documents, Depends(Handed("documents"))]
CorrectionsPort = Annotated[Corrections, Depends(Handed("corrections"))]

RowNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]  # in a path: of a row, as every database can look it up


def mount_routes(fastapi_app: FastAPI, apps: Sequence[App], ports: Ports, identity: Identity) -> None:
    """Mount every app's routes under `/api/v1/<app id>`, each behind its permission or its router's own check."""
    fastapi_app.state.ports = ports
    fastapi_app.state.identity = identity
    fastapi_app.add_exception_handler(AthanorError, _explained)
    for app in apps:
        for router, permission in app.routers:
            _check(app, router)
            guards = [] if permission is None else [Depends(permits(permission))]
            fastapi_app.include_router(router, prefix=f"/api/v1/{app.manifest.id}", dependencies=guards)


def permits(permission: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that answers 401 to a stranger and 403 to who may not, which the audit trail tells."""

    async def check(request: Request) -> None:
        viewer = await viewer_of(request)
        if not viewer.may(permission):
            address = request.client.host if request.client else ""
            identity: Identity = request.app.state.identity
            await identity.refusals.note(viewer, permission, request.url.path, address)
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                {"code": "web.forbidden", "message": f"Your role ({viewer.role}) does not include {permission}."},
            )

    return check


def _check(app: App, router: APIRouter) -> None:
    for route in router.routes:
        if not isinstance(route, APIRoute):
            continue
        for call in _calls(route.dependant):
            if isinstance(call, Handed) and call.port not in app.manifest.needs:
                raise PortNotGrantedError(app.manifest.id, route.endpoint, call.port)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)


def status_of(error: AthanorError) -> HTTPStatus:
    """What an error answers as."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.UNPROCESSABLE_ENTITY)


async def _explained(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, AthanorError):
        raise error
    return JSONResponse({"detail": {"code": error.code, "message": str(error)}}, status_of(error))
