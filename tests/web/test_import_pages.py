"""History comes in through the browser: sent, looked at, corrected, tried, imported, and told about."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from athanor.kernel.historian.port import Span

from .site import Site

pytestmark = pytest.mark.chromium

ALWAYS = Span(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def send(site: Site, page: Page, file: Path, login: str = "anna") -> None:
    """Send a file as a person does, and wait until it has been looked at."""
    site.open(page, "/data", login)
    page.locator(".ath-drop input[type=file]").set_input_files(file)
    page.wait_for_url("**/data/import/*")
    expect(page.get_by_role("heading", name=file.name)).to_be_visible()


def written(folder: Path, name: str, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def stored(site: Site, path: str) -> list[tuple[datetime, float]]:
    """All samples of a tag before this year's imports of other tests."""
    table = site.wait_for(site.platform.historian.read([site.platform.plant.id_of(path)], ALWAYS))
    return list(zip(table["time"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_a_plant_report_in_chinese_is_imported_after_it_was_corrected(site: Site, page: Page, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "日报 <b>3月.csv",
        [
            "冶炼厂日报;;;",
            "时间;smelter.smelting.bath.furnace.temperature;冰铜产量_avg;备注",
            ";℃;kg/h;",
            *(f"2020/3/1 8:{minute:02d};1200,{minute};{minute * 1000};ok" for minute in range(30)),
            "2020/3/1 8:30;坏值;;",
            "2020/3/1 8:31;1900,5;;",
        ],
        "gb18030",
    )
    send(site, page, path)
    expect(page.locator("select[name=encoding]")).to_have_value("gb18030")
    expect(page.locator("select[name=delimiter]")).to_have_value(";")
    expect(page.locator("select[name=decimal]")).to_have_value(",")
    expect(page.locator("input[name=first_row]")).to_have_value("4")
    row = page.locator(".ath-mapping tr", has_text="冰铜产量_avg")
    expect(row).to_contain_text("not imported")
    row.get_by_role("button", name="Matte made · Furnace").click()
    row = page.locator(".ath-mapping tr", has_text="冰铜产量_avg")
    expect(row.locator("select")).to_have_value("kg/h")
    preview = page.locator("section", has=page.get_by_role("heading", name="As it will be stored"))
    expect(preview.locator("tbody tr").first).to_contain_text("2020-03-01 08:00:00")
    expect(preview.locator("tbody tr").nth(1)).to_contain_text("1.00 t/h")
    page.get_by_role("button", name="Try").click()
    expect(page.locator(".ath-outcome")).to_contain_text("Samples that can be stored")
    expect(page.locator(".ath-outcome")).to_contain_text("row 34: 坏值")
    page.get_by_role("button", name="Import 61 samples").click()
    page.get_by_role("dialog").get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/data/imports/*")
    expect(page.locator(".ath-outcome")).to_contain_text("Samples stored")
    with page.expect_download() as download:
        page.locator(".ath-job").get_by_role("link").click()
    report = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [(line["row"], line["value"], line["meaning"]) for line in report] == [
        ("34", "坏值", "The value is no number")
    ]
    matte = [value for time, value in stored(site, "smelter.smelting.bath.furnace.output") if time.year == 2020]
    assert matte == [float(minute) for minute in range(30)]
    page.get_by_role("link", name="Look at it").click()
    page.wait_for_url("**/trends?**")


def test_what_is_open_must_be_said_before_anything_can_be_tried(site: Site, page: Page, tmp_path: Path) -> None:
    send(site, page, written(tmp_path, "a.csv", ["Time,Kiln power", "01/02/2019 08:00,5", "02/02/2019 08:00,6"]))
    expect(page.get_by_text("the day or the month first")).to_be_visible()
    expect(page.get_by_role("button", name="Try")).to_be_disabled()
    page.locator("select[name=layout]").select_option("dmy")
    expect(page.get_by_role("button", name="Try")).to_be_enabled()
    expect(page.get_by_text("2019-02-01 08:00:00")).to_be_visible()
    page.locator("select[name=layout]").select_option("mdy")
    expect(page.get_by_text("2019-01-02 08:00:00")).to_be_visible()


def test_a_unit_that_does_not_fit_is_refused_until_another_is_chosen(site: Site, page: Page, tmp_path: Path) -> None:
    send(site, page, written(tmp_path, "a.csv", ["Time,Kiln power [degC]", "2019-02-01 08:00,5"]))
    expect(page.get_by_text("does not become kW")).to_be_visible()
    expect(page.get_by_text("they measure different things")).to_be_visible()
    expect(page.get_by_role("button", name="Try")).to_be_disabled()
    page.locator(".ath-mapping select").select_option("MW")
    expect(page.get_by_role("button", name="Try")).to_be_enabled()
    expect(page.get_by_text("5000.0 kW").or_(page.get_by_text("5,000.0 kW"))).to_be_visible()


def test_a_tag_is_chosen_from_the_plant_for_a_column_that_means_none(site: Site, page: Page, tmp_path: Path) -> None:
    send(site, page, written(tmp_path, "a.csv", ["Time,xyz", "2019-02-01 08:00,5"]))
    expect(page.get_by_text("No column's name is a tag's")).to_be_visible()
    page.get_by_role("button", name="Choose the tag").click()
    finder = page.get_by_role("dialog")
    finder.get_by_role("searchbox").fill("kiln power")
    finder.get_by_role("button", name="Kiln power").click()
    expect(page.locator(".ath-mapping tr", has_text="xyz")).to_contain_text("kilns.kiln.power")
    expect(page.get_by_role("button", name="Try")).to_be_enabled()
    page.get_by_role("button", name="Do not import").click()
    expect(page.get_by_role("button", name="Try")).to_be_disabled()


def test_what_cannot_be_decided_is_told_and_the_page_stays_as_it_was(site: Site, page: Page, tmp_path: Path) -> None:
    send(site, page, written(tmp_path, "a.csv", ["Time,Kiln power", "2019-02-01 08:00,5"]))
    zone = page.locator("input[name=zone]")
    zone.fill("Mars/Olympus")
    zone.press("Tab")
    expect(page.get_by_text("There is no time zone 'Mars/Olympus'")).to_be_visible()
    expect(page.locator("input[name=zone]")).to_have_value("Asia/Shanghai")
    page.locator("input[name=zone]").fill("Europe/Berlin")
    page.locator("input[name=zone]").press("Tab")
    expect(page.get_by_text("2019-02-01 15:00:00")).to_be_visible()


def test_a_file_that_is_no_table_says_what_it_is(site: Site, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"%PDF-1.7\n" + bytes(2000))
    send(site, page, path)
    expect(page.get_by_role("alert")).to_contain_text("report.csv cannot be read: it is a PDF")
    page.get_by_role("link", name="Send a file").click()
    expect(page.get_by_text("Drop a file here")).to_be_visible()


def test_a_file_is_dropped_and_one_that_is_too_large_is_never_sent(site: Site, page: Page, tmp_path: Path) -> None:
    site.open(page, "/data")
    drop = page.locator(".ath-drop")
    expect(drop).to_be_visible()
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["Time,Kiln power\\n2019-02-01 08:00,5\\n"], "dropped.csv"));
            document.querySelector(".ath-drop").dispatchEvent(new DragEvent("drop", { dataTransfer: carried }));
        }"""
    )
    page.wait_for_url("**/data/import/*")
    expect(page.get_by_role("heading", name="dropped.csv")).to_be_visible()


def test_nobody_without_the_permission_or_of_another_name_sees_anything(site: Site, page: Page, tmp_path: Path) -> None:
    site.open(page, "/data", "chen")
    expect(page.get_by_text("This page is not for you")).to_be_visible()
    site.open(page, "/data/import/00000000", "anna")
    expect(page.get_by_text("This file is no longer here")).to_be_visible()
    site.open(page, "/data/imports/00000000", "anna")
    expect(page.get_by_text("This import is not known here")).to_be_visible()


def test_who_may_only_export_is_led_on_to_the_export(site: Site, page: Page) -> None:
    site.admit("otto", "operator")
    site.open(page, "/data", "otto")
    page.wait_for_url("**/data/export")
    expect(page.get_by_role("link", name="Import", exact=True)).to_have_count(0)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_million_rows_are_imported_from_the_browser_with_progress(site: Site, page: Page, tmp_path: Path) -> None:
    rows = 1_000_000
    path = tmp_path / "million.csv"
    seconds = np.arange(rows) + 1_546_300_800
    values = np.round(np.sin(np.arange(rows) / 5000) * 1000 + 4000, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write("Tag,Time,Value\n")
        file.writelines(
            f"kilns.kiln.power,{second},{value}\n"
            for second, value in zip(seconds.tolist(), values.tolist(), strict=True)
        )
    page.add_init_script(_WATCH)
    send(site, page, path)
    page.get_by_role("button", name="Try").click()
    page.get_by_role("button", name="Import 1,000,000 samples").click(timeout=60_000)
    page.evaluate("() => window.seen.splice(0)")
    page.get_by_role("dialog").get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/data/imports/*")
    expect(page.locator(".ath-job")).to_contain_text("Done", timeout=60_000)
    shares = [float(share) for share in page.evaluate("() => window.seen")]
    assert [share for share in shares if 0 < share < 100], shares
    assert shares == sorted(shares)
    expect(page.locator(".ath-outcome")).to_contain_text("1,000,000")
    page.reload()
    expect(page.locator(".ath-outcome")).to_contain_text("Samples stored")
    span = Span(datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 1, 13, tzinfo=UTC))
    table = site.wait_for(site.platform.historian.read([site.platform.plant.id_of("kilns.kiln.power")], span))
    assert table.num_rows == rows
    assert np.array_equal(table["value"].to_numpy(), values)


# Every share that a progress bar shows, in their order.
_WATCH = """
    window.seen = [];
    new MutationObserver((changes) => {
        for (const change of changes)
            if (change.target.matches?.(".ath-job .ath-job-track"))
                window.seen.push(change.target.getAttribute("aria-valuenow"));
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["aria-valuenow"] });
"""
