"""The export page as a person uses it: choose, see how much, start, watch, cancel, fetch."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from athanor.kernel.historian.port import STORED
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.telemetry import TIME
from athanor.platform import Platform, open_platform
from athanor.web.sessions import COOKIE

from ..server.running import PASSWORD, RunningServer
from .site import Site

FURNACE = "smelter.smelting.bath.furnace"
MONTH = datetime(2026, 4, 30, 16, tzinfo=UTC)  # midnight of the first of May in Shanghai
PUMPS, DAYS, PERIOD_S = 100, 31, 120


def hall_of_pumps() -> str:
    """A plant of so many pumps, one flow each."""
    flow = "{id: flow, name: {en: Flow, zh_CN: 流量}, unit: m3/h, period_s: 120}"
    pumps = "".join(
        f"      - {{id: pump_{number:03}, name: {{en: Pump {number}}}, type: pump}}\n" for number in range(PUMPS)
    )
    return (
        "park: {id: works, name: {en: Works, zh_CN: 工厂}, timezone: Asia/Shanghai}\n"
        "tenants: [{id: copper, name: {en: Copper}}]\n"
        f"types: {{pump: {{name: {{en: Pump}}, tags: [{flow}]}}}}\n"
        f"sites:\n  - id: hall\n    tenant: copper\n    name: {{en: Hall, zh_CN: 泵房}}\n    assets:\n{pumps}"
    )


def month_of_flows(platform: Platform) -> pa.Table:
    """Every other minute for a month, straight into the sealed days."""
    minutes = DAYS * 86_400 // PERIOD_S
    time_us = int(MONTH.timestamp() * 1e6) + np.arange(minutes) * PERIOD_S * 1_000_000
    ids = np.sort(np.fromiter(platform.plant.ids.values(), np.int32))
    value = np.round(50 + 5 * np.sin(np.arange(minutes) / 300), 2)
    columns = [
        pa.array(np.repeat(ids, minutes)),
        pa.array(np.tile(time_us, len(ids))).cast(TIME),
        pa.array(np.tile(value, len(ids))),
        pa.nulls(len(ids) * minutes, pa.string()),
        pa.array(np.zeros(len(ids) * minutes, np.uint8)),
    ]
    return pa.table(columns, STORED)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of its own, since a process serves pages but once."""
    running = RunningServer(tmp_path_factory.mktemp("hall"))
    running.plant_file.write_text(hall_of_pumps(), encoding="utf-8")
    asyncio.run(fill(running))
    running.start()
    yield running
    running.end()


async def fill(server: RunningServer) -> None:
    async with open_platform(server.settings) as platform:
        await platform.historian.import_history(month_of_flows(platform))
        await platform.identity.accounts.create("anna", Profile("Anna", ("operator",)), PASSWORD, actor="test")
        server.sessions["anna"] = await platform.identity.sessions.open("anna", actor="test")


def open_page(page: Page, server: RunningServer, path: str) -> None:
    page.context.add_cookies([{"name": COOKIE, "value": server.sessions["anna"], "url": server.url}])
    page.goto(f"{server.url}{path}")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=option)


def size_of(page: Page) -> str:
    size = page.locator(".ath-form-size")
    expect(size).to_contain_text("About", timeout=20_000)
    return size.inner_text()


@pytest.mark.slow
def test_a_month_of_100_tags_is_exported_with_progress(hall: RunningServer, page: Page) -> None:
    open_page(page, hall, "/data/export")
    page.get_by_role("button", name="Hall", exact=True).click()
    expect(page.get_by_role("button", name="Pump 99", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"Choose all {PUMPS} tags below").click()
    expect(page.get_by_label("Chosen tags").locator(".ath-summary")).to_have_text("100")
    page.get_by_label("From", exact=True).fill("2026-05-01T00:00")
    page.get_by_label("To", exact=True).fill("2026-06-01T00:00")
    page.get_by_label("To", exact=True).blur()
    choose(page, "File", "CSV: for any program")
    rows = PUMPS * DAYS * 86_400 // PERIOD_S
    expect(page.locator(".ath-form-size")).to_contain_text(f"About {rows:,} rows", timeout=20_000)
    page.get_by_role("button", name="Export", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^(?!0\.0)\d{1,2}\.\d$"), timeout=20_000)  # on its way
    file = page.get_by_role("link", name=re.compile("athanor-20260501-20260601.csv")).first
    expect(file).to_be_visible(timeout=100_000)
    with page.expect_download() as download:
        file.click()
    path = download.value.path()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.reader(lines)
        assert next(table) == ["Time (Asia/Shanghai)", "Tag", "Name", "Value", "Unit", "Quality"]
        first = next(table)
        count = 1 + sum(1 for _ in table)
    assert count == rows
    assert first == ["2026-05-01 00:00:00.000+08:00", "hall.pump_000.flow", "Flow", "50", "m3/h", "good"]


def test_an_export_is_cancelled_and_leaves_no_file(hall: RunningServer, page: Page) -> None:
    open_page(page, hall, "/data/export")
    page.get_by_role("button", name=f"Choose all {PUMPS} tags below").click()
    page.get_by_label("From", exact=True).fill("2026-05-01T00:00")
    page.get_by_label("To", exact=True).fill("2026-06-01T00:00")
    page.get_by_label("To", exact=True).blur()
    size_of(page)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".ath-job")).to_contain_text("Cancelled", timeout=60_000)
    expect(page.locator(".ath-job").get_by_role("link")).to_be_hidden()


