"""Every route and every page as nobody, as somebody without rights, and as another enterprise.

The routes are asked of the server itself, so one that is new fails here until it has an example (tests/web/walk).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from nicegui import core
from playwright.sync_api import Page

from athanor.kernel.identity.roles import Role
from athanor.web.sessions import COOKIE

from .site import Site
from .walk import MARKS, Example, examples, modules, sent

EXAMPLES = examples()
READS = [example for example in EXAMPLES if example.method == "GET"]

# What answers without a session, and why it may.
PUBLIC = {
    ("GET", "/healthz"): "says that the process answers",
    ("GET", "/readyz"): "says which parts work, by name",
    ("GET", "/metrics"): "is for monitors on this machine; answers 403 to any other",
    ("POST", "/api/v1/ingest/samples"): "asks for an edge's token",
    ("POST", "/api/v1/ingest/status"): "asks for an edge's token",
    ("GET", "/sign-in"): "is where one signs in",
    ("POST", "/sign-in"): "is where one signs in",
    ("GET", "/sign-in/code"): "asks for a session that lacks its second factor",
    ("POST", "/sign-in/code"): "asks for a session that lacks its second factor",
    ("GET", "/sign-in/second-factor"): "asks for a session that lacks its second factor",
    ("POST", "/sign-in/second-factor"): "asks for a session that lacks its second factor",
    ("GET", "/sign-in/password"): "asks for a session that lacks a new password",
    ("POST", "/sign-in/password"): "asks for a session that lacks a new password",
    ("POST", "/sign-out"): "ends a session, if there is one",
    ("GET", "/invitation"): "asks for the secret of an invitation",
    ("POST", "/invitation"): "asks for the secret of an invitation",
    ("GET", "/favicon.ico"): "is a picture",
}
# Files of the shell: scripts, styles, fonts. NiceGUI's live connection opens with the secret id of a page that somebody
# was sent; test_the_live_connection_needs_a_page shows it.
_LATER_MS = 250
PUBLIC_BELOW = ("/_nicegui/", "/_nicegui_ws", "/_athanor/")


def declared(site: Site) -> set[tuple[str, str]]:
    """Method and path of every route and page that the server has."""
    routes = [*iter_route_contexts(site.app.routes), *core.app.routes]
    return {
        (method, route.path)
        for route in routes
        if route.path and not route.path.startswith(PUBLIC_BELOW)
        for method in (getattr(route, "methods", None) or {"MOUNT"}) - {"HEAD"}
    }


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[httpx.Client]:
    """An administrator of the copper works."""
    with client(site, "walk-copper", "administrator", "copper") as one:
        yield one


@pytest.fixture(scope="module")
def prepared(site: Site, owner: httpx.Client) -> Mapping[str, str]:
    """What the examples name."""
    made: dict[str, str] = {}
    for module in modules():
        if hasattr(module, "prepare"):
            made |= module.prepare(owner, site)
    return made


@pytest.fixture(scope="module")
def nobody(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url) as one:
        yield one


@pytest.fixture(scope="module")
def unentitled(site: Site) -> Iterator[httpx.Client]:
    """Somebody of the copper works whose role grants nothing."""
    role = Role("walk-nothing", {"en": "Nothing", "zh_CN": "无"}, ())
    site.wait_for(site.platform.identity.roles.keep(role, actor="test"))
    with client(site, "walk-nothing", "walk-nothing", "copper") as one:
        yield one


@pytest.fixture(scope="module")
def neighbour(site: Site) -> Iterator[httpx.Client]:
    """An administrator of the carbon works: may do everything, with what is theirs."""
    with client(site, "walk-carbon", "administrator", "carbon") as one:
        yield one


def client(site: Site, login: str, role: str, tenant: str) -> httpx.Client:
    return httpx.Client(base_url=site.url, cookies={COOKIE: site.admit(login, role, tenant)}, timeout=30)


def named(example: Example) -> str:
    return f"{example.method} {example.route}"


def test_every_route_and_page_has_an_example(site: Site) -> None:
    known = {example.key for example in EXAMPLES} | PUBLIC.keys()
    missing = declared(site) - known
    assert missing == set(), "Give each an Example in tests/web/walk/APP.py, or a reason in PUBLIC."
    assert known - declared(site) == set(), "These routes are gone; so should be their examples."


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_nobody_is_asked_to_sign_in(example: Example, nobody: httpx.Client, prepared: Mapping[str, str]) -> None:
    answer = nobody.request(**example.request(prepared))
    if example.is_page:
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    else:
        assert answer.status_code == 401
    assert_holds_nothing(answer, example.request(prepared))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.permission], ids=named)
def test_a_role_that_grants_nothing_opens_nothing(
    example: Example, unentitled: httpx.Client, prepared: Mapping[str, str]
) -> None:
    answer = unentitled.request(**example.request(prepared))
    assert answer.status_code == 403
    assert_holds_nothing(answer, example.request(prepared))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if not one.is_published], ids=named)
def test_another_enterprise_gets_nothing(
    example: Example, neighbour: httpx.Client, prepared: Mapping[str, str]
) -> None:
    request = example.request(prepared)
    answer = neighbour.request(**request)
    allowed = {403, 404} if example.names else {200, 201, 202, 303, 404, 422}
    assert answer.status_code in allowed, answer.text[:500]
    assert_holds_nothing(answer, request)


@pytest.mark.parametrize("example", [one for one in READS if one.names], ids=named)
def test_what_is_refused_to_others_is_there_for_its_owner(
    example: Example, owner: httpx.Client, prepared: Mapping[str, str]
) -> None:
    answer = owner.request(**example.request(prepared))
    assert answer.status_code == example.owner_gets, answer.text[:500]


@pytest.mark.chromium
@pytest.mark.usefixtures("neighbour")
def test_what_pages_load_later_holds_nothing_of_another_enterprise_either(
    site: Site, page: Page, prepared: Mapping[str, str]
) -> None:
    """Tables, charts and timers get their contents by the live connection."""
    seen: dict[str, list[str]] = {}
    for example in EXAMPLES:
        if not example.is_page or example.is_published or example.route == "/":
            continue
        request = example.request(prepared)
        site.open(page, str(httpx.URL(request["url"], params=request["params"])), "walk-carbon")
        page.wait_for_function("() => window.socket?.connected")
        page.wait_for_timeout(_LATER_MS)
        text = page.locator("body").inner_text() + page.evaluate("() => document.documentElement.outerHTML")
        seen[example.route] = marks_in(text, request)
    assert {route: marks for route, marks in seen.items() if marks} == {}


def test_the_live_connection_needs_a_page_that_one_was_sent(site: Site, nobody: httpx.Client) -> None:
    query = {"EIO": "4", "transport": "polling", "implicit_handshake": "true", "client_id": "guessed", "tab_id": "1"}
    opened = nobody.get("/_nicegui_ws/socket.io/", params=query)
    session = opened.text.split('"sid":"')[1].split('"')[0]
    query |= {"sid": session}
    nobody.post("/_nicegui_ws/socket.io/", params=query, content="40")
    assert "Implicit handshake failed" in nobody.get("/_nicegui_ws/socket.io/", params=query).text


def assert_holds_nothing(answer: httpx.Response, request: Mapping[str, Any]) -> None:
    assert marks_in(answer.text, request) == []


def marks_in(text: str, request: Mapping[str, Any]) -> list[str]:
    """What of the copper works is in a text, but for what the caller said."""
    for said in sorted(sent(request), key=len, reverse=True):
        text = text.replace(said, "")
    return [mark for mark in MARKS if mark in text]
