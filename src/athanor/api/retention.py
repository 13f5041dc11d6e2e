"""What has come of age: what would go, and letting it go. For the park's administrators."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from athanor.api.historian import of_the_park
from athanor.api.jobs import JobAnswer
from athanor.kernel.storage.retaining import start_retention
from athanor.kernel.storage.service import Storage
from athanor.web.routes import Handed, JobsPort, Viewer, permits

router = APIRouter(
    prefix="/api/v1/historian/retention",
    tags=["historian"],
    dependencies=[Depends(permits("historian.administer")), Depends(of_the_park)],
)
_StoragePort = Annotated[Storage, Depends(Handed("storage"))]


@router.get("")
async def due(storage: _StoragePort) -> dict[str, Any]:
    """What would go by now, class by class, and what stays. Nothing is changed."""
    return (await storage.due()).to_json()


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def apply(storage: _StoragePort, jobs: JobsPort, viewer: Viewer, request: Request) -> JobAnswer:
    """Let it go at once, in a job; `/api/v1/jobs/{id}` tells how far it is."""
    address = request.client.host if request.client is not None else ""
    return JobAnswer.of(jobs.get(start_retention(storage, jobs, viewer, address), viewer))
