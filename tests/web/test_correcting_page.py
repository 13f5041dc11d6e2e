"""Corrections on the page Trends, as a person makes, sees and undoes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from athanor.kernel.historian.port import Span
from athanor.kernel.telemetry import Quality

from .site import Site

pytestmark = pytest.mark.chromium

TEMPERATURE = "smelter.smelting.bath.furnace.temperature"
MODE = "smelter.smelting.bath.furnace.mode"
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=11)
HOUR = Span(START, START + timedelta(hours=1))
WHY = "Thermocouple 3 drifted, see shift book"


@pytest.fixture(autouse=True)
def _nothing_stays_corrected(site: Site) -> Iterator[None]:
    yield
    site.wait_for(undo_all(site))


async def undo_all(site: Site) -> None:
    corrections, plant = site.platform.corrections, site.platform.plant
    (anna,) = (user for user in await site.platform.identity.accounts.users() if user.login == "anna")
    for one in await corrections.over(plant, [TEMPERATURE, MODE], HOUR):
        if one.state.is_in_force:
            await corrections.undo(plant, one.id, reason="The test is over", author=anna)


def stored(site: Site, path: str = TEMPERATURE) -> list[tuple[float, Quality]]:
    table = site.wait_for(site.platform.historian.read([site.platform.plant.id_of(path)], HOUR))
    return list(zip(table["value"].to_pylist(), table["quality"].to_pylist(), strict=True))


def open_hour(site: Site, page: Page, tags: str = TEMPERATURE, login: str = "anna") -> None:
    span = f"from={HOUR.start:%Y-%m-%dT%H:%M:%SZ}&to={HOUR.end:%Y-%m-%dT%H:%M:%SZ}"
    site.open(page, f"/trends?tags={tags}&{span}", login)
    expect(page.locator(".ath-trend-canvas canvas").first).to_be_visible()


def begin(page: Page, kind: str, name: str = "Bath temperature") -> Locator:
    """The dialog, for this kind of correction."""
    page.get_by_role("button", name=f"Correct {name}…").click()
    dialog = page.get_by_role("dialog", name=f"Correct {name} · Furnace")
    dialog.get_by_label("What to do").select_option(kind)
    return dialog


def finish(dialog: Locator, reason: str = WHY) -> None:
    """Preview, give the reason, apply."""
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_role("button", name="Apply")).to_be_enabled()
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog).to_be_hidden()


def test_a_range_is_shifted_shown_with_author_and_reason_and_undone(site: Site, page: Page) -> None:
    before = stored(site)
    open_hour(site, page)
    dialog = begin(page, "adjust")
    dialog.get_by_label("Offset [°C]").fill("25")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog).to_contain_text("60 samples change.")
    figures = dialog.get_by_role("table", name="Figures of the samples in the range")
    expect(figures.get_by_role("row", name="Good samples")).to_have_text("Good samples6060")
    expect(dialog.locator(".ath-trend-legend")).to_contain_text("Before")
    assert stored(site) == before

    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Give the reason")
    finish(dialog)
    assert stored(site) == [(value + 25, quality) for value, quality in before]

    row = page.get_by_role("table", name="Corrections of the range shown").locator("tbody tr").first
    for text in ("Bath temperature", "+ 25 °C", "60", WHY, "anna", "In force"):
        expect(row).to_contain_text(text)
    mark = page.locator(".ath-trend-stretch")
    expect(mark).to_have_count(1)
    expect(mark).to_have_attribute(
        "title", f"Corrected by anna, {row.locator('small').nth(2).inner_text()}: {WHY} (+ 25 °C)"
    )

    row.get_by_role("button", name="Undo…").click()
    undoing = page.get_by_role("dialog", name="Undo the correction")
    undoing.get_by_role("button", name="Undo").click()
    expect(undoing.get_by_role("alert")).to_contain_text("Give the reason")
    undoing.get_by_label("Reason").fill("It was right")
    undoing.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("It was right")
    expect(mark).to_have_count(0)
    assert stored(site) == before
    expect(page.get_by_text("Something failed")).to_have_count(0)


def test_one_sample_is_replaced_at_its_very_time(site: Site, page: Page) -> None:
    before = stored(site)
    open_hour(site, page)
    dialog = begin(page, "set")
    replaces = dialog.get_by_label("Replaces").locator("option")
    expect(replaces.filter(has_text="A new sample at the time above")).to_have_count(1)  # first unless one is near
    stored_before = replaces.filter(has_not_text="A new sample")
    stored_before.first.wait_for(state="attached")
    dialog.get_by_label("Replaces").select_option(stored_before.first.get_attribute("value"))
    dialog.get_by_label("Value [°C]").fill("1.207,5")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no number")
    dialog.get_by_label("Value [°C]").fill("1207.5")
    finish(dialog)
    after = stored(site)
    assert len(after) == len(before)
    assert [one for one, other in zip(after, before, strict=True) if one != other] == [(1207.5, Quality.GOOD)]


def test_what_is_typed_after_a_preview_is_previewed_again_before_it_can_be_applied(site: Site, page: Page) -> None:
    before = stored(site)
    open_hour(site, page)
    dialog = begin(page, "constant")
    dialog.get_by_label("Add samples where none came, every [s]").fill("")  # waits for this kind's fields
    dialog.get_by_label("Value [°C]").fill("1200")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_role("button", name="Apply")).to_be_enabled()
    dialog.get_by_label("Value [°C]").fill("1300")
    expect(dialog.get_by_role("button", name="Apply")).to_be_disabled()
    assert stored(site) == before
    finish(dialog)
    assert {value for value, _ in stored(site)} == {1300.0}


def test_a_state_is_chosen_by_its_name_and_a_range_marked_bad(site: Site, page: Page) -> None:
    open_hour(site, page, tags=MODE)
    dialog = begin(page, "constant", name="Mode")
    dialog.locator("select[name=value]").select_option("Stopped (0)")
    dialog.get_by_label("Add samples where none came, every [s]").fill("")
    finish(dialog)
    assert {value for value, _ in stored(site, MODE)} == {0.0}
    finish(begin(page, "bad", name="Mode"))
    assert set(stored(site, MODE)) == {(0.0, Quality.BAD)}
    rows = page.get_by_role("table", name="Corrections of the range shown").locator("tbody tr")
    expect(rows.nth(1)).to_contain_text("overwritten since")
    rows.nth(1).get_by_role("button", name="Undo…").click()
    undoing = page.get_by_role("dialog", name="Undo the correction")
    undoing.get_by_label("Reason").fill("First things first")
    undoing.get_by_role("button", name="Undo").click()
    expect(undoing.get_by_role("alert")).to_contain_text("first, then")


def test_who_may_not_correct_sees_what_was_corrected_and_no_way_to_do_it(site: Site, page: Page) -> None:
    open_hour(site, page)
    finish(begin(page, "bad"))
    open_hour(site, page, login="chen")
    row = page.get_by_role("table", name="Corrections of the range shown").locator("tbody tr").first
    expect(row).to_contain_text(WHY)
    expect(page.locator(".ath-trend-stretch")).to_have_count(1)
    expect(page.get_by_role("button", name="Correct Bath temperature…")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo…")).to_have_count(0)
