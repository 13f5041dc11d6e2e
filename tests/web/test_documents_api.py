"""Documents over HTTP from the real server: uploads, downloads, and what browsers are told."""

import asyncio
import hashlib
import http.client
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

import httpx
import pytest

from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User
from athanor.web.sessions import COOKIE

from .site import Site

FURNACE = "smelter.smelting.bath.furnace"
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 20


@pytest.fixture(scope="module")
def olga(site: Site) -> Iterator[httpx.Client]:
    """An engineer of the copper works."""
    with httpx.Client(base_url=site.url, cookies={COOKIE: site.admit("olga-docs", "engineer", "copper")}) as client:
        yield client


@pytest.fixture(scope="module")
def karl(site: Site) -> Iterator[httpx.Client]:
    """An engineer of the carbon works."""
    with httpx.Client(base_url=site.url, cookies={COOKIE: site.admit("karl-docs", "engineer", "carbon")}) as client:
        yield client


@pytest.fixture(scope="module")
def vera(site: Site) -> Iterator[httpx.Client]:
    """Somebody of the copper works who only looks."""
    with httpx.Client(base_url=site.url, cookies={COOKIE: site.admit("vera-docs", "viewer", "copper")}) as client:
        yield client


def upload(client: httpx.Client, name: str, content: bytes, **query: str) -> int:
    """Keep a document: its id."""
    answer = client.post("/api/v1/documents", params={"name": name} | query, content=content)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["document"])


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["detail"]["code"])


def service(site: Site) -> Documents:
    documents = site.platform.ports["documents"]
    assert isinstance(documents, Documents)
    return documents


def test_a_file_comes_back_whole_in_part_and_not_again(olga: httpx.Client) -> None:
    number = upload(olga, "plan.pdf", PDF)
    whole = olga.get(f"/api/v1/documents/{number}/content")
    etag = whole.headers["etag"]
    assert (whole.content, etag) == (PDF, f'"{hashlib.sha256(PDF).hexdigest()}"')
    part = olga.get(f"/api/v1/documents/{number}/content", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, PDF[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(PDF)}"
    beyond = olga.get(f"/api/v1/documents/{number}/content", headers={"Range": f"bytes={len(PDF)}-"})
    assert code(beyond) == (416, "documents.beyond-end")
    known = olga.get(f"/api/v1/documents/{number}/content", headers={"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")
    changed = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert olga.get(f"/api/v1/documents/{number}/content", headers=changed).status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "is_shown"),
    [
        ("plan.pdf", PDF, True),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(50), True),
        ("plan.pdf", b"<!DOCTYPE html><script>parent.hacked=1</script>", False),
        ("photo.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", False),
        ("note.txt", b"<b>only text</b> maybe", False),
    ],
)
def test_only_what_runs_nothing_is_shown_in_the_browser(
    olga: httpx.Client, name: str, content: bytes, is_shown: bool
) -> None:
    number = upload(olga, name, content)
    answer = olga.get(f"/api/v1/documents/{number}/content", params={"inline": "true"})
    headers = answer.headers
    assert headers["content-disposition"].startswith("inline" if is_shown else "attachment")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    if not is_shown:
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-security-policy"].endswith("sandbox")
    saved = olga.get(f"/api/v1/documents/{number}/content")
    assert saved.headers["content-disposition"].startswith("attachment")


def test_a_program_is_refused_whatever_it_is_called(olga: httpx.Client) -> None:
    answer = olga.post("/api/v1/documents", params={"name": "plan.pdf"}, content=b"MZ\x90\x00" + bytes(500))
    assert code(answer) == (422, "documents.type-not-allowed")


def test_names_that_mislead_are_made_plain_and_travel_whole(olga: httpx.Client) -> None:
    number = upload(olga, '../../etc/"熔炼炉"\r\nSet-Cookie: a=b; \u202efdp.exe', PDF)
    header = olga.get(f"/api/v1/documents/{number}/content").headers["content-disposition"]
    plain, kept = "_____Set-Cookie_ a=b; fdp.exe", "_熔炼炉_Set-Cookie_ a=b; fdp.exe"
    assert header == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"


