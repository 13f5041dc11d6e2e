"""REST routes of Forms, under /api/v1/forms: forms, entries, decisions. Each shows and takes what the caller may."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from athanor.apps.forms.services import table
from athanor.kernel.forms.building import MOST_JSON_BYTES, Form, exported, imported
from athanor.kernel.forms.flow import Verdict
from athanor.kernel.forms.photos import MOST_PHOTO_BYTES
from athanor.kernel.forms.records import Dossier, Entry
from athanor.kernel.forms.service import Forms
from athanor.kernel.identity.audit import record
from athanor.web.language import language_of, speaking, text_of
from athanor.web.routes import DatabasePort, Handed, PlantPort, RowNumber, Viewer

FormsPort = Annotated[Forms, Depends(Handed("forms"))]
EntryId = RowNumber
router = APIRouter(tags=["forms"])


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewEntry(_Said):
    """An entry to begin."""

    form_id: int
    values: dict[str, Any] = Field(default_factory=dict, description="By field, as far as known.")


class Values(_Said):
    """Fields to fill in."""

    values: dict[str, Any]


class Decided(_Said):
    """A decision."""

    step: str = Field(max_length=40)
    verdict: Verdict
    reason: str = Field("", max_length=2000)
    signature: str | None = Field(None, max_length=50_000, description="Strokes: `M10 20 L11 22 …`, in 600 by 200.")


class Reason(_Said):
    """Why."""

    reason: str = Field("", max_length=2000)


@router.get("/definitions")
async def definitions(forms: FormsPort, viewer: Viewer) -> list[dict[str, Any]]:
    """The forms that the caller sees: the park's, and their tenant's own."""
    return [_form(one) for one in await forms.definitions.all(viewer)]


@router.get("/definitions/{form_id}", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def definition(form_id: RowNumber, forms: FormsPort, viewer: Viewer) -> Response:
    """A form as a file, which `POST /definitions` takes elsewhere."""
    form = await forms.definitions.get(viewer, form_id)
    disposition = f'attachment; filename="{form.key}.json"'
    return Response(exported(form), media_type="application/json", headers={"Content-Disposition": disposition})


@router.post("/definitions", status_code=HTTPStatus.CREATED)
async def make(request: Request, forms: FormsPort, viewer: Viewer) -> dict[str, Any]:
    """A new form from such a file, not yet published. Needs forms.administer."""
    key, content = imported(await _body(request, MOST_JSON_BYTES))
    form_id = await forms.definitions.make(viewer, key, content, address=_address(request))
    return _form(await forms.definitions.get(viewer, form_id))


@router.put("/definitions/{form_id}")
async def change(
    form_id: RowNumber,
    request: Request,
    forms: FormsPort,
    viewer: Viewer,
    revision: Annotated[int, Query(ge=0, le=2**31 - 1)],
) -> dict[str, Any]:
    """Another draft of a form; `revision` is the one that was read. Needs forms.administer."""
    _key, content = imported(await _body(request, MOST_JSON_BYTES))
    await forms.definitions.change(viewer, form_id, content, revision=revision)
    return _form(await forms.definitions.get(viewer, form_id))


@router.post("/definitions/{form_id}/publish")
async def publish(form_id: RowNumber, request: Request, forms: FormsPort, viewer: Viewer) -> dict[str, int]:
    """Let new entries be of the draft. Needs forms.administer."""
    return {"version": await forms.definitions.publish(viewer, form_id, address=_address(request))}


@router.post("/definitions/{form_id}/retire", status_code=HTTPStatus.NO_CONTENT)
async def retire(form_id: RowNumber, request: Request, forms: FormsPort, viewer: Viewer) -> None:
    """Let nobody begin new entries. Needs forms.administer."""
    await forms.definitions.retire(viewer, form_id, address=_address(request))


@router.get("/definitions/{form_id}/entries.{form}", response_class=Response)
async def export(
    form_id: RowNumber,
    form: Literal["csv", "xlsx"],
    request: Request,
    forms: FormsPort,
    plant: PlantPort,
    db: DatabasePort,
    viewer: Viewer,
) -> Response:
    """The newest entries of a form that the caller sees, at most 1000, as a table."""
    shown = await forms.definitions.get(viewer, form_id)
    found = await forms.seeing.all(viewer, form_id)
    with speaking(language_of(request, viewer.language)):
        head = table.header(shown.definition, text_of, ["id", "state", "author", "sent_at", "ended_at"])
        body = table.rows(shown.definition, found.entries, text_of, ZoneInfo(plant.model.timezone))
        content = table.as_csv(head, body) if form == "csv" else table.as_excel(head, body)
    async with db.session() as session:
        detail = {"entries": len(found.entries), "of": found.total, "format": form}
        record(session, viewer.login, "forms.exported", str(form_id), address=_address(request), detail=detail)
    kind = "text/csv; charset=utf-8"
    if form == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    disposition = f'attachment; filename="{shown.key}.{form}"'
    return Response(content, media_type=kind, headers={"Content-Disposition": disposition})


@router.get("/entries")
async def entries(
    forms: FormsPort,
    viewer: Viewer,
    which: Annotated[Literal["waiting", "mine", "all"], Query(description="Which of those the caller sees.")] = "all",
    form_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> list[dict[str, Any]]:
    """Entries, the newest first, at most 1000; `waiting` are those that the caller has to decide."""
    if which == "waiting":
        return [_entry(one.entry) | {"step": one.asked.step.id} for one in await forms.seeing.waiting(viewer)]
    found = await (forms.seeing.made(viewer) if which == "mine" else forms.seeing.all(viewer, form_id))
    return [_entry(one) for one in found.entries]


@router.post("/entries", status_code=HTTPStatus.CREATED)
async def start(said: NewEntry, forms: FormsPort, viewer: Viewer) -> dict[str, Any]:
    """Begin an entry; it is a draft until it is submitted."""
    entry = await forms.entries.start(viewer, said.form_id, said.values)
    return _dossier(await forms.seeing.get(viewer, entry))


@router.get("/entries/{entry_id}")
async def entry(entry_id: EntryId, forms: FormsPort, viewer: Viewer) -> dict[str, Any]:
    """An entry with its steps, decisions and history."""
    return _dossier(await forms.seeing.get(viewer, entry_id))


@router.patch("/entries/{entry_id}")
async def fill_in(entry_id: EntryId, said: Values, forms: FormsPort, viewer: Viewer) -> dict[str, Any]:
    """Set fields of one's own draft."""
    for field_id, value in said.values.items():
        await forms.entries.save(viewer, entry_id, field_id, value)
    return _dossier(await forms.seeing.get(viewer, entry_id))


