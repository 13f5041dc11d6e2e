"""Forms in the browser: built, filled in on a phone, decided, printed; and texts that must stay texts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from athanor.kernel.forms.definition import Definition, read_definition
from athanor.kernel.forms.templates import templates
from athanor.kernel.identity.user import User

from .site import Site

EVIL = "<img src=x onerror=window.hacked=1>{{7*7}}<script>window.hacked=1</script>"
WHO = {"pwriter": ("operator", "copper"), "plead": ("engineer", "copper"), "pop": ("operator", "copper")}


def viewer(site: Site, login: str) -> User:
    role, tenant = WHO.get(login, ("administrator", None))
    return site.wait_for(site.platform.identity.sessions.user_of(site.admit(login, role, tenant)))


def forms(site: Site) -> Any:
    return site.platform.ports["forms"]


def a_form(site: Site, key: str, definition: Definition) -> int:
    for login in WHO:
        viewer(site, login)
    anna = viewer(site, "anna")
    known = [one for one in site.wait_for(forms(site).definitions.all(anna)) if one.key == key and one.tenant is None]
    if known:
        return int(known[0].id)
    form = site.wait_for(forms(site).definitions.make(anna, key, definition))
    site.wait_for(forms(site).definitions.publish(anna, form))
    return int(form)


def small(title: str = "Round") -> Definition:
    return read_definition(
        {
            "title": {"en": title},
            "fields": [
                {"id": "gas", "kind": "number", "label": {"en": "Gas"}, "unit": "%LEL", "max": 10, "required": True},
                {"id": "twice", "kind": "computed", "label": {"en": "Twice"}, "formula": "gas * 2", "unit": "%LEL"},
                {
                    "id": "why",
                    "kind": "text",
                    "label": {"en": "Why"},
                    "shown_if": {"field": "gas", "op": "gt", "value": 5},
                },
                {"id": "who", "kind": "person", "label": {"en": "Watch"}},
                {"id": "sign", "kind": "signature", "label": {"en": "Signed"}, "required": True},
                {"id": "place", "kind": "position", "label": {"en": "Place"}},
                {"id": "shot", "kind": "photo", "label": {"en": "Shot"}},
            ],
            "steps": [{"id": "check", "title": {"en": "Check"}, "who": "role", "name": "engineer"}],
        }
    )


@pytest.fixture
def phone(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="en-US", has_touch=True, is_mobile=True,
        permissions=["geolocation"], geolocation={"latitude": 30.66, "longitude": 117.49, "accuracy": 12},
    )  # fmt: skip
    context.set_default_timeout(15_000)
    yield context
    context.close()


def sign(page: Page) -> None:
    pad = page.get_by_role("img", name="Signed")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 70, steps=4)
    page.mouse.up()


def test_a_round_is_filled_in_on_a_phone_kept_while_typing_and_sent(site: Site, phone: BrowserContext) -> None:
    form = a_form(site, "page-round", small())
    page = phone.new_page()
    site.open(page, f"/forms/new/{form}", "pwriter")
    page.get_by_label("Gas").fill("7")
    expect(page).to_have_url(re.compile(r"/forms/entries/\d+$"))
    expect(page.get_by_text("14.00 %LEL")).to_be_visible()
    page.get_by_label("Why").fill("a leak")
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("1 fields are not right yet.")).to_be_visible()
    page.get_by_role("button", name="Take my position").click()
    expect(page.get_by_text("30.660000, 117.490000 ± 12 m")).to_be_visible()
    sign(page)
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    page.wait_for_timeout(300)
    page.reload()  # what was entered is there again
    expect(page.get_by_label("Gas")).to_have_value("7")
    expect(page.get_by_label("Why")).to_have_value("a leak")
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Being decided")).to_be_visible()


def test_a_refused_position_is_said(site: Site, page: Page) -> None:
    form = a_form(site, "page-round", small())
    site.open(page, f"/forms/new/{form}", "pwriter")
    page.get_by_role("button", name="Take my position").click()
    expect(page.get_by_text("The browser may not tell where you are.")).to_be_visible()


def test_a_photo_is_taken_into_a_new_entry(site: Site, page: Page) -> None:
    form = a_form(site, "page-round", small())
    site.open(page, f"/forms/new/{form}", "pwriter")
    page.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": _png()})
    picture = page.locator(".ath-photos img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("element => element.naturalWidth") == 1


def test_who_decides_finds_it_reads_it_and_sends_it_back(site: Site, page: Page) -> None:
    form = a_form(site, "page-round", small())
    values = {"gas": 3.0, "sign": "M10 20 L30 40"}
    entry = site.wait_for(forms(site).entries.start(viewer(site, "pwriter"), form, values))
    site.wait_for(forms(site).entries.submit(viewer(site, "pwriter"), entry))
    site.open(page, "/forms", "plead")
    page.get_by_role("searchbox").fill(f"#{entry}")
    page.get_by_role("row", name=f"#{entry}").get_by_role("link").click()
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_text("needs a reason")).to_be_visible()
    page.get_by_label("Reason; needed to reject or send back").fill("measure again")
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_label("What happened")).to_contain_text("Check: sent back for change")
    expect(page.get_by_label("What happened")).to_contain_text("measure again")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_an_administrator_builds_a_form_without_code_and_publishes_it(site: Site, page: Page) -> None:
    site.admit("anna", "administrator")
    site.open(page, "/forms/build")
    page.get_by_role("button", name="New form…").click()
    page.get_by_label("Title · English").fill("Pump check")
    page.get_by_label("Key, for programs: small letters, digits, hyphens").fill("pump-check")
    page.get_by_role("button", name="Make the form").click()
    expect(page.get_by_role("heading", name="Pump check", level=1)).to_be_visible()
    page.get_by_label("Add a field", exact=True).select_option("number")
    page.get_by_label("Label · English").fill("Vibration")
    page.get_by_label("Label · English").blur()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_label("Vibration")).to_be_visible()
    page.get_by_role("button", name="Up: Vibration").click()
    expect(page.locator(".ath-build-entry").nth(1)).to_contain_text("Vibration")
    page.get_by_role("button", name="Add a step").click()
    page.get_by_label("Approved with a signature").check()
    expect(page.get_by_role("list", name="Flow")).to_contain_text("with signature")
    preview.get_by_label("Vibration").fill("2.5")
    page.get_by_role("button", name="Test run").click()
    flow = page.get_by_role("region", name="Flow")
    flow.get_by_role("button", name="Approve").click()
    expect(flow.locator(".ath-status")).to_have_text("Approved")
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Version 1 is in use")).to_be_visible()


def test_a_form_that_does_not_hold_together_is_said_and_not_kept(site: Site, page: Page) -> None:
    form = a_form(site, "page-broken", small("Broken"))
    site.open(page, f"/forms/build/{form}")
    page.get_by_role("button", name="Twice", exact=True).click()
    page.get_by_label("Formula", exact=True).fill("gas * nothing")
    page.get_by_label("Formula", exact=True).blur()
    expect(page.get_by_text("uses nothing, which is no number field before it")).to_be_visible()
    page.get_by_label("Formula", exact=True).fill("gas * 3")
    page.get_by_label("Formula", exact=True).blur()
    expect(page.get_by_text("which is no number field before it")).to_be_hidden()
    kept = site.wait_for(forms(site).definitions.get(viewer(site, "anna"), form))
    assert kept.definition.field("twice").formula == "gas * 3"


def test_no_text_of_a_form_or_an_entry_is_run(site: Site, page: Page) -> None:
    label = {"en": EVIL, "zh_CN": EVIL}
    options = [{"value": EVIL, "label": label}]
    fields = [
        {"id": "text", "kind": "text", "label": label, "help": label, "message": label},
        {"id": "note", "kind": "note", "label": label},
        {"id": "choice", "kind": "choice", "label": label, "options": options},
        {"id": "many", "kind": "choices", "label": label, "options": options},
        {"id": "rows", "kind": "table", "label": label, "columns": [{"id": "c", "label": label}]},
        {"id": "unit", "kind": "number", "label": label, "unit": "<b>t</b>"},
    ]
    steps = [{"id": "s", "title": label, "who": "role", "name": "engineer"}]
    evil = read_definition({"title": {"en": EVIL}, "description": label, "fields": fields, "steps": steps})
    form = a_form(site, "page-evil", evil)
    writer, lead = viewer(site, "pwriter"), viewer(site, "plead")
    values = {"text": EVIL, "choice": EVIL, "many": [EVIL], "rows": [{"c": EVIL}], "unit": 1.0}
    entry = site.wait_for(forms(site).entries.start(writer, form, values))
    places = [
        ("/forms?view=mine", "pwriter"),
        (f"/forms/entries/{entry}", "pwriter"),
        (f"/forms/new/{form}", "pwriter"),
    ]
    places += [("/forms/build", "anna"), (f"/forms/build/{form}", "anna")]
    for path, login in places:
        site.open(page, path, login)
        expect(page.get_by_text("onerror=window.hacked=1").first).to_be_attached()
        assert page.evaluate("window.hacked") is None, path
    site.wait_for(forms(site).entries.submit(writer, entry))
    site.wait_for(forms(site).entries.decide(lead, entry, "s", "reject", reason=EVIL))
    site.open(page, f"/forms/entries/{entry}", "plead")
    expect(page.get_by_label("What happened")).to_contain_text(EVIL)
    assert page.evaluate("window.hacked") is None
    assert "49" not in page.get_by_label("What happened").inner_text()


def test_another_enterprise_sees_neither_form_nor_entry(site: Site, page: Page) -> None:
    admin = site.wait_for(site.platform.identity.sessions.user_of(site.admit("padmin", "administrator", "copper")))
    known = [one.id for one in site.wait_for(forms(site).definitions.all(admin)) if one.key == "page-own"]
    form = known[0] if known else site.wait_for(forms(site).definitions.make(admin, "page-own", small("Secret round")))
    site.admit("pcarbon", "administrator", "carbon")
    for path in (f"/forms/build/{form}", f"/forms/new/{form}", "/forms/entries/999999"):
        site.open(page, path, "pcarbon")
        expect(page.get_by_role("alert")).to_contain_text("There is no")
    site.open(page, "/forms/build", "pcarbon")
    expect(page.get_by_role("table", name="Forms")).not_to_contain_text("Secret round")


def test_an_entry_prints_without_the_frame(site: Site, page: Page) -> None:
    form = a_form(site, "product-output", templates()["product-output"])
    entry = site.wait_for(forms(site).entries.start(viewer(site, "pwriter"), form, {"remark": "printed"}))
    site.open(page, f"/forms/entries/{entry}", "anna")
    expect(page.get_by_text("printed").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Apps")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_text("printed").first).to_be_visible()


def _png() -> bytes:
    """One grey pixel."""
    return bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
        "3a7e9b550000000a49444154789c63680000008200814dd043e60000000049454e44ae426082"
    )
