"""The frame around every page: navigation, language, theme, phone, keyboard, and that nothing leaves the server."""

import re

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from .site import Site

pytestmark = pytest.mark.chromium

PAGES = ("/overview", "/trends?tags=smelter.smelting.bath.furnace.temperature", "/datahealth")


def test_the_navigation_comes_from_the_manifests_and_marks_where_one_is(signed_in: Page) -> None:
    navigation = signed_in.get_by_role("navigation", name="Apps")
    assert [text.splitlines()[-1] for text in navigation.get_by_role("link").all_inner_texts()][:3] == [
        "Overview",
        "Alarms",
        "Incidents",
    ]
    navigation.get_by_role("link", name="Data health").click()
    expect(signed_in.get_by_role("heading", name="Data health", level=1)).to_be_visible()
    expect(navigation.get_by_role("link", name="Data health")).to_have_attribute("aria-current", "page")


def test_the_language_switch_changes_the_page_and_lasts(site: Site, signed_in: Page) -> None:
    signed_in.get_by_label("Your settings").click()
    signed_in.get_by_role("button", name="中文").click()
    expect(signed_in.get_by_role("heading", name="园区总览", level=1)).to_be_visible()
    expect(signed_in.get_by_role("heading", name="铜业公司")).to_be_visible()
    signed_in.goto(f"{site.url}/trends")
    expect(signed_in.get_by_role("heading", name="趋势曲线", level=1)).to_be_visible()


def test_a_browser_that_wants_chinese_gets_chinese(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    expect(page.get_by_text("测试园区")).to_be_visible()
    context.close()


def test_dark_follows_the_system_until_someone_chooses(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(color_scheme="dark", locale="en-US", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    site.open(page, "/overview")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.get_by_label("Your settings").click()
    page.get_by_role("button", name="Light").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(site: Site, chromium: Browser, path: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en-US")
    page = context.new_page()
    site.open(page, path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".ath-kpi-value, .ath-trend-legend button").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Navigation").click()
    page.get_by_role("navigation", name="Apps").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Park overview")).to_be_visible()
    context.close()


def test_the_keyboard_reaches_the_content_first(signed_in: Page) -> None:
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to content")).to_be_focused()
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator("#content")).to_be_focused()


def test_nothing_is_fetched_from_elsewhere(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(_host(request)))
    for path in PAGES:
        site.open(page, path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert set(asked) == {_host_of(site.url)}


def test_what_a_viewer_of_one_enterprise_sees_of_the_others_is_nothing(site: Site, page: Page) -> None:
    site.open(page, "/overview", "chen")
    expect(page.get_by_role("heading", name="Copper Works")).to_be_visible()
    expect(page.get_by_role("heading", name="Carbon Works")).to_have_count(0)
    page.goto(f"{site.url}/trends?tags=kilns.kiln.power")
    expect(page.get_by_role("heading", name="No tags chosen yet")).to_be_visible()
    answer = page.request.get(f"{site.url}/api/v1/trends/export?tags=smelter.smelting.bath.furnace.power")
    assert (answer.status, answer.json()["detail"]["code"]) == (403, "web.forbidden")


def _host(request: Request) -> str:
    return _host_of(request.url)


def _host_of(url: str) -> str:
    match = re.match(r"(?:https?|wss?)://([^/]+)", url)
    return match[1] if match else url.partition(":")[0]
