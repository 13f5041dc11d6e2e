"""Forms over HTTP from the real server: filled in, decided, exported, and refused to whom they do not concern."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx
import pytest

from athanor.kernel.forms.building import exported
from athanor.kernel.forms.templates import templates
from athanor.web.sessions import COOKIE

from .site import Site

PEOPLE: Mapping[str, tuple[str, str | None]] = {
    "fanna": ("administrator", None),
    "fadmin": ("administrator", "copper"),
    "fwriter": ("operator", "copper"),
    "flead": ("engineer", "copper"),
    "fother": ("operator", "copper"),
    "flooker": ("viewer", "copper"),
    "fstranger": ("administrator", "carbon"),
}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 30
FORMULA = "=HYPERLINK(1)"


class Caller:
    """Calls the routes of forms as somebody, or as nobody."""

    def __init__(self, site: Site, session: str = "") -> None:
        self._address = f"{site.url}/api/v1/forms"
        self._headers = {"Origin": site.url} | ({"Cookie": f"{COOKIE}={session}"} if session else {})
        self.get, self.post = partial(self.request, "GET"), partial(self.request, "POST")
        self.put, self.patch = partial(self.request, "PUT"), partial(self.request, "PATCH")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, self._address + path, headers=self._headers, **more)


def caller(site: Site, login: str) -> Caller:
    return Caller(site, site.admit(login, *PEOPLE[login]))


def a_form(key: str, **more: Any) -> bytes:
    fields = [
        {"id": "amount", "kind": "number", "unit": "t", "required": True, "min": 0},
        {"id": "note", "kind": "text", "label": {"en": FORMULA}},
        {"id": "photo", "kind": "photo"},
    ]
    steps = [{"id": "check", "who": "role", "name": "engineer"}]
    form = {"title": {"en": f"Form {key}"}, "fields": fields, "steps": steps, **more}
    return json.dumps({"format": "athanor-form", "format_version": 1, "key": key, "form": form}).encode()


def published(site: Site, key: str, *, by: str = "fadmin") -> int:
    for login in PEOPLE:
        site.admit(login, *PEOPLE[login])
    client = caller(site, by)
    made = client.post("/definitions", content=a_form(key))
    assert made.status_code == 201, made.text
    assert client.post(f"/definitions/{made.json()['id']}/publish").json() == {"version": 1}
    return int(made.json()["id"])


def test_an_entry_is_filled_in_sent_and_decided(site: Site) -> None:
    form = published(site, "api-sheet")
    writer, lead = caller(site, "fwriter"), caller(site, "flead")
    entry = writer.post("/entries", json={"form_id": form, "values": {"amount": "five"}}).json()["id"]
    refused = writer.post(f"/entries/{entry}/submit")
    assert (refused.status_code, refused.json()["detail"]["code"]) == (422, "forms.entry-refused")
    assert writer.patch(f"/entries/{entry}", json={"values": {"amount": 5}}).json()["values"]["amount"] == 5
    assert writer.post(f"/entries/{entry}/photos/photo?name=a.png", content=PNG).status_code == 201
    assert writer.post(f"/entries/{entry}/submit").json()["state"] == "at_step"
    assert entry in [one["id"] for one in lead.get("/entries?which=waiting").json()]  # beside other files' entries
    decided = lead.post(f"/entries/{entry}/decisions", json={"step": "check", "verdict": "approve"})
    assert decided.json()["state"] == "approved"
    again = lead.post(f"/entries/{entry}/decisions", json={"step": "check", "verdict": "reject", "reason": "late"})
    assert (again.status_code, again.json()["detail"]["code"]) == (409, "forms.already-decided")
    photo = decided.json()["values"]["photo"][0]["id"]
    answer = lead.get(f"/entries/{entry}/photos/{photo}")
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")


def test_whom_an_entry_does_not_concern_finds_nothing(site: Site) -> None:
    form = published(site, "api-hidden")
    writer = caller(site, "fwriter")
    entry = writer.post("/entries", json={"form_id": form, "values": {"amount": 1}}).json()["id"]
    photo = writer.post(f"/entries/{entry}/photos/photo", content=PNG).json()["id"]
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"/entries/{entry}", None),
        ("PATCH", f"/entries/{entry}", {"values": {"amount": 2}}),
        ("POST", f"/entries/{entry}/submit", None),
        ("POST", f"/entries/{entry}/decisions", {"step": "check", "verdict": "approve"}),
        ("POST", f"/entries/{entry}/withdraw", {"reason": ""}),
        ("POST", f"/entries/{entry}/photos/photo", None),
        ("GET", f"/entries/{entry}/photos/{photo}", None),
    ]
    for login in ("fstranger", "fother", "flooker"):
        client = caller(site, login)
        assert {client.request(method, path, json=body).status_code for method, path, body in calls} == {404}, login
        assert entry not in [one["id"] for one in client.get("/entries").json()]
    for path in (f"/definitions/{form}", f"/definitions/{form}/entries.csv"):
        assert caller(site, "fstranger").get(path).status_code == 404
    assert caller(site, "fstranger").post("/entries", json={"form_id": form}).status_code == 404
    assert caller(site, "fstranger").post(f"/definitions/{form}/publish").status_code == 404
    nobody = Caller(site)
    assert {nobody.request(method, path, json=body).status_code for method, path, body in calls} == {401}


def test_only_who_administers_builds(site: Site) -> None:
    form = published(site, "api-built")
    lead = caller(site, "flead")
    assert lead.post("/definitions", content=a_form("api-mine")).status_code == 403
    assert lead.put(f"/definitions/{form}?revision=1", content=a_form("x-y")).status_code == 403
    assert lead.post(f"/definitions/{form}/retire").status_code == 403
    admin = caller(site, "fadmin")
    changed = a_form("api-built", title={"en": "Other"})
    assert admin.put(f"/definitions/{form}?revision=1", content=changed).json()["revision"] == 2
    assert admin.put(f"/definitions/{form}?revision=1", content=changed).status_code == 409
    assert admin.post(f"/definitions/{form}/retire").status_code == 204
    assert caller(site, "fwriter").post("/entries", json={"form_id": form}).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 422), (b"[]", 422), (b"\x00\xff", 422), (a_form("Bad Key!"), 422), (b"x" * 600_000, 413)],
)
def test_a_broken_form_is_refused_in_words(site: Site, content: bytes, status: int) -> None:
    answer = caller(site, "fadmin").post("/definitions", content=content)
    assert answer.status_code == status
    assert len(answer.json()["detail"]["message"]) > 20


def test_a_form_goes_from_one_enterprise_to_another_as_a_file(site: Site) -> None:
    form = published(site, "api-moves")
    file = caller(site, "fadmin").get(f"/definitions/{form}").content
    made = caller(site, "fstranger").post("/definitions", content=file)
    assert (made.status_code, made.json()["tenant"], made.json()["version"]) == (201, "carbon", 0)


def test_tables_of_entries_hold_no_formula(site: Site) -> None:
    form = published(site, "api-table")
    writer = caller(site, "fwriter")
    writer.post("/entries", json={"form_id": form, "values": {"amount": -2.5, "note": FORMULA}})
    client = caller(site, "fadmin")
    head, row = csv.reader(io.StringIO(client.get(f"/definitions/{form}/entries.csv").content.decode("utf-8-sig")))
    assert head[-3:] == ["amount [t]", f"'{FORMULA}", "photo"]
    assert row[1:3] + row[-3:] == ["draft", "fwriter", "-2.5", f"'{FORMULA}", ""]
    book = client.get(f"/definitions/{form}/entries.xlsx").content
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"MZ", b""])
def test_what_is_no_picture_is_not_taken_for_one(site: Site, content: bytes) -> None:
    form = site.wait_for(_form(site))
    writer = caller(site, "fwriter")
    entry = writer.post("/entries", json={"form_id": form}).json()["id"]
    answer = writer.post(f"/entries/{entry}/photos/photos?name=x.png", content=content)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "forms.bad-photo")


async def _form(site: Site) -> int:
    """The round of inspection, published for the park."""
    forms: Any = site.platform.ports["forms"]
    viewer = await site.platform.identity.sessions.user_of(await site._admit("fanna", *PEOPLE["fanna"]))
    known = [one for one in await forms.definitions.all(viewer) if one.key == "hot-work-round"]
    if known:
        return int(known[0].id)
    form = await forms.definitions.make(viewer, "hot-work-round", templates()["hot-work-round"])
    await forms.definitions.publish(viewer, form)
    assert exported(await forms.definitions.get(viewer, form))
    return int(form)
