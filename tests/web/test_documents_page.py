"""Documents in the browser: dropped, looked at, filed, tied, brought forward, removed and restored."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import DocumentRow, Scan, VersionRow
from athanor.web.sessions import COOKIE

from .site import Site

pytestmark = pytest.mark.chromium

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(scope="module")
def nora(site: Site) -> Iterator[httpx.Client]:
    """An engineer of the carbon works, whom no other file knows. What others uploaded there is taken out of use."""
    cookies = {COOKIE: site.admit("nora-docs", "engineer", "carbon")}
    with httpx.Client(base_url=site.url, cookies=cookies, headers={"Origin": site.url}, timeout=30) as client:
        for one in client.get("/api/v1/documents", params={"limit": 500}).json()["documents"]:
            client.post(f"/api/v1/documents/{one['id']}/remove", json={"reason": "not nora's"}).raise_for_status()
        yield client


def upload(client: httpx.Client, name: str, content: bytes, **query: str) -> int:
    answer = client.post("/api/v1/documents", params={"name": name} | query, content=content)
    return int(answer.json()["document"])


def test_files_are_dropped_listed_found_and_exported(
    site: Site, nora: httpx.Client, page: Page, tmp_path: Path
) -> None:
    assert nora.get("/api/v1/documents").json()["total"] == 0
    site.open(page, "/documents", "nora-docs")
    expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()
    (tmp_path / "=cmd().csv").write_text("heat,Cu\n1,71.2\n2,70.8\n", encoding="utf-8")
    (tmp_path / "plan.pdf").write_bytes(PDF)
    (tmp_path / "tool.pdf").write_bytes(b"MZ\x90\x00" + bytes(500))
    (tmp_path / "empty.txt").write_bytes(b"")
    page.locator("input[type=file]").set_input_files([*sorted(tmp_path.iterdir())])
    uploads = page.locator(".ath-uploads li")
    expect(uploads.filter(has_text="plan.pdf")).to_contain_text("Stored")
    expect(uploads.filter(has_text="=cmd().csv")).to_contain_text("Stored")
    expect(uploads.filter(has_text="tool.pdf")).to_contain_text("A file of this type is not taken")
    expect(uploads.filter(has_text="empty.txt")).to_contain_text("0 bytes")
    table = page.get_by_role("table", name="Documents")
    expect(table.get_by_role("row")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert sorted(row["Title"] for row in rows) == ["'=cmd().csv", "plan.pdf"]
    page.get_by_role("searchbox", name="Search").fill("plan")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("searchbox", name="Search").fill("")
    page.get_by_label("Type").select_option("text")
    expect(table).to_contain_text("=cmd().csv")
    expect(table.get_by_role("row")).to_have_count(2)
    table.get_by_role("link", name="=cmd().csv").click()
    expect(page.get_by_role("table", name="First rows")).to_contain_text("71.2")


def test_a_document_is_filed_tied_brought_forward_and_back(
    site: Site, nora: httpx.Client, page: Page, tmp_path: Path
) -> None:
    number = upload(nora, "kiln.pdf", PDF)
    site.open(page, f"/documents/{number}", "nora-docs")
    page.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=title]").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("give it a title")
    dialog.locator("input[name=title]").fill("Kiln drawing")
    dialog.locator("input[name=labels]").fill("Drawing， 图纸")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Kiln drawing", level=1)).to_be_visible()
    expect(page.get_by_text("Drawing, 图纸")).to_be_visible()

    page.get_by_role("button", name="Tie to an asset…").click()
    dialog.get_by_role("searchbox").fill("转窑")
    dialog.get_by_role("button", name="Choose").click()
    page.get_by_role("link", name="Kiln", exact=True).click()
    page.wait_for_url("**/documents?asset=kilns.kiln")
    page.get_by_role("link", name="Kiln drawing").click()

    page.get_by_role("button", name="Upload a new version…").click()
    newer = tmp_path / "kiln-b.pdf"
    newer.write_bytes(PDF + b"% revised\n")
    dialog.get_by_label("What is new").fill("Burner moved")
    dialog.locator("input[type=file]").set_input_files(newer)
    versions = page.get_by_role("table", name="Versions")
    expect(versions).to_contain_text("Burner moved")
    expect(versions).to_contain_text("+10 B")
    versions.get_by_role("button", name="Go back to it…").click()
    page.get_by_role("dialog").get_by_role("button", name="Go back", exact=True).click()
    expect(versions).to_contain_text("as version 1")
    with page.expect_download() as download:
        versions.get_by_role("link", name="Download version 2").click()
    assert download.value.path().read_bytes() == PDF + b"% revised\n"
    assert download.value.suggested_filename == "kiln-b.pdf"


def test_removing_asks_for_a_reason_and_can_be_taken_back(site: Site, nora: httpx.Client, page: Page) -> None:
    number = upload(nora, "old.pdf", PDF)
    site.open(page, f"/documents/{number}", "nora-docs")
    page.get_by_role("button", name="Remove…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("say why")
    dialog.locator("textarea[name=reason]").fill("Replaced by the new plan")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Replaced by the new plan")).to_be_visible()
    expect(page.get_by_role("button", name="Change…")).to_have_count(0)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name="Change…")).to_be_visible()


def test_what_is_in_quarantine_or_infected_is_named_and_cannot_be_opened(
    site: Site, nora: httpx.Client, page: Page
) -> None:
    number = upload(nora, "macro.pdf", PDF)

    async def judge(scan: Scan, finding: str = "") -> None:
        async with site.platform.database.session() as session:
            query = update(VersionRow).where(VersionRow.document_id == number)
            await session.execute(query.values(scan=scan, finding=finding))

    site.wait_for(judge(Scan.PENDING))
    site.open(page, f"/documents/{number}", "nora-docs")
    expect(page.get_by_text("It can be opened once it has been searched")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Download"))).to_have_count(0)
    assert nora.get(f"/api/v1/documents/{number}/content").status_code == 423
    site.wait_for(judge(Scan.INFECTED, "Eicar-Test-Signature"))
    expect(page.get_by_text("Nobody can open this file.")).to_be_visible()  # the page looks by itself
    expect(page.get_by_text("Infected: Eicar-Test-Signature").first).to_be_visible()
    assert nora.get(f"/api/v1/documents/{number}/content").status_code == 403


def test_a_phone_shows_a_document_and_the_list_in_chinese_without_scrolling_sideways(
    site: Site, nora: httpx.Client, page: Page
) -> None:
    number = upload(nora, f"{'very-long-name-' * 10}.pdf", PDF, title="底吹炉图纸")
    page.set_viewport_size({"width": 390, "height": 844})
    page.context.add_cookies([{"name": "athanor_language", "value": "zh_CN", "url": site.url}])
    for path, heading in (("/documents", "文档"), (f"/documents/{number}", "底吹炉图纸")):
        site.open(page, path, "nora-docs")
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_retention_is_the_administrators(site: Site, page: Page) -> None:
    site.open(page, "/documents/retention", "nora-docs")
    expect(page.get_by_text("This page is not for you")).to_be_visible()
    site.open(page, "/documents/retention")
    expect(page.get_by_role("heading", name="Documents are kept for ever")).to_be_visible()


def test_what_a_class_removes_is_shown_before_it_goes(
    site: Site, nora: httpx.Client, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = site.platform.ports["documents"]
    assert isinstance(documents, Documents)
    rules = replace(documents.rules, retention_days={"working": 365})
    monkeypatch.setattr(documents, "rules", rules)
    monkeypatch.setattr(documents.upkeep, "_rules", rules)
    number = upload(nora, "draft.pdf", PDF + b"% draft", title="Last year's draft", retention="working")

    async def age() -> None:
        async with site.platform.database.session() as session:
            old = datetime.now(UTC) - timedelta(days=366)
            await session.execute(update(DocumentRow).where(DocumentRow.id == number).values(changed_at=old))

    site.wait_for(age())
    site.open(page, "/documents/retention")
    going = page.get_by_role("table", name="What the next sweep removes")
    expect(going).to_contain_text("Last year's draft")
    page.get_by_role("button", name="Let them go now…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove 1").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 were removed")
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nothing goes now.")).to_be_visible()
    assert nora.get(f"/api/v1/documents/{number}").json()["removed_at"] is not None
