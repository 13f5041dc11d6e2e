"""Documents over REST: uploads as the body of a POST, downloads with ETag and Range."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from athanor.apps.documents import services
from athanor.apps.documents.domain.ranges import part_of
from athanor.kernel.documents.contents import PDF, SHOWN_INLINE
from athanor.kernel.documents.records import ASSET, Filing, Incoming, Kind, Listed, Subject, Told, Wish
from athanor.kernel.documents.tables import DocumentRow, LinkRow, VersionRow
from athanor.web.routes import DocumentsPort, PlantPort, RowNumber, Viewer, permits

router = APIRouter(tags=["documents"])

EDITS = [Depends(permits("documents.edit"))]
ADMINISTERS = [Depends(permits("documents.administer"))]
_STREAM = "application/octet-stream"

FileName = Annotated[str, Query(min_length=1, max_length=1000, description="What the file is called.")]


class VersionAnswer(BaseModel):
    """One file of a document."""

    number: int
    file: str
    type: str
    bytes: int
    sha256: str
    by: str
    at: datetime
    comment: str
    scan: str
    finding: str

    @classmethod
    def of(cls, row: VersionRow) -> Self:
        return cls(
            number=row.number,
            file=row.file_name,
            type=row.media_type,
            bytes=row.size,
            sha256=row.sha256,
            by=row.made_by,
            at=row.made_at,
            comment=row.comment,
            scan=row.scan,
            finding=row.finding,
        )


class SubjectAnswer(BaseModel):
    """What a document is about: the kind `asset` by its path; an alarm or report by its id."""

    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    subject: str = Field(min_length=1, max_length=500)

    @classmethod
    def of(cls, row: LinkRow) -> Self:
        return cls(kind=row.kind, subject=row.subject)


class DocumentAnswer(BaseModel):
    """A document with its newest version. `tenant` is null for the park's own."""

    id: int
    tenant: str | None
    title: str
    labels: list[str]
    retention: str | None
    made_by: str
    made_at: datetime
    removed_at: datetime | None
    newest: VersionAnswer
    about: list[SubjectAnswer]

    @classmethod
    def of(cls, one: Listed | Told) -> Self:
        row = one.document
        return cls(
            id=row.id,
            tenant=row.tenant,
            title=row.title,
            labels=list(row.labels),
            retention=row.retention,
            made_by=row.made_by,
            made_at=row.made_at,
            removed_at=row.removed_at,
            newest=VersionAnswer.of(one.newest),
            about=[SubjectAnswer.of(link) for link in one.links],
        )


class WholeAnswer(DocumentAnswer):
    """A document with all its versions, newest first; `goes_at` is when retention removes it."""

    versions: list[VersionAnswer]
    goes_at: datetime | None

    @classmethod
    def of_told(cls, told: Told) -> Self:
        versions = [VersionAnswer.of(row) for row in told.versions]
        return cls(**DocumentAnswer.of(told).model_dump(), versions=versions, goes_at=told.goes_at)


class ListAnswer(BaseModel):
    """A page of documents, and how many there are in all."""

    total: int
    documents: list[DocumentAnswer]


class SameAnswer(BaseModel):
    """A document that holds the same file already."""

    id: int
    title: str

    @classmethod
    def of(cls, row: DocumentRow) -> Self:
        return cls(id=row.id, title=row.title)


class StoredAnswer(BaseModel):
    """A version that was taken in."""

    document: int
    version: VersionAnswer
    same: list[SameAnswer]


class Change(BaseModel):
    """How a document is filed. What is left out stays as it is."""

    title: str | None = None
    labels: list[str] | None = None
    retention: str | None = Field(default=None, description="A class of the settings; empty: kept for ever.")


class Removal(BaseModel):
    """Why a document is removed."""

    reason: str = Field(min_length=1, max_length=2000)


