"""Programs with tokens, other sites' requests, and who asks too often: what REST answers them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from athanor.web.rate_limits import RateLimits, TooOftenError, address_key
from athanor.web.same_origin import is_from_here
from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site

A_DAY = timedelta(days=1)


def person(site: Site, login: str, role: str = "engineer", tenant: str | None = "copper") -> httpx.Client:
    session = site.admit(login, role, tenant)
    return httpx.Client(base_url=site.url, headers={"Cookie": f"{COOKIE}={session}"}, trust_env=False)


def program(site: Site, token: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {token}", **headers}, trust_env=False)


def made(site: Site, login: str, *scopes: str) -> str:
    ends = datetime.now(UTC) + A_DAY
    return site.wait_for(site.platform.identity.tokens.make(login, "MES", scopes, ends, actor="test"))


def wish(**other: object) -> dict[str, object]:
    ends = (datetime.now(UTC) + A_DAY).isoformat()
    return {"name": "MES", "scopes": ["trends.view"], "expires_at": ends} | other


@pytest.fixture
def limited(site: Site) -> Iterator[None]:
    """Five sign-ins and sixty calls a minute."""
    asked = site.app.state
    former, asked.limits = asked.limits, RateLimits(5, 60)
    yield
    asked.limits = former


def test_one_makes_lists_and_revokes_tokens(site: Site) -> None:
    with person(site, "rest-token") as me:
        answer = me.post("/api/v1/me/tokens", json=wish())
        assert answer.status_code == 201
        token = answer.json()["token"]
        [listed] = me.get("/api/v1/me/tokens").json()
        assert (listed["name"], listed["scopes"], "token" in listed) == ("MES", ["trends.view"], False)
        with program(site, token) as mes:
            who = mes.get("/api/v1/me").json()
            assert (who["login"], who["tenant"], who["scopes"], who["permissions"]) == (
                "rest-token",
                "copper",
                ["trends.view"],
                ["trends.view"],
            )
            assert me.delete(f"/api/v1/me/tokens/{listed['id']}").status_code == 204
            assert mes.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("bad", [
    {"scopes": []},
    {"scopes": ["people.administer"]},
    {"scopes": ["trends"]},
    {"name": ""},
    {"name": "x" * 101},
    {"expires_at": "2020-01-01T00:00:00Z"},
    {"expires_at": "2120-01-01T00:00:00Z"},
    {"expires_at": "2030-01-01T00:00:00"},
    {"more": 1},
])  # fmt: skip
def test_a_bad_token_is_refused(site: Site, bad: dict[str, object]) -> None:
    with person(site, "rest-bad") as me:
        assert me.post("/api/v1/me/tokens", json=wish(**bad)).status_code == 422
        assert me.get("/api/v1/me/tokens").json() == []


def test_a_token_neither_makes_tokens_nor_changes_the_account(site: Site) -> None:
    with person(site, "rest-limits", "administrator", None) as me:
        token = me.post("/api/v1/me/tokens", json=wish(scopes=["*.*"])).json()["token"]
        [session] = me.get("/api/v1/me/sessions").json()
        with program(site, token) as mes:
            assert mes.get("/api/v1/me").status_code == 200
            refused = [
                mes.post("/api/v1/me/tokens", json=wish()),
                mes.get("/api/v1/me/tokens"),
                mes.delete("/api/v1/me/tokens/1"),
                mes.get("/api/v1/me/sessions"),
                mes.delete("/api/v1/me/sessions"),
                mes.delete(f"/api/v1/me/sessions/{session['handle']}"),
            ]
        assert [(one.status_code, one.json()["detail"]["code"]) for one in refused] == [(403, "web.person-only")] * 6
        assert me.get("/api/v1/me/sessions").json()[0]["is_this_one"]


def test_a_token_opens_the_routes_of_its_scopes_and_no_others(site: Site) -> None:
    site.admit("rest-scopes", "engineer", "copper")
    with program(site, made(site, "rest-scopes", "jobs.view")) as mes:
        assert mes.get("/api/v1/jobs").status_code == 200
        assert mes.get("/api/v1/lookup?tag=x").status_code == 403
    with program(site, made(site, "rest-scopes", "data.*")) as mes:
        assert mes.get("/api/v1/jobs").status_code == 403
        assert mes.get("/api/v1/lookup?tag=x").status_code not in (401, 403)


def test_a_token_that_opens_nothing_does_not_fall_back_on_a_cookie(site: Site) -> None:
    session = site.admit("rest-both", "engineer", "copper")
    for token in ("ath_rubbish", "ath_"):
        with program(site, token, Cookie=f"{COOKIE}={session}") as mes:
            assert mes.get("/api/v1/me").status_code == 401
    with program(site, "another-kind", Cookie=f"{COOKIE}={session}") as me:  # no token of ours: a person's cookie
        assert me.get("/api/v1/me").status_code == 200


def test_a_token_of_somebody_disabled_is_refused(site: Site) -> None:
    site.admit("rest-disabled", "engineer", "copper")
    with program(site, made(site, "rest-disabled", "trends.view")) as mes:
        assert mes.get("/api/v1/me").status_code == 200
        site.wait_for(site.platform.identity.accounts.disable("rest-disabled", actor="test"))
        assert mes.get("/api/v1/me").status_code == 401


def test_one_ends_a_session_of_ones_own_and_no_other(site: Site) -> None:
    with person(site, "rest-ends") as me, person(site, "rest-other") as other:
        [theirs] = other.get("/api/v1/me/sessions").json()
        assert me.delete(f"/api/v1/me/sessions/{theirs['handle']}").status_code == 404
        site.admit("rest-ends", "engineer", "copper")
        assert me.delete("/api/v1/me/sessions").json() == {"ended": 1}
        [mine] = me.get("/api/v1/me/sessions").json()
        assert me.delete(f"/api/v1/me/sessions/{mine['handle']}").status_code == 204
        assert me.get("/api/v1/me").status_code == 401
        assert other.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
])  # fmt: skip
def test_what_another_sites_page_sends_is_refused(site: Site, headers: dict[str, str]) -> None:
    with person(site, "rest-foreign") as me:
        answer = me.post("/api/v1/me/tokens", json=wish(), headers=headers)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "web.other-site")
        assert me.delete("/api/v1/me/sessions", headers=headers).status_code == 403
        assert me.post("/sign-out", headers=headers).status_code == 403
        assert me.get("/api/v1/me", headers=headers).status_code == 200  # reading shows them nothing: no CORS
        assert "access-control-allow-origin" not in me.get("/api/v1/me", headers=headers).headers


def test_our_own_pages_and_programs_are_heard(site: Site) -> None:
    host = site.url.removeprefix("http://")
    for headers in ({}, {"Origin": site.url}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert is_from_here(Headers({"host": host, **headers}))
    assert not is_from_here(Headers({"host": host, "origin": f"{site.url}.evil.example"}))
    assert not is_from_here(Headers({"host": host, "origin": ""}))


@pytest.mark.parametrize("path", ["/_nicegui_ws/socket.io/?EIO=4&transport=websocket", "/anything"])
def test_a_live_connection_from_another_site_is_refused(site: Site, path: str) -> None:
    address = f"{site.url.replace('http', 'ws')}{path}"
    with pytest.raises(InvalidStatus) as caught:
        connect(address, origin="https://evil.example", proxy=None).close()
    assert caught.value.response.status_code == 403


def test_a_live_connection_from_our_own_page_is_taken(site: Site) -> None:
    address = f"{site.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with connect(address, origin=site.url, proxy=None) as live:
        assert str(live.recv(timeout=10)).startswith("0{")  # Engine.IO's open


@pytest.mark.usefixtures("limited")
def test_who_calls_too_often_is_told_how_long_to_wait(site: Site) -> None:
    with person(site, "rest-often") as me, person(site, "rest-seldom") as other:
        if (left_s := 60 - time.time() % 60) < 15:  # calls are counted by the minute: all of them fall into one
            time.sleep(left_s)
        answers = [me.get("/api/v1/me") for _ in range(61)]
        assert [one.status_code for one in answers] == [200] * 60 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].json()["detail"]["code"] == "web.too-many-requests"
        assert other.get("/api/v1/me").status_code == 200
        with program(site, made(site, "rest-often", "trends.view")) as mes:  # counted by itself
            assert mes.get("/api/v1/me").status_code == 200


async def test_an_address_that_tries_too_often_waits() -> None:
    limits = RateLimits(5, 60)

    class Asking:
        def __init__(self, host: str) -> None:
            self.client = type("Client", (), {"host": host})

    for _ in range(5):
        await limits.count_sign_in(Asking("2001:db8::1"))  # type: ignore[arg-type]
    with pytest.raises(TooOftenError) as caught:
        await limits.count_sign_in(Asking("2001:db8::2"))  # type: ignore[arg-type]  # another one of the same network
    assert 1 <= caught.value.retry_after_s <= 60
    await limits.count_sign_in(Asking("2001:db8:0:1::1"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("address", "key"), [
    ("10.0.0.7", "10.0.0.7"),
    ("::ffff:10.0.0.7", "10.0.0.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("", ""),
    ("testclient", "testclient"),
])  # fmt: skip
def test_addresses_are_counted_by_household(address: str, key: str) -> None:
    assert address_key(address) == key


def test_every_answer_carries_the_headers_that_guard_it(site: Site) -> None:
    with person(site, "rest-headers") as me:
        for path in ("/sign-in", "/overview", "/api/v1/me", "/no-such-page", "/invitation"):
            headers = me.get(path).headers
            host = site.url.removeprefix("http://")
            assert f"connect-src 'self' ws://{host} wss://{host};" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert "microphone=()" in headers["permissions-policy"]
            assert "strict-transport-security" not in headers  # not by http: nobody is locked out
        assert me.get("/api/v1/me").headers["cache-control"] == "no-store"
        odd = me.get("/sign-in", headers={"Host": "evil.example; script-src *"})
        assert "evil.example" not in odd.headers.get("content-security-policy", "")


def test_brute_force_is_slowed_down_by_login(site: Site) -> None:
    site.admit("rest-brute", "viewer")
    with httpx.Client(base_url=site.url, headers={"Accept-Language": "en"}, trust_env=False) as attacker:
        said = [
            attacker.post("/sign-in", data={"login": "rest-brute", "password": f"guess {n}"}).text for n in range(7)
        ]
        assert ["Try again in" in one for one in said] == [False] * 5 + [True] * 2
        assert COOKIE not in attacker.post("/sign-in", data={"login": "rest-brute", "password": PASSWORD}).cookies
