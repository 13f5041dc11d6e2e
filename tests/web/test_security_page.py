"""Security: who sees the audit trail, what is found in it, what leaves, and whether it is whole."""

import csv
import hashlib
import io
import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.audit import record
from athanor.kernel.identity.sessions import SignInRefusedError, Where
from athanor.web.sessions import COOKIE

from .site import Site

ADMINISTRATOR, OF_COPPER, VIEWER = "sec.anna", "sec.chen", "sec.vera"
ROUTES = ("audit", "audit/1", "audit/export", "posture")


@pytest.fixture(scope="module")
def sessions(site: Site) -> dict[str, str]:
    return {
        ADMINISTRATOR: site.admit(ADMINISTRATOR, "administrator"),
        OF_COPPER: site.admit(OF_COPPER, "administrator", "copper"),
        VIEWER: site.admit(VIEWER, "viewer", "copper"),
    }


@pytest.fixture(scope="module", autouse=True)
def deeds(site: Site, sessions: dict[str, str]) -> None:
    """A few entries to look for, one of them hostile."""

    async def enter() -> None:
        async with site.platform.database.session() as session:
            for number in range(60):
                record(session, OF_COPPER, "historian.samples-corrected", f"copper.pump_{number}", address="10.1.2.3")
            detail = {"name": ["Old & name", "<img src=x onerror=alert(1)>"]}
            record(session, ADMINISTRATOR, "identity.department-renamed", "=1+1", address="10.9.9.9", detail=detail)

    site.wait_for(enter())


def get(site: Site, session: str | None, path: str, **params: object) -> httpx.Response:
    cookies = {} if session is None else {COOKIE: session}
    return httpx.get(f"{site.url}/api/v1/security/{path}", params=params, cookies=cookies, timeout=30)


@pytest.mark.parametrize("route", ROUTES)
def test_strangers_and_viewers_get_nothing(site: Site, sessions: dict[str, str], route: str) -> None:
    assert get(site, None, route).status_code == 401
    assert get(site, sessions[VIEWER], route).status_code == 403


def test_a_refused_permission_is_in_the_trail(site: Site, sessions: dict[str, str]) -> None:
    get(site, sessions[VIEWER], "audit")
    found = get(site, sessions[ADMINISTRATOR], "audit", actor=VIEWER, action="identity.permission-refused").json()
    newest = found["entries"][0]
    assert (newest["subject"], newest["address"]) == ("security.administer", "127.0.0.1")
    assert newest["detail"]["place"].startswith("/api/v1/security/")


def test_an_enterprises_administrator_reads_of_its_own_people_alone(site: Site, sessions: dict[str, str]) -> None:
    entries = get(site, sessions[OF_COPPER], "audit", limit=500).json()["entries"]
    own = {one.login for one in site.wait_for(site.platform.identity.accounts.users()) if one.tenant == "copper"}
    assert {OF_COPPER} <= {entry["actor"] for entry in entries} <= own
    of_park = get(site, sessions[ADMINISTRATOR], "audit", actor=ADMINISTRATOR).json()["entries"][0]["id"]
    assert get(site, sessions[OF_COPPER], f"audit/{of_park}").status_code == 404
    answer = httpx.post(f"{site.url}/api/v1/security/audit/verify", cookies={COOKIE: sessions[OF_COPPER]})
    assert answer.status_code == 403


