"""Long work as programs see it: how far it is, cancelling it, and the file that it made."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel

from athanor.kernel.jobs.port import Job, JobState
from athanor.web.routes import JobsPort, Viewer, permits

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], dependencies=[Depends(permits("jobs.view"))])


class JobAnswer(BaseModel):
    """A job as it stands now. What is null is not known yet, or does not apply."""

    id: str
    kind: str
    title: str
    owner: str
    state: JobState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    stage: str
    fraction: float | None
    rows: int | None
    error: str | None
    error_code: str | None
    summary: dict[str, Any]
    file: str | None
    file_bytes: int | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """A job as it is sent: `file` is where its file is fetched."""
        own = {name: getattr(job, name) for name in cls.model_fields.keys() & Job.__dataclass_fields__.keys()}
        return cls(**own, file=file_address(job))


def file_address(job: Job) -> str | None:
    """Where a job's file is fetched; None when it has none."""
    return None if job.file_name is None else f"/api/v1/jobs/{job.id}/file"


@router.get("")
async def jobs_of_viewer(
    jobs: JobsPort, viewer: Viewer, kind: Annotated[str | None, Query(description="Only this kind.")] = None
) -> list[JobAnswer]:
    """Your jobs, newest first; for an administrator, those of everybody in the same enterprise."""
    return [JobAnswer.of(job) for job in jobs.jobs(viewer, kind)]


@router.get("/{job_id}")
async def job_now(job_id: str, jobs: JobsPort, viewer: Viewer) -> JobAnswer:
    """One job. 404 for one that is not there, or not yours."""
    return JobAnswer.of(jobs.get(job_id, viewer))


@router.delete("/{job_id}", status_code=HTTPStatus.ACCEPTED)
async def cancel(job_id: str, jobs: JobsPort, viewer: Viewer) -> JobAnswer:
    """Let a job end: a waiting one at once, a running one at its next step. One that is over stays as it is."""
    jobs.cancel(job_id, viewer)
    return JobAnswer.of(jobs.get(job_id, viewer))


@router.get("/{job_id}/file", response_class=FileResponse)
async def file(job_id: str, jobs: JobsPort, viewer: Viewer) -> FileResponse:
    """The file that a job made."""
    return FileResponse(jobs.file(job_id, viewer), filename=jobs.get(job_id, viewer).file_name)
