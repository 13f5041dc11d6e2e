"""Take the pictures of the README and the manual from a running server.

Start `make demo`, then `make screenshots ARGS="--password …"`. What the pages are to show and a new demo has not, such
as an incident and a document, is made first, once. With `--all` every page is taken on both devices, in both themes
and both languages, to be looked at.
"""

import argparse
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, StorageState, ViewportSize, expect, sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "img"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = {  # address by the name of the picture; what is in braces is found by `shown_there`
    "overview": "/overview",
    "trends": "/trends",
    "datahealth": "/datahealth",
    "alarms": "/alarms",
    "alarm": "/alarms/alarm/{alarm}",
    "alarm-history": "/alarms/history",
    "alarm-rules": "/alarms/rules",
    "alarm-rule": "/alarms/rules/{rule}",
    "alarm-performance": "/alarms/performance",
    "incidents": "/incidents",
    "incident": "/incidents/{incident}",
    "inbox": "/notifications",
    "policies": "/notifications/policies",
    "channels": "/notifications/channels",
    "documents": "/documents",
    "forms": "/forms",
    "account": "/account",
    "people": "/people",
    "security": "/security",
    "audit": "/security/audit",
    "operations": "/operations",
}
DEVICES: dict[str, ViewportSize] = {
    "": {"width": 1440, "height": 900},
    "-phone": {"width": 390, "height": 844},
}
THEMES = {"": "light", "-dark": "dark"}
LANGUAGES = {"": "en", "-zh": "zh_CN"}
# Each in both languages.
SHOWN = (*PAGES, "overview-dark", "overview-phone", "alarms-phone", "alarms-dark")
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


def pictures(*, is_everything: bool, only: Collection[str] = ()) -> Iterator[Picture]:
    """What to take: every combination, or those that the pages of the manual show; of all pages, or of some."""
    for combination in product(only or PAGES, DEVICES, THEMES, LANGUAGES):
        picture = Picture(*combination)
        if is_everything or picture.name.removesuffix(picture.language) in SHOWN:
            yield picture


def shown_there(url: str, state: StorageState) -> dict[str, str]:
    """Ids of what the pictures show; an incident, its evidence and a form are made where there are none."""
    cookies = {one["name"]: one["value"] for one in state["cookies"]}
    with httpx.Client(base_url=f"{url}/api/v1", cookies=cookies, headers={"Origin": url}, timeout=60) as api:
        standing = api.get("/alarms").raise_for_status().json()["alarms"]
        rules = api.get("/alarms/rules").raise_for_status().json()["rules"]
        incidents = api.get("/incidents").raise_for_status().json()["incidents"]
        incident = incidents[0]["id"] if incidents else _report(api)
        if not api.get("/documents").raise_for_status().json()["total"]:
            for name, text in (("Lock-out of the blower.txt", "1. Stop. 2. Isolate. 3. Lock. 4. Try."),
                               ("Shift log 2026-11.csv", "day,shift,remark\n21,early,calm\n")):  # fmt: skip
                api.post("/documents", params={"name": name}, content=text.encode()).raise_for_status()
    alarm = standing[0]["id"] if standing else 1
    return {"incident": str(incident), "alarm": str(alarm), "rule": str(rules[0]["id"])}


def _report(api: httpx.Client) -> int:
    wish = {"title": "Oil below the roots blower", "priority": 2, "category": "equipment", "text": "Seen on the round."}
    case = api.post("/incidents", json=wish).raise_for_status().json()
    api.post(f"/incidents/{case['id']}/tasks", json={"title": "Order a seal ring", "body": "Maintenance"})
    return int(case["id"])


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
        if picture.page != "overview":  # one picture shows that an alarm is seen wherever one is
            page.add_style_tag(content=".ath-alarm-popup { display: none !important; }")
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
    parser.add_argument("--only", action="append", default=[], choices=PAGES, help="this page; may be repeated")
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
        there = shown_there(given.url, state)
        for picture in pictures(is_everything=given.all, only=given.only):
            query = f"?{queries[picture.page]}" if picture.page in queries else ""
            address = f"{given.url}{PAGES[picture.page].format(**there)}{query}"
            print(take(browser, state, picture, address, given.out))  # noqa: T201


if __name__ == "__main__":
    main()
