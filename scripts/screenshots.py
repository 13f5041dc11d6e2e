"""Take the pictures of the README and the manual from a running server.

Start `make demo`, then `make screenshots ARGS="--password …"`. With `--all` every page is taken on both devices, in
both themes and both languages, to be looked at.
"""

import argparse
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, StorageState, ViewportSize, expect, sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "img"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = ("overview", "trends", "datahealth")
DEVICES: dict[str, ViewportSize] = {
    "": {"width": 1440, "height": 900},
    "-phone": {"width": 390, "height": 844},
}
THEMES = {"": "light", "-dark": "dark"}
LANGUAGES = {"": "en", "-zh": "zh_CN"}
SHOWN = ("overview", "overview-dark", "overview-phone", "trends", "datahealth")  # each in both languages
SETTLING_MS = 4000  # live values tick and charts draw; nothing on the page says that a picture may be taken now


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: the suffixes of its name say what it shows."""

    page: str
    device: str
    theme: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.page}{self.device}{self.theme}{self.language}"


def pictures(*, is_everything: bool) -> Iterator[Picture]:
    """What to take: every combination, or those that the pages of the manual show."""
    for combination in product(PAGES, DEVICES, THEMES, LANGUAGES):
        picture = Picture(*combination)
        if is_everything or picture.name.removesuffix(picture.language) in SHOWN:
            yield picture


def signed_in(browser: Browser, url: str, login: str, password: str) -> StorageState:
    """The cookies of a person who has just signed in."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/sign-in")
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill(password)
        page.locator("form button").click()
        expect(page.locator("input[name=password]")).to_have_count(0)
        return context.storage_state()


def take(browser: Browser, state: StorageState, picture: Picture, address: str, folder: Path) -> Path:
    """Take one picture of the page at `address`."""
    is_phone = picture.device == "-phone"
    context = browser.new_context(
        storage_state=state,
        viewport=DEVICES[picture.device],
        device_scale_factor=2 if is_phone else 1,
        has_touch=is_phone,
        color_scheme="dark" if picture.theme else "light",
        locale=LANGUAGES[picture.language].replace("_", "-"),
    )
    with context:
        host = urlsplit(address).hostname or ""
        context.add_cookies(
            [{"name": "athanor_language", "value": LANGUAGES[picture.language], "domain": host, "path": "/"}]
        )
        page = context.new_page()
        page.goto(address)
        expect(page.locator("h1").first).to_be_visible()
        page.wait_for_timeout(SETTLING_MS)
        path = folder / f"{picture.name}.png"
        page.screenshot(path=path)
    return path


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ.get
    parser.add_argument("--url", default=environment("ATHANOR_TEST_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--login", default=environment("ATHANOR_TEST_LOGIN", "admin"))
    parser.add_argument("--password", default=environment("ATHANOR_TEST_PASSWORD"), help="as the server printed it")
    parser.add_argument("--query", action="append", default=[], metavar="PAGE=QUERY", help="such as trends=tags=…")
    parser.add_argument("--all", action="store_true", help="every combination, not only those that are shown")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder for the pictures")
    given = parser.parse_args()
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None or given.password is None:
        parser.error("--password is needed" if program else "no Chromium; run scripts/install-test-tools first")
    queries = dict(query.split("=", 1) for query in given.query)
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        state = signed_in(browser, given.url, given.login, given.password)
        for picture in pictures(is_everything=given.all):
            query = f"?{queries[picture.page]}" if picture.page in queries else ""
            print(take(browser, state, picture, f"{given.url}/{picture.page}{query}", given.out))  # noqa: T201


if __name__ == "__main__":
    main()
