"""The trends page as a person uses it: find, draw, zoom, follow, share, export."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import Page, WebSocket, expect

from .site import Site

pytestmark = pytest.mark.chromium

TEMPERATURE = "smelter.smelting.bath.furnace.temperature"
POWER = "smelter.smelting.bath.furnace.power"


def open_trend(site: Site, page: Page, query: str) -> None:
    site.open(page, f"/trends?{query}")
    expect(page.locator(".ath-trend-canvas canvas")).to_be_visible()


def points_held(page: Page, tag: str) -> list[list[float | None]]:
    """Times and values that the chart's script holds of a tag."""
    return page.evaluate(
        """(tag) => {
            const chart = getElement(document.querySelector('.ath-trend').id.slice(1));
            const series = chart.series.get(tag);
            return series ? [series.t, series.v] : [[], []];
        }""",
        tag,
    )


def wait_for_points(page: Page, tag: str, at_least: int) -> list[list[float | None]]:
    page.wait_for_function(
        """([tag, least]) => {
            const chart = getElement(document.querySelector('.ath-trend').id.slice(1));
            return (chart?.series?.get(tag)?.t.length ?? 0) >= least;
        }""",
        arg=[tag, at_least],
    )
    return points_held(page, tag)


def test_a_tag_found_by_its_words_is_drawn_and_the_address_can_be_shared(site: Site, page: Page) -> None:
    site.open(page, "/trends")
    page.get_by_placeholder("Find tags by name or path").fill("bath furnace temp")
    page.get_by_role("button", name="Bath temperature").click()
    expect(page.locator(".ath-trend-legend")).to_contain_text("Bath temperature · Furnace")
    wait_for_points(page, TEMPERATURE, 10)
    page.get_by_role("button", name="8 h", exact=True).click()
    expect(page).to_have_url(f"{site.url}/trends?tags={TEMPERATURE}&range=8h")
    page.reload()
    expect(page.locator(".ath-trend-legend")).to_contain_text("Bath temperature")
    expect(page.get_by_role("button", name="8 h", exact=True)).to_have_attribute("aria-pressed", "true")


def test_tags_of_a_shared_address_that_cannot_be_shown_are_said(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE},smelter.nothing.of.this.name&range=8h")
    expect(page.get_by_text("Tags of this address that are not shown: 1.")).to_be_visible()


def test_a_tag_is_found_by_walking_down_the_plant_and_taken_off_again(site: Site, page: Page) -> None:
    site.open(page, "/trends")
    finder = page.get_by_role("region", name="Find tags")
    for step in ("Smelter", "Smelting", "Bath smelting", "Furnace"):
        finder.get_by_role("button", name=step, exact=True).last.click()
    finder.get_by_role("button", name="Total power").click()
    statistics = page.get_by_role("table", name="Statistics of the range shown")
    expect(statistics).to_contain_text("Smelter › Smelting › Bath smelting › Furnace")
    statistics.get_by_role("button", name="Take Total power off the chart").click()
    expect(page.get_by_role("heading", name="No tags chosen yet")).to_be_visible()


def test_one_of_two_tags_is_taken_off_and_the_address_and_the_statistics_follow(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE},{POWER}&range=1h")
    statistics = page.get_by_role("table", name="Statistics of the range shown")
    statistics.get_by_role("button", name="Take Bath temperature off the chart").click()
    expect(page).to_have_url(f"{site.url}/trends?tags={POWER}&range=1h")
    expect(page.locator(".ath-trend-legend")).not_to_contain_text("Bath temperature")
    expect(statistics).not_to_contain_text("Bath temperature")
    expect(statistics).not_to_contain_text("…")
    expect(page.get_by_text("Something failed")).to_have_count(0)


def test_zooming_out_ends_at_ten_years(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE}&range=3000d")
    for _ in range(3):
        page.get_by_role("button", name="Zoom out").click()
        page.wait_for_function("document.location.search.includes('range=')")
    expect(page).to_have_url(f"{site.url}/trends?tags={TEMPERATURE}&range=3660d")
    expect(page.get_by_text("Something failed")).to_have_count(0)


@pytest.mark.parametrize(
    "span",
    [
        "from=0001-01-01T00:00:00%2B14:00&to=0001-01-02T00:00:00Z",
        "from=9999-12-31T00:00:00Z&to=9999-12-31T23:59:59.9999Z",
    ],
)
def test_a_range_that_no_plant_has_seen_is_as_if_it_were_not_asked(site: Site, page: Page, span: str) -> None:
    open_trend(site, page, f"tags={TEMPERATURE}&{span}")
    expect(page.get_by_role("button", name="1 h", exact=True)).to_have_attribute("aria-pressed", "true")


def test_zooming_fetches_the_range_anew_and_back_returns(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE}&range=24h")
    wait_for_points(page, TEMPERATURE, 100)
    canvas = page.locator(".ath-trend-canvas")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.wheel(0, -720)
    page.wait_for_url("**from=*")
    query = parse_qs(urlsplit(page.url).query)
    start, end = (datetime.fromisoformat(query[name][0]) for name in ("from", "to"))
    assert end - start < timedelta(hours=12)
    page.wait_for_function(
        """([tag, start, end]) => {
            const series = getElement(document.querySelector('.ath-trend').id.slice(1)).series.get(tag);
            return series.t[0] >= start - 1000 && series.t[series.t.length - 1] <= end + 1000;
        }""",
        arg=[TEMPERATURE, start.timestamp() * 1000, end.timestamp() * 1000],
    )
    times, _values = points_held(page, TEMPERATURE)
    assert len(times) == pytest.approx((end - start) / timedelta(minutes=1), abs=2)
    page.get_by_role("button", name="Back to the range before").click()
    expect(page).to_have_url(f"{site.url}/trends?tags={TEMPERATURE}&range=24h")


