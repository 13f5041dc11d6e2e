"""People administered in the browser: invited, given roles, disabled; by the park, and by an enterprise for itself."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from athanor.kernel.identity.accounts import Profile

from .site import PASSWORD, Site

pytestmark = pytest.mark.chromium

HOSTILE = '<img src=x onerror="window.hacked=1">{{7*7}}'
FORMULA = '=HYPERLINK("http://evil.example","x")'
ADMINISTERED = ("", "/pg-kurt", "/roles", "/departments", "/invitations", "/onboarding")


@pytest.fixture(scope="module", autouse=True)
def staff(site: Site) -> None:
    """An administrator of the park, one of the copper works, and a viewer there."""
    site.admit("pg-pia", "administrator")
    site.admit("pg-cora", "administrator", "copper")
    site.admit("pg-kurt", "viewer", "copper")
    site.admit("pg-karl", "viewer", "carbon")


@pytest.fixture
def other(chromium: Browser) -> Iterator[Page]:
    """Somebody else's browser."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def found(page: Page, text: str) -> Locator:
    """The rows of the list that hold a text."""
    page.get_by_role("searchbox", name="Search").fill(text)
    return page.get_by_role("table", name="People").locator("tbody tr")


def test_somebody_is_invited_by_a_link_and_comes_in(site: Site, page: Page, other: Page) -> None:
    site.open(page, "/people", "pg-pia")
    page.get_by_role("button", name="Invite…").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=name]").fill("Lin Wei")
    dialog.locator("input[name=login]").fill("pg-lin")
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_role("alert")).to_have_text("Say whose person it is: an enterprise's, or the park's.")
    dialog.locator("select[name=enterprise]").select_option("copper")
    dialog.locator("input[name=post]").fill("Shift leader")
    dialog.get_by_role("button", name="Make the link").click()
    link = dialog.locator("input[name=link]")
    expect(link).to_have_value(re.compile(re.escape(site.url)))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == link.input_value()
    expect(dialog).to_contain_text(re.compile(r"It opens once, until \d{4}-\d\d-\d\d"))

    site.open(page, "/people/invitations", "pg-pia")
    expect(page.get_by_role("table", name="Open invitations")).to_contain_text("Lin Wei (pg-lin)")
    other.goto(address)
    for field in other.locator("input[type=password]").all():
        field.fill(PASSWORD)
    other.locator("button.is-main").click()
    expect(other.get_by_role("navigation", name="Apps")).to_be_visible()
    other.goto(address)
    expect(other.get_by_text("The link opens nothing")).to_be_visible()
    site.open(page, "/people/pg-lin", "pg-pia")
    expect(page.get_by_role("table", name="Profile")).to_contain_text("Shift leader")


def test_a_role_is_made_given_and_holds_at_the_next_request(site: Site, page: Page, other: Page) -> None:
    site.admit("pg-paul", "viewer", "copper")
    site.open(other, "/exchange/publish", "pg-paul")
    expect(other.get_by_text("This page is not for you")).to_be_visible()

    site.open(page, "/people/roles", "pg-pia")
    page.get_by_role("button", name="Make a role…").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=name]").fill("Not A Name")
    dialog.get_by_role("group", name="Data sharing").get_by_label("publish").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("small letters")
    dialog.locator("input[name=name]").fill("pg-publisher")
    dialog.locator("input[name=title_en]").fill("Publisher")
    dialog.get_by_role("group", name="In every app").get_by_label("see", exact=True).check()
    dialog.get_by_role("button", name="Save").click()
    matrix = page.get_by_role("table", name="What each role may do")
    expect(matrix).to_contain_text("Publisher")

    site.open(page, "/people/pg-paul", "pg-pia")
    page.get_by_role("button", name="Change…").click()
    dialog.get_by_label("Publisher").check()
    dialog.get_by_label("Viewer").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("table", name="Profile")).to_contain_text("Publisher")
    other.reload()
    expect(other.locator("input[name=name_en]")).to_be_visible()


def test_who_is_disabled_is_signed_out_and_can_be_enabled(site: Site, page: Page, other: Page) -> None:
    site.admit("pg-dora", "viewer", "copper")
    site.open(other, "/overview", "pg-dora")
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    site.open(page, "/people/pg-dora", "pg-cora")
    page.get_by_role("button", name="Disable…").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable", exact=True).click()
    expect(page.locator("#content").get_by_text("Disabled", exact=True)).to_be_visible()
    other.goto(f"{site.url}/overview")
    expect(other).to_have_url(re.compile("/sign-in"))
    page.get_by_role("button", name="Enable…").click()
    page.get_by_role("dialog").get_by_role("button", name="Enable", exact=True).click()
    expect(page.locator("#content").get_by_text("Active", exact=True)).to_be_visible()


def test_a_session_is_ended_and_a_link_for_a_new_password_made(site: Site, page: Page, other: Page) -> None:
    site.admit("pg-sina", "viewer", "copper")
    site.open(other, "/overview", "pg-sina")
    site.open(page, "/people/pg-sina", "pg-cora")
    sessions = page.get_by_role("region", name="Open sessions")
    buttons = sessions.get_by_role("button", name="Sign out")
    while left := buttons.count():
        buttons.first.click()
        expect(buttons).to_have_count(left - 1)
    expect(sessions).to_contain_text("Nowhere.")
    other.goto(f"{site.url}/overview")
    expect(other).to_have_url(re.compile("/sign-in"))
    page.get_by_role("button", name="Link for a new password…").click()
    page.get_by_role("dialog").get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("dialog").locator("input[name=link]")).to_have_value(re.compile(re.escape(site.url)))
    expect(page.get_by_role("table", name="Newest entries")).to_contain_text("identity.session-ended")


