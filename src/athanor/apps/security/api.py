"""REST: the audit trail and how the installation stands, for programs of administrators. docs/audit.md shows it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel

from athanor.apps.security.services import posture as posture_service
from athanor.apps.security.services import reading
from athanor.apps.security.services.chain import verify_chain
from athanor.kernel.bus.port import Bus
from athanor.kernel.identity.trail import Entry, Wanted
from athanor.kernel.identity.trail_file import TrailForm
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.transport import Transport
from athanor.web.routes import DatabasePort, Handed, Viewer

router = APIRouter(tags=["security"])

MOST_ENTRIES = 500
_LONGEST = 200
BusPort = Annotated[Bus, Depends(Handed("bus"))]
SourcesPort = Annotated[SourceStates, Depends(Handed("sources"))]
TransportPort = Annotated[Transport, Depends(Handed("transport"))]
Text = Annotated[str, Query(max_length=_LONGEST)]
_MEDIA = {TrailForm.CSV: "text/csv; charset=utf-8", TrailForm.JSON_LINES: "application/x-ndjson"}


class EntryAnswer(BaseModel):
    """One entry; `chain` is SHA-256 of the chain before and its content."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    address: str
    detail: dict[str, Any]
    chain: str

    @classmethod
    def of(cls, entry: Entry) -> "EntryAnswer":
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class PageAnswer(BaseModel):
    """Entries, the newest first; `before` of the next question, null at the end."""

    entries: list[EntryAnswer]
    next: int | None


class VerifiedAnswer(BaseModel):
    """What became of following the chain; `chain` is that of the last entry that is as it was written."""

    whole: bool
    entries: int
    chain: str
    fault: str | None
    entry: int | None


class FindingAnswer(BaseModel):
    """One thing to look at."""

    concern: str
    who: str
    what: str
    at: datetime | None


class PostureAnswer(BaseModel):
    """How the installation stands, as the page Security shows it."""

    at: datetime
    refused_sign_ins_24h: int
    locked_logins: int
    patterns_7d: int
    edges: int
    findings: list[FindingAnswer]
    certificate_ends_at: datetime | None
    audit_whole: bool | None
    audit_verified_at: datetime | None
    versions: dict[str, str]


def wanted_of(
    actor: Text = "",
    action: Annotated[Sequence[str], Query(max_length=50)] = (),
    subject: Text = "",
    address: Text = "",
    text: Text = "",
    start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Wanted:
    """The filter of the query."""
    return Wanted(actor, frozenset(action), subject, address, text, start, end)


Filter = Annotated[Wanted, Depends(wanted_of)]


@router.get("/audit")
async def entries(
    db: DatabasePort,
    viewer: Viewer,
    wanted: Filter,
    limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> PageAnswer:
    """A page of the audit trail, the newest first; go on with `before`."""
    page = await reading.read_page(db, viewer, wanted, limit=limit, before=before)
    last = page.entries[-1].id if len(page.entries) == limit else None
    return PageAnswer(entries=[EntryAnswer.of(entry) for entry in page.entries], next=last)


@router.get("/audit/export", response_class=StreamingResponse)
async def export(
    request: Request, db: DatabasePort, viewer: Viewer, wanted: Filter, form: TrailForm = TrailForm.CSV
) -> StreamingResponse:
    """The audit trail as a file that can be checked; itself entered into the trail."""
    pieces = reading.export(db, viewer, wanted, form, address=_address(request))
    name = f"athanor-audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{form}"
    return StreamingResponse(
        pieces, media_type=_MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.post("/audit/verify")
async def verify(request: Request, db: DatabasePort, bus: BusPort, viewer: Viewer) -> VerifiedAnswer:
    """Follow the whole chain; for the park's people."""
    _only_park(viewer)
    found = await verify_chain(db, bus, actor=viewer.login, address=_address(request))
    return VerifiedAnswer(
        whole=found.is_whole, entries=found.rows, chain=found.chain, fault=found.fault, entry=found.entry
    )


@router.get("/audit/{number}")
async def entry(number: Annotated[int, Path(ge=1, le=2**63 - 1)], db: DatabasePort, viewer: Viewer) -> EntryAnswer:
    """One entry."""
    return EntryAnswer.of((await reading.read_entry(db, viewer, number)).entry)


@router.get("/posture")
async def posture(db: DatabasePort, sources: SourcesPort, transport: TransportPort, viewer: Viewer) -> PostureAnswer:
    """How the installation stands, for what this administrator may see."""
    found = await posture_service.posture(db, sources, transport, viewer, datetime.now(UTC))
    return PostureAnswer(
        at=found.at,
        refused_sign_ins_24h=found.refused_sign_ins,
        locked_logins=found.locked,
        patterns_7d=found.patterns,
        edges=found.edges,
        findings=[FindingAnswer(concern=one.concern, who=one.who, what=one.what, at=one.at) for one in found.findings],
        certificate_ends_at=found.certificate_ends_at,
        audit_whole=None if found.checked is None else found.checked.is_whole,
        audit_verified_at=None if found.checked is None else found.checked.at,
        versions=dict(found.versions),
    )


def _only_park(viewer: User) -> None:
    if viewer.tenants is not None:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            {"code": "web.forbidden", "message": "The chain runs through everybody's entries. Ask the park's people."},
        )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
