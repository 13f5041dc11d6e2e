"""Backups of this server: which there are, and making one. For the park's administrators."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from athanor.api.historian import of_the_park
from athanor.api.jobs import JobAnswer
from athanor.kernel.backup.service import Backups, Wanted
from athanor.web.routes import JobsPort, Viewer, permits


class BackupWish(BaseModel):
    """Which backup to make; without anything, the one that the settings describe."""

    model_config = ConfigDict(extra="forbid")

    place: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Another place; only with a proof of owning the server's files.",
    )
    proof: str = Field("", max_length=200, description="HMAC-SHA256 by the server's secret.")
    keep: int | None = Field(None, ge=1, le=100_000, description="So many of the newest stay; all, where left out.")
    keys: str | None = Field(None, max_length=100_000, description="The server's keys, sealed by whoever asks.")
    keys_in_clear: bool = False


def backup_router(backups: Backups) -> APIRouter:
    """The routes for one server's backups."""
    router = APIRouter(
        prefix="/api/v1/backups",
        tags=["backup"],
        dependencies=[Depends(permits("historian.administer")), Depends(of_the_park)],
    )

    @router.get("")
    async def summaries() -> list[dict[str, Any]]:
        """The backups in the place that the settings name, oldest first."""
        return await backups.summaries()

    @router.post("", status_code=HTTPStatus.ACCEPTED)
    async def make(wish: BackupWish, jobs: JobsPort, viewer: Viewer, request: Request) -> JobAnswer:
        """Make one in a job; `/api/v1/jobs/{id}` tells how far it is, and in the end what is in it."""
        address = request.client.host if request.client is not None else ""
        sealed = None if wish.keys is None else wish.keys.encode()
        in_clear = wish.keys_in_clear and wish.place is not None  # where a proof is asked for
        wanted = Wanted(wish.place, wish.proof, wish.keep, sealed, in_clear)
        return JobAnswer.of(jobs.get(backups.start(jobs, viewer, wanted, address), viewer))

    return router
