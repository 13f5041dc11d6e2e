"""REST routes of Incidents, under /api/v1/incidents: what has to be dealt with, and dealing with it."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from athanor.apps.incidents import services
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.cases.flow import Disposition, State
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.records import Case, Dossier
from athanor.kernel.cases.seeing import Filter
from athanor.kernel.cases.service import Cases
from athanor.kernel.documents.records import Incoming
from athanor.web.routes import DocumentsPort, Handed, PlantPort, RowNumber, Viewer, permits

CasesPort = Annotated[Cases, Depends(Handed("cases"))]
Revision = Annotated[int, Query(ge=0, le=2**31 - 1, description="The one that was read.")]
ACTS = [Depends(permits("incidents.operate"))]
BRINGS = [*ACTS, Depends(permits("documents.edit"))]
router = APIRouter(tags=["incidents"])


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCase(_Said):
    """An incident to report."""

    title: str = Field(min_length=1, max_length=200)
    path: str = Field("", max_length=400, description="Tag or node concerned; the whole plant where left out.")
    priority: Priority = Priority.MEDIUM
    category: Category = Category.PROCESS
    text: str = Field("", max_length=4000, description="What is known so far.")
    occurred_at: AwareDatetime | None = Field(None, description="When it happened; now where left out.")


class Assigned(_Said):
    """Whose it is to be."""

    owner: str = Field(min_length=1, max_length=100)
    team: str = Field("", max_length=200)


class Text(_Said):
    """What was done, found, or is said."""

    text: str = Field(min_length=1, max_length=4000)


class Closed(_Said):
    """How it ended."""

    disposition: Disposition
    cause: str = Field("", max_length=4000)


class NewTask(_Said):
    """A task within an incident."""

    title: str = Field(min_length=1, max_length=400)
    owner: str | None = Field(None, max_length=100)
    body: str = Field("", max_length=200, description="Department, enterprise or authority that does it.")
    tenant: str | None = Field(None, max_length=100, description="Another enterprise; for the park's people.")
    due_at: AwareDatetime | None = None


class EndedTask(_Said):
    """What came of a task."""

    result: str = Field(min_length=1, max_length=4000)
    dropped: bool = False


@router.get("")
async def find(
    cases: CasesPort,
    viewer: Viewer,
    state: Annotated[list[State] | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=100)] = None,
    priority: Annotated[int | None, Query(ge=1, le=4, description="And more pressing ones.")] = None,
    category: Annotated[Category | None, Query()] = None,
    under: Annotated[str, Query(max_length=400, description="A node; it and all below it.")] = "",
    search: Annotated[str, Query(max_length=200)] = "",
    overdue: Annotated[bool, Query()] = False,  # noqa: FBT002
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Incidents, the most pressing first."""
    wanted = Filter(state or (), owner, priority, category or "", under, search, is_overdue=overdue)
    found = await cases.seeing.page(viewer, wanted, start=offset, most=limit)
    return {"total": found.total, "incidents": [_case(one) for one in found.cases]}


@router.post("", status_code=HTTPStatus.CREATED, dependencies=ACTS)
async def report(said: NewCase, request: Request, cases: CasesPort, plant: PlantPort, viewer: Viewer) -> dict[str, Any]:
    """Report an incident at a place that the caller may write to."""
    tenant = viewer.tenant
    if said.path:
        plant.check_owned(said.path)
        tag = plant.model.tags.get(said.path)
        tenant = plant.model.nodes[tag.node_path if tag is not None else said.path].tenant
    opening = Opening(
        {"en": said.title, "zh_CN": said.title},
        tenant,
        said.occurred_at or datetime.now(UTC),
        path=said.path,
        priority=said.priority,
        category=said.category,
        by=viewer.login,
        text=said.text,
    )
    return _case(await cases.open(opening, address=_address(request)))


