"""Long work on a page and over REST: how far it is, cancelling it, its file, and whose it is."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.web.sessions import COOKIE

from .site import Site

KIND = "data.import"


def start(site: Site, work: object, title: str = "pots.csv", login: str = "anna") -> str:
    """A job on the site, of the person with this login."""

    async def begin() -> str:
        jobs: Jobs = site.platform.ports["jobs"]  # type: ignore[assignment]
        users = {user.login: user for user in await site.platform.identity.accounts.users()}
        owner: User = users[login]
        return jobs.start(KIND, title, owner, work)  # type: ignore[arg-type]

    return site.wait_for(begin())


async def until_cancelled(progress: Progress) -> None:
    """Work that is a quarter done and goes no further."""
    progress.tell(stage="reading", fraction=0.25, rows=250_000)
    while True:
        await asyncio.sleep(0.01)
        progress.check_cancelled()


async def with_file(progress: Progress) -> JobResult:
    """Work that makes a file."""
    path = progress.folder / "refused.csv"
    await asyncio.to_thread(path.write_text, "line,reason\n", encoding="utf-8")
    progress.tell(rows=3)
    return JobResult({"rows": 3}, path)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program that has signed in as the administrator."""
    token = site.wait_for(site.platform.identity.sessions.open("anna", actor="test"))
    async with httpx.AsyncClient(base_url=site.url, cookies={COOKIE: token}, trust_env=False) as client:
        yield client


async def test_a_program_sees_cancels_and_fetches(site: Site, client: httpx.AsyncClient, tmp_path: Path) -> None:
    running = start(site, until_cancelled)
    made = start(site, with_file)
    for _ in range(200):
        job = (await client.get(f"/api/v1/jobs/{made}")).json()
        if job["state"] == "succeeded":
            break
        await asyncio.sleep(0.02)
    assert (job["title"], job["rows"], job["summary"], job["fraction"]) == ("pots.csv", 3, {"rows": 3}, 1.0)
    file = await client.get(job["file"])
    assert file.text == "line,reason\n"
    assert "refused.csv" in file.headers["content-disposition"]
    listed = (await client.get("/api/v1/jobs", params={"kind": KIND})).json()
    assert [one["id"] for one in listed[:2]] == [made, running]
    assert (await client.get(f"/api/v1/jobs/{running}/file")).status_code == 404
    assert (await client.delete(f"/api/v1/jobs/{running}")).status_code == 202
    for _ in range(200):
        if (await client.get(f"/api/v1/jobs/{running}")).json()["state"] == "cancelled":
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the job goes on")


async def test_another_persons_job_is_not_there(site: Site) -> None:
    job_id = start(site, with_file)
    token = site.wait_for(site.platform.identity.sessions.open("chen", actor="test"))
    async with httpx.AsyncClient(base_url=site.url, cookies={COOKIE: token}, trust_env=False) as chen:
        assert (await chen.get("/api/v1/jobs")).json() == []
        for address in (f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/file"):
            assert (await chen.get(address)).status_code == 404
        assert (await chen.delete(f"/api/v1/jobs/{job_id}")).status_code == 404
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as stranger:
        assert (await stranger.get("/api/v1/jobs")).status_code == 401


@pytest.mark.chromium
def test_the_list_of_imports_follows_what_runs(site: Site, page: Page) -> None:
    job_id = start(site, until_cancelled, "slow.csv")
    site.open(page, "/data")
    row = page.locator("tr", has_text="slow.csv")
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text("25 %")
    expect(row).to_contain_text("250,000")
    jobs: Jobs = site.platform.ports["jobs"]  # type: ignore[assignment]
    site.wait_for(_cancel(jobs, job_id))
    expect(row).to_contain_text("Cancelled")
    start(site, with_file, "quick.csv")
    link = page.locator("tr", has_text="quick.csv").get_by_role("link", name="refused.csv")
    with page.expect_download() as download:
        link.click()
    assert re.fullmatch("refused.*csv", download.value.suggested_filename)


async def _cancel(jobs: Jobs, job_id: str) -> None:
    jobs.cancel(job_id, User(0, "nobody", "", ("administrator",)))
