"""History over the API, and by `athanor import` beside the running server."""

import io
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from athanor.cli.importing import ImportFailedError, Wanted, import_from
from athanor.kernel.settings import Settings

from .running import RunningServer, wait_for

POWER = "smelter.power"


@pytest.fixture
def anna(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def over(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over."""

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/api/v1/jobs/{job['id']}").json()
        return found if found["ended_at"] else None

    found: dict[str, Any] = wait_for(ended, "the job is over")
    return found


def samples(client: httpx.Client, day: str) -> list[float]:
    """Values of the power on a day (UTC)."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    asked = {"tag": POWER, "from": start.isoformat(), "to": start.replace(hour=23).isoformat()}
    answer = client.get("/api/v1/series", params=asked, headers={"Accept": "application/json"})
    return [one["value"] for one in answer.json()]


def test_one_call_imports_a_file(anna: httpx.Client) -> None:
    body = f"Time,{POWER}\n2021-03-01T08:00Z,5\n2021-03-01T08:01Z,6\n2021-03-01T08:02Z,?\n".encode()
    answer = anna.post("/api/v1/imports", params={"name": "history.csv"}, content=body)
    assert answer.status_code == 202, answer.text
    job = over(anna, answer.json())
    assert (job["state"], job["title"], job["kind"]) == ("succeeded", "history.csv", "data.import")
    assert (job["summary"]["stored"], job["summary"]["refused"]) == (2, {"not-a-number": 1})
    assert samples(anna, "2021-03-01") == [5.0, 6.0]
    assert b"not-a-number" in anna.get(job["file"]).content


def test_a_file_is_sent_looked_at_tried_and_imported_step_by_step(anna: httpx.Client) -> None:
    body = "Time;Power_avg\n01/02/2021 08:00;5,5\n".encode("utf-16")
    file = anna.post("/api/v1/imports/files", params={"name": "a.csv"}, content=body).json()
    assert (file["name"], file["bytes"]) == ("a.csv", len(body))
    wish: dict[str, Any] = {"file": file["file"]}
    found = anna.post("/api/v1/imports/preview", json=wish).json()
    assert set(found["questions"]) == {"day-or-month", "no-tags"}
    assert (found["columns"], found["first_rows"]) == (["Time", "Power_avg"], [])
    refused = anna.post("/api/v1/imports", json=wish)
    assert refused.status_code == 422
    assert refused.json()["detail"]["code"] == "transfer.bad-plan"
    wish["plan"] = {"time": {"layout": "dmy", "zone": "UTC"}, "columns": {"Power_avg": {"tag": POWER, "unit": "MW"}}}
    found = anna.post("/api/v1/imports/preview", json=wish).json()
    assert found["questions"] == []
    [row] = found["first_rows"]
    assert (row["time"], row["cells"][0]["value"], row["cells"][0]["unit"]) == ("2021-02-01T08:00:00Z", 5500.0, "kW")
    trial = over(anna, anna.post("/api/v1/imports", json={**wish, "trial": True}).json())
    assert (trial["kind"], trial["summary"]["samples"], trial["summary"]["stored"]) == ("data.import-trial", 1, 0)
    assert samples(anna, "2021-02-01") == []
    over(anna, anna.post("/api/v1/imports", json=wish).json())
    assert samples(anna, "2021-02-01") == [5500.0]
    assert anna.post("/api/v1/imports", json=wish).status_code == 404  # it was imported, and is gone


def test_a_plan_may_go_with_the_file(anna: httpx.Client) -> None:
    plan = {"time": {"zone": "Europe/Berlin"}, "columns": {"P": {"tag": POWER}}}
    answer = anna.post(
        "/api/v1/imports",
        params={"name": "a.csv", "plan": json.dumps(plan), "trial": "true"},
        content=b"Time,P\n2021-07-01 08:00,5\n",
    )
    job = over(anna, answer.json())
    assert (job["summary"]["first"], job["summary"]["is_trial"]) == ("2021-07-01T06:00:00+00:00", True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "transfer.bad-file"),
        (b"%PDF-1.7", "transfer.bad-file"),
        (b"PK\x03\x04rubbish", "transfer.bad-file"),
        (b"Time,x\n2021-03-01 08:00,1\n", "transfer.bad-plan"),
        (b"1," * 500_000, "transfer.bad-file"),
    ],
)
def test_what_is_no_history_is_refused_with_its_reason(anna: httpx.Client, content: bytes, code: str) -> None:
    answer = anna.post("/api/v1/imports", params={"name": "x.csv"}, content=content)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"file": "x", "plan": 7}', b"null", b"{}"])
