"""The page on the alarm system's performance, its REST routes and reports, on a served site."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import openpyxl
import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from athanor.apps.alarms.services.report_making import KIND
from athanor.apps.alarms.services.report_monthly import HOUSE, keep_month
from athanor.kernel.alarms.rule import Limit, Rule, Side, Subject
from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow
from athanor.kernel.documents.service import Documents
from athanor.web.sessions import COOKIE

from .site import Site

FURNACE = "smelter.smelting.bath.furnace.temperature"
KILN = "kilns.kiln.power"
BEGAN = datetime(2021, 3, 9, 2, tzinfo=UTC)  # a month that no other test has alarms in
MONTH = {"from": "2021-03-01T00:00:00+08:00", "to": "2021-04-01T00:00:00+08:00"}
QUERY = "from=2021-03-01T00:00:00%2B08:00&to=2021-04-01T00:00:00%2B08:00"


@pytest.fixture(scope="module")
def log(site: Site) -> SimpleNamespace:
    """A flood of twelve at the furnace, one alarm at the kiln; the alarms' ids."""
    return site.wait_for(_keep(site))


async def _keep(site: Site) -> SimpleNamespace:
    rule = Rule(
        name={"en": "Much too hot", "zh_CN": "严重过热"},
        subject=Subject(tag=FURNACE),
        condition=Limit(side=Side.HIGH, at=1210, deadband=0),
        on_delay_s=0,
        off_delay_s=0,
    )
    async with site.platform.database.session() as session:
        made: dict[str, Any] = {"made_by": "test", "made_at": BEGAN, "changed_by": "test", "changed_at": BEGAN}
        row = RuleRow(
            key="performance-test", content=rule.model_dump(mode="json"), revision=1, is_enabled=False, **made
        )
        session.add(row)
        await session.flush()
        furnace, kiln = _alarm(row.id, FURNACE, "copper"), _alarm(row.id, KILN, "carbon")
        session.add_all([furnace, kiln])
        await session.flush()
        session.add_all(_occurrence(furnace, BEGAN + timedelta(seconds=15 * n)) for n in range(12))
        session.add(_occurrence(kiln, BEGAN + timedelta(days=3)))
    return SimpleNamespace(furnace=furnace.id, kiln=kiln.id, rule=row.id)


def _alarm(rule: int, path: str, tenant: str) -> AlarmRow:
    return AlarmRow(
        rule_id=rule,
        path=path,
        tenant=tenant,
        priority=3,
        category="process",
        state="NORM",
        is_active=False,
        is_judged=False,
        is_suppressed=False,
        hidden_reason="",
        judged_us=0,
        revision=0,
    )


def _occurrence(alarm: AlarmRow, at: datetime) -> OccurrenceRow:
    return OccurrenceRow(
        tenant=alarm.tenant,
        alarm_id=alarm.id,
        rule_id=alarm.rule_id,
        path=alarm.path,
        priority=3,
        category="process",
        raised_at=at,
        seen_at=at + timedelta(seconds=1),
        is_announced=True,
        is_late=False,
        value=1211.0,
        limit=1210.0,
        acknowledged_at=at + timedelta(seconds=30),
        acknowledged_by="anna",
        cleared_at=at + timedelta(seconds=5),
        ended_at=at + timedelta(seconds=30),
    )


@pytest.fixture
def calls(site: Site, log: SimpleNamespace) -> Iterator[httpx.Client]:
    """The park's administrator, over REST."""
    with _client(site, site.admit("perf.park", "administrator")) as client:
        yield client


def _client(site: Site, session: str) -> httpx.Client:
    return httpx.Client(base_url=f"{site.url}/api/v1/alarms", cookies={COOKIE: session}, timeout=60)