@router.get("/{case_id}")
async def tell(case_id: RowNumber, cases: CasesPort, viewer: Viewer) -> dict[str, Any]:
    """One incident with what it is about, its tasks and its history."""
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/assign", dependencies=ACTS)
async def assign(
    case_id: RowNumber, said: Assigned, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """Give it to somebody."""
    await cases.working.assign(
        viewer, case_id, said.owner, team=said.team, revision=revision, address=_address(request)
    )
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/start", dependencies=ACTS)
async def start(
    case_id: RowNumber, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """Begin to work on it."""
    await cases.working.start(viewer, case_id, revision=revision, address=_address(request))
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/resolve", dependencies=ACTS)
async def resolve(
    case_id: RowNumber, said: Text, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """Say what was done."""
    await cases.working.resolve(viewer, case_id, said.text, revision=revision, address=_address(request))
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/send-back", dependencies=ACTS)
async def send_back(
    case_id: RowNumber, said: Text, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """Not content with what was done."""
    await cases.working.send_back(viewer, case_id, said.text, revision=revision, address=_address(request))
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/close", dependencies=ACTS)
async def close(
    case_id: RowNumber, said: Closed, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """Verify and close it, with a disposition."""
    await cases.working.close(
        viewer, case_id, said.disposition, said.cause, revision=revision, address=_address(request)
    )
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/reopen", dependencies=ACTS)
async def reopen(
    case_id: RowNumber, said: Text, request: Request, cases: CasesPort, viewer: Viewer, revision: Revision
) -> dict[str, Any]:
    """It was not over after all."""
    await cases.working.reopen(viewer, case_id, said.text, revision=revision, address=_address(request))
    return _dossier(await cases.seeing.get(viewer, case_id))


@router.post("/{case_id}/say", status_code=HTTPStatus.NO_CONTENT, dependencies=ACTS)
async def say(case_id: RowNumber, said: Text, request: Request, cases: CasesPort, viewer: Viewer) -> None:
    """Say something in it."""
    await cases.working.say(viewer, case_id, said.text, address=_address(request))


@router.post("/{case_id}/tasks", status_code=HTTPStatus.CREATED, dependencies=ACTS)
async def add_task(
    case_id: RowNumber, said: NewTask, request: Request, cases: CasesPort, viewer: Viewer
) -> dict[str, int]:
    """Give a task."""
    task = await cases.working.add_task(
        viewer, case_id, said.title, owner=said.owner, body=said.body, tenant=said.tenant, due_at=said.due_at,
        address=_address(request),
    )  # fmt: skip
    return {"id": task}


@router.post("/{case_id}/tasks/{task_id}/end", status_code=HTTPStatus.NO_CONTENT, dependencies=ACTS)
async def end_task(
    case_id: RowNumber, task_id: RowNumber, said: EndedTask, request: Request, cases: CasesPort, viewer: Viewer
) -> None:
    """Say what came of a task."""
    await cases.working.end_task(
        viewer, case_id, task_id, said.result, is_dropped=said.dropped, address=_address(request)
    )


@router.post("/{case_id}/evidence", status_code=HTTPStatus.CREATED, dependencies=BRINGS)
async def bring_evidence(
    case_id: RowNumber,
    request: Request,
    cases: CasesPort,
    documents: DocumentsPort,
    viewer: Viewer,
    name: Annotated[str, Query(min_length=1, max_length=1000, description="What the file is called.")],
) -> dict[str, int]:
    """Bring a file as evidence: the body is the file. It is a document from then on."""
    length = request.headers.get("content-length", "")
    incoming = Incoming(name, request.stream(), int(length) if length.isdigit() and len(length) < 19 else None)
    document = await services.bring_evidence(cases, documents, viewer, case_id, incoming, address=_address(request))
    return {"document": document}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _case(one: Case) -> dict[str, Any]:
    fields = one.__dataclass_fields__
    return {name: getattr(one, name) for name in fields}


def _dossier(one: Dossier) -> dict[str, Any]:
    return {
        **_case(one.case),
        "sources": [{"subject": each.subject, "title": each.title, "at": each.at} for each in one.sources],
        "tasks": [{name: getattr(each, name) for name in each.__dataclass_fields__} for each in one.tasks],
        "history": [{name: getattr(each, name) for name in each.__dataclass_fields__} for each in one.history],
    }
