"""Every text that a person or a plant can bring in, hostile, and every page that shows it: text stays text.

A new field gets a line in FIELDS, a new page shows up by its Example in tests/web/walk.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Dialog, Page
from sqlalchemy import select

from athanor.apps.exchange.domain.offer import Contract
from athanor.apps.exchange.services import access, publishing
from athanor.kernel.identity.user import User
from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.routing import route
from athanor.kernel.notify.tables import MessageRow, NoticeRow
from athanor.kernel.plant.model import Node, Plant, Tag, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.web.sessions import COOKIE

from .site import Site
from .walk import FURNACE, POWER, examples
from .walk.alarms import prepare as raised

pytestmark = pytest.mark.chromium

# Whatever runs counts in `hacked`. What follows the mark is looked for as it stands on the pages.
MARK = "<img src=x onerror=hacked++>{{7*7}}"
HOSTILE = (
    f"{MARK}<script>hacked++</script><svg onload=hacked++>"
    "{{constructor.constructor('hacked++')()}}</td></table></textarea></title></script></style>"
    "'\" onmouseover=hacked++ autofocus onfocus=hacked++ x=' <a href=javascript:hacked++>a</a>"
    "\u202e\u2066\u200b\u200d"
)
LONG = MARK + "W" * 10_000
_LATER_MS = (150, 1000, 5000)  # what a busy machine has not drawn at once is looked for again, more patiently
_NOW = datetime.now(UTC)
_START, _END = (_NOW - timedelta(hours=8)).isoformat(), (_NOW - timedelta(hours=7)).isoformat()

Made = dict[str, str]  # what was made, by the names that examples fill in
Write = Callable[[httpx.Client, str, Made], httpx.Response]


@dataclass(frozen=True, slots=True)
class Field:
    """A text that can be filled in: `write` sends it, and notes what it made."""

    name: str
    write: Write
    is_shown: bool = True  # on a page that is walked
    most: int = 200  # characters that it takes at least

    def text(self, hostile: str) -> str:
        return f"{self.name} {hostile}"[: max(self.most, len(f"{self.name} {MARK}"))]


def _noting(name: str, key: str, send: Callable[[httpx.Client, str, Made], httpx.Response]) -> Write:
    """Send, and keep what the answer has under a key."""

    def write(client: httpx.Client, text: str, made: Made) -> httpx.Response:
        answer = send(client, text, made)
        if answer.is_success:
            made[name] = str(answer.json()[key])
        return answer

    return write


def _correction(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    action = {"kind": "bad", "start": _START, "end": _END}
    answer = client.post("/api/v1/corrections", json={"tag": POWER, "action": action, "reason": text})
    if answer.is_success:
        undo = {"reason": "undo-reason " + MARK}
        client.post(f"/api/v1/corrections/{answer.json()['id']}/undo", json=undo).raise_for_status()
    return answer


def _file(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    rows = f'time,{POWER},"file-column {MARK}"\n2026-05-04T12:00:00Z,"file-cell {MARK}",1\n'.encode()
    answer = client.post("/api/v1/imports/files", params={"name": f"{text}.csv"}, content=rows)
    if answer.is_success:
        made["file"] = answer.json()["file"]
        begun = client.post("/api/v1/imports", json={"file": made["file"], "trial": True}).raise_for_status()
        made["job"] = begun.json()["id"]
        while client.get(f"/api/v1/jobs/{made['job']}").json()["state"] in ("queued", "running"):
            time.sleep(0.02)
    return answer


def _document(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    query = {"name": f"{MARK}.txt", "title": text, "label": ["document-label" + MARK], "asset": FURNACE}
    return client.post("/api/v1/documents", params=query, content=text.encode())


def _version(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    query = {"name": "second.txt", "comment": text}
    return client.post(f"/api/v1/documents/{made['document']}/versions", params=query, content=text.encode())


def _alarm_rule(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    rule = {
        "name": {"en": text, "zh_CN": text},
        "subject": {"tag": POWER},
        "condition": {"kind": "expression", "formula": f"{{{POWER}}} > 1e9"},
        "consequence": {"en": f"rule-consequence {MARK}"},
        "action": {"en": f"rule-action {MARK}"},
        "owner": f"rule-owner {MARK}",
        "camera": f"rule-camera {MARK}",
        "note": f"rule-note {MARK}",
    }
    base, reason = "/api/v1/alarms/rules", f"rule-reason {MARK}"
    made.setdefault("alarm_rule_revision", "0")
    if made["alarm_rule_revision"] == "0":
        answer = client.post(base, json={"key": "xss-rule", "rule": rule, "reason": reason})
    else:
        revision = int(made["alarm_rule_revision"])
        wish = {"rule": rule, "revision": revision, "reason": reason}
        answer = client.put(f"{base}/{made['alarm_rule']}", json=wish)
    if answer.is_success:
        made |= {"alarm_rule": str(answer.json()["id"]), "alarm_rule_revision": str(answer.json()["revision"])}
    return answer


def _role(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    wish = {"title": {"en": text, "zh_CN": text}, "permissions": ["data.view"]}
    return client.put("/api/v1/people/roles/xss-role", json=wish)


def _person(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    made["login"] = "xss-victim"
    said = {"name": text, "roles": ["viewer"], "enterprise": "copper", "post": "person-post " + MARK}
    account = {"login": "xss-victim", "password": "correct horse battery"}
    client.post("/api/v1/people/accounts", json={**said, "name": "x", **account})
    return client.patch("/api/v1/people/accounts/xss-victim", json=said)


def _grant(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    wish = {"consumer": "carbon", "area": FURNACE, "ends_at": (_NOW + timedelta(days=1)).isoformat(), "purpose": text}
    return client.post("/api/v1/exchange/grants", json=wish)


def _revocation(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    return client.post(f"/api/v1/exchange/grants/{made['grant']}/revoke", json={"reason": text})


def _invitation(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    wish = {"login": "xss-guest", "name": text, "roles": ["viewer"], "enterprise": "copper"}
    return client.post("/api/v1/people/invitations", json=wish)


def _department(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    return client.post("/api/v1/people/departments", json={"enterprise": "copper", "name": text})


def _token(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    wish = {"name": text, "scopes": ["data.view"], "expires_at": (_NOW + timedelta(days=1)).isoformat()}
    return client.post("/api/v1/me/tokens", json=wish)


def _case(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    answer = client.post("/api/v1/incidents", json={"title": text, "text": "incident-text " + MARK})
    if answer.is_success:
        made["case"] = str(answer.json()["id"])
        task = client.post(f"/api/v1/incidents/{made['case']}/tasks", json={"title": "incident-task " + MARK})
        made["case_task"] = str(task.raise_for_status().json()["id"])
    return answer


def _said(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    return client.post(f"/api/v1/incidents/{made['case']}/say", json={"text": text})


def _form(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    title = {"en": text, "zh_CN": text}
    label = {"en": f"form-label {MARK}", "zh_CN": f"form-label {MARK}"}
    content = {
        "title": title,
        "fields": [{"id": "note", "kind": "text", "label": label}],
        "steps": [{"id": "check", "who": "role", "name": "engineer"}],
    }
    file = {"format": "athanor-form", "format_version": 1, "key": f"xss-{time.monotonic_ns()}", "form": content}
    answer = client.post("/api/v1/forms/definitions", content=json.dumps(file))
    if answer.is_success:
        made["form"] = str(answer.json()["id"])
        client.post(f"/api/v1/forms/definitions/{made['form']}/publish").raise_for_status()
    return answer


def _entry(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    wish = {"form_id": int(made["form"]), "values": {"note": text}}
    return client.post("/api/v1/forms/entries", json=wish)


def _policy(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    said = {
        "name": {"en": text, "zh_CN": text},
        "match": {"topics": ["xss"], "text": f"policy-text {MARK}"},
        "steps": [{"to": [{"kind": "post", "post": f"policy-post {MARK}"}]}],
    }
    return client.post("/api/v1/notifications/policies", json={"policy": said})


def _roster(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    said = {
        "name": {"en": text, "zh_CN": text},
        "shifts": [{"id": "day", "name": {"en": f"shift-name {MARK}"}, "from_minute": 0, "minutes": 1440}],
        "cycle": ["day"],
        "teams": [{"name": f"team-name {MARK}", "members": ["anna"]}],
        "begins_on": "2026-01-01",
    }
    return client.post("/api/v1/notifications/rosters", json={"roster": said})


def _channel(client: httpx.Client, text: str, _made: Made) -> httpx.Response:
    settings = {"host": "mail.invalid", "sender": "xss@example.com", "sender_name": f"sender-name {MARK}"}
    wish = {"kind": "email", "name": text, "settings": settings, "is_enabled": False}
    return client.post("/api/v1/notifications/channels", json=wish)


def _alarm_comment(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    return client.post(f"/api/v1/alarms/occurrences/{made['occurrence']}/comments", json={"text": text})


def _shelving(client: httpx.Client, text: str, made: Made) -> httpx.Response:
    wish = {"alarms": [int(made["alarm"])], "minutes": 5, "reason": text}
    return client.post("/api/v1/alarms/shelve", json=wish)


FIELDS = [
    Field("correction-reason", _correction),
    Field("alarm-comment", _alarm_comment, most=4000),
    Field("shelving-reason", _shelving, most=1000),
    Field("file-name", _file, most=0),  # of a path, the last part counts
    Field("rule-name", _alarm_rule),
    Field("document-title", _noting("document", "document", _document)),
    Field("document-comment", _version),
    Field("person-name", _person),
    Field("department", _department, most=100),
    Field("role-title", _role, most=100),
    Field("invited-name", _invitation),
    Field("grant-purpose", _noting("grant", "id", _grant), most=1000),
    Field("grant-revocation", _revocation, most=1000),
    Field("token-name", _token, most=80),
    Field("form-title", _form, most=80),
    Field("policy-name", _noting("policy", "id", _policy)),
    Field("roster-name", _noting("roster", "id", _roster)),
    Field("channel-name", _noting("robot", "id", _channel), most=100),
    Field("form-value", _noting("form_entry", "id", _entry)),
    Field("incident-title", _case, most=200),
    Field("incident-said", _said, most=4000),
]
# Texts that come by other ways, or along with those above.
ALSO_SHOWN = [
    "undo-reason", "form-label", "policy-text", "policy-post", "shift-name", "team-name", "sender-name",
    "notice-title", "notice-detail",
    "file-column", "file-cell", "document-label", "person-post", "product-name", "product-purpose",
    "product-contact", "request-purpose", "plant-tag", "plant-node", "plant-tenant", "plant-park", "source-error",
    "unknown-tag", "incident-text", "incident-task",
]  # fmt: skip


@pytest.fixture(scope="module")
def park(site: Site) -> Iterator[httpx.Client]:
    """An administrator of the park."""
    cookies = {COOKIE: site.admit("anna", "administrator")}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=30, headers={"Origin": site.url}) as one:
        yield one


@pytest.fixture(scope="module")
def made(site: Site, park: httpx.Client) -> Iterator[Made]:
    """Everything hostile at once: the plant, what edges send, what people fill in."""
    running = site.platform.plant
    site.platform.ports["plant"] = RunningPlant(hostile(running.model), running.version + 1000, running.ids)
    things: Made = {"department": "1", "invitation": "1", "session": "x", "entry": "1"}
    try:
        things |= raised(park, site)
        site.send({f"unknown-tag {MARK}": 1.0, f"{FURNACE}.hostile": 6.0})
        site.report(state="failed", error=f"source-error {MARK}")
        for field in FIELDS:
            answer = field.write(park, field.text(HOSTILE), things)
            assert answer.is_success, f"{field.name}: {answer.status_code} {answer.text[:300]}"
        things["product"] = str(site.wait_for(product(site)))
        things["message"] = str(site.wait_for(message(site)))
        yield things
    finally:
        site.platform.ports["plant"] = running
        site.send({f"{FURNACE}.hostile": 2.0})
        site.report()


def hostile(plant: Plant) -> Plant:
    """The plant with names that a plant file may bring."""

    def named(what: str, name: Mapping[str, str]) -> Mapping[str, str]:
        return dict.fromkeys(name, f"{what} {HOSTILE}")

    def tag(one: Tag) -> Tag:
        states = {number: named("plant-state", name) for number, name in one.states.items()}
        return replace(one, name=named("plant-tag", one.name), states=states)

    def node(one: Node) -> Node:
        return replace(one, name=named("plant-node", one.name), tags=tuple(map(tag, one.tags)))

    return replace(
        plant,
        name=named("plant-park", plant.name),
        tenants={key: Tenant(key, named("plant-tenant", one.name)) for key, one in plant.tenants.items()},
        nodes={path: node(one) for path, one in plant.nodes.items()},
    )


async def product(site: Site) -> int:
    """A data product, and a request for it."""
    owner = User(0, "olga", "Olga", ("engineer",), "copper")
    asker = User(0, "karl", "Karl", ("engineer",), "carbon")
    text = {"en": f"product-name {HOSTILE}", "zh_CN": f"product-name {HOSTILE}"}
    wish = publishing.Wish(
        name=text,
        description=text,
        paths=(POWER,),
        step="15m",
        how="mean",
        back_days=1.0,
        purpose=f"product-purpose {HOSTILE}",
        contact=f"product-contact {HOSTILE}",
        contract=Contract(_NOW - timedelta(days=2)),
    )
    platform = site.platform
    async with platform.database.session() as session:
        made = await publishing.publish(session, platform.plant, platform.historian, owner, wish, _NOW)
        until = _NOW + timedelta(days=1)
        purpose = f"request-purpose {HOSTILE}"
        await access.request_access(session, asker, made.id, purpose=purpose, ends_at=until, now=_NOW)
        return made.id


async def message(site: Site) -> int:
    """A notice to somebody, and the message that it becomes."""
    platform, said = site.platform, {"en": f"notice-title {HOSTILE}", "zh_CN": f"notice-title {HOSTILE}"}
    one = Notice("xss", "xss", "xss", said, {"en": f"notice-detail {HOSTILE}"}, logins=("anna",), link="/xss")
    async with platform.database.session() as session:
        await notice.put(session, [one], _NOW)
    async with platform.database.session() as session:
        await route(session, datetime.now(UTC), platform.plant.model)
    query = select(MessageRow.id).join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
    async with platform.database.reading() as session:
        return int((await session.scalars(query.where(NoticeRow.key == "xss").limit(1))).one())


def addresses(made: Made) -> list[str]:
    """Every page, with what was made; and those that take a text from their address."""
    found = []
    for example in examples():
        if not example.is_page:
            continue
        request = example.request(made)
        if "{" not in request["url"]:
            found.append(str(httpx.URL(request["url"], params=request["params"])))
    texts = {
        "/datahealth/lookup": "search",
        "/datahealth/quality": "under",
        "/trends": "tags",
        "/data/export": "tags",
        "/documents": "search",
        "/security/audit": "text",
    }
    found += [str(httpx.URL(page, params={key: HOSTILE})) for page, key in texts.items()]
    return [*found, "/people/xss-victim", str(httpx.URL(f"/{HOSTILE}")), f"/trends?tags={POWER}&range=12h"]


@pytest.mark.timeout(900)  # every page, one after another
def test_nothing_that_people_or_plants_bring_in_runs_and_all_of_it_shows_as_text(
    site: Site, page: Page, made: Made
) -> None:
    dialogs: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.add_init_script("window.hacked = 0")
    seen, ran = "", {}
    missing = [field.name for field in FIELDS if field.is_shown] + ALSO_SHOWN
    for later_ms in _LATER_MS:
        for address in addresses(made):
            site.open(page, address)
            page.wait_for_timeout(later_ms)
            seen += page.locator("body").inner_text() + page.evaluate(FILLED_IN)
            if found := page.evaluate(TRACES):
                ran[address] = found
        missing = [name for name in missing if f"{name} {MARK}" not in seen and f"{name}{MARK}" not in seen]
        if not missing:
            break
    assert (ran, dialogs) == ({}, [])
    assert missing == []


FILLED_IN = "() => [...document.querySelectorAll('input, textarea')].map((one) => one.value).join('\\n')"
TRACES = """() => [
  ...(window.hacked ? [`ran ${window.hacked} times`] : []),
  ...[...document.querySelectorAll('img[src="x"], svg[onload], [onerror], [onmouseover], [onfocus]')].map(
    (one) => one.outerHTML.slice(0, 200)),
  ...[...document.querySelectorAll('[href], [src], [action]')].filter((one) =>
    /^\\s*javascript:/i.test(one.getAttribute('href') || one.getAttribute('src') || one.getAttribute('action') || '')
  ).map((one) => one.outerHTML.slice(0, 200)),
]"""


@pytest.mark.parametrize("onward", ["javascript:hacked++", "//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_way_back_after_sign_in_stays_here(site: Site, page: Page, onward: str) -> None:
    page.goto(str(httpx.URL(f"{site.url}/sign-in", params={"next": onward})))
    assert page.locator("input[name=next]").get_attribute("value") == "/"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_ten_thousand_characters_are_taken_or_refused_with_a_reason(
    field: Field, park: httpx.Client, made: Made
) -> None:
    answer = field.write(park, LONG, dict(made))
    assert answer.status_code < 500
    if not answer.is_success:
        body: dict[str, Any] = answer.json()
        assert body["detail"]