def test_figures_come_over_rest(calls: httpx.Client, log: SimpleNamespace) -> None:
    answer = calls.get("/performance", params=MONTH)
    assert answer.status_code == 200
    found = answer.json()
    values = {one["figure"]: one["value"] for one in found["figures"]}
    assert found["raised"] == 13
    assert values["peak"] == 12
    assert (values["chattering"], values["fleeting"]) == (1, 2)
    assert found["top_ten"][0]["alarm"] == log.furnace
    assert found["top_ten"][0]["name"]["zh_CN"] == "严重过热"
    assert [one["alarms"] for one in found["floods"]] == [12]
    assert found["times"]["acknowledged"] == {"known": 13, "median_s": 30.0, "p90_s": 30.0, "longest_s": 30.0}
    assert {one["path"] for one in found["positions"]} == {"smelter.smelting", "kilns"}
    assert found["by_weekday_and_hour"][1][10] == 12  # Tuesday, ten o'clock in Shanghai


def test_a_tenants_figures_are_of_its_own_alarms(site: Site, log: SimpleNamespace) -> None:
    with _client(site, site.admit("perf.carbon", "viewer", "carbon")) as client:
        found = client.get("/performance", params=MONTH).json()
        assert (found["raised"], [one["path"] for one in found["top_ten"]]) == (1, [KILN])
        assert client.get("/performance", params=MONTH | {"tenant": "copper"}).json()["raised"] == 0
        assert client.get(f"/performance/alarms/{log.furnace}/suggestions").status_code == 404
        assert client.get("/performance/report", params=MONTH).status_code == 403


