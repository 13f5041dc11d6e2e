"""The desk as operators use it: alarms come and go by themselves, and are acknowledged, shelved and looked into."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from athanor.kernel.alarms.rule import Priority

from .alarm_desk import Plant
from .site import Site
from .walk import FURNACE

OPERATORS = {
    "desk-olga": ("operator", "copper"),
    "desk-omar": ("operator", "copper"),
    "desk-vera": ("viewer", "copper"),
    "desk-carl": ("operator", "carbon"),
    "desk-erik": ("engineer", "copper"),
}
MANY = 3000  # `athanor bench desk` measures ten thousand
IN_VIEW_AT_MOST = 80
DESK = "/alarms?category=process"  # the site's instruments send nothing, which is an alarm, too
NONE = "Nothing here matches."

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def people(site: Site) -> None:
    expect.set_options(timeout=20_000)
    for login, (role, tenant) in OPERATORS.items():
        site.admit(login, role, tenant)


@pytest.fixture
def plant(site: Site, people: None) -> Iterator[Plant]:
    """A quiet plant, and a quiet one again afterwards."""
    quiet = Plant(site)
    quiet.end()
    yield quiet
    quiet.end()


def line(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def act(page: Page, name: str) -> None:
    """Press a button of the bar above the list."""
    page.get_by_role("toolbar").get_by_role("button", name=name).click()


def test_an_alarm_comes_by_itself_is_acknowledged_by_a_key_and_goes(site: Site, page: Page, plant: Plant) -> None:
    site.open(page, DESK, "desk-olga")
    expect(page.get_by_text(NONE)).to_be_visible()
    plant.raise_("Bath too hot")
    expect(line(page, "Bath too hot")).to_contain_text("1,262.4 °C")
    expect(line(page, "Bath too hot")).to_contain_text("Unacknowledged")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(line(page, "Bath too hot")).to_contain_text("desk-olga")
    plant.clear("Bath too hot")
    expect(page.get_by_text(NONE)).to_be_visible()


def test_the_unacknowledged_come_first_then_the_most_urgent(site: Site, page: Page, plant: Plant) -> None:
    seen = plant.raise_("Seen already", Priority.CRITICAL)
    plant.raise_("Can wait", Priority.LOW)
    plant.raise_("Cannot wait", Priority.CRITICAL)
    site.wait_for(plant.alarms.acknowledge(plant.user("desk-omar"), [seen]))
    site.open(page, DESK, "desk-olga")
    expect(page.get_by_role("row")).to_have_text(
        [re.compile("Cannot wait"), re.compile("Can wait"), re.compile("Seen already")]
    )


def test_of_two_who_acknowledge_the_second_hears_who_was_first(
    site: Site, page: Page, chromium: Browser, plant: Plant
) -> None:
    alarm = plant.raise_("Wanted by two")
    site.open(page, DESK, "desk-olga")
    with chromium.new_context(locale="en-US") as other:
        second = other.new_page()
        site.open(second, DESK, "desk-omar")
        line(page, "Wanted by two").get_by_role("button", name="Acknowledge").click()
        expect(line(second, "Wanted by two")).to_contain_text("desk-olga")
        expect(line(second, "Wanted by two").get_by_role("button", name="Acknowledge")).to_have_count(0)
    again = site.wait_for(plant.alarms.acknowledge(plant.user("desk-omar"), [alarm]))
    assert (again.done, again.refused[alarm].by) == ((), "desk-olga")


def test_several_are_acknowledged_after_a_confirmation_that_counts_them(site: Site, page: Page, plant: Plant) -> None:
    for name, priority in (("First", Priority.HIGH), ("Second", Priority.HIGH), ("Third", Priority.LOW)):
        plant.raise_(name, priority)
    site.open(page, DESK, "desk-olga")
    page.get_by_label("Choose all").check()
    act(page, "Acknowledge")
    asked = page.get_by_role("dialog", name="Acknowledge: 3 alarms")
    expect(asked).to_contain_text("2 of priority High")
    expect(asked).to_contain_text("1 of priority Low")
    asked.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".ath-desk-line.is-calling")).to_have_count(0)


def test_an_alarm_is_shelved_for_a_time_with_a_reason_and_brought_back(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("Noisy")
    site.open(page, DESK, "desk-olga")
    line(page, "Noisy").get_by_role("checkbox").check()
    act(page, "Shelve")
    asked = page.get_by_role("dialog")
    expect(asked.get_by_role("radio")).to_have_text(["15 min", "30 min", "1 h", "2 h", "4 h"])  # no longer for this one
    asked.get_by_role("radio", name="30 min").click()
    asked.get_by_role("button", name="Shelve", exact=True).click()
    expect(asked).to_contain_text("Say why")
    asked.get_by_label("Reason").fill("The sensor is being changed")
    asked.get_by_role("button", name="Shelve", exact=True).click()
    expect(line(page, "Noisy")).to_have_count(0)
    page.get_by_role("button", name="Shelved 1").click()
    expect(line(page, "Noisy")).to_contain_text(re.compile("desk-olga · until .* · The sensor is being changed"))
    line(page, "Noisy").get_by_role("checkbox").check()
    act(page, "Take off the shelf")
    page.get_by_role("button", name="Standing 1").click()
    expect(line(page, "Noisy")).to_contain_text("Unacknowledged")


def test_an_engineer_takes_an_alarm_out_of_service_and_returns_it(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("In the workshop")
    site.open(page, DESK, "desk-erik")
    line(page, "In the workshop").get_by_role("checkbox").check()
    act(page, "Out of service")
    asked = page.get_by_role("dialog")
    asked.get_by_label("Reason").fill("Transmitter is repaired")
    asked.get_by_role("button", name="Take out of service").click()
    page.get_by_role("button", name="Out of service 1").click()
    expect(line(page, "In the workshop")).to_contain_text("Transmitter is repaired")
    line(page, "In the workshop").get_by_role("checkbox").check()
    act(page, "Return to service")
    expect(page.get_by_text(NONE)).to_be_visible()


def test_who_may_only_look_has_no_buttons_and_others_see_nothing(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("Only to be seen")
    site.open(page, DESK, "desk-vera")
    expect(line(page, "Only to be seen")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    site.open(page, DESK, "desk-carl")
    expect(page.get_by_text(NONE)).to_be_visible()


def test_filters_and_groups_stay_in_the_address(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("Hot", Priority.CRITICAL)
    plant.raise_("Cold", Priority.LOW, f"{FURNACE}.power")
    site.open(page, DESK, "desk-olga")
    page.get_by_role("button", name=re.compile("Critical")).first.click()
    expect(line(page, "Cold")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"priority=1"))
    page.get_by_label("Groups").select_option("Grouped by area")
    expect(line(page, "Smelter › Smelting")).to_contain_text("1 alarms, 1 unacknowledged")
    page.reload()
    expect(line(page, "Hot")).to_be_visible()
    expect(line(page, "Cold")).to_have_count(0)
    page.get_by_role("button", name="Smelter › Smelting").click()
    expect(line(page, "Hot")).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(line(page, "Cold")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("power")
    expect(line(page, "Cold")).to_be_visible()
    expect(line(page, "Hot")).to_have_count(0)


def test_hostile_names_are_text(site: Site, page: Page, plant: Plant) -> None:
    hostile = '<img src=x onerror="window.hacked=1">{{7*7}}'
    plant.raise_(hostile, Priority.CRITICAL, f"{FURNACE}.hostile")
    for address in (DESK, "/overview", "/alarms/history"):
        site.open(page, address, "desk-olga")
        expect(page.get_by_text(f": {hostile}").first).to_be_visible()
    page.get_by_role("link", name=f"=cmd: {hostile}").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(hostile)
    assert page.evaluate("() => window.hacked") is None


def test_of_thousands_of_alarms_only_those_in_view_are_in_the_browser(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_many("One of very many", MANY)
    plant.raise_("The one", Priority.CRITICAL)
    site.open(page, DESK, "anna")
    expect(page.get_by_text("3,001 alarms", exact=True)).to_be_visible()
    expect(page.get_by_role("row").first).to_contain_text("The one")
    assert page.get_by_role("row").count() < IN_VIEW_AT_MOST
    page.get_by_role("grid").evaluate("(list) => (list.scrollTop = list.scrollHeight / 2)")
    expect(page.locator(f'[aria-rowindex="{MANY // 2}"]')).to_be_visible()
    page.get_by_label("Search alarms").fill("place-01711")
    expect(page.get_by_role("row")).to_have_count(1)
    line(page, "place-01711").get_by_role("button", name="Acknowledge").click()
    expect(line(page, "place-01711")).to_contain_text("anna")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Choose all").check()
    act(page, "Acknowledge")
    dialog = page.get_by_role("dialog", name=re.compile(r"Acknowledge: 3,00\d alarms"))  # those of the site, too
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".ath-desk-line.is-calling")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Medium"))).to_contain_text("0")


# ---- everywhere, on the phone, one alarm


def test_the_worst_alarm_pops_up_on_every_page_and_leads_to_itself(site: Site, page: Page, plant: Plant) -> None:
    site.open(page, "/overview", "desk-olga")
    plant.raise_("Not so bad", Priority.MEDIUM)
    expect(page.get_by_label(re.compile(r"\d+ alarms wait to be acknowledged")).first).to_be_visible()
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    plant.raise_("Very bad", Priority.CRITICAL)
    popup = page.get_by_role("alertdialog", name="Critical: Bath temperature: Very bad")
    expect(popup).to_contain_text("Lower the oxygen.")
    expect(popup).to_contain_text(re.compile(r"\d+ more"))
    popup.get_by_role("button", name="Put off until the next alarm").click()
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    plant.raise_("Bad, too", Priority.HIGH)
    expect(popup).to_be_visible()
    popup.get_by_role("link", name="Go there").click()
    expect(page.get_by_role("heading", name="Bath temperature: Very bad")).to_be_visible()
    site.open(page, "/trends", "desk-olga")
    popup.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("alertdialog", name="High: Bath temperature: Bad, too")).to_be_visible()


def test_sound_waits_for_a_click_sounds_and_is_silenced_for_a_time(site: Site, page: Page, plant: Plant) -> None:
    site.open(page, "/overview", "desk-olga")
    plant.raise_("Loud", Priority.CRITICAL)
    bell = page.locator(".ath-bell")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    if page.get_by_role("button", name="Sound is off: click").count():
        page.get_by_role("button", name="Sound is off: click").click()
    expect(bell).to_have_attribute("data-sounded", re.compile(r"\d+"))
    bell.locator("summary").click()
    bell.get_by_role("button", name="15 min").click()
    bell.locator("summary").click()
    expect(bell.get_by_text(re.compile(r"Silent until \d\d:\d\d"))).to_be_visible()
    bell.get_by_role("button", name="Let it sound again").click()
    bell.locator("summary").click()
    expect(bell.get_by_text("Silence the sound")).to_be_visible()


def test_the_same_alarm_is_acknowledged_on_a_phone_and_seen_so_on_the_desk(
    site: Site, page: Page, chromium: Browser, plant: Plant
) -> None:
    plant.raise_("On the way")
    site.open(page, DESK, "desk-olga")
    with chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-US", has_touch=True) as phone:
        small = phone.new_page()
        site.open(small, DESK, "desk-omar")
        card = line(small, "On the way")
        expect(card).to_contain_text("1,262.4 °C")
        pressed = card.get_by_role("button", name="Acknowledge")
        box = pressed.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40  # for a thumb
        assert small.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        pressed.tap()
        expect(card).to_contain_text("desk-omar")
    expect(line(page, "On the way")).to_contain_text("desk-omar")


def test_an_alarm_tells_what_it_is_what_to_do_and_what_happened(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("Told whole", Priority.CRITICAL)
    site.open(page, DESK, "desk-olga")
    expect(line(page, "Told whole")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bath temperature: Told whole")).to_be_visible()
    facts = page.get_by_label("What it is")
    for text in (
        "Smelter › Smelting › Bath smelting › Furnace",
        "1,250.0 °C",
        "The lining wears out.",
        "Lower the oxygen.",
    ):
        expect(facts).to_contain_text(text)
    expect(page.locator(".ath-trend[data-drawn]:not([data-drawn='0'])")).to_be_visible()
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.get_by_label("Life line")).to_contain_text("desk-olga")
    page.get_by_label("Write a comment").fill("<b>Looked at it</b>")
    page.get_by_role("button", name="Say").click()
    expect(page.get_by_label("Comments")).to_contain_text("<b>Looked at it</b>")
    plant.clear("Told whole")
    expect(facts).to_contain_text("normal again after")


def test_past_alarms_and_the_journal_are_paged_and_leave_as_files(site: Site, page: Page, plant: Plant) -> None:
    plant.raise_("Of the past")
    site.open(page, "/alarms/history", "desk-olga")
    expect(page.get_by_role("table", name="Occurrences")).to_contain_text("Of the past")
    page.get_by_role("button", name="As CSV").click()
    made = page.get_by_role("link", name=re.compile(r"alarms-occurrences-.*\.csv"))
    with page.expect_download() as download:
        made.click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("Alarm,Where,Path,Priority")
    assert "Of the past" in text
    site.open(page, "/alarms/history?what=events", "desk-olga")
    expect(page.get_by_role("table", name="Journal")).to_contain_text("Raised")
    site.open(page, "/alarms/history", "desk-carl")
    expect(page.get_by_text("Of the past")).to_have_count(0)


def test_how_quickly_alarms_come_to_the_screen_is_measured_on_the_screen(site: Site, page: Page, plant: Plant) -> None:
    site.open(page, DESK, "desk-olga")
    expect(page.get_by_text(NONE)).to_be_visible()
    plant.raise_("Measured")
    expect(line(page, "Measured")).to_be_visible()
    site.open(page, "/alarms/speed", "desk-olga")
    for name in ("p50", "p95", "p99"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()
