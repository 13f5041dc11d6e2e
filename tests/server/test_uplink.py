"""What an edge is answered: the meaning of every status that docs/telemetry.md lists."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from athanor.kernel.telemetry import Quality, Sample, batch_of, encode

from .running import RunningServer

NOW = datetime.now(UTC)


def test_a_batch_is_acknowledged_once_a_query_sees_it(server: RunningServer) -> None:
    answer = server.send([Sample("smelter.power", NOW, 1200.0), Sample("smelter.lot", NOW, "L-7")])
    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "quarantined": 0})
    with server.client() as client:
        found = client.get("/api/v1/current", params={"tag": ["smelter.power", "smelter.lot"]}).json()
        series = client.get(
            "/api/v1/series", params={"tag": "smelter.power", "from": (NOW - timedelta(seconds=1)).isoformat()}
        ).json()
    assert [one["value"] for one in found] == [1200.0, "L-7"]
    assert [row["value"] for row in series] == [1200.0]


def test_what_cannot_be_believed_is_set_aside_and_the_rest_is_stored(server: RunningServer) -> None:
    answer = server.send(
        [
            Sample("smelter.power", NOW - timedelta(minutes=1), 1.2e6, unit="W"),
            Sample("smelter.nothing", NOW, 1.0),
            Sample("smelter.power", NOW + timedelta(days=1), 1.0),
            Sample("smelter.power", NOW, 1.0, unit="degC"),
            Sample("smelter.power", NOW, 1.0, unit="parsecs per fortnight"),
            Sample("smelter.power", NOW, "many"),
            Sample("smelter.temperature", NOW - timedelta(minutes=1), 9e9),
        ]
    )
    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "quarantined": 5})
    with server.client() as client:
        params = {"tag": ["smelter.power", "smelter.temperature"], "from": (NOW - timedelta(minutes=2)).isoformat()}
        rows = client.get("/api/v1/series", params={**params, "to": (NOW - timedelta(seconds=30)).isoformat()}).json()
        metrics = client.get("/metrics").text
    assert [(row["tag"], row["value"], row["quality"]) for row in rows] == [
        ("smelter.power", 1200.0, Quality.GOOD),
        ("smelter.temperature", 9e9, Quality.UNCERTAIN),
    ]
    for reason in ("unknown-tag", "impossible-time", "incompatible-unit", "unknown-unit", "wrong-kind"):
        assert f'athanor_samples_quarantined_total{{edge="edge-1",reason="{reason}"}} 1.0' in metrics


@pytest.mark.parametrize("said", ["Bearer", "Bearer wrong", "Basic wrong", "Bearer 中文", "Bearer " + "x" * 10_000])
def test_a_token_that_nobody_has_is_refused(server: RunningServer, said: str) -> None:
    with server.client(None) as client:
        for place in ("samples", "status"):
            headers = {"Authorization": said.encode()}
            answer = client.post(f"/api/v1/ingest/{place}", content=b"", headers=headers)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (401, "ingest.unknown-edge")


def test_a_persons_session_is_no_edges_token(server: RunningServer) -> None:
    with server.client("anna") as client:
        assert client.post("/api/v1/ingest/samples", content=b"").status_code == 401
    assert server.post(b"", token=server.sessions["anna"]).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        encode(batch_of([Sample("smelter.power", NOW, 1.0)]))[:-200],
        orjson.dumps([{"tag": "smelter.power", "value": 1}]),
    ],
    ids=["empty", "rubbish", "cut short", "JSON"],
)
def test_bytes_that_are_no_batch_are_told_from_trouble_that_passes(server: RunningServer, body: bytes) -> None:
    answer = server.post(body)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "telemetry.malformed-batch")


def test_an_empty_batch_is_acknowledged(server: RunningServer) -> None:
    assert server.send([]).json() == {"stored": 0, "quarantined": 0}


def test_too_large_a_request_is_refused_and_the_server_goes_on(server: RunningServer) -> None:
    answer = server.post(bytes(65 * 1024 * 1024))
    assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "ingest.too-large")
    assert server.send([]).status_code == 200


def test_a_status_that_is_none_is_refused(server: RunningServer) -> None:
    for body in (b"", b"[]", b'{"edge": "edge-1"}', b'{"edge": "edge-1", "at": "yesterday"}'):
        answer = server.post(body, to="status")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "ingest.bad-status")


def test_an_edge_is_who_its_token_says_and_not_who_it_says(server: RunningServer) -> None:
    report = {"edge": "somebody-else", "at": NOW.isoformat(), "backlog": {"rows": 77}, "what": "a newer edge says"}
    assert server.post(orjson.dumps(report), to="status").status_code == 204
    with server.client() as client:
        metrics = client.get("/metrics").text
    assert 'athanor_edge_backlog_rows{edge="edge-1"} 77.0' in metrics
    assert "somebody-else" not in metrics


def test_the_command_line_prints_a_new_token_and_nothing_else(server: RunningServer) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "athanor", "edge-token", "edge-2"],
        cwd=server.folder, env=server.environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert re.fullmatch(r"[\w-]{43}", made.stdout.strip())
