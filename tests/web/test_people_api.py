"""People administered over HTTP, by the park's administrator, an enterprise's, and who may not."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site

SECRET = "a quite long secret"
WHO = {"api-pia": ("administrator", None), "api-cora": ("administrator", "copper"), "api-kurt": ("operator", "copper")}


@pytest.fixture(scope="module")
def site_people(site: Site) -> Iterator[dict[str, httpx.Client]]:
    """A client for each of them."""
    clients = {}
    for login, (role, tenant) in WHO.items():
        clients[login] = httpx.Client(
            base_url=f"{site.url}/api/v1/people",
            cookies={COOKIE: site.admit(login, role, tenant)},
            headers={"origin": site.url},
            timeout=30,
        )
    site.admit("api-karl", "operator", "carbon")
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def pia(site_people: dict[str, httpx.Client]) -> httpx.Client:
    """The park's administrator."""
    return site_people["api-pia"]


@pytest.fixture
def cora(site_people: dict[str, httpx.Client]) -> httpx.Client:
    """The copper works' administrator."""
    return site_people["api-cora"]


@pytest.fixture
def kurt(site_people: dict[str, httpx.Client]) -> httpx.Client:
    """An operator of theirs."""
    return site_people["api-kurt"]


def person(login: str, **said: Any) -> dict[str, Any]:
    return {"login": login, "name": login.title(), "roles": ["viewer"], "enterprise": "copper"} | said


def test_a_stranger_is_asked_to_sign_in_and_an_operator_refused(site: Site, kurt: httpx.Client) -> None:
    assert httpx.get(f"{site.url}/api/v1/people/accounts").status_code == 401
    for path in ("accounts", "accounts/api-kurt", "invitations", "roles", "departments", "permissions", "onboarding"):
        assert kurt.get(f"/{path}").status_code == 403


def test_an_enterprises_administrator_lists_only_their_own(cora: httpx.Client, pia: httpx.Client) -> None:
    assert {one["enterprise"] for one in cora.get("/accounts").json()} == {"copper"}
    assert {one["enterprise"] for one in pia.get("/accounts").json()} >= {"copper", "carbon", None}
    found = pia.get("/accounts", params={"enterprise": "carbon", "role": "operator", "text": "API-K"}).json()
    assert [one["login"] for one in found] == ["api-karl"]
    assert cora.get("/accounts", params={"enterprise": "carbon"}).json() == []


def test_another_enterprises_person_is_not_there_whatever_is_asked(cora: httpx.Client) -> None:
    for login in ("api-karl", "api-pia", "nobody-at-all"):
        asked = [
            cora.get(f"/accounts/{login}"),
            cora.patch(f"/accounts/{login}", json={"post": "x"}),
            cora.post(f"/accounts/{login}/disable"),
            cora.post(f"/accounts/{login}/enable"),
            cora.post(f"/accounts/{login}/password-link"),
            cora.delete(f"/accounts/{login}/second-factor"),
            cora.delete(f"/accounts/{login}/lock"),
            cora.get(f"/accounts/{login}/sessions"),
            cora.delete(f"/accounts/{login}/sessions/0123456789abcdef"),
            cora.get(f"/accounts/{login}/tokens"),
            cora.delete(f"/accounts/{login}/tokens/1"),
        ]
        assert [answer.status_code for answer in asked] == [404] * len(asked)


def test_a_person_is_added_changed_disabled_and_enabled(cora: httpx.Client, site: Site) -> None:
    added = cora.post("/accounts", json=person("api-eva", password=SECRET, post="Shift leader"))
    assert added.status_code == 201
    assert SECRET not in added.text
    assert cora.post("/accounts", json=person("API-EVA", password=SECRET)).status_code == 409
    changed = cora.patch("/accounts/api-eva", json={"roles": ["operator"], "email": "eva@example.org"})
    assert (changed.json()["roles"], changed.json()["post"]) == (["operator"], "Shift leader")
    session = site.wait_for(site.platform.identity.sessions.open("api-eva", actor="test"))
    browser = {COOKIE: session}
    assert httpx.get(f"{site.url}/api/v1/tags", cookies=browser).status_code == 200
    assert cora.post("/accounts/api-eva/disable").json()["state"] == "disabled"
    assert httpx.get(f"{site.url}/api/v1/tags", cookies=browser).status_code == 401
    assert cora.post("/accounts/api-eva/enable").json()["state"] == "active"


