"""An area that the copper works lend to the carbon works: seen as far as it was lent, never written, gone at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from athanor.web import pages
from athanor.web.sessions import COOKIE

from .site import Site

FURNACE = "smelter.smelting.bath.furnace"
POWER, MODE = f"{FURNACE}.power", f"{FURNACE}.mode"
GRANTS = "/api/v1/exchange/grants"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def olga(site: Site) -> Iterator[httpx.Client]:
    """An engineer of the copper works."""
    with client(site, "olga-lends", "engineer", "copper") as one:
        yield one


@pytest.fixture(scope="module")
def karl(site: Site) -> Iterator[httpx.Client]:
    """An administrator of the carbon works."""
    with client(site, "karl-borrows", "administrator", "carbon") as one:
        yield one


def client(site: Site, login: str, role: str, tenant: str | None) -> httpx.Client:
    return httpx.Client(base_url=site.url, cookies={COOKIE: site.admit(login, role, tenant)}, timeout=30)


class Lent:
    """A grant for the time of a test."""

    def __init__(self, olga: httpx.Client, **wish: Any) -> None:
        self._olga = olga
        body = {"consumer": "carbon", "area": FURNACE, "purpose": "Grid", "ends_at": after(days=1)} | wish
        self.answer = olga.post(GRANTS, json=body)
        self.id = self.answer.raise_for_status().json()["id"]

    def revoke(self, reason: str = "Over") -> httpx.Response:
        return self._olga.post(f"{GRANTS}/{self.id}/revoke", json={"reason": reason})

    def __enter__(self) -> "Lent":
        return self

    def __exit__(self, *_: object) -> None:
        self.revoke()


def after(**duration: float) -> str:
    return (NOW + timedelta(**duration)).isoformat()


def code(answer: httpx.Response) -> str:
    return str(answer.json()["detail"]["code"])


def paths(one: httpx.Client) -> set[str]:
    return {tag["path"] for tag in one.get("/api/v1/tags").json()["tags"]}


def test_what_is_lent_is_read_everywhere_and_gone_with_the_next_request_after_it_ends(
    olga: httpx.Client, karl: httpx.Client
) -> None:
    own = paths(karl)
    asked = {"tag": POWER, "from": after(hours=-3)}
    with Lent(olga, kinds=["analog"]) as lent:
        assert paths(karl) - own == {f"{FURNACE}.{tag}" for tag in ("temperature", "power", "output", "hostile")}
        assert karl.get("/api/v1/series", params=asked).json() == olga.get("/api/v1/series", params=asked).json()
        assert karl.get("/api/v1/current", params={"tag": POWER}).status_code == 200
        assert karl.get("/api/v1/current", params={"tag": MODE}).status_code == 404
        assert lent.revoke().json()["state"] == "revoked"
        assert paths(karl) == own
        assert karl.get("/api/v1/series", params=asked).status_code == 404


def test_nothing_older_than_agreed_is_read_in_any_way(olga: httpx.Client, karl: httpx.Client) -> None:
    since = NOW - timedelta(hours=2)
    asked: dict[str, Any] = {"tag": POWER, "from": after(hours=-5), "to": after(hours=-1)}
    with Lent(olga, data_from=since.isoformat()):
        for more in ({}, {"step": "15m"}, {"step": "15m", "how": "max"}, {"points": 50}):
            rows = karl.get("/api/v1/series", params=asked | more).json()
            assert rows
            assert all(datetime.fromisoformat(row["time"]) >= since for row in rows), more
        before = karl.get("/api/v1/at", params={"tag": POWER, "time": after(hours=-2, minutes=-1)}).json()
        assert [(row["value"], row["sampled_at"]) for row in before] == [(None, None)]
        day = karl.get("/api/v1/lookup", params={"search": POWER, "most": 1}).json()["hits"][0]["day"]
        assert min(time_ms for time_ms, _value in day["points"]) >= since.timestamp() * 1000
        export = karl.get("/api/v1/trends/export", params={"tags": POWER, "range": "5h"}).text
        times = [line.split(",")[0].strip('"') for line in export.splitlines()[1:]]
        assert times
        assert all(datetime.fromisoformat(time) >= since for time in times)


def test_what_is_lent_is_not_written(olga: httpx.Client, karl: httpx.Client) -> None:
    wrong = {"kind": "bad", "start": after(hours=-3), "end": after(hours=-2)}
    wave = {
        "asset": FURNACE,
        "channel": "phase_a",
        "quantity": "current",
        "unit": "A",
        "rate_hz": 100,
        "dtype": "int16",
    }
    wave["start"] = after(hours=-1)
    made = olga.post("/api/v1/corrections", json={"tag": POWER, "action": wrong, "reason": "Meter"}).json()["id"]
    numbers = np.arange(8, dtype="<i2").tobytes()
    olga.post("/api/v1/waveforms", params=wave, content=numbers).raise_for_status()
    with Lent(olga):
        for preview in ("true", "false"):
            refused = karl.post(
                "/api/v1/corrections",
                params={"preview": preview},
                json={"tag": POWER, "action": wrong, "reason": "Mine"},
            )
            assert (refused.status_code, code(refused)) == (403, "plant.lent-for-reading")
        assert karl.get(f"/api/v1/corrections/{made}").status_code == 404
        assert karl.post(f"/api/v1/corrections/{made}/undo", json={"reason": "Mine"}).status_code == 404
        asked = {"tag": POWER, "from": after(hours=-9)}
        assert karl.get("/api/v1/corrections", params=asked).json() == []
        refused = karl.post("/api/v1/waveforms", params=wave, content=numbers)
        assert (refused.status_code, code(refused)) == (403, "plant.lent-for-reading")
        assert karl.get("/api/v1/waveforms", params={"asset": FURNACE}).status_code == 404
        rows = f"time,{POWER}\n2026-05-04T12:00:00Z,1\n".encode()
        file = karl.post("/api/v1/imports/files", params={"name": "x.csv"}, content=rows).json()["file"]
        preview_of = karl.post("/api/v1/imports/preview", json={"file": file}).json()
        assert [match["tag"] for match in preview_of["matches"] if match["name"] == POWER] == [None]
        lending = {"consumer": "copper", "area": FURNACE, "purpose": "On", "ends_at": after(days=1)}
        assert karl.post(GRANTS, json=lending).status_code == 404
    olga.post(f"/api/v1/corrections/{made}/undo", json={"reason": "Test"}).raise_for_status()


@pytest.mark.parametrize(
    ("wish", "status", "text"),
    [
        ({"consumer": "copper"}, 422, "same enterprise"),
        ({"consumer": "elsewhere"}, 422, "no enterprise"),
        ({"area": "kilns"}, 404, "kilns"),
        ({"area": "gone"}, 404, "gone"),
        ({"ends_at": after(days=-1)}, 422, "over already"),
        ({"purpose": " "}, 422, "what the data are for"),
        ({"kinds": ["everything"]}, 422, "kinds"),
    ],
)
def test_what_cannot_be_lent_is_refused_with_the_reason(
    olga: httpx.Client, wish: dict[str, Any], status: int, text: str
) -> None:
    body = {"consumer": "carbon", "area": FURNACE, "purpose": "Grid", "ends_at": after(days=1)} | wish
    answer = olga.post(GRANTS, json=body)
    assert (answer.status_code, text in answer.text) == (status, True), answer.text


def test_who_lends_and_who_borrows_see_a_grant_and_only_who_lends_ends_it(
    site: Site, olga: httpx.Client, karl: httpx.Client
) -> None:
    with Lent(olga) as lent, client(site, "vera-views", "viewer", "copper") as vera:
        for one in (olga, karl, vera):
            assert lent.id in [grant["id"] for grant in one.get(GRANTS).json()]
        for one in (karl, vera):
            refused = one.post(f"{GRANTS}/{lent.id}/revoke", json={"reason": "No"})
            assert (refused.status_code, code(refused)) == (403, "exchange.not-yours")
        assert lent.revoke(" ").status_code == 422
        with client(site, "anna", "administrator", None) as park:
            ended = park.post(f"{GRANTS}/{lent.id}/revoke", json={"reason": "The park decides"}).json()
            assert (ended["state"], ended["revocation"]) == ("revoked", "The park decides")


@pytest.mark.chromium
def test_an_area_is_lent_and_revoked_on_its_pages(site: Site, page: Page, olga: httpx.Client) -> None:
    site.open(page, "/exchange/grants/new", "olga-lends")
    page.get_by_role("button", name="Lend", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Choose an area first.")
    page.get_by_role("searchbox", name="Find an area by name or path").fill("furnace")
    page.get_by_role("button", name="Furnace").click()
    expect(page.get_by_role("region", name="Chosen area")).to_contain_text(
        "Smelter › Smelting › Bath smelting › Furnace"
    )
    expect(page.get_by_role("region", name="Chosen area")).to_contain_text("6 tags on 1 assets")
    page.get_by_label("Is lent to").select_option("carbon")
    page.get_by_role("button", name="States").click()
    page.get_by_label("Purpose").fill("Planning of the kilns")
    page.get_by_role("button", name="Lend", exact=True).click()
    expect(page.get_by_role("table", name="Lent area")).to_contain_text("Planning of the kilns")
    expect(page.get_by_text("In effect")).to_be_visible()
    page.get_by_role("button", name="Revoke…").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Planned by now")
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("table", name="Lent area")).to_contain_text("Planned by now")
    page.get_by_role("link", name="Lent areas").click()
    expect(page.get_by_role("table", name="Lent areas")).to_contain_text("Planning of the kilns")
    expect(page.get_by_role("button", name="Export as CSV")).to_be_visible()


@pytest.mark.chromium
def test_a_page_that_is_open_shows_no_more_once_the_grant_ended(
    site: Site, page: Page, olga: httpx.Client, karl: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SESSION_CHECK_S", 0.3)
    with Lent(olga) as lent:
        site.open(page, "/overview", "karl-borrows")
        expect(page.get_by_text("Copper Works").first).to_be_visible()
        lent.revoke()
        expect(page.get_by_text("Copper Works")).to_have_count(0)
        expect(page.get_by_text("Carbon Works").first).to_be_visible()