def test_steps_of_a_pasted_list_as_parquet(site: Site, page: Page) -> None:
    site.open(page, "/data/export")
    page.get_by_text("Paste a list", exact=True).click()
    page.get_by_label("Paths of tags").fill(f'"{FURNACE}.power"; {FURNACE}.mode\nno.such.tag\n')
    page.get_by_role("button", name="Choose these").click()
    expect(page.get_by_text("1 are no tags: no.such.tag")).to_be_visible()
    choose(page, "Values", "1 h")
    choose(page, "What a step comes to", "Last value")
    choose(page, "Table", "A column for each tag")
    choose(page, "File", "Parquet: small, with types")
    expect(page.locator(".ath-form-size")).to_contain_text("About 25 rows", timeout=20_000)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"athanor-.+-1h\.parquet")).first.click()
    table = pq.read_table(io.BytesIO(download.value.path().read_bytes()))
    assert table.column_names == ["time", f"{FURNACE}.power", f"{FURNACE}.mode", f"{FURNACE}.mode:state"]
    assert set(table[f"{FURNACE}.mode:state"].to_pylist()) <= {"Smelting", None}
    expect(page.get_by_role("table", name="Recent exports")).to_contain_text("anna")


def test_who_took_what_out_is_in_the_audit_trail(site: Site, page: Page) -> None:
    site.open(page, f"/data/export?tags={FURNACE}.power&from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z")
    size_of(page)
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator(".ath-job")).to_contain_text("Done")

    async def noted() -> AuditRow:
        async with site.platform.database.reading() as session:
            rows = await session.scalars(select(AuditRow).where(AuditRow.action == "data.exported"))
            return rows.all()[-1]

    row = site.wait_for(noted())
    assert (row.actor, row.subject) == ("anna", f"{FURNACE}.power")
    assert row.detail["from"] == "2026-05-01T00:00:00+00:00"
    assert (row.detail["tags"], row.detail["format"]) == (1, "csv")


def test_what_does_not_go_together_is_said_before_it_begins(site: Site, page: Page) -> None:
    site.open(page, f"/data/export?tags={FURNACE}.power")
    begin = page.get_by_role("button", name="Export", exact=True)
    size_of(page)
    expect(begin).to_be_enabled()
    choose(page, "Values", "Day")
    choose(page, "What a step comes to", "Consumption of counters")
    expect(page.locator(".ath-form-size")).to_contain_text("is no counter but of kind analog")
    expect(begin).to_be_disabled()
    choose(page, "What a step comes to", "Mean over time")
    size_of(page)
    page.get_by_label("From", exact=True).fill("2030-01-01T00:00")
    page.get_by_label("From", exact=True).blur()
    expect(page.locator(".ath-form-size")).to_contain_text("ends before it begins")
    page.get_by_role("button", name="Yesterday").click()
    size_of(page)
    yesterday = (datetime.now(UTC) + timedelta(hours=8)).date() - timedelta(days=1)
    expect(page.get_by_label("From", exact=True)).to_have_value(f"{yesterday}T00:00")
    page.get_by_role("button", name="Remove all").click()
    expect(begin).to_be_disabled()


def test_a_viewer_may_not_export(site: Site, page: Page) -> None:
    site.open(page, "/data/export", login="chen")
    expect(page.get_by_text("This page is not for you")).to_be_visible()
