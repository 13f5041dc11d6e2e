"""A data product's whole way in the browser: published, asked for by another enterprise, approved, called, counted."""

import csv
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from .site import Site

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def people(site: Site) -> None:
    """An engineer of the copper works, an operator of the carbon works."""
    site.admit("olga", "engineer", "copper")
    site.admit("karl", "operator", "carbon")


def publish(site: Site, page: Page, name: str) -> str:
    """Fill in the form as olga: the product's address."""
    site.open(page, "/exchange/publish", "olga")
    page.get_by_role("searchbox").fill("total power")
    page.locator(".ath-finder-row.is-tag", has_text="Total power").click()
    expect(page.get_by_role("heading", name="Chosen tags: 1")).to_be_visible()
    page.locator("input[name=name_en]").fill(name)
    page.locator("input[name=name_zh]").fill("熔炼炉功率")
    page.locator("textarea[name=purpose]").fill("Planning of the park's grid")
    page.locator("input[name=freshness]").fill("10")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.wait_for_url(re.compile(r"/exchange/products/\d+$"))
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return page.url.removeprefix(site.url)


@pytest.mark.usefixtures("people")
def test_a_product_is_published_asked_for_approved_called_and_counted(
    site: Site, page: Page, chromium: Browser
) -> None:
    address = publish(site, page, "Furnace power")
    expect(page.get_by_text("Nobody has asked yet.")).to_be_visible()

    other = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    asking = other.new_page()
    site.open(asking, "/exchange", "karl")
    asking.get_by_role("link", name="Furnace power").click()
    asking.wait_for_url(f"**{address}")
    expect(asking.get_by_text("Who has access")).to_have_count(0)
    asking.get_by_role("button", name="Ask for access").click()
    expect(asking.get_by_role("alert")).to_contain_text("Say what you want the data for")
    asking.locator("textarea[name=purpose]").fill("Our kilns")
    asking.get_by_role("button", name="Ask for access").click()
    expect(asking.get_by_text("The owner decides on your request.")).to_be_visible()

    site.open(page, "/exchange", "olga")
    waiting = page.get_by_role("table", name="Requests that wait for your decision")
    expect(waiting).to_contain_text("Our kilns")
    waiting.get_by_role("link", name="Furnace power").click()
    page.get_by_role("button", name="Approve…").click()
    page.get_by_role("dialog").locator("input[name=quota]").fill("5")
    page.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("table", name="Who has access")).to_contain_text("Approved")

    asking.reload()
    asking.get_by_role("button", name="Make a token…").click()
    asking.get_by_role("dialog").locator("input[name=name]").fill("planner")
    asking.get_by_role("dialog").get_by_role("button", name="Make", exact=True).click()
    header = asking.get_by_role("dialog").locator("code").inner_text()
    start = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    answer = httpx.get(
        f"{site.url}/api/v1{address}/data",
        params={"from": start},
        headers={"Authorization": header.removeprefix("Authorization: ")},
    )
    assert {row["tag"] for row in answer.json()} == {"smelter.smelting.bath.furnace.power"}
    other.close()

    page.reload()
    use = page.get_by_role("table", name="Use by day and consumer")
    expect(use).to_contain_text("Carbon Works")
    expect(page.get_by_role("table", name="Newest calls")).to_contain_text("token planner")
    with page.expect_download() as download:
        page.locator("section", has=use).get_by_role("button", name="Export as CSV").click()
    (row,) = csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines())
    assert (row["Consumer"], row["Calls"], row["Rows"]) == ("Carbon Works", "1", str(len(answer.json())))

    page.get_by_role("button", name="Revoke…").click()
    page.get_by_role("dialog").locator("textarea[name=reason]").fill("The project is over")
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("table", name="Who has access")).to_contain_text("Revoked")


@pytest.mark.usefixtures("people")
def test_a_change_makes_a_version_that_says_what_is_different(site: Site, page: Page) -> None:
    address = publish(site, page, "Power to change")
    page.get_by_role("link", name="Change", exact=True).click()
    page.wait_for_url(f"**{address}/change")
    page.locator("input[name=back_days]").fill("7")
    page.get_by_role("button", name="Publish the new version").click()
    expect(page.get_by_role("table", name="Versions")).to_contain_text("Reach [d]: 30 → 7")
    page.get_by_role("button", name="Withdraw it…").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw it", exact=True).click()
    page.wait_for_url("**/exchange")
    expect(page.get_by_text("Power to change")).to_have_count(0)


@pytest.mark.usefixtures("people")
def test_what_cannot_be_published_says_why_and_keeps_what_was_typed(site: Site, page: Page) -> None:
    site.open(page, "/exchange/publish", "olga")
    page.locator("input[name=name_en]").fill("Nothing")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("0 tags")
    expect(page.locator("input[name=name_en]")).to_have_value("Nothing")
    site.open(page, "/exchange/publish", "karl")
    expect(page.get_by_text("This page is not for you")).to_be_visible()
