"""Sign-in by other directories, from the button on the page and back, against a server as it is run."""

import json
import re
import warnings
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from .running import PASSWORD, RunningServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider's own libraries deprecate each other
    import oidc_provider_mock as provider_of_openid

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """With an OpenID provider that is there, and an LDAP directory that is away."""
    people = [
        provider_of_openid.User(sub="7", claims={"preferred_username": "li", "name": "李娜", "groups": ["ops"]}),
        provider_of_openid.User(sub="8", claims={"preferred_username": "guest", "groups": []}),
    ]
    with provider_of_openid.run_server_in_thread(user_claims=people) as provider:
        running = RunningServer(tmp_path_factory.mktemp("server"))
        running.environment |= {
            "ATHANOR_OIDC__ISSUER": f"http://127.0.0.1:{provider.server_port}",
            "ATHANOR_OIDC__TITLE": "Works account",
            "ATHANOR_OIDC__CLIENT_ID": "athanor",
            "ATHANOR_OIDC__CLIENT_SECRET": "secret",
            "ATHANOR_OIDC__GROUPS": json.dumps({"ops": "operator@copper"}),
            "ATHANOR_LDAP__URL": "ldap://127.0.0.1:1",
        }
        running.prepare()
        running.start()
        yield running
        running.end()


@pytest.fixture
def browser(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, headers={"Accept-Language": "en"}) as client:
        yield client


def to_the_provider_and_back(browser: httpx.Client, subject: str) -> httpx.Response:
    (address,) = re.findall(r'href="(/sign-in/openid[^"]*)"', browser.get("/sign-in?next=/trends").text)
    away = browser.get(address.replace("&amp;", "&"))
    approved = httpx.post(away.headers["location"], data={"sub": subject})
    back = urlsplit(approved.headers["location"])
    return browser.get(f"{back.path}?{back.query}")


def test_the_button_leads_to_the_provider_and_back_to_the_page_that_was_wanted(browser: httpx.Client) -> None:
    assert "Sign in with Works account" in browser.get("/sign-in").text
    answer = to_the_provider_and_back(browser, "7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/trends")
    assert "HttpOnly" in answer.headers["set-cookie"]
    me = browser.get("/api/v1/me").raise_for_status().json()
    assert (me["login"], me["roles"], me["tenant"]) == ("li", ["operator"], "copper")


def test_who_has_no_group_here_is_told_and_not_signed_in(browser: httpx.Client) -> None:
    answer = to_the_provider_and_back(browser, "8")
    assert answer.status_code == 403
    assert "None of your groups gives you a role here" in answer.text
    assert browser.get("/api/v1/me").status_code == 401


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(browser: httpx.Client) -> None:
    answer = browser.get("/sign-in/openid/back?code=x&state=y")
    assert answer.status_code == 403
    assert "Start again" in answer.text


def test_while_ldap_is_away_local_accounts_sign_in_and_the_others_are_told(browser: httpx.Client) -> None:
    unknown = browser.post("/sign-in", data={"login": "wang", "password": PASSWORD})
    assert unknown.status_code == 401
    assert "The directory that knows you does not answer" in unknown.text
    known = browser.post("/sign-in", data={"login": "anna", "password": PASSWORD, "next": "/overview"})
    assert (known.status_code, known.headers["location"]) == (303, "/overview")


def test_secrets_are_not_in_the_log(server: RunningServer) -> None:
    log = server.log()
    assert "secret" not in log
    assert not re.search(r"code=[A-Za-z0-9]{10}", log)