@pytest.mark.parametrize(
    "period",
    [
        {"from": "2021-04-01T00:00:00Z", "to": "2021-03-01T00:00:00Z"},
        {"from": "2011-04-01T00:00:00Z", "to": "2021-03-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
    ],
)
def test_what_is_no_period_is_refused_with_what_to_do(calls: httpx.Client, period: dict[str, str]) -> None:
    answer = calls.get("/performance", params=period)
    assert answer.status_code == 422 or answer.json()["code"] == "alarms.bad-period"
    assert answer.status_code < 500


def test_suggestions_come_from_the_samples_of_the_tag(calls: httpx.Client, log: SimpleNamespace) -> None:
    found = calls.get(
        f"/performance/alarms/{log.furnace}/suggestions", params={"days": 3, "true_after_s": 86_400}
    ).json()
    assert found["samples"] > 1000
    assert (found["limit"], found["path"]) == (1210, FURNACE)
    assert found["before"] >= 1  # the site's history swings beyond 1210 degC every few hours


def test_the_report_is_a_pdf_with_its_figures_in_either_language(calls: httpx.Client) -> None:
    for language, words in (
        ("en", ["Alarm performance", "Much too hot", "13"]),
        ("zh_CN", ["报警绩效报告", "严重过热"]),
    ):
        answer = calls.get("/performance/report", params=MONTH | {"language": language})
        assert answer.headers["content-type"] == "application/pdf"
        pages = pypdfium2.PdfDocument(answer.content)
        try:
            text = "".join(page.get_textpage().get_text_range() for page in pages)
            assert len(pages) >= 2
        finally:
            pages.close()
        assert [word for word in words if word not in text] == []


def test_the_report_is_a_workbook_with_numbers_as_numbers(calls: httpx.Client) -> None:
    answer = calls.get("/performance/report", params=MONTH | {"form": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    top = book["Ten most frequent alarms"]
    assert [cell.value for cell in top[4]][:3] == ["Much too hot", "Bath smelting › Furnace › Bath temperature", 12]
    assert top[4][3].value == pytest.approx(12 / 13)


def test_the_months_reports_are_kept_for_each_enterprise_and_once_only(site: Site, log: SimpleNamespace) -> None:
    database, plant = site.platform.database, site.platform.plant
    documents = cast("Documents", site.platform.ports["documents"])
    _report_by_the_job(site)

    async def keep() -> list[int]:
        made = keep_month(database, documents, plant, "2021-03", datetime.now(UTC))
        return [one.document async for one in made]

    kept = site.wait_for(keep())
    assert len(set(kept)) == 12  # the park and two enterprises, two languages, two kinds of file
    told = site.wait_for(documents.told(HOUSE, kept[0]))
    assert [version.number for version in told.versions] == [2, 1]
    assert told.links[0].kind == KIND
    session = site.admit("perf.chen", "viewer", "copper")
    with httpx.Client(base_url=f"{site.url}/api/v1", cookies={COOKIE: session}, timeout=60) as client:
        answer = client.get("/documents", params={"search": "alarms.performance", "limit": 500}).json()
    assert {one["tenant"] for one in answer["documents"]} == {"copper"}
    assert len({one["id"] for one in answer["documents"]} & set(kept)) == 4


def _report_by_the_job(site: Site) -> None:
    """Start the monthly job for another month than the last, as the park's administrator, and wait for its end."""
    session = site.admit("perf.park", "administrator")
    with httpx.Client(base_url=f"{site.url}/api/v1", cookies={COOKIE: session}, timeout=60) as client:
        schedules = client.get("/operations/schedules").json()
        assert "20 1 1 * *" in [one["cron"] for one in schedules if one["kind"] == "alarms.keep-report"]
        begun = client.post("/jobs", json={"kind": "alarms.keep-report", "arguments": {"month": "2021-03"}})
        job, deadline = begun.json()["id"], time.monotonic() + 90
        while (found := client.get(f"/jobs/{job}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
    assert found["state"] == "succeeded", found


def test_the_page_shows_figures_and_leads_to_the_occurrences_behind_them(
    site: Site, log: SimpleNamespace, page: Page
) -> None:
    site.open(page, f"/alarms/performance?{QUERY}")
    against = page.get_by_role("table", name="Against the standard")
    expect(against.get_by_role("row", name="Most alarms in 10 min")).to_contain_text("beyond the maximum")
    expect(page.get_by_role("table", name="Ten most frequent alarms")).to_contain_text("Much too hot")
    expect(page.get_by_role("table", name="Floods")).to_contain_text("12")
    expect(page.get_by_role("region", name="What follows what")).to_be_visible()
    against.get_by_role("row", name="Chattering alarms").get_by_role("link").click()
    shown = page.get_by_role("table", name="Chattering alarms")
    expect(shown.get_by_role("row")).to_have_count(13)
    expect(shown).to_contain_text("Bath temperature")


def test_a_part_of_the_plant_can_be_looked_at_alone(site: Site, log: SimpleNamespace, page: Page) -> None:
    site.open(page, f"/alarms/performance?{QUERY}")
    expect(page.get_by_role("table", name="Floods")).to_contain_text("2021-03-09")
    page.get_by_label("Enterprise").select_option("carbon")
    expect(page.get_by_role("table", name="Ten most frequent alarms")).to_contain_text("Kiln power")
    expect(page.get_by_text("No flood in this period.")).to_be_visible()


def test_a_young_plant_is_told_what_is_to_come(site: Site, page: Page) -> None:
    site.open(page, "/alarms/performance?from=2001-03-01T00:00:00Z&to=2001-04-01T00:00:00Z")
    expect(page.get_by_role("heading", name="No alarm in this period")).to_be_visible()


def test_a_period_that_is_none_is_explained(site: Site, page: Page) -> None:
    site.open(page, "/alarms/performance/occurrences?from=yesterday&to=today")
    expect(page.get_by_role("heading", name="There is no such period")).to_be_visible()


def test_a_report_is_kept_by_hand_and_listed(site: Site, log: SimpleNamespace, page: Page) -> None:
    site.open(page, f"/alarms/performance?{QUERY}&tenant=copper")
    page.get_by_role("button", name="Keep as Excel").click()
    expect(page.get_by_role("table", name="Kept reports")).to_contain_text("copper-2021-03-01-2021-03-31-en.xlsx")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF", exact=True).click()
    assert download.value.suggested_filename == "alarms-copper-2021-03-01-2021-03-31-en.pdf"
