"""The overview as a person sees it, fed as an edge feeds it."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality, Sample

from .site import Site

pytestmark = pytest.mark.chromium

FURNACE = "smelter.smelting.bath.furnace"


def card(page: Page, name: str) -> Page:
    return page.get_by_role("region", name=name, exact=True)  # type: ignore[return-value]


def test_values_change_on_screen_within_three_seconds(site: Site, signed_in: Page) -> None:
    copper = card(signed_in, "Copper Works")
    site.send({f"{FURNACE}.power": 31_234.0})
    expect(copper).to_contain_text("31,234", timeout=3000)
    site.send({f"{FURNACE}.power": 29_876.0})
    expect(copper).to_contain_text("29,876", timeout=3000)


def test_total_power_is_the_sum_of_the_enterprises(site: Site, signed_in: Page) -> None:
    site.send({f"{FURNACE}.power": 30_000.0, "kilns.kiln.power": 1_500.0})
    expect(signed_in.locator(".ath-kpis")).to_contain_text("31,500")


def test_a_value_beyond_its_limit_is_listed_most_severe_first(site: Site, signed_in: Page) -> None:
    site.send({f"{FURNACE}.temperature": 1290.0, f"{FURNACE}.hostile": 6.0})
    chip = card(signed_in, "Copper Works").get_by_role("button")
    expect(chip).to_have_text("2 outside limits")
    rows = signed_in.get_by_role("table", name="Outside alarm limits").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("HHBath temperature")
    expect(rows.first).to_contain_text("1,280.0 °C")
    expect(rows.first).to_contain_text("10.0 °C")
    chip.click()
    expect(rows.first).to_be_in_viewport()
    rows.first.get_by_role("link", name="Bath temperature").click()
    expect(signed_in).to_have_url(f"{site.url}/trends?tags={FURNACE}.temperature&range=1h")
    site.send({f"{FURNACE}.temperature": 1200.0, f"{FURNACE}.hostile": 2.0})


def test_a_bad_value_is_marked_and_alarms_nobody(site: Site, signed_in: Page) -> None:
    site.deliver([Sample(f"{FURNACE}.temperature", datetime.now(UTC), 1400.0, Quality.BAD)])
    row = card(signed_in, "Copper Works").get_by_role("row", name="Bath temperature")
    expect(row).to_have_class("is-bad")
    expect(signed_in.get_by_text("Every value is within its alarm limits.")).to_be_visible()
    site.send({f"{FURNACE}.temperature": 1200.0})
    expect(row).to_have_class("")


def test_a_hostile_name_stays_a_name(site: Site, signed_in: Page) -> None:
    site.send({f"{FURNACE}.hostile": 6.0})
    table = signed_in.get_by_role("table", name="Outside alarm limits")
    expect(table.get_by_role("link", name='<img src=x onerror="window.hacked=1">{{7*7}}=cmd')).to_be_visible()
    signed_in.goto(f"{site.url}/trends?tags={FURNACE}.hostile")
    expect(signed_in.locator(".ath-trend-legend")).to_contain_text("<img src=x")
    signed_in.get_by_placeholder("Find tags by name or path").fill("onerror")
    expect(signed_in.locator(".ath-finder-list")).to_contain_text("<img src=x")
    assert signed_in.evaluate("window.hacked") is None
    site.send({f"{FURNACE}.hostile": 2.0})


def test_the_sources_state_is_at_the_top(site: Site, signed_in: Page) -> None:
    site.report()
    expect(signed_in.get_by_role("link", name="1 of 1 sources connected")).to_be_visible()
    site.report(state="failed", error="No answer from opc.tcp://plc:4840.")
    expect(signed_in.get_by_role("link", name="0 of 1 sources connected")).to_be_visible()
    site.report()


def test_an_empty_plant_says_what_to_do(site: Site, page: Page) -> None:
    running = site.platform.plant
    site.platform.ports["plant"] = RunningPlant(
        Plant("new", {"en": "New Park"}, "UTC", {}, {}), running.version + 1, {}
    )
    try:
        site.open(page, "/overview")
        expect(page.get_by_role("heading", name="The plant is empty")).to_be_visible()
        page.goto(f"{site.url}/trends")
        expect(page.get_by_role("heading", name="The plant has no tags yet")).to_be_visible()
    finally:
        site.platform.ports["plant"] = running