@router.get("")
async def find(
    documents: DocumentsPort,
    viewer: Viewer,
    search: Annotated[str, Query(max_length=200, description="Words of title, labels, file, people, assets.")] = "",
    asset: Annotated[str | None, Query(max_length=500, description="Path; it and all below it.")] = None,
    type: Annotated[Kind | None, Query()] = None,  # noqa: A002 (the query's name)
    person: Annotated[str | None, Query(max_length=200, description="Login of who made the newest version.")] = None,
    removed: Annotated[bool, Query()] = False,  # noqa: FBT002
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ListAnswer:
    """Documents, newest first."""
    wish = Wish(search, asset, None, type, person, is_removed=removed, offset=offset, limit=limit)
    found, total = await documents.find(viewer, wish)
    return ListAnswer(total=total, documents=[DocumentAnswer.of(one) for one in found])


@router.post("", status_code=HTTPStatus.CREATED, dependencies=EDITS)
async def upload(
    request: Request,
    documents: DocumentsPort,
    plant: PlantPort,
    viewer: Viewer,
    name: FileName,
    title: Annotated[str, Query(max_length=500)] = "",
    label: Annotated[list[str] | None, Query()] = None,
    retention: Annotated[str | None, Query(max_length=100)] = None,
    tenant: Annotated[str, Query(max_length=100, description="For the park's people: whose it is.")] = "",
    asset: Annotated[str, Query(max_length=500, description="Path of what it is about.")] = "",
) -> StoredAnswer:
    """Keep a new document: the body is the file."""
    subjects = [services.asset_subject(plant, asset)] if asset else []
    owner = services.owner_of(plant, viewer, tenant, asset)
    filing = Filing(title, label or (), retention, owner, subjects)
    stored = await documents.upload(viewer, _incoming(request, name), filing, address=_address(request))
    return _stored(stored.version, stored.same)


@router.get("/retention", dependencies=ADMINISTERS)
async def expired(documents: DocumentsPort, viewer: Viewer) -> ListAnswer:
    """What the next sweep removes by its class of retention; nothing is changed."""
    found = await documents.expired(viewer)
    return ListAnswer(total=len(found), documents=[DocumentAnswer.of(one) for one in found])


@router.get("/{document_id}")
async def tell(document_id: RowNumber, documents: DocumentsPort, viewer: Viewer) -> WholeAnswer:
    """A document with all its versions."""
    return WholeAnswer.of_told(await documents.told(viewer, document_id))


@router.patch("/{document_id}", dependencies=EDITS)
async def change(
    document_id: RowNumber, wish: Change, request: Request, documents: DocumentsPort, viewer: Viewer
) -> WholeAnswer:
    """File a document anew."""
    now = (await documents.told(viewer, document_id)).document
    await documents.change(
        viewer,
        document_id,
        title=now.title if wish.title is None else wish.title,
        labels=now.labels if wish.labels is None else wish.labels,
        retention=now.retention if wish.retention is None else wish.retention,
        address=_address(request),
    )
    return WholeAnswer.of_told(await documents.told(viewer, document_id))


@router.post("/{document_id}/versions", status_code=HTTPStatus.CREATED, dependencies=EDITS)
async def add_version(
    document_id: RowNumber,
    request: Request,
    documents: DocumentsPort,
    viewer: Viewer,
    name: FileName,
    comment: Annotated[str, Query(max_length=2000)] = "",
) -> StoredAnswer:
    """Keep a new version: the body is the file."""
    incoming = _incoming(request, name)
    stored = await documents.add_version(viewer, document_id, incoming, comment=comment, address=_address(request))
    return _stored(stored.version, stored.same)


@router.post("/{document_id}/versions/{number}/go-back", status_code=HTTPStatus.CREATED, dependencies=EDITS)
async def go_back(
    document_id: RowNumber, number: RowNumber, request: Request, documents: DocumentsPort, viewer: Viewer
) -> VersionAnswer:
    """Let an earlier version be the newest again, as a new one."""
    return VersionAnswer.of(await documents.go_back(viewer, document_id, number, address=_address(request)))


@router.post("/{document_id}/remove", status_code=HTTPStatus.NO_CONTENT, dependencies=EDITS)
async def remove(
    document_id: RowNumber, wish: Removal, request: Request, documents: DocumentsPort, viewer: Viewer
) -> None:
    """Take a document out of use; for 30 days it can be restored."""
    await documents.remove(viewer, document_id, reason=wish.reason, address=_address(request))


@router.post("/{document_id}/restore", status_code=HTTPStatus.NO_CONTENT, dependencies=EDITS)
async def restore(document_id: RowNumber, request: Request, documents: DocumentsPort, viewer: Viewer) -> None:
    """Take a removed document into use again."""
    await documents.restore(viewer, document_id, address=_address(request))


@router.put("/{document_id}/about", status_code=HTTPStatus.NO_CONTENT, dependencies=EDITS)
async def tie(
    document_id: RowNumber,
    wish: SubjectAnswer,
    request: Request,
    documents: DocumentsPort,
    plant: PlantPort,
    viewer: Viewer,
) -> None:
    """Say what a document is about."""
    is_asset = wish.kind == ASSET
    subject = services.asset_subject(plant, wish.subject) if is_asset else Subject(wish.kind, wish.subject)
    await documents.tie(viewer, document_id, subject, address=_address(request))


@router.delete("/{document_id}/about", status_code=HTTPStatus.NO_CONTENT, dependencies=EDITS)
async def untie(
    document_id: RowNumber, kind: str, subject: str, request: Request, documents: DocumentsPort, viewer: Viewer
) -> None:
    """Take that back."""
    await documents.untie(viewer, document_id, kind, subject, address=_address(request))


@router.get("/{document_id}/content", response_class=Response)
async def newest_content(
    document_id: RowNumber, request: Request, documents: DocumentsPort, viewer: Viewer, *, inline: bool = False
) -> Response:
    """The newest version's file, whole or, by the header Range, in part."""
    return await _content(request, documents, viewer, document_id, None, is_inline=inline)


@router.get("/{document_id}/versions/{number}/content", response_class=Response)
async def content(
    document_id: RowNumber,
    number: RowNumber,
    request: Request,
    documents: DocumentsPort,
    viewer: Viewer,
    *,
    inline: bool = False,
    quarantined: Annotated[bool, Query(description="For administrators: also before it has been scanned.")] = False,
) -> Response:
    """A version's file, whole or, by the header Range, in part."""
    return await _content(
        request, documents, viewer, document_id, number, is_inline=inline, from_quarantine=quarantined
    )


async def _content(
    request: Request,
    documents: DocumentsPort,
    viewer: Viewer,
    document_id: int,
    number: int | None,
    *,
    is_inline: bool,
    from_quarantine: bool = False,
) -> Response:
    version = await documents.open(
        viewer, document_id, number, from_quarantine=from_quarantine, address=_address(request)
    )
    headers = _headers(version, is_inline=is_inline and not from_quarantine)
    if headers["ETag"] in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    start, stop, status = 0, version.size, HTTPStatus.OK
    if request.headers.get("if-range", headers["ETag"]) == headers["ETag"]:
        try:
            part = part_of(request.headers.get("range", ""), version.size)
        except ValueError:
            raise HTTPException(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                {"code": "documents.beyond-end", "message": f"The file has {version.size} bytes; ask for less."},
                {"Content-Range": f"bytes */{version.size}"},
            ) from None
        if part is not None:
            (start, stop), status = part, HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{version.size}"
    headers["Content-Length"] = str(stop - start)
    pieces = documents.content(version, start, stop)
    first = await anext(pieces)  # a store that is away is answered as an error, and not by half a file
    return StreamingResponse(_joined(first, pieces), status, headers)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _headers(version: VersionRow, *, is_inline: bool) -> dict[str, str]:
    """Headers under which no browser runs what is in a file: only types that run nothing are shown, all else saved.

    A browser's own PDF viewer does not work in a sandbox, so a PDF has none; it has no origin to reach out from.
    """
    is_shown = is_inline and version.media_type in SHOWN_INLINE
    is_pdf = is_shown and version.media_type == PDF
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
    return {
        "Content-Type": version.media_type if is_shown else _STREAM,
        "Content-Disposition": _disposition("inline" if is_shown else "attachment", version.file_name),
        "Content-Security-Policy": f"{policy}; object-src 'self'" if is_pdf else f"{policy}; sandbox",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{version.sha256}"',
        "Accept-Ranges": "bytes",
    }


def _disposition(kind: str, name: str) -> str:
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%' else "_" for one in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _incoming(request: Request, name: str) -> Incoming:
    length = request.headers.get("content-length", "")
    return Incoming(name, request.stream(), int(length) if length.isdigit() and len(length) < 19 else None)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _stored(version: VersionRow, same: Sequence[DocumentRow]) -> StoredAnswer:
    return StoredAnswer(
        document=version.document_id, version=VersionAnswer.of(version), same=[SameAnswer.of(one) for one in same]
    )
