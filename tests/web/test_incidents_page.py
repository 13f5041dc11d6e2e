"""Incidents in the browser and over REST: from an alarm or a person to a disposition."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.records import CHANGED_TOPIC, Change
from athanor.kernel.bus.port import Event
from athanor.kernel.cases.seeing import Filter
from athanor.kernel.identity.user import User
from athanor.web.sessions import COOKIE

from .site import Site

pytestmark = pytest.mark.chromium
NOW = datetime.now(UTC)
FURNACE = "smelter.smelting.bath.furnace"
PARK = User(0, "park", "Park", ("administrator",))


def enter(site: Site, page: Page, login: str, role: str, tenant: str | None = "copper") -> None:
    """Let this browser be somebody's."""
    session = site.admit(login, role, tenant)
    page.context.clear_cookies()
    page.context.add_cookies([{"name": COOKIE, "value": session, "url": site.url}])


def raised(occurrence: int, priority: int, *, at: datetime = NOW) -> Change:
    return Change(
        occurrence, occurrence, 1, occurrence, "copper", f"{FURNACE}.temperature",
        {"en": "Very high", "zh_CN": "过高"}, priority, "process", Trigger.RAISED, State.NORM,
        State.UNACK, at, at + timedelta(seconds=1), "", "", 1291.0, 1280.0, is_announced=True, is_late=False,
    )  # fmt: skip


def publish(site: Site, *changes: Change) -> None:
    async def say() -> None:
        site.platform.bus.publish(Event(CHANGED_TOPIC, changes, NOW))

    site.wait_for(say())


def test_an_incident_is_reported_assigned_resolved_and_closed_by_another(site: Site, page: Page) -> None:
    enter(site, page, "inc-shift", "operator")
    page.goto(f"{site.url}/incidents")
    page.get_by_role("button", name="Report an incident…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is known so far").fill("Seen on my round.")
    dialog.get_by_role("button", name="Report").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has no title")
    dialog.get_by_label("What has happened").fill("Oil below the blower")
    dialog.get_by_role("button", name="Report").click()
    expect(page.get_by_role("heading", name="Oil below the blower")).to_be_visible()
    page.get_by_role("button", name="Begin to work on it").click()
    expect(page.get_by_text("Being worked on").first).to_be_visible()
    page.get_by_label("Say something to all who work on it").fill("Seal ring ordered")
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_text("Seal ring ordered")).to_be_visible()
    page.get_by_role("button", name="Resolved…").click()
    dialog.get_by_label("What was done, and what was found").fill("Seal ring changed.")
    dialog.get_by_role("button", name="Resolved").click()
    expect(page.get_by_text("To be verified").first).to_be_visible()
    page.get_by_role("button", name="Verify and close…").click()
    dialog.get_by_role("button", name="Close the incident").click()
    expect(dialog.get_by_role("alert")).to_contain_text("somebody else verifies it")
    address = page.url
    enter(site, page, "inc-lead", "engineer")
    page.goto(address)
    page.get_by_role("button", name="Verify and close…").click()
    dialog.get_by_label("Disposition").select_option("mended")
    dialog.get_by_label("Cause").fill("Old seal")
    dialog.get_by_role("button", name="Close the incident").click()
    expect(page.get_by_text("Verified and closed: Mended")).to_be_visible()
    page.goto(f"{site.url}/incidents?view=closed")
    expect(page.get_by_role("link", name="Oil below the blower")).to_be_visible()


def test_an_alarm_of_high_priority_opens_an_incident_and_a_minor_one_does_not(site: Site, page: Page) -> None:
    enter(site, page, "inc-shift", "operator")
    publish(site, raised(900_001, 1), raised(900_002, 2), raised(900_003, 4))
    page.goto(f"{site.url}/incidents")
    page.get_by_role("link", name="Bath temperature: Very high").first.click(timeout=30_000)
    expect(page.get_by_role("region", name="Alarms in it").get_by_text("Bath temperature: Very high")).to_have_count(2)
    expect(page.get_by_text("an alarm", exact=True)).to_be_visible()
    found = site.wait_for(site.platform.ports["cases"].seeing.of_subject(PARK, "alarms.occurrence:900003"))  # type: ignore[attr-defined]
    assert found is None


def test_who_looks_on_a_phone_without_a_right_to_act_is_offered_nothing(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    enter(site, page, "inc-looker", "viewer")
    with httpx.Client(base_url=site.url, cookies={COOKIE: site.admit("inc-shift", "operator", "copper")}) as writer:
        case = writer.post("/api/v1/incidents", json={"title": "Loose handrail"}, headers={"Origin": site.url}).json()
    page.goto(f"{site.url}/incidents/{case['id']}")
    expect(page.get_by_role("heading", name="Loose handrail")).to_be_visible()
    expect(page.get_by_role("button", name="Begin to work on it")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_evidence_is_a_document_of_the_incident(site: Site) -> None:
    cookies = {COOKIE: site.admit("inc-lead", "engineer", "copper")}
    with httpx.Client(base_url=site.url, cookies=cookies, headers={"Origin": site.url}, timeout=30) as lead:
        case = lead.post("/api/v1/incidents", json={"title": "Dust at the stack", "category": "environment"}).json()
        kept = lead.post(
            f"/api/v1/incidents/{case['id']}/evidence", params={"name": "stack 烟囱.txt"}, content="浓度 12".encode()
        )
        assert kept.status_code == 201
        history = lead.get(f"/api/v1/incidents/{case['id']}").json()["history"]
        assert history[-1]["detail"]["documents"] == [kept.json()["document"]]
        document = lead.get(f"/api/v1/documents/{kept.json()['document']}").json()
        assert [one["kind"] for one in document["about"]] == ["case"]
        stale = lead.post(f"/api/v1/incidents/{case['id']}/start", params={"revision": 0})
        assert stale.status_code == 409
        listed = lead.get("/api/v1/incidents", params={"category": "environment"}).json()
        assert case["id"] in [one["id"] for one in listed["incidents"]]
    total = site.wait_for(site.platform.ports["cases"].seeing.page(PARK, Filter(category="environment"))).total  # type: ignore[attr-defined]
    assert total >= 1
