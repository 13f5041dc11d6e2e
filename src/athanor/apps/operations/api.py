"""Operations for programs: health, schedules, log. For the park's administrators."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from athanor.apps.operations.services import health as services
from athanor.apps.operations.services.rights import looks_after_all
from athanor.kernel.bus.port import Bus
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.kinds import CatchUp
from athanor.kernel.jobs.schedules import Plan, Schedule
from athanor.kernel.recent_logs import RECENT
from athanor.kernel.storage.service import Storage
from athanor.kernel.transport import Transport
from athanor.web.routes import DatabasePort, Handed, RowNumber, RunsPort, Viewer, viewer_of


async def _looks_after_all(viewer: Viewer) -> None:
    if not looks_after_all(viewer):
        message = "This is for the park's administrators. Ask one of them."
        raise HTTPException(HTTPStatus.FORBIDDEN, {"code": "web.forbidden", "message": message})


router = APIRouter(tags=["operations"], dependencies=[Depends(viewer_of), Depends(_looks_after_all)])


class ScheduleWish(BaseModel):
    """A schedule as it is to be: `cron` or `every_s`, one of them."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    kind: str = Field(max_length=100)
    cron: str | None = Field(None, max_length=200, description="Minute, hour, day, month, day of the week.")
    every_s: int | None = Field(None, description="Interval [s].")
    timezone: str | None = Field(None, max_length=100, description="Such as Asia/Shanghai; the site's where left out.")
    catch_up: CatchUp = CatchUp.ONCE
    is_on: bool = True
    arguments: dict[str, Any] = Field(default_factory=dict)

    def plan(self) -> Plan:
        """As the kernel takes it."""
        return Plan(**{name: getattr(self, name) for name in type(self).model_fields})


class ScheduleAnswer(ScheduleWish):
    """A schedule as it stands."""

    id: int
    is_declared: bool
    next_at: datetime
    last_job: str | None
    last_state: str | None

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """A schedule as it is sent."""
        plan = {name: getattr(schedule.plan, name) for name in ScheduleWish.model_fields}
        return cls(
            **plan | {"arguments": dict(schedule.plan.arguments)},
            id=schedule.id,
            is_declared=schedule.is_declared,
            next_at=schedule.next_at,
            last_job=schedule.last.id if schedule.last else None,
            last_state=schedule.last.state if schedule.last else None,
        )


@router.get("/health")
async def health(
    db: DatabasePort,
    runs: RunsPort,
    storage: Annotated[Storage, Depends(Handed("storage"))],
    sources: Annotated[SourceStates, Depends(Handed("sources"))],
    bus: Annotated[Bus, Depends(Handed("bus"))],
    transport: Annotated[Transport, Depends(Handed("transport"))],
) -> dict[str, Any]:
    """How each part is: `good`, `warn` or `bad`, with figures."""
    now = await services.measure(db, storage, sources, bus, runs, transport)
    disk = now.worst_disk
    return {
        "state": now.worst,
        "version": now.version,
        "server": now.server,
        "started_at": now.started_at,
        "memory": {"state": now.memory_level, "bytes": now.memory_bytes, "machine_free": now.memory_free},
        "database": {"state": now.database_level, "engine": now.database, "answered_in_s": now.database_s},
        "historian": {"state": now.historian_level},
        "disk": {"state": now.disk_level, "free_bytes": None if disk is None else disk.free},
        "transport": {"state": now.transport_level, "certificate_ends_at": now.certificate_ends_at},
        "bus": {"state": now.bus_level, "waiting": now.bus_waiting},
        "edges": [
            {"edge": edge.edge, "is_silent": edge.is_silent(now.at), "backlog_rows": edge.backlog.rows}
            for edge in now.edges
        ],
        "jobs": now.jobs,
    }


@router.get("/schedules")
async def schedules(runs: RunsPort) -> list[ScheduleAnswer]:
    """All schedules, by name."""
    return [ScheduleAnswer.of(one) for one in await runs.schedules.all()]


@router.post("/schedules", status_code=HTTPStatus.CREATED)
async def add_schedule(wish: ScheduleWish, runs: RunsPort, viewer: Viewer, request: Request) -> dict[str, int]:
    """Add one; its id."""
    return {"id": await runs.schedules.add(wish.plan(), viewer.login, address=_address(request))}


@router.put("/schedules/{schedule_id}", status_code=HTTPStatus.NO_CONTENT)
async def change_schedule(
    schedule_id: RowNumber, wish: ScheduleWish, runs: RunsPort, viewer: Viewer, request: Request
) -> None:
    """Let one be this, also paused or on."""
    await runs.schedules.change(schedule_id, wish.plan(), viewer.login, address=_address(request))


@router.delete("/schedules/{schedule_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_schedule(schedule_id: RowNumber, runs: RunsPort, viewer: Viewer, request: Request) -> None:
    """Remove one that people added; its runs stay."""
    await runs.schedules.remove(schedule_id, viewer.login, address=_address(request))


@router.get("/logs")
async def logs(
    level: Annotated[Literal["debug", "info", "warning", "error"], Query(description="The least.")] = "info",
    text: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> list[dict[str, Any]]:
    """The last records of this server's log, newest first, without secrets."""
    return [
        {"at": one.at, "level": one.level, "event": one.event, "fields": one.fields, "trace": one.trace}
        for one in RECENT.latest(level, text, limit)
    ]


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