@router.post("/entries/{entry_id}/submit")
async def submit(entry_id: EntryId, request: Request, forms: FormsPort, viewer: Viewer) -> dict[str, Any]:
    """Send one's own draft."""
    await forms.entries.submit(viewer, entry_id, address=_address(request))
    return _dossier(await forms.seeing.get(viewer, entry_id))


@router.post("/entries/{entry_id}/decisions")
async def decide(
    entry_id: EntryId, said: Decided, request: Request, forms: FormsPort, viewer: Viewer
) -> dict[str, Any]:
    """Decide a step that asks the caller."""
    await forms.entries.decide(
        viewer,
        entry_id,
        said.step,
        said.verdict,
        reason=said.reason,
        signature=said.signature,
        address=_address(request),
    )
    return _dossier(await forms.seeing.get(viewer, entry_id))


@router.post("/entries/{entry_id}/withdraw")
async def withdraw(
    entry_id: EntryId, said: Annotated[Reason, Body()], request: Request, forms: FormsPort, viewer: Viewer
) -> dict[str, Any]:
    """End one's own entry."""
    await forms.entries.withdraw(viewer, entry_id, said.reason, address=_address(request))
    return _dossier(await forms.seeing.get(viewer, entry_id))


@router.post("/entries/{entry_id}/photos/{field_id}", status_code=HTTPStatus.CREATED)
async def add_photo(
    entry_id: EntryId,
    field_id: str,
    request: Request,
    forms: FormsPort,
    viewer: Viewer,
    name: Annotated[str, Query(max_length=200)] = "photo",
) -> dict[str, Any]:
    """Add a picture, the body of the request, to one's own draft: JPEG, PNG or WebP, at most 10 MB."""
    return await forms.entries.add_photo(viewer, entry_id, field_id, name, await _body(request, MOST_PHOTO_BYTES))


@router.get("/entries/{entry_id}/photos/{photo}", response_class=Response)
async def photo(entry_id: EntryId, photo: str, forms: FormsPort, viewer: Viewer) -> Response:
    """A picture of an entry."""
    content, kind = await forms.entries.photo(viewer, entry_id, photo)
    return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=86400"})


async def _body(request: Request, most: int) -> bytes:
    """The request's body; whatever is larger is refused before it is read to its end."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            text = f"The body is larger than {most / 1e6:g} MB, the most that is taken here."
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"code": "forms.too-large", "message": text})
    return bytes(content)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _form(form: Form) -> dict[str, Any]:
    return {
        "id": form.id,
        "key": form.key,
        "tenant": form.tenant,
        "title": form.definition.title,
        "version": form.version,
        "revision": form.revision,
        "retired": form.is_retired,
        "changed_at": _at(form.changed_at),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "form_id": entry.form_id,
        "version": entry.version,
        "title": entry.definition.title,
        "tenant": entry.tenant,
        "author": entry.author,
        "subject": entry.subject,
        "state": entry.state,
        "values": dict(entry.values),
        "changed_at": _at(entry.changed_at),
        "sent_at": _at(entry.sent_at),
        "ended_at": _at(entry.ended_at),
    }


def _dossier(dossier: Dossier) -> dict[str, Any]:
    return _entry(dossier.entry) | {
        "asked": [
            {"step": one.step.id, "due_at": _at(one.due_at), "deciders": one.deciders, "mine": one.is_mine}
            for one in dossier.asked
        ],
        "decisions": [
            {"step": one.step, "round": one.round, "verdict": one.verdict, "reason": one.reason, "by": one.by}
            | {"at": _at(one.at), "signed": one.signature is not None}
            for one in dossier.decisions
        ],
        "history": [
            {"at": _at(one.at), "by": one.by, "what": one.what, "detail": dict(one.detail)} for one in dossier.history
        ],
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
