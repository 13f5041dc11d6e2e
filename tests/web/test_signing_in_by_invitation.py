"""The link of an invitation: its token stays out of logs and other sites, and opens what it was made for, once."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.identity.accounts import Profile
from athanor.web.invitation import invitation_link
from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site


def invite(site: Site, login: str, name: str = "Bert <b>Bold</b>") -> str:
    invitations = site.platform.identity.invitations
    return site.wait_for(invitations.invite(login, Profile(name, ("viewer",), "copper"), actor="anna"))


@pytest.mark.chromium
def test_who_follows_the_link_makes_an_account_and_is_signed_in(site: Site, page: Page) -> None:
    token = invite(site, "invited-bert")
    asked: list[str] = []
    page.on("request", lambda request: asked.extend([request.url, *request.headers.values()]))
    page.goto(f"{site.url}{invitation_link(token)}")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    expect(page.get_by_text("Bert <b>Bold</b>")).to_be_visible()
    expect(page.get_by_text("anna invites you")).to_be_visible()
    assert page.url == f"{site.url}/invitation"
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD + "x")
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("alert")).to_contain_text("The two passwords differ")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    expect(page).to_have_url(f"{site.url}/overview")
    sent = [one for one in asked if token in one and not one.endswith(f"#{token}")]
    assert sent == []  # neither in an address that was asked for nor in a header, such as Referer
    [cookie] = [one for one in page.context.cookies() if one["name"] == COOKIE]
    user = site.wait_for(site.platform.identity.sessions.user_of(cookie["value"]))
    assert (user.login, user.tenant, user.roles) == ("invited-bert", "copper", ("viewer",))


def test_a_used_link_and_one_that_never_was_say_so(site: Site) -> None:
    token = invite(site, "invited-carl")
    with httpx.Client(base_url=site.url, headers={"Accept-Language": "en"}, trust_env=False) as person:
        taken = person.post("/invitation", data={"token": token, "password": PASSWORD, "again": PASSWORD})
        assert (taken.status_code, taken.headers["location"]) == (303, "/")
        for dead in (token, "rubbish", ""):
            answer = person.post("/invitation", data={"token": dead, "password": PASSWORD, "again": PASSWORD})
            assert (answer.status_code, "Ask for a new one" in answer.text) == (410, True)


def test_a_weak_password_keeps_the_link(site: Site) -> None:
    token = invite(site, "invited-dora")
    with httpx.Client(base_url=site.url, headers={"Accept-Language": "zh-CN"}, trust_env=False) as person:
        answer = person.post("/invitation", data={"token": token, "password": "1234567890", "again": "1234567890"})
        assert (answer.status_code, "容易被猜到" in answer.text) == (422, True)
        answer = person.post("/invitation", data={"token": token, "password": PASSWORD, "again": PASSWORD})
        assert answer.status_code == 303


def test_a_link_to_a_new_password_keeps_the_second_factor(site: Site) -> None:
    from .test_signing_in_steps import set_up  # noqa: PLC0415

    site.admit("invited-eve", "viewer")
    set_up(site, "invited-eve")
    invitations = site.platform.identity.invitations
    token = site.wait_for(invitations.invite_to_new_password("invited-eve", actor="anna"))
    with httpx.Client(base_url=site.url, headers={"Accept-Language": "en"}, trust_env=False) as person:
        assert "Set a new password for your account" in person.post("/invitation", data={"token": token}).text
        newer = "another horse battery"
        answer = person.post("/invitation", data={"token": token, "password": newer, "again": newer})
        assert answer.headers["location"] == "/sign-in/code?next=%2F"
