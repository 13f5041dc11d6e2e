"""Corrections over REST: who may, what is answered, and that nobody reaches over to others' tags."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest

from athanor.kernel.telemetry import Sample
from athanor.web.sessions import COOKIE

from .site import Site

POWER = "smelter.smelting.bath.furnace.power"
KILN = "kilns.kiln.power"
NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)  # long before what the site's history holds
WHY = "Shunt was open, see shift book"
CORRECTIONS = "/api/v1/corrections"


def at(second: float) -> str:
    return (NOON + timedelta(seconds=second)).isoformat()


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, str]:
    """Sessions of people with several roles."""
    roles = {"li": ("engineer", "copper"), "wang": ("engineer", "carbon"), "op": ("operator", None)}
    return {login: site.admit(login, role, tenant) for login, (role, tenant) in roles.items()}


@pytest.fixture
async def as_(site: Site, people: dict[str, str]) -> AsyncIterator[Any]:
    """A client of somebody: `as_("li")`; a stranger's for None."""
    opened = []

    def client(login: str | None) -> httpx.AsyncClient:
        cookies = {} if login is None else {COOKIE: people[login]}
        opened.append(httpx.AsyncClient(base_url=site.url, cookies=cookies, trust_env=False))
        return opened[-1]

    yield client
    for one in opened:
        await one.aclose()


@pytest.fixture(autouse=True)
def _ten_seconds(site: Site) -> None:
    for tag in (POWER, KILN):
        site.deliver([Sample(tag, NOON + timedelta(seconds=n), 100.0 + n) for n in range(10)])


def shift(tag: str = POWER, **more: object) -> dict[str, object]:
    action = {"kind": "adjust", "start": at(0), "end": at(5), "offset": -50, **more}
    return {"tag": tag, "action": action, "reason": WHY}


async def values(client: httpx.AsyncClient, tag: str = POWER) -> list[float]:
    answer = await client.get("/api/v1/series", params={"tag": tag, "from": at(0), "to": at(10)})
    return [row["value"] for row in answer.json()]


async def test_a_correction_is_previewed_made_looked_at_and_undone(as_: Any) -> None:
    li = as_("li")
    seen = await li.post(CORRECTIONS, params={"preview": True}, json={**shift(), "reason": ""})
    assert (seen.status_code, seen.json()) == (
        200,
        {
            "samples": 5,
            "added": 0,
            "before": {"count": 5, "minimum": 100.0, "mean": 102.0, "maximum": 104.0},
            "after": {"count": 5, "minimum": 50.0, "mean": 52.0, "maximum": 54.0},
        },
    )
    made = (await li.post(CORRECTIONS, json=shift())).raise_for_status()
    assert made.status_code == 201
    told = made.json()
    assert told["action"] == {
        "kind": "adjust", "start": at(0).replace("+00:00", "Z"), "end": at(5).replace("+00:00", "Z"),
        "factor": 1.0, "offset": -50.0,
    }  # fmt: skip
    assert (told["tag"], told["author"], told["reason"], told["state"]) == (POWER, "li", WHY, "done")
    assert await values(li) == [50.0, 51.0, 52.0, 53.0, 54.0, 105.0, 106.0, 107.0, 108.0, 109.0]

    address = f"{CORRECTIONS}/{told['id']}"
    assert (await li.get(address)).json() == {**told, "overwritten": 0}
    listed = (await li.get(CORRECTIONS, params={"tag": POWER, "from": at(4), "to": at(9)})).json()
    assert listed[0] == told
    assert (await li.get(CORRECTIONS, params={"tag": POWER, "from": at(5), "to": at(9)})).json() == []

    undone = (await li.post(f"{address}/undo", json={"reason": "It was right"})).json()
    assert (undone["state"], undone["undone_by"], undone["undo_reason"], undone["restored"]) == (
        "undone", "li", "It was right", 5,
    )  # fmt: skip
    assert await values(li) == [100.0 + n for n in range(10)]
    again = await li.post(f"{address}/undo", json={"reason": "Once more"})
    assert (again.status_code, again.json()["detail"]["code"]) == (409, "corrections.already-undone")


