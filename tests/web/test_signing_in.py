"""Who gets in, who does not, and where they arrive."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from athanor.web.plain_page import local_address

from .site import PASSWORD, Site

pytestmark = pytest.mark.chromium


def fill_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Login").fill("anna")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_is_led_to_sign_in_and_then_to_where_they_wanted(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/trends?range=8h")
    expect(page).to_have_url(f"{site.url}/sign-in?next=%2Ftrends%3Frange%3D8h")
    fill_in(page)
    expect(page).to_have_url(f"{site.url}/trends?range=8h")
    expect(page.get_by_role("heading", name="Trends", level=1)).to_be_visible()


def test_a_wrong_password_is_refused_and_says_what_to_do(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/sign-in")
    fill_in(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text(
        "Login or password is wrong. Check both; an administrator can set a new password."
    )
    expect(page.get_by_label("Login")).to_have_value("anna")
    assert page.context.cookies(site.url) == []


def test_signing_out_ends_the_session_in_every_tab(site: Site, browsing: BrowserContext, page: Page) -> None:
    page.goto(f"{site.url}/overview")
    fill_in(page)
    page.wait_for_url(f"{site.url}/overview")
    token = next(one["value"] for one in browsing.cookies() if one["name"] == "athanor_session")
    page.get_by_label("Your settings").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.url}/sign-in")
    assert site.wait_for(site.platform.identity.sessions.user_of(token)) is None
    page.goto(f"{site.url}/overview")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    site: Site, browsing: BrowserContext, page: Page
) -> None:
    page.goto(f"{site.url}/sign-in?next=/datahealth")
    fill_in(page)
    page.wait_for_url(f"{site.url}/datahealth")
    cookie = next(one for one in browsing.cookies() if one["name"] == "athanor_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_a_form_sent_by_another_site_is_refused(site: Site) -> None:
    answer = httpx.post(
        f"{site.url}/sign-in",
        data={"login": "anna", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert "athanor_session" not in answer.cookies


@pytest.mark.parametrize("path", ["/", "/overview", "/trends", "/datahealth", "/trends?tags=smelter.power"])
def test_every_page_asks_a_stranger_to_sign_in(site: Site, path: str) -> None:
    answer = httpx.get(f"{site.url}{path}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


def test_every_rest_route_of_an_app_refuses_a_stranger(site: Site) -> None:
    assert httpx.get(f"{site.url}/api/v1/trends/export?tags=kilns.kiln.power").status_code == 401


@pytest.mark.parametrize(
    "wish", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tevil", "javascript:alert(1)", "", None]
)
def test_nobody_is_led_to_another_site_after_signing_in(wish: str | None) -> None:
    assert local_address(wish) == "/"


def test_an_address_of_ours_is_kept() -> None:
    assert local_address("/trends?tags=a.b&range=8h") == "/trends?tags=a.b&range=8h"


def test_every_answer_keeps_other_sites_out(site: Site) -> None:
    headers = httpx.get(f"{site.url}/sign-in").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_an_address_that_does_not_exist_says_so(site: Site) -> None:
    answer = httpx.get(f"{site.url}/no-such-page", headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 404
    assert "页面不存在" in answer.text
