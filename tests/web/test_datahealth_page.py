"""Data health as a person sees it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.telemetry import Sample

from .site import Site

pytestmark = pytest.mark.chromium


def test_a_source_that_fails_shows_why(site: Site, signed_in: Page) -> None:
    site.report(state="failed", error="No answer from opc.tcp://plc:4840.")
    signed_in.goto(f"{site.url}/datahealth")
    row = signed_in.get_by_role("table", name="Sources").get_by_role("row", name="edge-1 / dcs")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("No answer from opc.tcp://plc:4840.")
    site.report()
    expect(row).to_contain_text("Connected")
    expect(row).to_contain_text("2 · 0 · 0 · 0 · 3")  # bad, and clock ahead


def test_samples_that_an_edge_lost_are_counted_with_the_cure(site: Site, signed_in: Page) -> None:
    site.report(dropped_rows=1200, refused_rows=34)
    signed_in.goto(f"{site.url}/datahealth")
    notice = signed_in.get_by_role("status").filter(has_text="Samples lost")
    expect(notice).to_contain_text("edge-1 gave up its 1,200 oldest samples: its buffer was full.")
    expect(notice).to_contain_text("edge-1 could not keep 34 new samples: its disk was full. Make room on that disk.")
    site.report()
    expect(notice).to_be_hidden()


def test_what_was_refused_shows_with_its_cure(site: Site, signed_in: Page) -> None:
    site.deliver([Sample("no.such.tag", datetime.now(UTC), 1.0), Sample("no.such.tag", datetime.now(UTC), 2.0)])
    site.send({"kilns.kiln.power": 1.0}, at=datetime.now(UTC) + timedelta(days=1))
    signed_in.goto(f"{site.url}/datahealth")
    table = signed_in.get_by_role("table", name="Quarantine")
    expect(table.get_by_role("row", name="no.such.tag")).to_contain_text("Add the tag to the plant model")
    expect(table.get_by_role("row", name="Impossible time")).to_contain_text("kilns.kiln.power")


def test_old_values_are_listed_and_can_be_searched_and_exported(site: Site, signed_in: Page) -> None:
    signed_in.goto(f"{site.url}/datahealth")
    section = signed_in.locator("section", has=signed_in.get_by_role("heading", name="Old and bad values"))
    section.get_by_role("searchbox").fill("furnace.mode")
    rows = section.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("smelter.smelting.bath.furnace.mode")
    section.get_by_role("searchbox").fill("")
    expect(rows.nth(1)).to_be_visible()
    with signed_in.expect_download() as download:
        section.get_by_role("button", name="Export as CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "Tag,Path,Trouble,Age,Due every"


def test_a_viewer_of_one_enterprise_sees_no_sources_and_no_foreign_refusals(site: Site, page: Page) -> None:
    site.deliver([Sample("no.such.tag", datetime.now(UTC), 1.0)])
    site.open(page, "/datahealth", "chen")
    expect(page.get_by_text("Nothing was refused: every sample found its tag.")).to_be_visible()
    expect(page.get_by_text("edge-1")).to_have_count(0)


def test_the_newest_value_of_each_source_shows_with_its_tag(site: Site, signed_in: Page) -> None:
    site.report(tag_paths=["kilns.kiln.power"])
    site.send({"kilns.kiln.power": 777.0})
    signed_in.goto(f"{site.url}/datahealth")
    row = signed_in.get_by_role("table", name="Sources").get_by_role("row", name="edge-1 / dcs")
    expect(row).to_contain_text("777")
    expect(row.get_by_role("link")).to_have_attribute("href", "/trends?tags=kilns.kiln.power")


def test_scores_lead_from_the_park_to_the_tags_that_cost_the_most(site: Site, signed_in: Page) -> None:
    signed_in.goto(f"{site.url}/datahealth/quality")
    expect(signed_in.get_by_text("Last 30 days (completeness and validity)")).to_be_visible()
    signed_in.get_by_role("table", name="By place").get_by_role("link").first.click()
    expect(signed_in).to_have_url(re.compile(r"/datahealth/quality\?under="))
    costly = signed_in.get_by_role("table", name="Tags that cost the most points").get_by_role("link").first
    expect(costly).to_have_attribute("href", re.compile(r"^/trends\?tags="))


def test_the_data_map_names_volume_permission_and_users(site: Site, signed_in: Page, page: Page) -> None:
    signed_in.goto(f"{site.url}/datahealth/map")
    for group in ("Static data", "Live data", "History", "Business data", "Judgement data"):
        expect(signed_in.get_by_role("table", name=group)).to_be_visible()
    row = signed_in.get_by_role("table", name="Live data").get_by_role("row", name="Current values")
    expect(row).to_contain_text("overview.view")
    expect(row).to_contain_text("Trends")
    site.open(page, "/datahealth/map", "chen")  # who sees one enterprise only is told nothing of the whole park
    expect(page.get_by_text("Accounts", exact=True)).to_have_count(0)
    expect(page.get_by_text("Current values")).to_be_visible()


def test_one_search_finds_master_data_value_and_history(site: Site, signed_in: Page) -> None:
    site.send({"kilns.kiln.power": 777.0})
    signed_in.goto(f"{site.url}/datahealth/lookup")
    signed_in.get_by_role("searchbox").fill("kilns.kiln.power")
    card = signed_in.locator("section", has=signed_in.get_by_text("kilns.kiln.power ·"))
    expect(card).to_contain_text("777")
    expect(card).to_contain_text("Last 24 h: lowest")
    told = signed_in.request.get(f"{site.url}/api/v1/lookup?search=kilns.kiln.power").json()
    (hit,) = told["hits"]
    assert (hit["path"], hit["now"]["value"], hit["now"]["quality"]) == ("kilns.kiln.power", 777.0, "good")
    assert hit["day"]["min"] <= hit["day"]["mean"] <= hit["day"]["max"]
    assert [place["path"] for place in hit["asset"]] == ["kilns", "kilns.kiln"]
