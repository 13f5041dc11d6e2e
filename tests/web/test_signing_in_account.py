"""The account page: one's own password, second factor, sessions and tokens, on a desk and on a phone."""

import httpx
import pyotp
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.sessions import Where
from athanor.web.account.agents import browser_of
from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site

NEWER = "another horse battery"


def open_account(site: Site, page: Page, login: str, role: str = "engineer") -> str:
    """The page as somebody of their own: their session."""
    token = site.admit(login, role, "copper")
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": site.url}])
    page.goto(f"{site.url}/account")
    expect(page.get_by_role("heading", name="My account", level=1)).to_be_visible()
    return token


def is_open(site: Site, token: str) -> bool:
    return site.wait_for(site.platform.identity.sessions.user_of(token)) is not None


def test_a_stranger_is_led_to_sign_in(site: Site) -> None:
    assert httpx.get(f"{site.url}/account").headers["location"] == "/sign-in?next=%2Faccount"


@pytest.mark.chromium
def test_the_menu_leads_to_who_one_is(site: Site, page: Page) -> None:
    token = site.admit("account-who", "engineer", "copper")
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": site.url}])
    page.goto(f"{site.url}/trends")
    page.get_by_label("Your settings").click()
    page.get_by_role("link", name="My account").click()
    expect(page).to_have_url(f"{site.url}/account")
    card = page.get_by_role("region", name="Who you are")
    for text in ("Account-Who", "account-who", "Engineer", "Copper Works"):
        expect(card.get_by_text(text, exact=True)).to_be_visible()


@pytest.mark.chromium
def test_a_new_password_asks_for_the_old_one_and_ends_the_other_sessions(site: Site, page: Page) -> None:
    here = open_account(site, page, "account-password")
    there = site.admit("account-password", "engineer", "copper")
    page.get_by_role("button", name="Change the password…").click()
    dialog = page.get_by_role("dialog")
    for former, new, again, said in (
        ("wrong", NEWER, NEWER, "This is not the password that you have."),
        (PASSWORD, NEWER, NEWER + "x", "The two passwords differ"),
        (PASSWORD, "password123", "password123", "easily guessed"),
        (PASSWORD, PASSWORD, PASSWORD, "This is the password that you have."),
    ):
        dialog.get_by_label("Password that you have").fill(former)
        dialog.get_by_label("New password", exact=True).fill(new)
        dialog.get_by_label("New password again").fill(again)
        dialog.get_by_role("button", name="Change").click()
        expect(dialog.get_by_role("alert")).to_contain_text(said)
    dialog.get_by_label("New password", exact=True).fill(NEWER)
    dialog.get_by_label("New password again").fill(NEWER)
    dialog.get_by_role("button", name="Change").click()
    expect(dialog).to_be_hidden()
    assert (is_open(site, here), is_open(site, there)) == (True, False)
    site.wait_for(site.platform.identity.sessions.sign_in("account-password", NEWER))


@pytest.mark.chromium
def test_a_second_factor_is_set_up_and_removed_with_the_password(site: Site, page: Page) -> None:
    open_account(site, page, "account-factor")
    page.get_by_role("button", name="Set up a second factor…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password that you have").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.locator("svg.ath-qr")).to_be_visible()
    secret = dialog.locator("code.ath-token").inner_text().replace(" ", "")
    dialog.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret).now())
    dialog.get_by_role("button", name="Set up").click()
    expect(dialog.locator("ol.ath-recovery code")).to_have_count(10)
    dialog.get_by_role("button", name="I have kept them").click()
    page.get_by_role("button", name="Remove the second factor…").click()
    dialog.get_by_label("Password that you have").fill("wrong")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("This is not the password that you have.")
    dialog.get_by_label("Password that you have").fill(PASSWORD)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("button", name="Set up a second factor…")).to_be_visible()


@pytest.mark.chromium
def test_open_sessions_are_listed_and_ended(site: Site, page: Page) -> None:
    here = open_account(site, page, "account-sessions")
    sessions = site.platform.identity.sessions
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    others = [
        site.wait_for(sessions.sign_in("account-sessions", PASSWORD, Where(f"10.0.0.{n}", agent))) for n in range(3)
    ]
    page.reload()
    table = page.get_by_role("table", name="Where you are signed in")
    expect(table.get_by_text("Firefox, Windows")).to_have_count(3)
    table.get_by_role("button", name="Sign out Firefox, Windows at 10.0.0.1").click()
    expect(table.get_by_text("Firefox, Windows")).to_have_count(2)
    assert [is_open(site, one) for one in others] == [True, False, True]
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(table.get_by_text("Firefox, Windows")).to_have_count(0)
    assert [is_open(site, one) for one in (here, *others)] == [True, False, False, False]


@pytest.mark.chromium
def test_a_token_is_shown_once_works_within_its_scopes_and_is_revoked(site: Site, page: Page) -> None:
    open_account(site, page, "account-token")
    page.get_by_role("button", name="Make a token…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the program").fill("MES <script>")
    dialog.get_by_role("button", name="Make", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose at least one thing")
    expect(dialog.get_by_label("people.administer")).to_have_count(0)  # an engineer administers nobody
    dialog.get_by_label("trends.view").check()
    dialog.get_by_role("button", name="Make", exact=True).click()
    token = dialog.locator("code.ath-token").inner_text().removeprefix("Authorization: Bearer ")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("table", name="Tokens for programs")).to_contain_text("MES <script>")
    assert token not in page.content()
    program = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.url}/api/v1/me", headers=program).json()["permissions"] == ["trends.view"]
    page.get_by_role("button", name="Revoke MES <script>").click()
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("table", name="Tokens for programs")).to_contain_text("Revoked")
    assert httpx.get(f"{site.url}/api/v1/me", headers=program).status_code == 401


@pytest.mark.chromium
def test_an_open_page_of_somebody_disabled_changes_nothing_any_more(site: Site, page: Page) -> None:
    open_account(site, page, "account-disabled")
    page.get_by_role("button", name="Make a token…").click()
    site.wait_for(site.platform.identity.accounts.disable("account-disabled", actor="test"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the program").fill("MES")
    dialog.get_by_label("trends.view").check()
    dialog.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert list(site.wait_for(site.platform.identity.tokens.of("account-disabled"))) == []


@pytest.mark.chromium
def test_the_page_fits_a_phone_and_speaks_chinese(site: Site, page: Page) -> None:
    open_account(site, page, "account-phone", "viewer")
    page.get_by_role("combobox", name="Language").select_option("zh_CN")
    expect(page.get_by_role("heading", name="我的账户", level=1)).to_be_visible()
    assert site.wait_for(site.platform.identity.accounts.users())
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("button", name="创建令牌…")).to_be_visible()


@pytest.mark.parametrize(("agent", "said"), [
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
     "Edge, Windows"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/17.0 Safari/605.1", "Safari, macOS"),
    ("Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0", "WeChat, Android"),
    ("python-httpx/0.28.1", "python-httpx/0.28.1"),
    ("", ""),
    ("x" * 200, "x" * 40),
])  # fmt: skip
def test_a_browser_is_named_in_two_words(agent: str, said: str) -> None:
    assert browser_of(agent) == said
