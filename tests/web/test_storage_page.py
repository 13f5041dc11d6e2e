"""The storage page as a person uses it: what is where, what would go, and letting it go with a second press."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.historian.port import Span
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.telemetry import Sample
from athanor.platform import open_identity
from athanor.web.sessions import COOKIE

from ..server.running import PASSWORD, RunningServer, wait_for
from .site import Site

POWER = "smelter.power"
SAMPLES = 500
OLD = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=40)


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose samples are kept for 30 days, and which got some that are older after it had let go for today.

    To be asked for before the browser, which keeps the thread's event loop.
    """
    running = RunningServer(tmp_path_factory.mktemp("aged"))
    running.prepare()
    asyncio.run(_add_operator(running))
    running.environment |= {"ATHANOR_RETENTION__RAW_DAYS": '{"standard": 30}', "ATHANOR_HISTORIAN__SEAL_AFTER_S": "0.5"}
    running.start()
    with running.client() as client:
        job = client.post("/api/v1/historian/retention").raise_for_status().json()
        wait_for(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["state"] == "succeeded", "what was due is gone")
        running.send([Sample(POWER, OLD + timedelta(seconds=n), 40.0) for n in range(SAMPLES)]).raise_for_status()
        wait_for(lambda: _due(client) == SAMPLES, "the old samples are sealed")
    yield running
    running.end()


async def _add_operator(server: RunningServer) -> None:
    async with open_identity(server.settings) as identity:
        await identity.accounts.create("otto", Profile("Otto", ("operator",)), PASSWORD, actor="test")
        server.sessions["otto"] = await identity.sessions.open("otto", actor="test")


def _due(client: httpx.Client) -> int:
    (standard,) = client.get("/api/v1/historian/retention").raise_for_status().json()["classes"]
    return int(standard["raw"]["rows"])


def open_page(page: Page, server: RunningServer, login: str = "anna") -> None:
    page.context.add_cookies([{"name": COOKIE, "value": server.sessions[login], "url": server.url}])
    page.goto(f"{server.url}/data/storage")


def test_what_would_go_is_shown_and_an_operator_cannot_let_it_go(aged: RunningServer, page: Page) -> None:
    open_page(page, aged, "otto")
    page.get_by_role("button", name="See what would go").click()
    expect(page.locator(".ath-retention-said")).to_contain_text(re.compile(rf"{SAMPLES} samples \(.*\) .* would go\."))
    row = page.get_by_role("table", name="How long what is kept").get_by_role("row", name=re.compile("standard"))
    expect(row).to_contain_text("30 d")
    expect(row).to_contain_text(f"{OLD:%Y-%m-%d}")
    expect(page.get_by_role("button", name="Let it go now")).to_be_hidden()


def test_the_second_press_lets_it_go(aged: RunningServer, page: Page) -> None:
    open_page(page, aged)
    page.get_by_role("button", name="See what would go").click()
    said = page.locator(".ath-retention-said")
    expect(said).to_contain_text("would go.")
    page.get_by_role("button", name="Let it go now").click()
    page.get_by_role("button", name=re.compile(rf"Press again: {SAMPLES} samples \(.*\) go for good")).click()
    expect(said).to_contain_text(f"{SAMPLES} samples and 0 waveforms went.")
    page.get_by_role("button", name="See what would go").click()
    expect(said).to_contain_text("Nothing has come of age.")


def test_tiers_work_latency_and_the_disk_are_told(site: Site, page: Page) -> None:
    site.send({"smelter.smelting.bath.furnace.temperature": 1200.0})
    site.wait_for(site.platform.historian.seal_now())
    ids = list(site.platform.plant.ids.values())
    site.wait_for(site.platform.historian.read(ids, Span(datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC))))
    site.open(page, "/data/storage")
    tiers = page.get_by_role("table", name="Where data lies")
    expect(tiers).to_contain_text(re.compile(r"Sealed samples.*[1-9][\d,]*"))
    expect(tiers).to_contain_text("Hot tail")
    work = page.get_by_role("table", name="Work in the background")
    expect(work.get_by_role("row", name=re.compile("Seal the hot tail"))).to_contain_text("Done")
    latency = page.get_by_role("table", name="How quick answers are")
    expect(latency.get_by_role("row", name=re.compile("Samples one by one"))).to_contain_text("ms")
    expect(page.get_by_role("meter")).to_have_count(1)
    expect(page.locator(".ath-kpi", has_text="Samples per second")).to_contain_text(re.compile(r"\d"))


def test_who_sees_one_enterprise_only_is_not_shown_all(site: Site, page: Page) -> None:
    site.open(page, "/data/storage", "chen")
    expect(page.get_by_text("Storage is looked after by the park.")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