def test_what_is_too_large_empty_or_breaks_off_is_refused_and_leaves_nothing(
    site: Site, olga: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = service(site)
    before = (olga.get("/api/v1/documents").json()["total"], count_files(site))
    monkeypatch.setattr(documents, "rules", replace(documents.rules, most_bytes=100_000))
    large = b"%PDF-1.4\n" + bytes(100_000)
    assert code(olga.post("/api/v1/documents", params={"name": "a.pdf"}, content=large)) == (413, "documents.too-large")
    pieces = (large[start : start + 9000] for start in range(0, len(large), 9000))  # without a Content-Length
    assert code(olga.post("/api/v1/documents", params={"name": "a.pdf"}, content=pieces)) == (
        413,
        "documents.too-large",
    )
    assert code(olga.post("/api/v1/documents", params={"name": "a.pdf"}, content=b"")) == (422, "documents.empty")
    break_off(site, olga)
    assert (olga.get("/api/v1/documents").json()["total"], count_files(site)) == before


def break_off(site: Site, client: httpx.Client) -> None:
    """Announce more than is sent, and go away."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    connection.putrequest("POST", "/api/v1/documents?name=a.pdf")
    connection.putheader("Content-Length", "90000")
    connection.putheader("Cookie", f"{COOKIE}={client.cookies[COOKIE]}")
    connection.endheaders(PDF)
    connection.close()
    site.wait_for(asyncio.sleep(0.3))


def count_files(site: Site) -> int:
    """Files of documents in the store, also those that are coming in."""
    folder = site.platform.settings.data_dir / "files"
    return sum(1 for part in ("documents", ".incoming") for path in (folder / part).rglob("*") if path.is_file())


def test_a_gigabyte_is_refused_before_any_of_it_comes(site: Site, olga: httpx.Client) -> None:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    connection.putrequest("POST", "/api/v1/documents?name=a.pdf")
    connection.putheader("Content-Length", str(1_000_000_001))
    connection.putheader("Cookie", f"{COOKIE}={olga.cookies[COOKIE]}")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_who_only_looks_changes_nothing_and_a_stranger_sees_nothing(
    site: Site, olga: httpx.Client, vera: httpx.Client, karl: httpx.Client
) -> None:
    number = upload(olga, "secret.pdf", PDF, title="Secret plan")
    assert vera.get(f"/api/v1/documents/{number}").json()["title"] == "Secret plan"
    calls = [
        ("POST", "", {"params": {"name": "a.pdf"}, "content": PDF}),
        ("POST", f"/{number}/versions", {"params": {"name": "a.pdf"}, "content": PDF}),
        ("POST", f"/{number}/versions/1/go-back", {}),
        ("PATCH", f"/{number}", {"json": {"title": "x"}}),
        ("POST", f"/{number}/remove", {"json": {"reason": "x"}}),
        ("POST", f"/{number}/restore", {}),
        ("PUT", f"/{number}/about", {"json": {"kind": "asset", "subject": FURNACE}}),
        ("DELETE", f"/{number}/about", {"params": {"kind": "asset", "subject": FURNACE}}),
        ("GET", "/retention", {}),
    ]
    for method, path, rest in calls:
        assert vera.request(method, f"/api/v1/documents{path}", **rest).status_code == 403, path
        assert httpx.request(method, f"{site.url}/api/v1/documents{path}", **rest).status_code == 401, path
    for path in (f"/{number}", f"/{number}/content", f"/{number}/versions/1/content"):
        assert karl.get(f"/api/v1/documents{path}").status_code == 404
        assert httpx.get(f"{site.url}/api/v1/documents{path}").status_code == 401
    assert karl.post(f"/api/v1/documents/{number}/remove", json={"reason": "x"}).status_code == 404
    assert karl.get("/api/v1/documents", params={"search": "secret"}).json()["total"] == 0


def test_a_document_is_filed_tied_found_removed_and_restored(olga: httpx.Client) -> None:
    number = upload(olga, "pid.pdf", PDF, asset=FURNACE, title="P&ID 100")
    assert olga.post("/api/v1/documents", params={"name": "x", "asset": "no.such"}, content=PDF).status_code == 404
    changed = olga.patch(f"/api/v1/documents/{number}", json={"labels": ["Drawing 底吹"]}).json()
    assert (changed["title"], changed["labels"]) == ("P&ID 100", ["Drawing 底吹"])
    found = olga.get("/api/v1/documents", params={"asset": "smelter", "search": "p&id 底吹 熔炼炉"}).json()
    assert [one["id"] for one in found["documents"]] == [number]
    version = olga.post(f"/api/v1/documents/{number}/versions", params={"name": "b.pdf"}, content=PDF + b"b")
    assert version.json()["version"]["number"] == 2
    assert olga.post(f"/api/v1/documents/{number}/versions/1/go-back").json()["number"] == 3
    assert [one["number"] for one in olga.get(f"/api/v1/documents/{number}").json()["versions"]] == [3, 2, 1]
    subject = {"kind": "asset", "subject": FURNACE}
    assert olga.request("DELETE", f"/api/v1/documents/{number}/about", params=subject).status_code == 204
    assert olga.put(f"/api/v1/documents/{number}/about", json={"kind": "alarm", "subject": "17"}).status_code == 204
    assert olga.get(f"/api/v1/documents/{number}").json()["about"] == [{"kind": "alarm", "subject": "17"}]
    assert olga.post(f"/api/v1/documents/{number}/remove", json={"reason": "Replaced"}).status_code == 204
    removed = olga.get("/api/v1/documents", params={"removed": "true"}).json()["documents"]
    assert number in [one["id"] for one in removed]
    assert olga.post(f"/api/v1/documents/{number}/restore").status_code == 204
    assert code(olga.post(f"/api/v1/documents/{number}/restore")) == (422, "documents.bad-change")


def test_the_same_file_is_told(olga: httpx.Client) -> None:
    first = upload(olga, "one.pdf", PDF + b"same")
    again = olga.post("/api/v1/documents", params={"name": "two.pdf"}, content=PDF + b"same").json()
    assert again["same"] == [{"id": first, "title": "one.pdf"}]


def test_a_file_that_is_gone_from_the_store_is_said_and_not_answered_as_empty(site: Site, olga: httpx.Client) -> None:
    number = upload(olga, "lost.pdf", PDF + b"lost")
    documents = service(site)

    async def lose() -> None:
        version = await documents.open(User(0, "olga-docs", "", ("engineer",), "copper"), number)
        await site.platform.ports["files"].delete(version.blob)  # type: ignore[attr-defined]

    site.wait_for(lose())
    assert code(olga.get(f"/api/v1/documents/{number}/content")) == (404, "files.missing")