def test_keys_pan_zoom_and_return_to_now(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE}&range=1h")
    page.locator(".ath-trend-canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**from=*")
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Home")
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")


def test_live_points_are_appended_and_little_crosses_the_wire(site: Site, page: Page) -> None:
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(len(frame)))

    page.on("websocket", listen)
    open_trend(site, page, f"tags={TEMPERATURE},{POWER}&range=24h")
    before = len(wait_for_points(page, TEMPERATURE, 500)[0])
    expect(page.get_by_role("table", name="Statistics of the range shown")).not_to_contain_text("…")
    received.clear()
    started = datetime.now(UTC)
    for step in range(5):
        site.send({TEMPERATURE: 1210.0 + step, POWER: 27_000.0 + step})
        expect(page.locator(".ath-trend-legend")).to_contain_text(f"{1210 + step:,}.0 °C", timeout=4000)
    seconds = (datetime.now(UTC) - started).total_seconds()
    times, values = points_held(page, TEMPERATURE)
    assert values[-1] == 1214.0
    assert len(times) > before
    assert sum(received) / seconds < 1500  # bytes a second, of which the clock takes a part; all points are 20 kB


def test_a_hole_in_the_history_breaks_the_line(site: Site, page: Page) -> None:
    start = datetime.now(UTC) - timedelta(hours=30)
    span = f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={start + timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"
    open_trend(site, page, f"tags={TEMPERATURE}&{span}")
    _times, values = wait_for_points(page, TEMPERATURE, 100)
    assert values.count(None) == 1


def test_statistics_are_those_of_the_range(site: Site, page: Page) -> None:
    start = datetime.now(UTC) - timedelta(hours=10)
    span = f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    open_trend(site, page, f"tags={TEMPERATURE},smelter.smelting.bath.furnace.setpoint&{span}")
    rows = page.get_by_role("table", name="Statistics of the range shown").locator("tbody tr")
    expect(rows.nth(1).locator("td").nth(1)).to_have_text("4,000 Nm³/h")
    expect(rows.nth(1).locator("td").nth(5)).to_have_text("60")
    expect(rows.nth(0).locator("td").nth(6)).to_have_text(re.compile(r"^(9[89]\.\d|100\.0) %$"))


def test_the_pointer_shows_every_value_at_its_time(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE},{POWER}&range=8h")
    wait_for_points(page, POWER, 100)
    box = page.locator(".ath-trend-canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 120)
    cursor = page.locator(".ath-trend-cursor")
    expect(cursor).to_contain_text("Bath temperature · Furnace")
    expect(cursor).to_contain_text("kW")
    assert cursor.locator(".row b").first.inner_text().endswith("°C")


def test_the_csv_export_is_what_the_chart_shows(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE},{POWER}&range=8h")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV: all samples").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Time (Asia/Shanghai)", "Tag", "Name", "Value", "Unit", "Quality"]
    assert {row[1] for row in rows[1:]} == {TEMPERATURE, POWER}
    assert len(rows) > 900
    assert rows[1][0].endswith("+08:00")


def test_what_the_chart_shows_leads_to_an_export_with_more_choices(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE},{POWER}&from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z")
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("link", name="More formats and steps").click()
    expect(page.get_by_label("Chosen tags").locator(".ath-summary")).to_have_text("2")
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-05-01T08:00")


def test_the_excel_export_holds_real_numbers_and_times_and_no_formulas(site: Site, page: Page) -> None:
    hostile = "smelter.smelting.bath.furnace.hostile"
    open_trend(site, page, f"tags={TEMPERATURE},{hostile}&range=8h")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel: equal steps").click()
    sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active
    assert sheet is not None
    header, first = list(sheet.iter_rows(min_row=1, max_row=2, values_only=True))
    assert header[1] == f"Bath temperature [°C] {TEMPERATURE}"
    assert isinstance(first[0], datetime)
    assert first[1] == pytest.approx(1200, abs=20)
    assert sheet.max_row > 400


def test_a_text_chosen_range_is_shown(site: Site, page: Page) -> None:
    open_trend(site, page, f"tags={TEMPERATURE}&range=1h")
    page.get_by_text("From – to").click()
    page.get_by_label("From", exact=True).fill("2026-01-02T03:04:05")
    page.get_by_label("To", exact=True).fill("2026-01-02T05:04:05")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(f"{site.url}/trends?tags={TEMPERATURE}&from=2026-01-01T19:04:05Z&to=2026-01-01T21:04:05Z")


def test_an_export_of_an_unknown_tag_says_so(site: Site, page: Page) -> None:
    site.sign_in(page)
    answer = page.request.get(f"{site.url}/api/v1/trends/export?tags=no.such.tag")
    assert (answer.status, answer.json()["detail"]["code"]) == (404, "kernel.not-found")