def test_nobody_disables_themselves_and_is_told_why(site: Site, page: Page) -> None:
    site.open(page, "/people/pg-cora", "pg-cora")
    page.get_by_role("button", name="Disable…").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("You cannot disable your own account")


def test_an_enterprises_administrator_sees_and_gives_only_their_own(site: Site, page: Page) -> None:
    site.open(page, "/people", "pg-cora")
    expect(found(page, "pg-kurt")).to_have_count(1)
    for login in ("pg-karl", "pg-pia"):
        expect(found(page, login)).to_have_count(0)
        site.open(page, f"/people/{login}", "pg-cora")
        expect(page.get_by_text("There is nobody of this login")).to_be_visible()
        site.open(page, "/people", "pg-cora")
    expect(page.get_by_role("link", name="New enterprises")).to_have_count(0)
    page.get_by_role("button", name="Invite…").click()
    expect(page.get_by_role("dialog").locator("input[name=login]")).to_be_visible()
    expect(page.get_by_role("dialog").locator("select[name=enterprise]")).to_have_count(0)
    site.open(page, "/people/roles", "pg-cora")
    expect(page.get_by_role("table", name="What each role may do")).to_be_visible()
    expect(page.get_by_role("button", name="Make a role…")).to_have_count(0)
    site.open(page, "/people/departments", "pg-cora")
    expect(page.get_by_role("region", name="Copper Works")).to_be_visible()
    expect(page.get_by_role("region", name="Carbon Works")).to_have_count(0)
    site.open(page, "/people/onboarding", "pg-cora")
    expect(page.get_by_text("This is for the park's administrators")).to_be_visible()


def test_a_viewer_sees_colleagues_and_nothing_else(site: Site, page: Page) -> None:
    site.open(page, "/people", "pg-kurt")
    colleagues = page.get_by_role("table", name="Colleagues")
    expect(colleagues).to_contain_text("Pg-Cora")
    expect(colleagues).not_to_contain_text("Pg-Karl")
    expect(page.get_by_role("button", name="Invite…")).to_have_count(0)
    for path in ADMINISTERED[1:]:
        answer = page.goto(f"{site.url}/people{path}")
        assert answer is not None
        assert answer.status == 403


def test_what_was_typed_stays_text_and_leaves_as_text(site: Site, page: Page) -> None:
    async def seed() -> None:
        identity = site.platform.identity
        number = await identity.departments.make("copper", HOSTILE, None, actor="test")
        profile = Profile(HOSTILE, ("viewer",), "copper", number, FORMULA, "x@example.org", "+1 555")
        await identity.accounts.create("pg-mallory", profile, PASSWORD, actor="test")

    site.wait_for(seed())
    site.open(page, "/people", "pg-pia")
    rows = found(page, "pg-mallory")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(HOSTILE)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export as CSV").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["Full name"], row["Post"]) == (HOSTILE, f"'{FORMULA}")
    for path in ("/pg-mallory", "/departments"):
        site.open(page, f"/people{path}", "pg-pia")
        expect(page.locator("#content")).to_contain_text(HOSTILE)
    site.open(page, "/people/pg-mallory", "pg-pia")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.get_by_role("button", name="Change…").click()
    expect(page.get_by_role("dialog").locator("input[name=name]")).to_have_value(HOSTILE)
    assert page.evaluate("window.hacked") is None


def test_departments_are_added_moved_and_removed_by_clicks(site: Site, page: Page) -> None:
    site.open(page, "/people/departments", "pg-pia")
    card = page.get_by_role("region", name="Carbon Works")
    dialog = page.get_by_role("dialog")
    card.get_by_role("button", name="Add…").click()
    dialog.locator("input[name=name]").fill("Kilns")
    dialog.get_by_role("button", name="Add", exact=True).click()
    card.get_by_role("button", name="Add below Kilns").click()
    dialog.locator("input[name=name]").fill("Green mill")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(card.locator(".ath-rowed")).to_have_count(2)
    card.get_by_role("button", name="Remove Kilns").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("still holds others")
    dialog.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name="Move Green mill", exact=True).click()
    dialog.locator("select[name=above]").select_option("")
    dialog.get_by_role("button", name="Move", exact=True).click()
    for name in ("Kilns", "Green mill"):
        card.get_by_role("button", name=f"Remove {name}").click()
        dialog.get_by_role("button", name="Remove", exact=True).click()
        expect(card.get_by_role("button", name=f"Remove {name}")).to_have_count(0)


def test_filters_show_who_is_like_that(site: Site, page: Page) -> None:
    site.open(page, "/people", "pg-pia")
    rows = found(page, "pg-k")
    expect(rows).to_have_count(2)
    page.locator("select[name=enterprise]").select_option("carbon")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Pg-Karl")
    page.locator("select[name=role]").select_option("administrator")
    expect(page.get_by_text("Nobody is like that.")).to_be_visible()


def test_every_page_fits_a_phone_in_chinese(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    for path in ADMINISTERED:
        site.open(page, f"/people{path}", "pg-pia")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    expect(page.get_by_role("table", name="企业入驻")).to_contain_text("铜业公司")
    context.close()
