"""What people see of Notifications: inbox, policies with who would be told, rosters with gaps, a channel's test."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.service import Notify
from athanor.web.sessions import COOKIE

from .site import Site

pytestmark = pytest.mark.chromium

_BASE = "/api/v1/notifications"
_PATIENT_MS = 60_000


@pytest.fixture(scope="module")
def boss(site: Site) -> Iterator[httpx.Client]:
    """An administrator of the copper works, and two operators there."""
    for login in ("noti-olga", "noti-pei"):
        site.admit(login, "operator", "copper")
    session = site.admit("noti-boss", "administrator", "copper")
    with httpx.Client(base_url=site.url, cookies={COOKIE: session}, timeout=60, headers={"Origin": site.url}) as one:
        yield one


def test_a_message_is_read_in_the_inbox(site: Site, page: Page, boss: httpx.Client) -> None:
    site.wait_for(_told(site, "noti-boss", "The press stands still"))
    site.open(page, "/notifications", "noti-boss")
    message = page.locator("li", has_text="The press stands still")
    expect(message).to_be_visible(timeout=_PATIENT_MS)
    message.get_by_role("button", name="Mark as read").click()
    expect(message.get_by_role("button", name="Mark as read")).to_have_count(0, timeout=_PATIENT_MS)
    found = boss.get(f"{_BASE}/inbox", params={"text": "press stands"}).json()["messages"]
    assert [one["read_at"] is not None for one in found] == [True]


def test_a_policy_shows_who_would_be_told_while_it_is_written(site: Site, page: Page, boss: httpx.Client) -> None:
    site.open(page, "/notifications/policies/new", "noti-boss")
    told = page.get_by_role("region", name="Who would be told now")
    expect(told).to_contain_text("Noti-Olga", timeout=_PATIENT_MS)
    page.get_by_label("Name · English").fill("To Pei alone")
    page.get_by_role("button", name="Take out: whoever may alarms.operate").click()
    expect(page.get_by_role("alert").first).to_contain_text("steps.0.to", timeout=_PATIENT_MS)
    page.locator("select[name=who-kind]").select_option("person")
    page.locator("select[name=who-person]").select_option("noti-pei")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(told.locator(".ath-rowed").first).to_contain_text("Noti-Pei", timeout=_PATIENT_MS)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="To Pei alone")).to_be_visible(timeout=_PATIENT_MS)
    kept = [one["policy"] for one in boss.get(f"{_BASE}/policies").json()]
    assert [one["steps"][0]["to"] for one in kept if one["name"]["en"] == "To Pei alone"] == [
        [{"kind": "person", "login": "noti-pei"}]
    ]


def test_a_rosters_week_shows_who_is_on_duty_and_when_nobody_is(site: Site, page: Page, boss: httpx.Client) -> None:
    said = {
        "name": {"en": "Night watch"},
        "shifts": [{"id": "call", "name": {"en": "On call"}, "from_minute": 0, "minutes": 1440}],
        "cycle": ["call"],
        "teams": [{"name": "Watch", "members": ["noti-olga"]}],
        "begins_on": "2026-01-01",
        "changes": [{"first": "2026-06-03", "last": "2026-06-03", "out": "noti-olga", "reason": "leave"}],
    }
    number = boss.post(f"{_BASE}/rosters", json={"roster": said}).raise_for_status().json()["id"]
    page.set_viewport_size({"width": 390, "height": 800})
    site.open(page, f"/notifications/rosters/{number}?week=2026-06-01", "noti-boss")
    week = page.get_by_role("region", name="The week")
    expect(week.get_by_text("Noti-Olga")).to_have_count(6, timeout=_PATIENT_MS)
    expect(page.get_by_text("2026-06-03 00:00:00 – 2026-06-04 00:00:00")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_channels_test_says_what_went_wrong_and_its_secret_is_never_shown(site: Site, page: Page) -> None:
    session = site.admit("anna", "administrator")
    cookies = {COOKIE: session}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=60, headers={"Origin": site.url}) as park:
        settings = {
            "host": "127.0.0.1", "port": 1, "sender": "athanor@example.com", "user": "athanor",
            "password": "never-shown-7341",
        }  # fmt: skip
        wish = {"kind": "email", "name": "Dead mail", "settings": settings}
        number = park.post(f"{_BASE}/channels", json=wish).raise_for_status().json()["id"]
        site.open(page, f"/notifications/channels/{number}")
        page.get_by_role("button", name="Test…").click()
        page.get_by_label("To, such as name@example.com").fill("somebody@example.com")
        page.get_by_role("button", name="Send it").click()
        expect(page.get_by_text("It did not go out")).to_be_visible(timeout=_PATIENT_MS)
        assert "never-shown-7341" not in page.content() + park.get(f"{_BASE}/channels/{number}").text
        park.delete(f"{_BASE}/channels/{number}").raise_for_status()


def test_an_operator_sees_no_policies_and_no_channels(site: Site, page: Page) -> None:
    site.admit("noti-olga", "operator", "copper")
    site.open(page, "/notifications", "noti-olga")
    expect(page.get_by_role("navigation", name="Notifications").get_by_role("link")).to_have_text(
        ["Inbox", "How I am reached", "Duty rosters"], timeout=_PATIENT_MS
    )


async def _told(site: Site, login: str, title: str) -> None:
    """Tell somebody something, and let it be routed."""
    now, platform = datetime.now(UTC), site.platform
    said = Notice(f"noti:{title}", "noti", "noti", {"en": title}, tenant="copper", logins=(login,), at=now)
    async with platform.database.session() as session:
        await notice.put(session, [said], now)
    notify = platform.ports["notify"]
    assert isinstance(notify, Notify)
    notify.wake()