def test_a_wish_that_is_none_is_refused(anna: httpx.Client, body: bytes) -> None:
    answer = anna.post("/api/v1/imports", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "plan",
    [
        {"file": 7}, {"file": {"header_row": "x"}}, {"file": {"dialect": {"delimiter": "||"}}}, {"time": []},
        {"time": {"columns": [1]}}, {"columns": {"P": 7}}, {"long": {"names": []}}, {"shape": "round"},
        {"colour": "red"},
        {"time": {"zone": "Mars"}}, {"file": {"dialect": {"encoding": "klingon"}}}, {"quality": 9},
    ],
)  # fmt: skip
def test_parts_of_a_plan_that_are_none_are_refused(anna: httpx.Client, plan: dict[str, Any]) -> None:
    params = {"name": "a.csv", "plan": json.dumps(plan)}
    answer = anna.post("/api/v1/imports", params=params, content=b"Time,P\n2021-07-01 08:00,5\n")
    assert answer.status_code == 422, answer.text


def test_who_may_not_import_sends_nothing(server: RunningServer) -> None:
    for login, status in (("chen", 403), (None, 401)):
        with server.client(login) as client:
            for address in ("files?name=a", "preview", "?name=a"):
                answer = client.post(f"/api/v1/imports/{address}".replace("/?", "?"), content=b"x" * 100)
                assert answer.status_code == status


def test_a_file_larger_than_allowed_is_refused_before_it_is_read(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(
            f"POST /api/v1/imports/files?name=a.csv HTTP/1.1\r\nHost: x\r\nContent-Length: {3 * 10**9}\r\n"
            f"Cookie: athanor_session={server.sessions['anna']}\r\n\r\n".encode()
        )
        assert line.recv(1000).startswith(b"HTTP/1.1 413")


def settings_of(server: RunningServer) -> Settings:
    return server.settings.model_copy(
        update={"server": server.settings.server.model_copy(update={"port": server.port})}
    )


async def test_the_command_sends_its_file_to_the_running_server(
    server: RunningServer, anna: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "lab.csv"
    file.write_text(f"Time,{POWER},P2\n2022-03-01 08:00Z,5,1\n2022-03-01 08:01Z,oops,2\n", encoding="utf-8")
    said = io.StringIO()
    report = tmp_path / "refused.csv"
    wanted = Wanted(file, {}, {}, {}, is_trial=False, report=report)
    summary = await import_from(wanted, settings_of(server), Console(file=said, width=200))
    assert (summary["stored"], summary["refused"]) == (1, {"not-a-number": 1})
    assert "Not imported: P2." in said.getvalue()
    assert "oops" in report.read_text(encoding="utf-8-sig")
    assert samples(anna, "2022-03-01") == [5.0]
    broken = Wanted(file, {"time": {"zone": "Mars"}}, {}, {}, is_trial=False, report=None)
    with pytest.raises(ImportFailedError, match="no time zone 'Mars'"):
        await import_from(broken, settings_of(server), Console(file=said))


@pytest.mark.slow
def test_a_server_that_stops_in_mid_import_stops_cleanly_and_keeps_what_it_stored(own_server: RunningServer) -> None:
    own_server.start()
    rows = 1_500_000
    start = 1_609_459_200
    body = b"Time,%s\n" % POWER.encode() + b"".join(b"%d,7\n" % (start + row) for row in range(rows))
    with own_server.client() as client:
        job = client.post("/api/v1/imports", params={"name": "a.csv"}, content=body).json()

        def has_begun() -> bool:
            return bool((client.get(f"/api/v1/jobs/{job['id']}").json()["fraction"] or 0) > 0)

        wait_for(has_begun, "the import has begun")
    began = time.monotonic()
    assert own_server.stop() == 0
    assert time.monotonic() - began < 15
    assert "Traceback" not in own_server.log()
    own_server.start()
    with own_server.client() as client:
        (found,) = client.get("/api/v1/jobs").json()  # it was quick enough, or was cut off: history says which
        assert (found["id"], found["state"]) in [(job["id"], "succeeded"), (job["id"], "cancelled")]
        assert list((own_server.settings.data_dir / "uploads").iterdir()) == []