def test_nobody_is_given_another_enterprise_the_park_or_a_higher_role(cora: httpx.Client, pia: httpx.Client) -> None:
    assert cora.post("/accounts", json=person("api-x", password=SECRET, enterprise="carbon")).status_code == 404
    assert cora.post("/accounts", json=person("api-x", password=SECRET, enterprise=None)).status_code == 403
    assert cora.patch("/accounts/api-kurt", json={"enterprise": None}).status_code == 403
    assert cora.patch("/accounts/api-cora", json={"enterprise": None}).status_code == 403
    assert cora.put("/roles/api-own", json={"permissions": ["people.view"]}).status_code == 403
    role = {"permissions": ["people.administer", "*.view"], "title": {"en": "Clerk"}}
    assert pia.put("/roles/api-clerk", json=role).status_code == 200
    assert pia.patch("/accounts/api-kurt", json={"roles": ["api-clerk"]}).status_code == 200
    assert pia.delete("/roles/api-clerk").status_code == 422
    assert pia.patch("/accounts/api-kurt", json={"roles": ["operator"]}).status_code == 200
    assert pia.delete("/roles/api-clerk").status_code == 204
    assert cora.post("/accounts/api-cora/disable").status_code == 409


def test_an_invitation_is_made_taken_and_gone(cora: httpx.Client, site: Site) -> None:
    made = cora.post("/invitations", json=person("api-lin", name="Lin"))
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    link = made.json()["link"]
    assert link.startswith(site.url)
    listed = cora.get("/invitations")
    assert "api-lin" in [one["login"] for one in listed.json()]
    token = link.rpartition("#")[2]
    assert token not in listed.text
    site.wait_for(site.platform.identity.invitations.take(token, PASSWORD))
    assert cora.get("/accounts/api-lin").json()["name"] == "Lin"
    assert "api-lin" not in [one["login"] for one in cora.get("/invitations").json()]


def test_an_invitation_is_withdrawn_by_whose_it_is(cora: httpx.Client, pia: httpx.Client) -> None:
    assert pia.post("/invitations", json=person("api-kim", enterprise="carbon")).status_code == 201
    (number,) = [one["id"] for one in pia.get("/invitations").json() if one["login"] == "api-kim"]
    assert cora.delete(f"/invitations/{number}").status_code == 404
    assert cora.post("/invitations", json=person("api-kim")).status_code == 409
    assert pia.delete(f"/invitations/{number}").status_code == 204
    assert pia.delete(f"/invitations/{number}").status_code == 404


def test_departments_are_made_moved_and_removed(cora: httpx.Client, pia: httpx.Client) -> None:
    top = cora.post("/departments", json={"enterprise": "copper", "name": "Api works"}).json()["id"]
    low = cora.post("/departments", json={"enterprise": "copper", "name": "Api shift", "above_id": top}).json()["id"]
    assert cora.patch(f"/departments/{top}", json={"above_id": low}).status_code == 422
    assert cora.delete(f"/departments/{top}").status_code == 422
    moved = cora.patch(f"/departments/{low}", json={"above_id": None, "name": "Api shift B"}).json()
    assert (moved["above_id"], moved["name"]) == (None, "Api shift B")
    foreign = pia.post("/departments", json={"enterprise": "carbon", "name": "Api kilns"}).json()["id"]
    for answer in (
        cora.patch(f"/departments/{foreign}", json={"name": "Ours"}),
        cora.delete(f"/departments/{foreign}"),
        cora.post("/departments", json={"enterprise": "copper", "name": "Below", "above_id": foreign}),
        cora.patch("/accounts/api-kurt", json={"department_id": foreign}),
    ):
        assert answer.status_code == 404
    assert [cora.delete(f"/departments/{one}").status_code for one in (low, top)] == [204, 204]
    assert pia.delete(f"/departments/{foreign}").status_code == 204


def test_onboarding_is_the_parks(cora: httpx.Client, pia: httpx.Client) -> None:
    assert cora.get("/onboarding").status_code == 403
    assert {one["id"] for one in pia.get("/onboarding").json()} >= {"copper", "carbon"}


def test_every_route_says_in_openapi_what_it_takes_and_gives(site: Site, pia: httpx.Client) -> None:
    described = pia.get(f"{site.url}/api/v1/openapi.json").json()["paths"]
    own = {path: one for path, one in described.items() if path.startswith("/api/v1/people/")}
    assert len(own) == 19
    for methods in own.values():
        for method in methods.values():
            assert {"403", "404", "409"} <= set(method["responses"])
