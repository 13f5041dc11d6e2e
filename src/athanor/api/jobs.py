"""Long work as programs see it: how far it is, starting and cancelling it, and the file that it made."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from athanor.kernel.identity.user import User
from athanor.kernel.jobs.kinds import CatchUp, JobKind
from athanor.kernel.jobs.port import ADMINISTER, Job, JobState
from athanor.kernel.jobs.store import Wanted
from athanor.web.routes import RunsPort, Viewer, permits

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
    attempt: int
    attempts: int
    server: str
    due_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """A job as it is sent: `file` is where its file is fetched."""
        own = {name: getattr(job, name) for name in cls.model_fields.keys() & Job.__dataclass_fields__.keys()}
        return cls(**own, file=file_address(job))


class KindAnswer(BaseModel):
    """A kind of job that an app declares. `arguments` is the JSON schema of what it takes."""

    name: str
    title: dict[str, str]
    retries: int
    timeout_s: float
    catch_up: CatchUp
    at_once: int
    arguments: dict[str, Any]

    @classmethod
    def of(cls, kind: JobKind) -> Self:
        """A kind as it is sent."""
        return cls(
            name=kind.name,
            title=dict(kind.title),
            retries=kind.retries,
            timeout_s=kind.timeout.total_seconds(),
            catch_up=kind.catch_up,
            at_once=kind.at_once,
            arguments={} if kind.arguments is None else kind.arguments.model_json_schema(),
        )


class JobWish(BaseModel):
    """A job to start."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=100)
    arguments: dict[str, Any] = Field(default_factory=dict)
    title: str | None = Field(None, max_length=200, description="What people call it; its kind where left out.")


def file_address(job: Job) -> str | None:
    """Where a job's file is fetched; None when it has none."""
    return None if job.file_name is None else f"/api/v1/jobs/{job.id}/file"


def check_looks_after_jobs(viewer: User) -> None:
    """What apps declare works for every enterprise, so only the park's administrators start it. Answers 403."""
    if not viewer.may(ADMINISTER) or viewer.tenants is not None:
        message = "Jobs of apps are started by the park's administrators. Ask one of them."
        raise HTTPException(HTTPStatus.FORBIDDEN, {"code": "web.forbidden", "message": message})


@router.get("")
async def jobs_of_viewer(
    runs: RunsPort,
    viewer: Viewer,
    kind: Annotated[str | None, Query(description="Only this kind.")] = None,
    state: Annotated[JobState | None, Query(description="Only those in this state.")] = None,
    owner: Annotated[str | None, Query(description="Only those of this login.")] = None,
    text: Annotated[str, Query(max_length=200, description="Part of title, kind, owner or error.")] = "",
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[JobAnswer]:
    """Your jobs of all servers, newest first, past ones too; an administrator's: everybody's of the same enterprise."""
    wanted = Wanted(kind=kind, state=state, owner=owner, text=text, offset=offset, limit=limit)
    jobs, _total = await runs.find(viewer, wanted)
    return [JobAnswer.of(job) for job in jobs]


@router.get("/kinds")
async def kinds(runs: RunsPort) -> list[KindAnswer]:
    """What jobs apps declare, which may be started by hand or by a schedule."""
    return [KindAnswer.of(kind) for kind in sorted(runs.kinds, key=lambda kind: kind.name)]


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def start(wish: JobWish, runs: RunsPort, viewer: Viewer, request: Request) -> JobAnswer:
    """Start a job of a kind that an app declares; one of the servers runs it, once. For the park's administrators."""
    check_looks_after_jobs(viewer)
    address = request.client.host if request.client else ""
    run_id = await runs.begin(wish.kind, viewer, wish.arguments, title=wish.title, address=address)
    return JobAnswer.of(await runs.get(run_id, viewer))


@router.get("/{job_id}")
async def job_now(job_id: str, runs: RunsPort, viewer: Viewer) -> JobAnswer:
    """One job. 404 for one that is not there, or not yours."""
    return JobAnswer.of(await runs.get(job_id, viewer))


@router.delete("/{job_id}", status_code=HTTPStatus.ACCEPTED)
async def cancel(job_id: str, runs: RunsPort, viewer: Viewer, request: Request) -> JobAnswer:
    """Let a job end: a waiting one at once, a running one at its next step. One that is over stays as it is."""
    address = request.client.host if request.client else ""
    return JobAnswer.of(await runs.cancel(job_id, viewer, address=address))


@router.get("/{job_id}/file", response_class=FileResponse)
async def file(job_id: str, runs: RunsPort, viewer: Viewer) -> FileResponse:
    """The file that a job made, from the server that ran it."""
    return FileResponse(await runs.file(job_id, viewer), filename=(await runs.get(job_id, viewer)).file_name)
