"""Operations as people use it, and as programs do: who sees what, running, cancelling, schedules, log."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.web.sessions import COOKIE

from .site import Site

ADMIN, BOSS, WORKER = "ops-admin", "ops-boss", "ops-worker"


@pytest.fixture(scope="module", autouse=True)
def people(site: Site) -> dict[str, str]:
    """Sessions of the park's administrator, an enterprise's, and a viewer."""
    return {
        ADMIN: site.admit(ADMIN, "administrator"),
        BOSS: site.admit(BOSS, "administrator", "copper"),
        WORKER: site.admit(WORKER, "viewer", "copper"),
    }


def client(site: Site, session: str) -> httpx.Client:
    return httpx.Client(base_url=site.url, cookies={COOKIE: session}, trust_env=False)


def until_over(asking: httpx.Client, job_id: str) -> dict[str, object]:
    for _ in range(400):
        job = asking.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
        if job["state"] not in ("queued", "running"):
            return dict(job)
        asyncio.run(asyncio.sleep(0.02))
    pytest.fail("the job goes on")


def start(site: Site, login: str, title: str) -> str:
    """Work of somebody that goes on until it is cancelled."""

    async def endless(progress: Progress) -> JobResult | None:
        progress.tell(stage="reading", fraction=0.25, rows=250)
        while True:
            await asyncio.sleep(0.01)
            progress.check_cancelled()

    async def begin() -> str:
        jobs: Jobs = site.platform.ports["jobs"]  # type: ignore[assignment]
        users = {user.login: user for user in await site.platform.identity.accounts.users()}
        owner: User = users[login]
        return jobs.start("data.import", title, owner, endless)

    return site.wait_for(begin())


@pytest.fixture
def admin(site: Site, people: dict[str, str]) -> Iterator[httpx.Client]:
    with client(site, people[ADMIN]) as asking:
        yield asking


def test_a_program_starts_a_declared_job_and_reads_what_became_of_it(admin: httpx.Client) -> None:
    kinds = {kind["name"]: kind for kind in admin.get("/api/v1/jobs/kinds").json()}
    assert kinds["operations.expire-history"]["arguments"]["properties"]["days"]["default"] == 90
    started = admin.post("/api/v1/jobs", json={"kind": "operations.verify-audit"})
    assert started.status_code == 202
    job = until_over(admin, started.json()["id"])
    assert (job["state"], job["owner"], job["attempt"], job["attempts"]) == ("succeeded", ADMIN, 1, 3)
    refused = admin.post("/api/v1/jobs", json={"kind": "operations.expire-history", "arguments": {"days": "-1; DROP"}})
    assert (refused.status_code, refused.json()["detail"]["code"]) == (422, "jobs.bad-arguments")
    assert admin.post("/api/v1/jobs", json={"kind": "nothing"}).json()["detail"]["code"] == "jobs.unknown-kind"
    found = admin.get("/api/v1/jobs", params={"kind": "operations.verify-audit", "state": "succeeded"}).json()
    assert job["id"] in [one["id"] for one in found]


def test_a_backup_that_has_no_place_is_tried_again_and_says_what_is_missing(admin: httpx.Client) -> None:
    job_id = admin.post("/api/v1/jobs", json={"kind": "operations.create-backup"}).json()["id"]
    for _ in range(200):
        job = admin.get(f"/api/v1/jobs/{job_id}").json()
        if job["error_code"] is not None:
            break
        asyncio.run(asyncio.sleep(0.02))
    assert (job["state"], job["attempt"], job["attempts"]) == ("queued", 1, 2)
    assert "no place for backups" in job["error"]
    assert admin.delete(f"/api/v1/jobs/{job_id}").json()["state"] == "cancelled"


def test_who_does_not_look_after_the_house_is_refused(site: Site, people: dict[str, str]) -> None:
    with client(site, people[BOSS]) as boss, client(site, people[WORKER]) as worker:
        for asking in (boss, worker):
            assert asking.post("/api/v1/jobs", json={"kind": "operations.verify-audit"}).status_code == 403
            for address in ("health", "schedules", "logs"):
                assert asking.get(f"/api/v1/operations/{address}").status_code == 403
            wish = {"name": "mine", "kind": "operations.verify-audit", "cron": "* * * * *"}
            assert asking.post("/api/v1/operations/schedules", json=wish).status_code == 403
            assert asking.delete("/api/v1/operations/schedules/1").status_code == 403
    with httpx.Client(base_url=site.url, trust_env=False) as stranger:
        assert stranger.get("/api/v1/operations/health").status_code == 401
        assert stranger.post("/api/v1/jobs", json={"kind": "operations.verify-audit"}).status_code == 401


def test_a_program_adds_changes_and_removes_a_schedule(admin: httpx.Client) -> None:
    wish = {"name": "often", "kind": "operations.expire-history", "cron": "0 1 * * *", "arguments": {"days": 30}}
    made = admin.post("/api/v1/operations/schedules", json=wish)
    address = f"/api/v1/operations/schedules/{made.json()['id']}"
    twice = admin.post("/api/v1/operations/schedules", json=wish)
    assert (twice.status_code, twice.json()["detail"]["code"]) == (422, "jobs.bad-schedule")
    assert admin.put(address, json=wish | {"cron": None, "every_s": 3600, "is_on": False}).status_code == 204
    listed = {one["name"]: one for one in admin.get("/api/v1/operations/schedules").json()}
    assert (listed["often"]["every_s"], listed["often"]["is_on"]) == (3600, False)
    assert listed["operations.verify-audit"]["cron"] == "15 3 * * *"
    assert admin.delete(address).status_code == 204
    assert admin.delete(address).status_code == 404


def test_the_health_of_every_part_is_told(site: Site, admin: httpx.Client) -> None:
    site.report(rows=12)
    health = admin.get("/api/v1/operations/health").raise_for_status().json()
    assert (health["database"]["state"], health["historian"]["state"], health["bus"]["state"]) == ("good",) * 3
    assert {edge["edge"]: edge["backlog_rows"] for edge in health["edges"]}["edge-1"] == 12
    assert health["memory"]["bytes"] > 10_000_000


@pytest.mark.chromium
def test_services_are_seen_at_a_glance(site: Site, page: Page) -> None:
    site.report(rows=12)
    site.open(page, "/operations", ADMIN)
    services = page.get_by_role("table", name="Services")
    expect(services.get_by_role("row", name=re.compile("^Database"))).to_contain_text("works")
    expect(services.get_by_role("row", name=re.compile("edge-1"))).to_contain_text("12 samples wait there")
    expect(page.locator(".ath-kpi", has_text="Running for")).to_contain_text("version")


@pytest.mark.chromium
def test_a_running_job_is_found_looked_at_and_cancelled_after_a_question(site: Site, page: Page) -> None:
    start(site, WORKER, "slow <b>file</b>.csv")
    site.open(page, "/operations/jobs", ADMIN)
    page.get_by_label("State", exact=True).select_option("running")
    row = page.get_by_role("table", name="Jobs").get_by_role("row", name=re.compile("slow"))
    expect(row).to_contain_text("25 %")
    row.get_by_role("link", name="slow <b>file</b>.csv").click()
    expect(page.get_by_text("reading · 250 rows")).to_be_visible()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Let it go on").click()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".ath-job")).to_contain_text("Cancelled")


@pytest.mark.chromium
def test_others_see_their_own_jobs_only(site: Site, page: Page) -> None:
    own = start(site, WORKER, "mine.csv")
    foreign = start(site, ADMIN, "not-mine.csv")
    site.open(page, "/operations", WORKER)
    table = page.get_by_role("table", name="Jobs")
    expect(table).to_contain_text("mine.csv")
    expect(table).not_to_contain_text("not-mine.csv")
    expect(page.get_by_role("button", name="Run a job…")).to_have_count(0)
    page.goto(f"{site.url}/operations/jobs/{foreign}")
    expect(page.get_by_text("There is no such job")).to_be_visible()
    page.goto(f"{site.url}/operations/schedules")
    expect(page.get_by_text("This page is not for you")).to_be_visible()
    site.open(page, "/operations/logs", BOSS)
    expect(page.get_by_text("This is looked after by the park.")).to_be_visible()
    jobs: Jobs = site.platform.ports["jobs"]  # type: ignore[assignment]

    async def cancel() -> None:
        for job_id in (own, foreign):
            jobs.cancel(job_id, User(0, "nobody", "", ("administrator",)))

    site.wait_for(cancel())


@pytest.mark.chromium
def test_a_schedule_is_added_in_words_run_now_paused_and_removed(site: Site, page: Page) -> None:
    site.open(page, "/operations/schedules", ADMIN)
    table = page.get_by_role("table", name="Schedules")
    expect(table.get_by_role("row", name=re.compile("audit trail"))).to_contain_text("every day at 03:15")
    page.get_by_role("link", name="Add a schedule").click()
    page.get_by_label("Name").fill("Weekly check")
    page.get_by_label("Job").select_option("operations.verify-audit")
    cron = page.get_by_label(re.compile("^Cron expression"))
    cron.fill("0 6 * *")
    expect(page.get_by_text("has not five fields")).to_be_visible()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("five fields")
    cron.fill("0 6 * * 1")
    expect(page.get_by_text("on Monday at 06:00. The next runs:")).to_be_visible()
    page.get_by_role("button", name="Add it").click()
    expect(table.get_by_role("row", name=re.compile("Weekly check"))).to_contain_text("on Monday at 06:00")
    page.get_by_role("link", name="Weekly check").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".ath-job")).to_contain_text("Weekly check")
    expect(page.locator(".ath-job")).to_contain_text("Done")
    page.goto(f"{site.url}/operations/schedules")
    expect(table.get_by_role("row", name=re.compile("Weekly check"))).to_contain_text("paused")
    page.get_by_role("link", name="Weekly check").click()
    page.get_by_role("button", name="Remove the schedule…").click()
    page.get_by_role("button", name="Remove it").click()
    expect(table).to_be_visible()
    expect(table).not_to_contain_text("Weekly check")
