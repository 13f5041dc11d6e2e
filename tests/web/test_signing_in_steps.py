"""What comes after the password: code, setting up a second factor, a new password; and that no step can be skipped."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pyotp
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.sessions import FREE_ATTEMPTS, Rules
from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site

NEWER = "another horse battery"


def client(site: Site) -> httpx.Client:
    return httpx.Client(base_url=site.url, headers={"Accept-Language": "en"}, trust_env=False)


def sign_in(person: httpx.Client, login: str, password: str = PASSWORD) -> httpx.Response:
    return person.post("/sign-in", data={"login": login, "password": password, "next": "/overview"})


def set_up(site: Site, login: str) -> str:
    """A second factor since a while ago: its secret."""
    secret, _address = site.platform.identity.second_factors.propose(login, "Park")
    code = pyotp.TOTP(secret).at(datetime.now(UTC).timestamp() - 30)
    site.wait_for(site.platform.identity.second_factors.set_up(login, secret, code, actor="test"))
    return secret


def is_signed_in(site: Site, token: str | None) -> bool:
    return bool(token) and site.wait_for(site.platform.identity.sessions.user_of(token)) is not None


@pytest.fixture
def demanding(site: Site) -> Iterator[None]:
    """Engineers must have a second factor."""
    sessions = site.platform.identity.sessions
    former, sessions.rules = sessions.rules, Rules(second_factor_for=frozenset({"engineer"}))
    yield
    sessions.rules = former


def test_a_code_is_asked_for_and_each_step_changes_the_token(site: Site) -> None:
    site.admit("steps-code", "viewer")
    secret = set_up(site, "steps-code")
    with client(site) as person:
        answer = sign_in(person, "steps-code")
        assert answer.headers["location"] == "/sign-in/code?next=%2Foverview"
        first = person.cookies[COOKIE]
        assert person.get("/overview").headers["location"] == "/sign-in?next=%2Foverview"
        assert person.get("/api/v1/series").status_code == 401
        assert "six digits" in person.get("/sign-in/code").text
        answer = person.post("/sign-in/code", data={"code": pyotp.TOTP(secret).now(), "next": "/overview"})
        assert answer.headers["location"] == "/overview"
        assert person.cookies[COOKIE] != first
        assert [is_signed_in(site, one) for one in (first, person.cookies[COOKIE])] == [False, True]


def test_guesses_at_the_code_lock_the_login(site: Site) -> None:
    site.admit("steps-guess", "viewer")
    secret = set_up(site, "steps-guess")
    with client(site) as person:
        sign_in(person, "steps-guess")
        said = [person.post("/sign-in/code", data={"code": f"00000{n}"}) for n in range(FREE_ATTEMPTS)]
        assert [one.status_code for one in said] == [401] * FREE_ATTEMPTS
        assert "This code is not the one" in said[0].text
        assert "Try again in" in said[-1].text
        right = person.post("/sign-in/code", data={"code": pyotp.TOTP(secret).now()})
        assert "Try again in" in right.text
        assert not is_signed_in(site, person.cookies[COOKIE])


def test_a_step_cannot_be_skipped_by_its_neighbour(site: Site) -> None:
    site.admit("steps-skip", "viewer")
    set_up(site, "steps-skip")
    with client(site) as person:
        sign_in(person, "steps-skip")
        for path, data in (
            ("/sign-in/password", {"password": NEWER, "again": NEWER}),
            ("/sign-in/second-factor", {"secret": "A" * 32, "code": "123456"}),
        ):
            assert person.post(path, data=data).headers["location"] == "/sign-in?next=%2F"
            assert person.get(path).headers["location"] == "/sign-in?next=%2F"
        assert not is_signed_in(site, person.cookies[COOKIE])
        site.wait_for(site.platform.identity.sessions.sign_in("steps-skip", PASSWORD))  # the password is as it was


def test_a_stranger_gets_no_step(site: Site) -> None:
    with client(site) as person:
        for path in ("/sign-in/code", "/sign-in/second-factor", "/sign-in/password"):
            assert person.get(path).headers["location"] == "/sign-in?next=%2F"
            assert person.post(path, data={"code": "123456"}).headers["location"] == "/sign-in?next=%2F"


def test_a_password_set_by_somebody_else_is_changed_first(site: Site) -> None:
    site.admit("steps-forced", "viewer")
    identity = site.platform.identity
    site.wait_for(identity.accounts.set_password("steps-forced", PASSWORD, actor="test", must_change=True))
    with client(site) as person:
        assert sign_in(person, "steps-forced").headers["location"] == "/sign-in/password?next=%2Foverview"
        for password, again, said in (
            (NEWER, NEWER + "x", "The two passwords differ"),
            (PASSWORD, PASSWORD, "This is the password that you have"),
            ("password123", "password123", "easily guessed"),
            ("short", "short", "At least 10 characters"),
        ):
            answer = person.post("/sign-in/password", data={"password": password, "again": again})
            assert (answer.status_code, said in answer.text) == (401, True)
        answer = person.post("/sign-in/password", data={"password": NEWER, "again": NEWER, "next": "/overview"})
        assert answer.headers["location"] == "/overview"
        assert is_signed_in(site, person.cookies[COOKIE])


def test_a_session_that_the_browser_had_before_is_not_the_one_after(site: Site) -> None:
    fixed = site.admit("steps-fixed", "viewer")
    with client(site) as person:
        answer = person.post(
            "/sign-in",
            data={"login": "steps-fixed", "password": PASSWORD},
            headers={"Cookie": f"{COOKIE}=known-to-an-attacker"},
        )
        assert answer.cookies[COOKIE] != "known-to-an-attacker"
    with client(site) as person:
        answer = person.post(
            "/sign-in", data={"login": "steps-fixed", "password": PASSWORD}, headers={"Cookie": f"{COOKIE}={fixed}"}
        )
        fresh = answer.cookies[COOKIE]
    assert [is_signed_in(site, one) for one in (fixed, fresh)] == [False, True]


@pytest.mark.usefixtures("demanding")
@pytest.mark.chromium
def test_one_sets_up_a_second_factor_and_keeps_the_recovery_codes(site: Site, page: Page) -> None:
    site.admit("steps-enrol", "engineer")
    page.goto(f"{site.url}/sign-in?next=/trends")
    page.get_by_label("Login").fill("steps-enrol")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    expect(page.locator("svg.ath-qr")).to_be_visible()
    secret = page.locator("code.ath-sign-in-key").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill("000000")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not the one")
    assert page.locator("code.ath-sign-in-key").inner_text().replace(" ", "") == secret
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Set up").click()
    codes = page.locator("ol.ath-recovery code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{site.url}/trends")
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in?next=/trends")
    page.get_by_label("Login").fill("steps-enrol")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(codes[3])
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(f"{site.url}/trends")


def test_a_secret_of_ones_own_making_is_not_taken(site: Site, demanding: None) -> None:
    site.admit("steps-weak", "engineer")
    with client(site) as person:
        sign_in(person, "steps-weak")
        weak = "A" * 24
        answer = person.post("/sign-in/second-factor", data={"secret": weak, "code": pyotp.TOTP(weak).now()})
        assert re.search(r'name="secret" value="[A-Z2-7]{32}"', answer.text)
        assert not is_signed_in(site, person.cookies[COOKIE])


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "'; DROP TABLE identity_users; --", "\x00", "𝒜" * 300])
def test_no_text_that_is_typed_breaks_the_page_or_is_obeyed(site: Site, text: str) -> None:
    with client(site) as person:
        answer = person.post("/sign-in", data={"login": text, "password": text, "next": text})
        assert answer.status_code == 401
        assert "<script>alert" not in answer.text