async def test_old_and_new_samples_come_as_arrow_csv_and_json(as_: Any) -> None:
    li = as_("li")
    entered = {"kind": "set", "values": [{"time": at(3), "value": 7}, {"time": at(3.5), "value": 8}]}
    made = (await li.post(CORRECTIONS, json={"tag": POWER, "action": entered, "reason": WHY})).json()
    assert (made["samples"], made["added"]) == (2, 1)
    address = f"{CORRECTIONS}/{made['id']}/samples"
    rows = (await li.get(address)).json()
    assert [(row["old_value"], row["old_quality"], row["new_value"], row["new_quality"]) for row in rows] == [
        (103.0, 0, 7.0, 0),
        (None, None, 8.0, 0),
    ]
    answer = await li.get(address, headers={"Accept": "application/vnd.apache.arrow.stream"})
    with pa.ipc.open_stream(answer.content) as reader:
        assert reader.read_all()["new_value"].to_pylist() == [7.0, 8.0]
    answer = await li.get(address, headers={"Accept": "text/csv"})
    assert [row["old_value"] for row in csv.DictReader(io.StringIO(answer.text))] == ["103", ""]
    await li.post(f"{CORRECTIONS}/{made['id']}/undo", json={"reason": WHY})


async def test_only_who_may_correct_does(as_: Any) -> None:
    stranger, operator = as_(None), as_("op")
    made = (await as_("li").post(CORRECTIONS, json=shift())).json()
    undo = f"{CORRECTIONS}/{made['id']}/undo"
    for client, status, code in ((stranger, 401, "web.sign-in-first"), (operator, 403, "web.forbidden")):
        for answer in (
            await client.post(CORRECTIONS, json=shift()),
            await client.post(CORRECTIONS, json=shift(), params={"preview": True}),
            await client.post(undo, json={"reason": WHY}),
        ):
            assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code)
    assert (await stranger.get(f"{CORRECTIONS}/{made['id']}")).status_code == 401
    assert (await operator.get(f"{CORRECTIONS}/{made['id']}")).json()["reason"] == WHY
    await as_("li").post(undo, json={"reason": WHY})


async def test_nobody_reaches_over_to_another_enterprise(as_: Any) -> None:
    li, wang = as_("li"), as_("wang")
    made = (await wang.post(CORRECTIONS, json=shift(KILN))).json()
    address = f"{CORRECTIONS}/{made['id']}"
    for answer in (
        await li.post(CORRECTIONS, json=shift(KILN)),
        await li.post(CORRECTIONS, json=shift(KILN), params={"preview": True}),
        await li.get(CORRECTIONS, params={"tag": KILN, "from": at(0)}),
        await li.get(address),
        await li.get(f"{address}/samples"),
        await li.post(f"{address}/undo", json={"reason": WHY}),
    ):
        assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "kernel.not-found")
    assert (await wang.get(address)).json()["state"] == "done"
    await wang.post(f"{address}/undo", json={"reason": WHY})


def constant(**more: object) -> dict[str, object]:
    return shift() | {"action": {"kind": "constant", "start": at(0), "end": at(5), **more}}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (shift() | {"reason": "  "}, "corrections.reason-needed"),
        (shift(offset=0), "corrections.nothing"),
        (shift(start=at(600), end=at(700)), "corrections.nothing"),
        (constant(value="off"), "corrections.impossible"),
        (constant(end=at(86400), value=1, step=0.001), "corrections.too-many-samples"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_code(as_: Any, wish: dict[str, object], code: str) -> None:
    answer = await as_("li").post(CORRECTIONS, json=wish)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "delete", "start": at(0), "end": at(5)},
        {"kind": "bad", "start": at(5), "end": at(5)},
        {"kind": "bad", "start": "2026-05-04T12:00:00", "end": at(5)},
        {"kind": "bad", "start": "0001-01-01T00:00:00+14:00", "end": at(5)},
        {"kind": "bad", "start": at(0), "end": "9999-12-31T23:59:59-14:00"},
        {"kind": "constant", "start": at(0), "end": at(5), "value": 1, "quality": "bad"},
        {"kind": "constant", "start": at(0), "end": at(5), "value": 1, "step": 0},
        {"kind": "set", "values": []},
        {"kind": "set", "values": [{"time": at(0), "value": 1}, {"time": at(0), "value": 2}]},
        {"kind": "adjust", "start": at(0), "end": at(5), "offset": "NaN"},
        {"kind": "adjust", "start": at(0), "end": at(5), "offset": 1, "foo": 1},
    ],
)
async def test_what_is_no_action_is_refused(as_: Any, action: dict[str, object]) -> None:
    answer = await as_("li").post(CORRECTIONS, json={"tag": POWER, "action": action, "reason": WHY})
    assert answer.status_code == 422
    assert (await as_("li").get(CORRECTIONS, params={"tag": POWER, "from": at(0)})).status_code == 200
