"""Alarm rules in the browser and over REST: written, tried, kept with a reason, brought in from a sheet."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.telemetry import Sample
from athanor.web.sessions import COOKIE

from .site import Site

FURNACE = "smelter.smelting.bath.furnace"
BASE = "/api/v1/alarms/rules"


def rule(at: float, name: str = "Power too high", side: str = "high") -> dict[str, object]:
    condition = {"kind": "limit", "side": side, "at": at, "deadband": 0}
    return {"name": {"en": name}, "subject": {"tag": f"{FURNACE}.power"}, "condition": condition}


@pytest.fixture(scope="module")
def engineer(site: Site) -> Iterator[httpx.Client]:
    """An engineer of the copper works, as a program."""
    cookies = {COOKIE: site.admit("rules-engineer", "engineer", "copper")}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=60, headers={"Origin": site.url}) as client:
        yield client


def test_a_rule_is_made_changed_tried_and_retired_over_rest(site: Site, engineer: httpx.Client) -> None:
    made = engineer.post(BASE, json={"key": "rest.power", "rule": rule(40_000), "reason": "HAZOP 7"})
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["tenant"], found["revision"], found["alarms"], found["faults"]) == ("copper", 1, 1, [])
    changed = engineer.put(f"{BASE}/{found['id']}", json={"rule": rule(41_000), "revision": 1, "reason": "HAZOP 8"})
    assert changed.json()["revision"] == 2
    late = engineer.put(f"{BASE}/{found['id']}", json={"rule": rule(42_000), "revision": 1, "reason": "late"})
    assert (late.status_code, late.json()["detail"]["code"]) == (409, "alarms.rule-changed-meanwhile")
    revisions = engineer.get(f"{BASE}/{found['id']}/revisions").json()
    assert [(one["revision"], one["reason"]) for one in revisions] == [(2, "HAZOP 8"), (1, "HAZOP 7")]
    begin = datetime.now(UTC) - timedelta(hours=1)
    values = [39_000.0, 45_000.0, 45_000.0, 39_000.0, 39_000.0]
    site.deliver([Sample(f"{FURNACE}.power", begin + timedelta(minutes=n), one) for n, one in enumerate(values)])
    tried = engineer.post(f"{BASE}/trial", json={"rule": rule(41_000) | {"on_delay_s": 0, "off_delay_s": 0}}).json()
    raised = [datetime.fromisoformat(one["raised_at"]) for one in tried["episodes"]]
    assert any(abs(one - begin - timedelta(minutes=1)) < timedelta(seconds=1) for one in raised)
    gone = engineer.delete(f"{BASE}/{found['id']}", params={"revision": 2, "reason": "not needed"})
    assert gone.status_code == 204
    assert engineer.get(BASE, params={"text": "rest.power"}).json()["total"] == 0


def test_a_sheet_is_tried_first_and_its_good_rows_come_in(engineer: httpx.Client) -> None:
    sheet = (
        "Key,Name (English),Tag,Kind,Side,Limit\n"
        f"sheet.good,Power high,{FURNACE}.power,limit,high,45000\n"
        f"sheet.bad,Power low,{FURNACE}.gone,limit,low,1\n"
    )
    sent = engineer.post(f"{BASE}/files", params={"name": "rules.csv"}, content=sheet.encode()).json()
    tried = engineer.post(f"{BASE}/import", json={"file": sent["file"]}).json()
    assert (tried["new"], tried["job"], len(tried["faults"])) == (1, None, 1)
    assert (tried["faults"][0]["row"], tried["faults"][0]["column"]) == (3, "Tag")
    assert engineer.get(BASE, params={"text": "sheet."}).json()["total"] == 0
    begun = engineer.post(f"{BASE}/import", json={"file": sent["file"], "trial": False, "reason": "HAZOP"}).json()
    while (job := engineer.get(f"/api/v1/jobs/{begun['job']}").json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job
    assert engineer.get(BASE, params={"text": "sheet."}).json()["total"] == 1
    exported = engineer.get(f"{BASE}/export", params={"language": "zh_CN"})
    assert exported.content.startswith(b"PK")


def test_an_operator_reads_rules_and_changes_none(site: Site) -> None:
    cookies = {COOKIE: site.admit("rules-operator", "operator", "copper")}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=60, headers={"Origin": site.url}) as client:
        found = client.get(BASE).json()["rules"]
        assert "plant.high" in {one["key"] for one in found}
        assert client.post(BASE, json={"key": "x", "rule": rule(1), "reason": "x"}).status_code == 403
        one = next(one for one in found if one["key"] == "plant.high")
        assert client.delete(f"{BASE}/{one['id']}", params={"revision": 1, "reason": "x"}).status_code == 403


@pytest.mark.chromium
def test_a_rule_is_written_tried_and_kept_on_its_page(site: Site, page: Page) -> None:
    page.context.add_cookies(
        [{"name": COOKIE, "value": site.admit("rules-engineer", "engineer", "copper"), "url": site.url}]
    )
    site.deliver([Sample(f"{FURNACE}.power", datetime.now(UTC) - timedelta(minutes=5), 30_000.0)])
    page.goto(f"{site.url}/alarms/rules/new?tag={FURNACE}.power")
    expect(page.get_by_text("Write a name.")).to_be_visible(timeout=30_000)
    page.locator("input[name=name_en]").fill("Power beyond the contract")
    page.locator("input[name=at]").fill("48000")
    page.locator("input[name=at]").blur()
    expect(page.get_by_text("It makes one alarm.")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Limit [kW]")).to_be_visible()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text(re.compile("samples were judged"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Save…").click()
    page.locator("dialog input[name=key]").fill("page.power")
    page.locator("dialog textarea[name=reason]").fill("New contract")
    page.locator("dialog button[type=submit]").click()
    expect(page.get_by_role("heading", name="Power beyond the contract")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("New contract")).to_be_visible(timeout=30_000)
    page.goto(f"{site.url}/alarms/rules")
    expect(page.get_by_role("link", name="Power beyond the contract")).to_be_visible(timeout=30_000)
