"""A running site and a browser for the tests of pages. The site is started once; each test has its own profile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .site import Site

expect.set_options(timeout=20_000)  # a page on a busy machine takes its time; what never comes still fails
# An alarm of the site, such as of an edge that one test reported and none after it, would cover what others press.
_NO_POPUPS = """
addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style");
  style.textContent = ".ath-alarm-popup { display: none !important; }";
  document.head.append(style);
});
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole platform, serving."""
    running = Site(tmp_path_factory.mktemp("site"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium(require_chromium: Path) -> Iterator[Browser]:
    """One browser for all tests of a file. No longer, as Playwright keeps the thread's event loop while it is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh browser profile on a desk: no cookies, English, light. Alarms pop up only where they are tested."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", color_scheme="light", accept_downloads=True
    )
    context.set_default_timeout(30_000)
    if not request.module.__name__.endswith("test_alarm_desk"):
        context.add_init_script(_NO_POPUPS)
    yield context
    context.close()


@pytest.fixture
def page(browsing: BrowserContext) -> Iterator[Page]:
    """A page that may not fail: an error in its scripts fails the test."""
    page = browsing.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


@pytest.fixture
def signed_in(site: Site, page: Page) -> Page:
    """The administrator's page, on the overview."""
    site.open(page, "/overview")
    return page