def test_pages_of_the_api_follow_each_other(site: Site, sessions: dict[str, str]) -> None:
    session, seen, before = sessions[ADMINISTRATOR], [], None
    while True:
        more = {} if before is None else {"before": before}
        page = get(site, session, "audit", subject="copper.pump_", limit=25, **more).json()
        seen += [entry["subject"] for entry in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [f"copper.pump_{number}" for number in range(59, -1, -1)]


BAD_QUESTIONS = (
    {"limit": 0},
    {"limit": 501},
    {"before": 2**63},
    {"from": "yesterday"},
    {"from": "2026-05-04T07:30"},  # in which zone?
    {"text": "x" * 201},
)


@pytest.mark.parametrize("params", BAD_QUESTIONS)
def test_bad_questions_are_refused(site: Site, sessions: dict[str, str], params: dict[str, object]) -> None:
    assert get(site, sessions[ADMINISTRATOR], "audit", **params).status_code == 422


def test_an_export_can_be_checked_and_is_in_the_trail(site: Site, sessions: dict[str, str]) -> None:
    answer = get(site, sessions[ADMINISTRATOR], "audit/export", form="csv", actor=ADMINISTRATOR)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    for row in rows:
        assert hashlib.sha256((row["before"] + row["content"]).encode()).hexdigest() == row["chain"]
    hostile = next(row for row in rows if row["action"] == "identity.department-renamed")
    assert hostile["subject"] == "'=1+1"
    assert json.loads(hostile["content"])[3] == "=1+1"
    exported = get(site, sessions[ADMINISTRATOR], "audit", action="security.audit-exported").json()["entries"][0]
    assert (exported["actor"], exported["detail"]["actor"]) == (ADMINISTRATOR, ADMINISTRATOR)


def test_the_chain_is_verified_by_the_api(site: Site, sessions: dict[str, str]) -> None:
    answer = httpx.post(f"{site.url}/api/v1/security/audit/verify", cookies={COOKIE: sessions[ADMINISTRATOR]})
    assert answer.json()["whole"] is True
    assert get(site, sessions[ADMINISTRATOR], "posture").json()["audit_whole"] is True


def show(site: Site, page: Page, sessions: dict[str, str], login: str, path: str) -> None:
    page.context.add_cookies([{"name": COOKIE, "value": sessions[login], "url": site.url}])
    page.goto(f"{site.url}{path}")


def test_the_trail_is_narrowed_paged_and_opened(site: Site, page: Page, sessions: dict[str, str]) -> None:
    show(site, page, sessions, ADMINISTRATOR, "/security/audit")
    page.get_by_label("To what").fill("copper.pump_")
    page.get_by_label("To what").press("Enter")
    rows = page.locator("tbody tr")
    expect(page.get_by_text("1–25 of 60")).to_be_visible()  # the narrowed ones are there; until then it showed all
    expect(rows).to_have_count(25)
    expect(rows.first).to_contain_text("Samples corrected")
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("26–50 of 60")).to_be_visible()
    expect(rows.first).to_contain_text("copper.pump_34")
    page.get_by_role("button", name="Previous page").click()
    expect(rows.first).to_contain_text("copper.pump_59")
    assert page.get_by_label("To what").input_value() == "copper.pump_"
    page.goto(f"{site.url}/security/audit?action=identity.department-renamed")
    page.locator("tbody a").first.click()
    expect(page.get_by_text("Old & name")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()


def test_the_chain_is_verified_by_a_button(site: Site, page: Page, sessions: dict[str, str]) -> None:
    show(site, page, sessions, ADMINISTRATOR, "/security/audit")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_text("The chain is whole")).to_be_visible()
    expect(page.get_by_text("none changed or missing")).to_be_visible()
    show(site, page, sessions, OF_COPPER, "/security/audit")
    expect(page.get_by_text("Entries, the newest first")).to_be_visible()
    expect(page.get_by_role("button", name="Verify the chain")).to_have_count(0)


def test_the_export_of_the_page_is_what_it_shows(site: Site, page: Page, sessions: dict[str, str]) -> None:
    show(site, page, sessions, ADMINISTRATOR, "/security/audit?subject=copper.pump_1&from=2020-01-01T00:00")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON lines").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["subject"] for line in lines} == {"copper.pump_1"} | {
        f"copper.pump_1{n}" for n in range(10)
    }


def test_a_refused_sign_in_shows_on_the_time_line_of_its_person(
    site: Site, page: Page, sessions: dict[str, str]
) -> None:
    async def fail() -> None:
        with pytest.raises(SignInRefusedError):
            await site.platform.identity.sessions.sign_in(VIEWER, "wrong password", Where("203.0.113.77"))

    site.wait_for(fail())
    show(site, page, sessions, ADMINISTRATOR, f"/security?person={VIEWER}")
    row = page.locator("tbody tr", has_text="203.0.113.77").first
    expect(row).to_contain_text("Sign-in refused")
    expect(page.get_by_text("Sign-ins refused, 24 h")).to_be_visible()
    expect(page.locator("tbody tr", has_text="Administrator without a second factor").first).to_be_visible()


@pytest.mark.parametrize("path", ["/security", "/security/audit", "/security/audit/1"])
def test_a_viewer_is_turned_away_and_sees_no_tab(site: Site, page: Page, sessions: dict[str, str], path: str) -> None:
    show(site, page, sessions, VIEWER, path)
    expect(page.get_by_text("This page is not for you")).to_be_visible()
    expect(page.locator("nav a[href='/security']")).to_have_count(0)
